//! The last run, as far as running its failures again needs it: which cases came to what, and where. `check` keeps it in
//! the folder of what is set aside; a JSON report says the same of any run.
//!
//! `model` is pure; `store` is the one file with IO. Nothing here runs anything.

pub mod model;
pub mod store;

pub use model::{LastRun, Only, Told, Which};
