//! Texts that runs saw and no golden says, set aside until somebody decides on them.
//!
//! ```text
//! a run -> collect -> Pending -> store (written aside, never a golden)
//! store -> Pending -> present (with today's scenarios and goldens) -> group -> decide -> golden updates, as values
//! ```
//!
//! Everything but `store` is pure. Nothing here decides: people do, and this module carries what they need for it.

mod collect;
mod decide;
mod group;
mod model;
mod present;
pub mod store;

#[cfg(test)]
mod testkit;

pub use collect::{Seen, collect};
pub use decide::{Accepted, decide, refusal};
pub use group::{Change, Group, group};
pub use model::{Entry, Name, Pending};
pub use present::{Item, Stale, present};
