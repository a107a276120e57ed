//! Recorded observations: resolving them, computing updates as values, and (in `store`) reading and writing them.
//!
//! ```text
//! store::read -> GoldenFolder (files by condition, recorded cases) -> resolve -> GoldenState, for judging
//! what was seen -> update (minimise) -> FolderUpdate, a value -> store::apply, once, at the end
//! ```
//!
//! Everything but `store` is pure. Nothing here knows what a text means, normalises it or decides that it may be
//! recorded: texts come normalised, and only those that are to be recorded are handed to [`update()`].

use std::collections::BTreeMap;

mod bits;
mod cover;
pub mod error;
pub mod folder;
mod grid;
mod layout;
pub mod minimise;
pub mod name;
mod patch;
pub mod prune;
pub mod record;
pub mod resolve;
pub mod store;
mod tally;
pub mod update;

pub use crate::facts::{HOST_KEYS, KIND_KEYS};
pub use error::{GoldenError, TextFault};
pub use folder::GoldenFolder;
pub use minimise::{MinimiseError, minimise};
pub use name::{Condition, NameError};
pub use prune::{Covered, not_needed, prune, unreachable};
pub use record::{Group, RecordedHost, Recording};
pub use resolve::{Ambiguity, Files, resolve};
pub use store::{GoldenStore, Stray, apply, orphans, read};

pub use update::{Batch, FolderUpdate, Recorded, UpdateError, update, update_all};

/// Where a text was seen: the case's axes and the host facts of [`HOST_KEYS`], as texts.
pub type Coordinates = BTreeMap<String, String>;

/// The provenance file of a golden folder.
pub const RECORDED_FILE: &str = "recorded.toml";
