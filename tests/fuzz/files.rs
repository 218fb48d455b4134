//! Files that an administrator writes: settings and declarations.

use grantor_server::config::{example, load};
use grantor_server::declare::{self, Faults};
use grantor_server::place::Source;

use super::mutation::Grammar;
use super::parser::{Parser, text, texts};
use crate::harness::seeds::DECLARATION;

const BRACKETS: &[(&str, &str)] = &[
    ("[", "]"),
    ("{a=", "}"),
    ("a.", ""),
    ("[[a]]\n", ""),
    ("[[users]]\n", ""),
    ("\"", "\""),
    ("#", "\n"),
    ("'''", "'''"),
];

/// More than any app or person takes to declare; a file may have any number of them, and takes the longer.
const LONGEST: usize = 16 * 1024;

/// Each line of what is wrong names the file and a line of it.
fn places(faults: &str, file: &str, text: &str) {
    for fault in faults.lines() {
        let line =
            fault.strip_prefix(file).and_then(|rest| rest.strip_prefix(':')?.split(':').next()?.parse::<usize>().ok());
        assert!(line.is_some_and(|line| (1..=text.split('\n').count()).contains(&line)), "{fault}");
    }
}

#[test]
fn a_declaration_is_read_or_refused() {
    let whole = include_str!("../../crates/server/src/declare/whole.toml");
    let sections = whole.split("\n\n").chain(DECLARATION.split("\n\n"));
    let mut examples = texts(&sections.collect::<Vec<_>>());
    examples.extend(texts(&[whole, DECLARATION]));
    let grammar = Grammar {
        examples: &examples,
        words: &[
            "[[clients]]\n",
            "[[users]]\n",
            "[[scopes]]\n",
            "[[resources]]\n",
            "client_id = ",
            "redirect_uris = [",
            "= ",
            "]",
            "scope = \"a\"\n",
            "username = \"a\"\n",
            "true",
            "1990-05-04",
            "inf",
            "\"\"\"",
            "{",
            "}",
            ",",
            "password = \"a\"\n",
        ],
        brackets: BRACKETS,
        longest: LONGEST,
    };
    let read = |input: &[u8]| drop(declare::parse(&Source::new("a.toml", &text(input))));
    let check = |input: &[u8]| {
        let text = text(input);
        match declare::parse(&Source::new("a.toml", &text)) {
            Ok(declaration) => {
                assert!(declaration.clients.iter().all(|client| !client.client_id.is_empty()));
                assert!(declaration.users.iter().all(|user| !user.username.is_empty()));
            }
            Err(faults @ Faults(_)) => places(&faults.to_string(), "a.toml", &text),
        }
    };
    Parser { name: "declaration", share: 12, grammar, read: &read, check: &check }.run();
}

#[test]
fn settings_are_read_or_refused() {
    let all: Vec<&str> = example::TEXT.lines().map(|line| line.strip_prefix('#').unwrap_or(line)).collect();
    let all = all.join("\n");
    let examples = texts(&[
        example::TEXT,
        &all,
        "issuer = \"https://id.example\"\n[lifetimes]\naccess_token = \"5m\"\n[limits]\nworkers = 2\n",
        "trusted_proxies = [\"10.0.0.0/8\"]\nlisten = \"[::1]:80\"\n[log]\nlevel = \"warn\"\n",
    ]);
    let grammar = Grammar {
        examples: &examples,
        words: &[
            "[lifetimes]\n",
            "issuer = ",
            "= ",
            "\"10m\"",
            "\"99999999999999999999d\"",
            "true",
            "-1",
            "{",
            "}",
            "listen = ",
        ],
        brackets: BRACKETS,
        longest: LONGEST,
    };
    let read = |input: &[u8]| drop(load::parse(&Source::new("a.toml", &text(input))));
    let check = |input: &[u8]| match load::parse(&Source::new("a.toml", &text(input))) {
        Ok(config) => drop(config.findings()),
        Err(error) => assert!(!error.to_string().is_empty()),
    };
    Parser { name: "settings", share: 8, grammar, read: &read, check: &check }.run();
}
