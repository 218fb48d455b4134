//! The kernel, oxide-auth, is how core decides; nobody else needs to know.

use std::path::Path;

use super::{Complaints, tree};

const KERNEL: &str = "oxide_auth";

/// Public signatures of core that speak of the kernel, by its name or by a type that the file takes from it.
pub fn leaks(root: &Path) -> Complaints {
    let core = tree::rust(root).into_iter().filter(|(path, _)| path.starts_with("crates/core/src"));
    core.flat_map(|(path, text)| {
        let types = taken(&text);
        let leaking =
            |signature: &String| words(signature).any(|word| word == KERNEL || types.iter().any(|name| name == word));
        let signatures = signatures(&text).into_iter().filter(leaking).collect::<Vec<_>>();
        signatures.into_iter().map(move |signature| format!("{path}: `{signature}` shows the kernel"))
    })
    .collect()
}

/// The types that `use oxide_auth::…;` brings in, by the names that they have in this file.
fn taken(text: &str) -> Vec<String> {
    let uses = text.split("use ").skip(1).filter_map(|rest| rest.split_once(';')).map(|(path, _)| path);
    let kernel = uses.filter(|path| path.starts_with(KERNEL));
    let names = kernel.flat_map(|path| path.split(['{', '}', ',']).filter_map(|part| words(part).last()));
    names.filter(|name| name.starts_with(char::is_uppercase)).map(str::to_owned).collect()
}

/// Each item that begins with `pub `, up to where its body begins; a field of a struct is one.
fn signatures(text: &str) -> Vec<String> {
    let mut signatures = Vec::new();
    let mut lines = text.lines().map(str::trim).take_while(|line| *line != "#[cfg(test)]");
    while let Some(line) = lines.next() {
        if !line.starts_with("pub ") {
            continue;
        }
        let mut signature = line.to_owned();
        while !signature.ends_with(['{', '}', ';', ',']) {
            let Some(next) = lines.next() else { break };
            signature = format!("{signature} {next}");
        }
        // The parameters of a function that is written over several lines end in commas, too.
        while signature.matches('(').count() > signature.matches(')').count() {
            let Some(next) = lines.next() else { break };
            signature = format!("{signature} {next}");
        }
        signatures.push(signature);
    }
    signatures
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_alphanumeric() && letter != '_').filter(|word| !word.is_empty())
}
