//! From expectations, observations and goldens read beforehand to verdicts: a pure function of its arguments.
//!
//! Every expectation is judged, and none stops another; [`judge_case`] says how judgements become a verdict. Nothing here
//! knows how a thing was observed, how a golden is stored, or how a verdict is shown.

mod boot;
mod case;
mod check;
mod combine;
mod golden;
mod model;
mod phrase;
mod sources;
mod step;
#[cfg(test)]
pub(crate) mod testkit;
mod unused;
mod weigh;

pub use case::{Judged, golden_keys, judge_case};
pub use check::check_phrase;
pub use combine::{combine_repeats, varying};
pub use golden::{golden_form, golden_text};
pub use model::{
    CaseResult, GoldenKey, GoldenState, Judgement, JudgementKind, Observed, Recipe, Subject, Varied, Verdict,
};
pub use phrase::exit as exit_phrase;
pub use sources::{GoldenSource, golden_sources};
pub use step::step_holds;
pub use unused::{UnusedRule, unused_rules};
