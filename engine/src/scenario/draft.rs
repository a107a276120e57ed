//! One file, decoded and not yet merged with the defaults above it. Plain values, with the places that merging needs.

use std::time::Duration;

use indexmap::IndexMap;

use super::model::{
    AxisEntry, AxisValue, BootExpectation, Layer, NormaliseRule, Readiness, Rule, Selection, Step, Template,
    UnknownLines,
};
use crate::source::{Loc, Sp};

/// A scenario file or a `defaults.toml`.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    /// The start of the file.
    pub(crate) loc: Loc,
    /// Whether the defaults outside of it apply.
    pub(crate) inherit: bool,
    /// The question; empty where it lacks.
    pub(crate) title: String,
    /// Why someone would ask.
    pub(crate) description: Option<String>,
    /// Words to select by.
    pub(crate) tags: Vec<String>,
    /// A boot of its own.
    pub(crate) fresh: Option<bool>,
    /// Why its containers may change the host.
    pub(crate) host_risk: Option<String>,
    /// Which cases run.
    pub(crate) select: Option<Selection>,
    /// Rules for all goldens.
    pub(crate) normalise: Option<Vec<Sp<String>>>,
    /// Rules declared.
    pub(crate) rules: Vec<(Sp<String>, NormaliseRule)>,
    /// Axes.
    pub(crate) axes: IndexMap<String, AxisDraft>,
    /// `[[matrix.exclude]]`.
    pub(crate) exclude: Vec<Rule>,
    /// `[[matrix.include]]`.
    pub(crate) include: Vec<IncludeDraft>,
    /// `[[skip]]`.
    pub(crate) skip: Vec<Rule>,
    /// `[container]`, then each `[[container.when]]`.
    pub(crate) layers: Vec<Layer>,
    /// Whether `[container]` had errors, so that what lacks in it says nothing.
    pub(crate) container_broken: bool,
    /// `[boot]`.
    pub(crate) boot: BootDraft,
    /// `[[step]]`.
    pub(crate) steps: Vec<StepDraft>,
}

/// One axis.
#[derive(Debug, Clone)]
pub(crate) struct AxisDraft {
    /// Where its name was written.
    pub(crate) key: Loc,
    /// Its values, with their places.
    pub(crate) entries: Vec<Sp<AxisEntry>>,
    /// Whether the list is written empty: it removes an inherited axis.
    pub(crate) removes: bool,
}

/// One `[[matrix.include]]`.
#[derive(Debug, Clone)]
pub(crate) struct IncludeDraft {
    /// Its header.
    pub(crate) loc: Loc,
    /// A value for each axis; the place is the key's.
    pub(crate) point: IndexMap<String, Sp<AxisValue>>,
}

/// `[boot]`.
#[derive(Debug, Clone, Default)]
pub(crate) struct BootDraft {
    /// `timeout`.
    pub(crate) timeout: Option<Duration>,
    /// `ready`.
    pub(crate) ready: Option<Sp<Readiness>>,
    /// `before`.
    pub(crate) before: Option<Template>,
    /// `expect`.
    pub(crate) expect: Option<Vec<BootExpectation>>,
    /// `unknown_lines`.
    pub(crate) unknown_lines: Option<UnknownLines>,
    /// `known_lines`.
    pub(crate) known_lines: Vec<Template>,
}

/// One `[[step]]`, with what depends on the rest of the scenario still open.
#[derive(Debug, Clone)]
pub(crate) struct StepDraft {
    /// The step.
    pub(crate) step: Step,
    /// `timeout`.
    pub(crate) timeout: Option<Duration>,
    /// `normalise`.
    pub(crate) normalise: Option<Vec<Sp<String>>>,
}
