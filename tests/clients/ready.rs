//! What `tests/run` has made ready in `target/clients` from the folders beside this file.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The folder in which a program is ready to run. `None` where it is not, after saying so; with `CI` set, that is a failure.
pub fn folder(name: &str) -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(name);
    let made = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("it lies in target").join("clients").join(name);
    if is_made_from(&source, &made) {
        return Some(made);
    }
    let missing = format!("{} is not there, or not made from what is in {}", made.display(), source.display());
    assert!(std::env::var_os("CI").is_none(), "{missing}: tests/run makes it");
    // Written past the test runner, which keeps back what a passing test prints.
    let _ = writeln!(std::io::stderr(), "SKIPPED, not tested: {missing}; tests/run makes it");
    None
}

/// What was made holds a copy of each file that it was made from.
fn is_made_from(source: &Path, made: &Path) -> bool {
    let mut files = fs::read_dir(source).expect("the program's folder").map(|entry| entry.expect("a file").path());
    files.all(|file| {
        let copy = made.join(file.file_name().expect("a file has a name"));
        fs::read(copy).ok() == fs::read(file).ok()
    })
}
