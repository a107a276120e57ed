//! What an engine says of a container's end that no log of it shows.

use serde_json::Value;

/// Words on a PID 1 that the kernel killed for want of memory, where the engine's description of its container says so.
#[must_use]
pub fn killed_for_memory(inspected: &Value) -> Option<String> {
    let killed = inspected.pointer("/State/OOMKilled").and_then(Value::as_bool) == Some(true);
    killed.then(|| "killed for want of memory (the engine says OOMKilled)".to_owned())
}
