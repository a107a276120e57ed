//! Which cases need not run again: `check --changed` leaves out those that passed and of which nothing differs since.
//!
//! `model` is pure: it says what a case came of, part by part, and what differs; `store` is the one file with IO.

pub mod model;
pub mod store;

pub use model::{Green, Origin, Parts, is_unchanged};
