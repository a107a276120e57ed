//! From a line of a log to its cause and its remedy, as data: `images/diagnoses.toml`. Pure but for `load`, which reads
//! the file; nothing here looks at a container or judges one.
//!
//! ```text
//! text of diagnoses.toml -> parse -> Diagnoses; a boot's deciding line and log, and what is known of its host and flags
//!     -> matching -> Diagnosis (cause, fix, flags, links), the most telling first
//! ```

mod engine;
mod keys;
mod link;
mod load;
mod matching;
mod model;
mod parse;

pub use engine::killed_for_memory;
pub(crate) use keys::DIAGNOSES;
pub use link::url;
pub use load::load;
pub use matching::Known;
pub use model::{Diagnoses, Diagnosis, Entry};
pub use parse::{parse, shipped};
