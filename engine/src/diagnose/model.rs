//! The shapes: an entry of the file, and what it comes to for one log. Plain values.

use serde::{Deserialize, Serialize};

use crate::observe::pattern::Lazy;

/// One `[[diagnosis]]` of the file: a line that people meet, why it is there, and what to do.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its name; no two have the same.
    pub name: String,
    /// The line, without ANSI sequences; its named groups may stand as `{name}` in the texts. An empty log is one empty line.
    pub line: Lazy,
    /// When it is the cause: an expression over `host.*` and `container.*`.
    pub when: Option<String>,
    /// Why the line is there.
    pub cause: String,
    /// What to do, in a sentence or two.
    pub fix: String,
    /// The flags that do it in docker.
    pub docker: Option<String>,
    /// The flags that do it in podman.
    pub podman: Option<String>,
    /// Where it is discussed: `project#number`, or an address.
    pub links: Vec<String>,
}

/// All entries, in the order in which they are tried: the first that fits a line is the one.
#[derive(Debug, Clone, Default)]
pub struct Diagnoses(pub Vec<Entry>);

/// What is known of a line of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// The entry's name.
    pub name: String,
    /// The line that led to it.
    pub line: String,
    /// Why it is there.
    pub cause: String,
    /// What to do.
    pub fix: String,
    /// The flags that do it in docker; `None` where there are none, or the engine is podman.
    pub docker: Option<String>,
    /// The flags that do it in podman; `None` where there are none, or the engine is docker.
    pub podman: Option<String>,
    /// Where it is discussed.
    pub links: Vec<String>,
    /// The condition under which it holds, where nothing is known of the host or the container that it asks about.
    pub only_if: Option<String>,
}
