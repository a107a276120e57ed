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
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
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
