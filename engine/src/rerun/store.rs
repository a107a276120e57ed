//! The file of the last run: the one file of `rerun` with IO. It is replaced as a whole.

use std::io;
use std::path::Path;

use super::model::{LastRun, VERSION};
use crate::files;

/// The largest file that is read.
const LARGEST: u64 = 1 << 28;

/// The file, in the folder of what is set aside.
const FILE: &str = "last-run.json";

/// Reads the last run; `None` where there was none.
///
/// # Errors
/// What is wrong with the file, in words with its name.
pub fn read(folder: &Path) -> Result<Option<LastRun>, String> {
    let path = folder.join(FILE);
    let wrong = |why: String| format!("{} can't be read: {why}", path.display());
    let bytes = match files::read(&path, LARGEST) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        bytes => bytes.map_err(|error| wrong(error.to_string()))?,
    };
    let last: LastRun = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
    if last.version != VERSION {
        return Err(wrong(format!("it has the version {}, and this program writes {VERSION}", last.version)));
    }
    Ok(Some(last))
}

/// Keeps a run as the last one.
///
/// # Errors
/// Where the file system would not; then the file is as it was.
pub fn write(folder: &Path, last: &LastRun) -> io::Result<()> {
    files::replace(&folder.join(FILE), &serde_json::to_vec(last)?)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::plan::CaseId;
    use crate::rerun::Told;

    #[test]
    fn what_was_written_is_read_and_damage_is_told_from_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("aside");
        assert_eq!(read(&place), Ok(None));
        let told = Told { id: CaseId("a[n=1]".into()), host: "h".into(), verdict: "fail".into() };
        let last = LastRun::of(vec![told]);
        write(&place, &last).unwrap();
        assert_eq!(read(&place), Ok(Some(last)));
        for text in ["{", "{\"version\": 7}"] {
            fs::write(place.join(FILE), text).unwrap();
            let words = read(&place).unwrap_err();
            assert!(words.contains("last-run.json can't be read"), "{words}");
        }
    }
}
