//! Rendering one case's texts.

use std::cell::RefCell;
use std::collections::HashSet;

use regex::RegexBuilder;

use super::error::PlanError;
use super::model::{self, CaseId};
use crate::matrix::Names;
use crate::scenario::Templates;
use crate::scenario::model::{Ask, Check, Condition, Template};
use crate::source::Sources;

/// The most memory, in bytes, that one compiled pattern may take.
const REGEX_SIZE: usize = 4 << 20;

/// Renders the texts of one case.
pub(super) struct Renderer<'a> {
    pub(super) templates: &'a Templates,
    pub(super) sources: &'a Sources,
    pub(super) names: &'a Names<'a>,
    pub(super) case: &'a CaseId,
    pub(super) compiled: &'a RefCell<HashSet<String>>,
}

impl Renderer<'_> {
    pub(super) fn text(&self, template: &Template) -> Result<String, PlanError> {
        let text = &template.0;
        if Templates::is_plain(&text.value) {
            return Ok(text.value.clone());
        }
        PlanError::at(self.templates.render(&text.value, self.names.for_text(&text.value)), &text.loc, self.case)
    }

    pub(super) fn optional(&self, template: Option<&Template>) -> Result<Option<String>, PlanError> {
        template.map(|t| self.text(t)).transpose()
    }

    pub(super) fn holds(&self, condition: Option<&Condition>) -> Result<bool, PlanError> {
        let Some(Condition(when)) = condition else { return Ok(true) };
        PlanError::at(self.templates.holds(&when.value, self.names.for_text(&when.value)), &when.loc, self.case)
    }

    /// A pattern, known to compile after rendering. Captured values are put in as text later, so they stand for any
    /// literal here.
    pub(super) fn pattern(&self, template: &Template) -> Result<String, PlanError> {
        let text = self.text(template)?;
        if self.compiled.borrow().contains(&text) {
            return Ok(text);
        }
        let tried = RegexBuilder::new(&text).multi_line(true).size_limit(REGEX_SIZE).build();
        match tried {
            Ok(_) => {
                self.compiled.borrow_mut().insert(text.clone());
                Ok(text)
            }
            Err(error) => Err(PlanError {
                message: format!("bad regex /{text}/: {}", last_line(&error.to_string())),
                loc: template.0.loc.clone(),
                help: format!("this is the pattern as rendered for the case {}", self.case),
                case: Some(self.case.clone()),
            }),
        }
    }

    pub(super) fn check(&self, check: &Check) -> Result<model::Check, PlanError> {
        let ask = match &check.ask {
            Ask::Regex(t) => Ask::Regex(self.pattern(t)?),
            Ask::NotRegex(t) => Ask::NotRegex(self.pattern(t)?),
            Ask::Contains(t) => Ask::Contains(self.not_empty(t)?),
            Ask::NotContains(t) => Ask::NotContains(self.not_empty(t)?),
            Ask::Equals(t) => Ask::Equals(self.text(t)?),
            Ask::Empty(wanted) => Ask::Empty(*wanted),
            Ask::Lines(least, most) => Ask::Lines(*least, *most),
            Ask::Set(relation, words) => {
                let words = words.iter().map(|t| self.text(t)).collect::<Result<Vec<_>, _>>()?;
                Ask::Set(*relation, words.into_iter().filter(|w| !w.is_empty()).collect())
            }
            Ask::Golden(golden) => Ask::Golden(golden.clone()),
        };
        Ok(model::Check { place: self.sources.place(&check.loc), stream: check.stream, ask })
    }

    fn not_empty(&self, template: &Template) -> Result<String, PlanError> {
        let text = self.text(template)?;
        if text.is_empty() {
            return Err(PlanError {
                message: "this renders to nothing, so it asserts nothing".into(),
                loc: template.0.loc.clone(),
                help: format!("seen in the case {}; give the expectation a 'when' for the cases it is for", self.case),
                case: Some(self.case.clone()),
            });
        }
        Ok(text)
    }
}

fn last_line(text: &str) -> &str {
    text.lines().last().unwrap_or(text).trim_start_matches("error: ")
}
