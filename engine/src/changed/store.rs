//! The file of what passed, and the program's own digest: the one file of `changed` with IO. What can't be read counts as
//! nothing known: then cases run, which is never wrong.

use std::io;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::model::{Green, VERSION};
use crate::files;

/// The largest file that is read: some hundred bytes for each of very many cases.
const LARGEST: u64 = 256 << 20;

/// The file, in the folder of what is set aside.
const FILE: &str = "passed.json";

/// What is known to have passed.
#[must_use]
pub fn read(folder: &Path) -> Green {
    let bytes = files::read(&folder.join(FILE), LARGEST).unwrap_or_default();
    serde_json::from_slice(&bytes).ok().filter(|found: &Green| found.version == VERSION).unwrap_or_default()
}

/// Writes it, as a whole or not at all.
///
/// # Errors
/// Where the file system would not.
pub fn write(folder: &Path, green: &Green) -> io::Result<()> {
    files::replace(&folder.join(FILE), &serde_json::to_vec(green)?)
}

/// The SHA-256 of the running program's file, in hexadecimal digits; it takes some hundredths of a second.
///
/// # Errors
/// Where the file can't be read: it was replaced meanwhile.
pub fn program() -> io::Result<String> {
    // The link leads to what runs, even where another file has taken its name.
    let mut file = std::fs::File::open("/proc/self/exe").or_else(|_| std::fs::File::open(std::env::current_exe()?))?;
    let mut hash = Sha256::new();
    io::copy(&mut file, &mut hash)?;
    Ok(format!("{:x}", hash.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::changed::Parts;
    use crate::changed::model::Passed;
    use crate::judge::Verdict;
    use crate::plan::CaseId;

    #[test]
    fn what_was_written_is_read_and_damage_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("aside");
        assert_eq!(read(&place), Green::default());
        let mut green = Green::default();
        let passed = Passed { day: "2026-11-28".into(), parts: Parts::default() };
        green.note("lab", &CaseId("a[x=1]".into()), &Verdict::Pass, passed);
        write(&place, &green).unwrap();
        assert_eq!(read(&place), green);
        std::fs::write(place.join(FILE), "{\"version\": 7, \"hosts\": {}}").unwrap();
        assert_eq!(read(&place), Green::default());
    }

    #[test]
    fn a_program_has_one_digest() {
        let digest = program().unwrap();
        assert_eq!(digest.len(), 64);
        assert_eq!(program().unwrap(), digest);
    }
}
