//! From a scenario's axes to its cases, and which of them are applicable, filtered or skipped. Pure.

mod context;
mod cover;
mod expand;
mod filter;
mod part;

pub use context::Context;
pub use cover::{Select, cover};
pub use expand::{Case, MAX_CASES, expand};
pub use filter::{FilterError, Filters};
pub use part::{Names, Part};
