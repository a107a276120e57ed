//! From expectations, observations and goldens read beforehand to verdicts. A pure function of its arguments.

mod model;

pub use model::{CaseResult, GoldenKey, GoldenState, Judgement, JudgementKind, Observed, Subject, Verdict};
