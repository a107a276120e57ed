//! What can be wrong with a scenario that only a host's facts or a case's values show.

use crate::plan::CaseId;
use crate::scenario::TemplateError;
use crate::source::Loc;

/// The author's file is wrong in one case. Never a fault of the host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PlanError {
    /// What is wrong, in one line.
    pub message: String,
    /// Where it was written.
    pub loc: Loc,
    /// What to do.
    pub help: String,
    /// The first case in which it is wrong.
    pub case: Option<CaseId>,
}

impl PlanError {
    /// Turns a template's error into one that knows its place and case.
    pub(crate) fn at<T>(result: Result<T, TemplateError>, loc: &Loc, case: &CaseId) -> Result<T, Self> {
        result.map_err(|error| Self {
            message: error.message,
            loc: loc.clone(),
            help: format!("seen when rendered for the case {case}"),
            case: Some(case.clone()),
        })
    }
}
