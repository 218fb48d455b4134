//! What stands in the head of a request, up to the size that the server reads; and what people type.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use grantor_core::params::{MAX_PARAMETER_BYTES, Params};
use grantor_core::token::SESSION;
use grantor_core::{accounts, client_auth};
use grantor_identity::address::client_address;
use grantor_identity::browser::BrowserCookie;
use grantor_identity::password::{Password, PasswordHash};
use grantor_identity::username::Username;
use grantor_web::cookie;
use grantor_web::locale::Language;
use grantor_web::pages::sessions::Device;

use super::mutation::Grammar;
use super::parser::{Parser, text, texts};

/// The largest head of a request that is read, and the most lines that it may have.
const HEAD: usize = 128 * 1024;
const LINES: usize = 96;

#[test]
fn basic_credentials_are_read_or_refused() {
    let examples = texts(&[
        "Basic d2lraTphLXNlY3JldA==",
        "basic  d2lraTo=",
        "Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3",
        "Bearer eyJhbGciOiJub25lIn0.e30.",
        "wiki:a%20secret+%C3%A9:more",
        "Basic",
    ]);
    let grammar = Grammar {
        examples: &examples,
        words: &["Basic ", "basic ", ":", "%3A", "%", "+", "=", "==", "AAAA"],
        brackets: &[("%25", ""), ("A", "=")],
        longest: HEAD,
    };
    let claimed = |header: &str| client_auth::claimed(&Params::default(), Some(header));
    let read = |input: &[u8]| drop(claimed(&text(input)));
    let check = |input: &[u8]| {
        let text = text(input);
        assert!(claimed(&text).is_none_or(|client_id| !client_id.is_empty()));
        let _ = claimed(&format!("Basic {}", STANDARD.encode(input)));
        // What stands in it rightly is found in it.
        let (client_id, secret) = text.split_once(':').unwrap_or((&text, ""));
        let encoded = |part: &str| url::form_urlencoded::byte_serialize(part.as_bytes()).collect::<String>();
        let right = format!("Basic {}", STANDARD.encode(format!("{}:{}", encoded(client_id), encoded(secret))));
        let readable = !client_id.is_empty() && !text.contains('\0');
        assert_eq!(claimed(&right).as_deref(), readable.then_some(client_id));
    };
    Parser { name: "Basic", share: 100, grammar, read: &read, check: &check }.run();
}

#[test]
fn a_cookie_is_found_or_not() {
    let examples = texts(&[
        "__Host-grantor_session=gtr_se_0BxVq7aY2Lk.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA; __Host-grantor_visit=AAAAAAAAAAAAAAAAAAAAAA",
        "a=b; __Host-grantor_session=AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA; __Host-grantor_language=de",
        "__Host-grantor_session=1\n__Host-grantor_session=2",
        " ;; =; __host-grantor_session=x; __Host-grantor_session =y; __Host%2Dgrantor_session=z",
    ]);
    let grammar = Grammar {
        examples: &examples,
        words: &["__Host-grantor_session=", ";", "; ", "=", "~", "gtr_se_", "\n", "\"", "%3B", "."],
        brackets: &[("a=b; ", ""), ("\"", "\"")],
        longest: HEAD,
    };
    let name = "__Host-grantor_session";
    let value = |input: &[u8]| cookie::value(input.splitn(LINES, |byte| *byte == b'\n'), name);
    let read = |input: &[u8]| drop(value(input));
    let check = |input: &[u8]| {
        let Some(value) = value(input) else { return };
        assert!(value.len() <= 256 && !value.contains(';'));
        let alone = format!("{name}={value}");
        assert_eq!(cookie::value([alone.as_bytes()].into_iter(), name).as_ref(), Some(&value));
        assert_eq!(cookie::value([alone.as_bytes(), b"x", alone.as_bytes()].into_iter(), name), None);
        assert!(SESSION.parse(&value).is_none_or(|(id, secret)| SESSION.format(id, &secret) == value));
        assert!(BrowserCookie::parse(&value).is_none_or(|browser| browser.to_string() == value));
        let others = accounts::tokens(&value);
        assert!(others.len() <= accounts::MOST_OTHERS);
        let written = accounts::text(others.iter().map(|(.., token)| *token));
        assert!(accounts::tokens(&written).iter().map(|(id, ..)| id).eq(others.iter().map(|(id, ..)| id)));
    };
    Parser { name: "cookie", share: 100, grammar, read: &read, check: &check }.run();
}

#[test]
fn names_and_passwords_are_read_or_refused() {
    let examples = texts(&[
        "ada@example.com",
        "Ada  Lovelace",
        "ﬁ ß ς İ ŉ \u{1e9e}",
        "correct horse battery staple",
        "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$JFYr7LZYwoVeHQDKDj2yVz0vN4WdMRXN4YzUDTLhqfQ",
        "a\u{200d}b\u{e000}\u{feff}",
    ]);
    let grammar = Grammar {
        examples: &examples,
        words: &["@", " ", "\u{301}", "\u{df}", "\u{fb03}", "\u{3000}", "$", "m=", "v=19", "$argon2id$"],
        brackets: &[("\u{fdfa}", ""), ("\u{301}\u{323}", ""), ("(", ")")],
        longest: MAX_PARAMETER_BYTES,
    };
    let read = |input: &[u8]| {
        let text = text(input);
        let _ = (Username::parse(&text), Password::parse(&text), PasswordHash::parse(&text));
    };
    let check = |input: &[u8]| {
        let text = text(input);
        if let Ok(name) = Username::parse(&text) {
            assert_eq!(Username::parse(name.as_str()).as_ref(), Ok(&name), "the normal form is its own");
        }
        assert!(
            PasswordHash::parse(&text).is_ok_and(|hash| hash.expose() == text) || PasswordHash::parse(&text).is_err()
        );
    };
    Parser { name: "name and password", share: 30, grammar, read: &read, check: &check }.run();
}

#[test]
fn headers_about_a_browser_are_read_or_passed_over() {
    let examples = texts(&[
        "de-CH, en;q=0.8, *;q=0.1",
        "203.0.113.7, 10.0.0.2",
        "[2001:db8::1]:4711, ::ffff:10.0.0.1",
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    ]);
    let grammar = Grammar {
        examples: &examples,
        words: &[",", ";", "q=", "10.0.0.1", "::1", "de", "Firefox/", "Edg", "(", "\n"],
        brackets: &[("10.0.0.1,", ""), ("de;q=0.1,", ""), ("[", "]")],
        longest: HEAD,
    };
    let read = |input: &[u8]| {
        let text = text(input);
        let _ = Language::choose(Some(&text), Some(&text), Some(&text));
        let lines: Vec<&[u8]> = input.splitn(LINES, |byte| *byte == b'\n').collect();
        let _ = client_address([10, 0, 0, 1].into(), &lines, &["10.0.0.0/8".parse().unwrap()]);
        let _ = Device::from_user_agent(&text);
    };
    let check = |input: &[u8]| {
        let peer = [203, 0, 113, 7].into();
        let lines: Vec<&[u8]> = input.splitn(LINES, |byte| *byte == b'\n').collect();
        assert_eq!(client_address(peer, &lines, &[]), peer);
    };
    Parser { name: "headers of a browser", share: 20, grammar, read: &read, check: &check }.run();
}
