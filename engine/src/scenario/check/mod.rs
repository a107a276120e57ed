//! Checks beyond types: settings that contradict each other or change nothing, and names that do not exist.

pub(crate) mod flags;
pub(crate) mod names;
pub(crate) mod scenario;
pub(crate) mod step;
