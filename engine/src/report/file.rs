//! Where a report for tools goes: a file that is either the old one or the whole new one, or a stream.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The destination of a report.
pub enum Target {
    /// A file; its folder is made.
    File(PathBuf),
    /// A stream.
    Stream(Box<dyn Write + Send>),
}

impl Target {
    /// What a user means by a path: `-` is the given stream.
    #[must_use]
    pub fn named(path: &Path, stream: impl Write + Send + 'static) -> Self {
        if path == Path::new("-") { Self::Stream(Box::new(stream)) } else { Self::File(path.to_owned()) }
    }

    /// Writes all of a report.
    ///
    /// # Errors
    /// It could not be written; the words name the file.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::File(path) => {
                write_file(path, bytes).map_err(|e| io::Error::new(e.kind(), format!("{}: {e}", path.display())))
            }
            Self::Stream(stream) => {
                stream.write_all(bytes)?;
                stream.flush()
            }
        }
    }
}

fn write_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    // A device or a pipe is written to: a file in its place would take it from everybody. Of a link, what it leads to.
    let path = &match std::fs::metadata(path) {
        Ok(there) if !there.is_file() => return std::fs::OpenOptions::new().write(true).open(path)?.write_all(bytes),
        Ok(_) => path.canonicalize()?,
        Err(_) => path.to_owned(),
    };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(folder)?;
    let readable = std::fs::Permissions::from_mode(0o666);
    let mut file = tempfile::Builder::new().prefix(".sdc-report").permissions(readable).tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|e| e.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_takes_no_place_that_is_not_a_files() {
        let folder = tempfile::tempdir().unwrap();
        let [pipe, file, link] = ["pipe", "file", "link"].map(|name| folder.path().join(name));
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || std::fs::read(pipe).unwrap()
        });
        write_file(&pipe, b"report").unwrap();
        assert_eq!(reader.join().unwrap(), b"report");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        for report in ["one", "two"] {
            std::fs::write(&file, "old").unwrap();
            write_file(&link, report.as_bytes()).unwrap();
            assert_eq!(std::fs::read(&file).unwrap(), report.as_bytes());
            assert!(link.is_symlink());
        }
    }
}
