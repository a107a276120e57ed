//! What is read out of an engine's answers.

use std::io::Read;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use serde_json::Value;

use crate::host::wire::Chunks;
use crate::host::{ContainerId, HostError, HostErrorKind, Listed};

pub(super) fn has_tty(inspect: &Value) -> bool {
    inspect.pointer("/Config/Tty").and_then(Value::as_bool).unwrap_or_default()
}

/// What comes, whichever stream it came on.
pub(super) fn console_bytes(chunks: Chunks, action: String) -> BoxStream<'static, Result<Bytes, HostError>> {
    let bytes = move |chunk: Result<(_, Bytes), HostErrorKind>| match chunk {
        Ok((_, bytes)) => Ok(bytes),
        Err(kind) => Err(HostError::new(action.clone(), kind)),
    };
    chunks.map(bytes).boxed()
}

/// The processes, a line each, below their titles.
pub(super) fn processes(top: &Value) -> String {
    let titles = top.get("Titles").into_iter();
    let rows = top.get("Processes").and_then(Value::as_array).into_iter().flatten();
    let line = |row: &Value| {
        let cells: Vec<_> = row.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        cells.join(" ") + "\n"
    };
    titles.chain(rows).map(line).collect()
}

/// A container of a list.
pub(super) fn listed(entry: &Value) -> Option<Listed> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let labels = entry.get("Labels").and_then(Value::as_object).into_iter().flatten();
    Some(Listed {
        id: ContainerId(entry.get("Id")?.as_str()?.to_owned()),
        name: text(entry.pointer("/Names/0")).trim_start_matches('/').to_owned(),
        labels: labels.map(|(key, value)| (key.clone(), text(Some(value)))).collect(),
    })
}

/// The first regular file of an archive, which may end within it.
pub(super) fn first_file(archive: &[u8], limit: usize) -> std::io::Result<Vec<u8>> {
    let mut archive = tar::Archive::new(archive);
    for entry in archive.entries()? {
        let entry = entry?;
        if entry.header().entry_type().is_file() {
            let mut bytes = Vec::new();
            entry.take(limit as u64).read_to_end(&mut bytes)?;
            return Ok(bytes);
        }
    }
    Err(std::io::Error::other("it is no regular file"))
}
