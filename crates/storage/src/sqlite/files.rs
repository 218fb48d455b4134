//! The database's files, which nobody else may read.

use std::fs::{DirBuilder, File, OpenOptions, Permissions, set_permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

const OWNER_ONLY: u32 = 0o600;

/// Makes the folder (0700) and the file (0600) where they are missing, and takes from others what they may do with the files
/// that are there. SQLite makes its own files with the mode of the database.
///
/// A file that is there is never opened here: closing it would release the locks of other connections of this process.
pub(super) fn prepare(path: &Path) -> io::Result<()> {
    match create(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        made => return made.map(drop),
    }
    for file in [path.to_owned(), beside(path, "-wal"), beside(path, "-shm")] {
        match set_permissions(&file, Permissions::from_mode(OWNER_ONLY)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Makes a new file (0600), and its folder (0700) where it is missing.
pub(super) fn create(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    OpenOptions::new().write(true).create_new(true).mode(OWNER_ONLY).open(path)
}

/// The file that has another one's name with an ending.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
