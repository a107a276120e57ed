//! Reading the reports that `check --json` writes, and writing what is made of them.

use std::io::Read as _;
use std::path::Path;

use serde_json::Value;

use super::exit::Failure;
use crate::report::Target;

/// More than this no report of ours has: something else was named.
const LARGEST: u64 = 1 << 30;

/// What is wrong with a report, of which a command says what it reads.
pub(super) fn wrong(path: &Path, command: &str, words: &str) -> Failure {
    let help = format!("{command} reads what `sdc-engine check --json FILE` writes");
    Failure::input(miette::miette!(help = help, "{}: {words}", path.display()))
}

/// The names that a report has for its hosts.
pub(super) fn hosts(document: &Value) -> Vec<String> {
    let hosts = document.get("hosts").and_then(Value::as_array).into_iter().flatten();
    hosts.filter_map(|host| host.get("name").and_then(Value::as_str).map(ToOwned::to_owned)).collect()
}

/// The JSON in a file. Whether it is a report is for the caller to see.
pub(super) fn read(path: &Path, command: &str) -> Result<Value, Failure> {
    let read = || {
        let mut text = String::new();
        std::fs::File::open(path)?.take(LARGEST + 1).read_to_string(&mut text)?;
        Ok::<_, std::io::Error>(text)
    };
    let text = read().map_err(|error| wrong(path, command, &format!("it can't be read: {error}")))?;
    if text.len() as u64 > LARGEST {
        return Err(wrong(path, command, "it is larger than any report"));
    }
    serde_json::from_str(&text).map_err(|error| wrong(path, command, &format!("it is no JSON: {error}")))
}

/// A path without its folders: what is written is for others.
pub(super) fn label(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// Writes a file, or to stdout for `-`.
pub(super) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    if path == Path::new("-") {
        return super::print(text);
    }
    Target::named(path, Vec::new()).write(text.as_bytes()).map_err(Failure::environment)
}
