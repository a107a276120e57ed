//! The file of what passed, and the program's own digest: the one file of `changed` with IO. What can't be read counts as
//! nothing known: then cases run, which is never wrong.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::model::{Green, VERSION};
use crate::files;

/// The largest file that is read: some hundred bytes for each of very many cases.
const LARGEST: u64 = 256 << 20;

/// The file, in the folder of what is set aside.
const FILE: &str = "passed.json";

/// The file of the program's digest, there.
const PROGRAM: &str = "program.json";

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

/// The running program's digest, which [`keep`] may have kept.
///
/// # Errors
/// Where the file can't be read: it was replaced meanwhile.
pub fn program(folder: &Path) -> io::Result<Program> {
    // The link leads to what runs, even where another file has taken its name.
    let mut file = File::open("/proc/self/exe").or_else(|_| File::open(std::env::current_exe()?))?;
    let stamp = stamp(&file.metadata()?);
    let kept = files::read(&folder.join(PROGRAM), LARGEST)
        .ok()
        .and_then(|bytes| serde_json::from_slice::<Program>(&bytes).ok());
    if let Some(program) = kept.filter(|program| program.stamp == stamp) {
        return Ok(Program { kept: true, ..program });
    }
    let mut hash = Sha256::new();
    io::copy(&mut file, &mut hash)?;
    Ok(Program { stamp, digest: format!("{:x}", hash.finalize()), kept: false })
}

/// Keeps the digest for the next run: to compute it takes some hundredths of a second.
///
/// # Errors
/// Where the file system would not.
pub fn keep(folder: &Path, program: &Program) -> io::Result<()> {
    if program.kept {
        return Ok(());
    }
    files::replace(&folder.join(PROGRAM), &serde_json::to_vec(program)?)
}

/// A program's file and what it comes to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Program {
    /// What tells the file from any other, and from itself before it was written to.
    stamp: String,
    /// The SHA-256 of its content, in hexadecimal digits.
    pub digest: String,
    /// Whether it was read from where it is kept.
    #[serde(skip)]
    kept: bool,
}

/// Which file it is, and when it was last changed: its inode's time of change can't be set.
fn stamp(file: &Metadata) -> String {
    let times = [file.mtime(), file.mtime_nsec(), file.ctime(), file.ctime_nsec()].map(|time| time.to_string());
    format!("{}:{} {} {}", file.dev(), file.ino(), file.size(), times.join(" "))
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
    fn a_program_has_one_digest_that_is_kept_with_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let digest_of = || program(folder.path()).unwrap().digest;
        let found = program(folder.path()).unwrap();
        keep(folder.path(), &found).unwrap();
        let digest = found.digest;
        assert_eq!(digest, format!("{:x}", Sha256::digest(std::fs::read("/proc/self/exe").unwrap())));
        let place = folder.path().join(PROGRAM);
        let change = |from: &str, to: &str| {
            let text = std::fs::read_to_string(&place).unwrap().replace(from, to);
            std::fs::write(&place, text).unwrap();
        };
        change(&digest, "kept");
        assert_eq!(digest_of(), "kept");
        change("\"stamp\":\"", "\"stamp\":\"1");
        assert_eq!(digest_of(), digest, "of another file");
        std::fs::write(&place, "{").unwrap();
        assert_eq!(digest_of(), digest);
    }
}
