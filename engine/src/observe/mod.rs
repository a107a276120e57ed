//! What was seen, and the pure reading of it: console logs, captured values, normalising. No IO, no opinion.

pub mod captures;
pub mod console;
pub(crate) mod edit;
pub mod escape;
mod model;
pub mod normalise;
pub(crate) mod pattern;

pub(crate) use model::seconds;
pub use model::{BootObservation, BootOutcome, NotApplied, RunOutput, RunStatus, StepObservation};
