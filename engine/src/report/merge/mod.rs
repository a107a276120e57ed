//! Several reports as the one that a single run would have written: `merge`. Reports are read back as runs, put together as
//! values, and written by those who write any run. Pure.

mod join;
mod read;

pub use join::{MergeError, Merged, merge};
pub use read::read;

use super::run::Run;

/// A report that was read back.
#[derive(Debug, Clone)]
pub struct Part {
    /// What it is called.
    pub name: String,
    /// The version of the program that wrote it.
    pub version: String,
    /// Whether placeholders stand for the names of users and machines.
    pub redacted: bool,
    /// The run that it is of.
    pub run: Run,
}
