//! What differs between two runs of the same cases: on two hosts, or before and after a change. Pure.
//!
//! Each side is read from a report's JSON document, whether it was written before or made just now, so that both are
//! seen through the same eyes. Cases that ran on both sides are compared; cases that differ in the same way are one
//! group, and the conditions that explain it are found as those of goldens are.

mod across;
pub mod document;
mod groups;
mod model;
mod side;

pub use across::across;
pub use document::Document;
pub use groups::compare;
pub use model::{Comparison, Fact, Group, OneSided, Pair, TextPair};
pub use side::{Case, Side, SideError};
