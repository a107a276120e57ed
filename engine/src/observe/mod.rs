//! What was seen, and the pure reading of it: console logs, normalising. No IO.

mod model;

pub use model::{BootObservation, BootOutcome, NotApplied, RunOutput, RunStatus, StepObservation};
