//! A database file that is being made. It gets its name when it is whole, so that whatever has the name is.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::files::{self, beside};

/// A file that nobody else may read, gone with the value unless it was kept.
pub(super) struct Partial(PathBuf);

impl Partial {
    /// Makes an empty one, in the place of nothing.
    pub(super) fn create(path: PathBuf) -> io::Result<(Self, File)> {
        let file = files::create(&path)?;
        Ok((Self(path), file))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Gives it its name, in the place of nothing. What has the name then is on the disk.
    pub(super) fn keep_as(self, name: &Path) -> io::Result<()> {
        if beside(&self.0, "-wal").exists() {
            return Err(io::Error::other("its write-ahead log is still there: somebody has it open"));
        }
        if name.exists() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        File::open(&self.0)?.sync_all()?;
        fs::rename(&self.0, name)?;
        let folder = name.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        for ending in ["", "-journal", "-wal", "-shm"] {
            // Most of them are not there; the first is not when it was kept.
            let _ = fs::remove_file(beside(&self.0, ending));
        }
    }
}
