//! What works, and what does not, when systemd runs inside a container.
//!
//! Data flows one way, and the modules stand in that order:
//!
//! ```text
//! TOML text -> scenario -> matrix (cases) -> plan (fully rendered) -> runner (the only user of a host)
//!     runner -> events -> report
//!     runner -> observe (observations) -> judge -> verdicts -> pending (set aside, decided on) -> golden (updates, as values)
//! ```
//!
//! `advise` knows which grants to try next, and `diagnose` what lines of logs come from; `compare` sets two reports side by side; `changed` says which cases need not run again; `leak` says what changed on a host; `schema` turns the
//! decoders' tables of keys into schemas and a reference; `durations` keeps how long cases took; `redact` takes names out of what leaves the program; `rerun` says what did not hold in the last run.
//!
//! `scenario`, `matrix`, `plan`, `observe`, `judge`, `pending`, `golden`, `advise`, `diagnose`, `leak`, `compare`, `changed`, `redact`, `rerun` and `schema` are pure but for the one
//! file of each that says it reads or writes; `tests/layers.rs` keeps that. The words are those of the README's glossary.

pub mod advise;
pub mod changed;
pub mod cli;
pub mod compare;
pub mod diagnose;
pub mod durations;
pub mod events;
pub mod facts;
pub(crate) mod files;
pub mod golden;
pub mod host;
pub mod images;
pub mod judge;
pub mod leak;
pub mod matrix;
pub mod observe;
pub mod pending;
pub mod plan;
pub mod redact;
pub mod report;
pub mod rerun;
pub mod runner;
pub mod scenario;
pub mod schema;
pub mod secrets;
pub mod shared;
pub mod source;
#[cfg(test)]
pub(crate) mod testing;
