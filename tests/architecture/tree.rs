//! Walking a source tree, and making one up.

use std::fs;
use std::path::{Path, PathBuf};

/// The names in a folder, sorted; none where there is no such folder.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// All files below the folder, sorted.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let below = |name: String| {
        let path = folder.join(name);
        if path.is_dir() { files(&path) } else { vec![path] }
    };
    names(folder).into_iter().flat_map(below).collect()
}

/// The Rust files of the crates and of the tests, each as its path from the root and its text.
pub fn rust(root: &Path) -> Vec<(String, String)> {
    let all = ["crates", "tests"].into_iter().flat_map(|folder| files(&root.join(folder)));
    all.filter(|file| file.extension().is_some_and(|extension| extension == "rs"))
        .map(|file| (from_root(root, &file), fs::read_to_string(&file).expect("a source file is text")))
        .collect()
}

/// A path as people say it.
pub fn from_root(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}

/// A tree that goes away with this value.
pub struct Made {
    pub root: PathBuf,
}

impl Made {
    /// Writes the files, in a folder that belongs to one test.
    pub fn new(test: &str, files: &[(&str, &str)]) -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("tree-{test}-{}", std::process::id()));
        for (path, text) in files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().expect("it lies below the root")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
        Self { root }
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}
