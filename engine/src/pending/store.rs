//! The file of what is set aside: the one file of `pending` with IO. Runs that end at the same time wait for each other,
//! and a file is replaced as a whole.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

use super::model::{Pending, VERSION};
use crate::files;
use crate::observe::escape;

/// The largest file that is read.
const LARGEST: u64 = 1 << 30;

/// The file, in the folder of what is set aside.
const FILE: &str = "pending.json";

/// What can be wrong with it.
#[derive(Debug, Error, Diagnostic)]
pub enum PendingError {
    /// The file system would not.
    #[error("failed to {doing} {path}: {source}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: String,
        /// Why not.
        source: io::Error,
    },
    /// It is not what this program writes.
    #[error("{path} can't be read: {why}")]
    #[diagnostic(help("it holds nothing but texts that `check` sees again: delete it and run `check` once more"))]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        why: String,
    },
}

/// What is set aside, and nobody else's to change until this is dropped.
#[derive(Debug)]
pub struct Held {
    folder: PathBuf,
    /// Everything that is set aside.
    pub pending: Pending,
    _lock: File,
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> PendingError {
    let path = path.display().to_string();
    move |source| PendingError::Io { doing, path, source }
}

/// Reads what is set aside in a folder; one that is not there has nothing.
///
/// # Errors
/// A file that is not as it was written.
pub fn read(folder: &Path) -> Result<Pending, PendingError> {
    let path = folder.join(FILE);
    let bytes = match files::read(&path, LARGEST) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Pending::default()),
        bytes => bytes.map_err(failed("read", &path))?,
    };
    let unreadable = |why: String| PendingError::Unreadable { path: path.display().to_string(), why };
    let pending: Pending = serde_json::from_slice(&bytes).map_err(|error| unreadable(error.to_string()))?;
    if pending.version != VERSION {
        return Err(unreadable(format!("it has the version {}, and this program writes {VERSION}", pending.version)));
    }
    if let Some(entry) = pending.entries.iter().find(|entry| pending.facts(entry).is_none()) {
        return Err(unreadable(format!("the host of {} is not in it", entry.case)));
    }
    Ok(pending)
}

/// Reads what is set aside in order to change it; waits for whoever is changing it now.
///
/// # Errors
/// As [`read`], and where the folder can't be made.
pub fn hold(folder: &Path) -> Result<Held, PendingError> {
    fs::create_dir_all(folder).map_err(failed("make", folder))?;
    let path = folder.join("lock");
    let lock = File::create(&path).map_err(failed("make", &path))?;
    lock.lock().map_err(failed("lock", &path))?;
    Ok(Held { folder: folder.to_path_buf(), pending: read(folder)?, _lock: lock })
}

impl Held {
    /// Writes it back, as a whole.
    ///
    /// # Errors
    /// Where the file system would not; then the file is as it was.
    pub fn write(&self) -> Result<(), PendingError> {
        let path = self.folder.join(FILE);
        if self.pending.entries.is_empty() {
            return match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", &path)(error)),
                _ => Ok(()),
            };
        }
        let text = serde_json::to_string(&self.pending).map_err(|error| failed("write", &path)(error.into()))?;
        let text = escape::json(&text);
        files::replace(&path, text.as_bytes()).map_err(failed("write", &path))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testkit::Run;
    use super::*;
    use crate::observe::escape::steers;

    #[test]
    fn what_was_written_is_read_and_nothing_is_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("aside");
        assert_eq!(read(&place).unwrap(), Pending::default());
        let mut held = hold(&place).unwrap();
        Run::of("a=1", "x\n").into(&mut held.pending);
        held.write().unwrap();
        assert_eq!(read(&place).unwrap(), held.pending);
        held.pending.forget(|_| true);
        held.write().unwrap();
        assert!(!place.join(FILE).exists());
    }

    #[test]
    fn the_file_steers_no_terminal() {
        let folder = tempfile::tempdir().unwrap();
        let mut held = hold(folder.path()).unwrap();
        Run::of("a=1", "\u{1b}[2J\u{9b}x\u{202e}é\n").into(&mut held.pending);
        held.write().unwrap();
        let text = fs::read_to_string(folder.path().join(FILE)).unwrap();
        assert!(!text.chars().any(steers) && text.contains("\\u202e"), "{text}");
        assert_eq!(read(folder.path()).unwrap(), held.pending);
    }

    #[test]
    fn another_version_and_damage_are_told_apart_from_nothing() {
        let folder = tempfile::tempdir().unwrap();
        for text in ["{", "{\"version\": 7, \"hosts\": [], \"entries\": []}"] {
            fs::write(folder.path().join(FILE), text).unwrap();
            let error = read(folder.path()).unwrap_err();
            assert!(matches!(error, PendingError::Unreadable { .. }), "{error}");
        }
    }
}
