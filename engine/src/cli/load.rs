//! Reading scenarios and planning them, with every error of the author's files shown at once.

use std::collections::BTreeSet;
use std::path::Path;

use miette::{Diagnostic, LabeledSpan, NamedSource, Report, SourceCode};

use super::args::SelectArgs;
use super::exit::Failure;
use super::select;
use crate::facts::{CgroupLayout, CgroupVersion, EngineKind, Facts};
use crate::matrix::Filters;
use crate::plan::{Inputs, PlanError, RunPlan, WhyOut, plan};
use crate::rerun::Only;
use crate::scenario::{Loaded, load};
use crate::source::Sources;

/// Scenarios, and what the user selected of them.
pub(super) struct Selection {
    pub(super) loaded: Loaded,
    pub(super) filters: Filters,
    max_cases: usize,
    /// The only cases that run, by host.
    only: Option<Only>,
    /// Whether any case is left for some kind of host.
    selects: bool,
}

impl Selection {
    /// Reads everything and tries the plan for each kind of host, so that what is wrong in a file is known before
    /// anything is started.
    pub(super) fn read(args: &SelectArgs, images: &Path) -> Result<Self, Failure> {
        let filters = select::filters(args)?;
        let loaded = load(&args.paths, images).map_err(Failure::input)?;
        filters.check(&loaded.scenarios)?;
        let mut selection =
            Self { loaded, filters, max_cases: args.max_cases, only: args.only.clone(), selects: false };
        let mut errors: Vec<PlanError> = Vec::new();
        for facts in kinds_of_hosts() {
            match plan(&selection.loaded.scenarios, selection.inputs(&facts, &selection.filters)) {
                Ok(plan) => selection.selects |= selects(&plan),
                Err(found) => errors.extend(
                    found.into_iter().filter(|e| !errors.iter().any(|known| known.loc == e.loc)).collect::<Vec<_>>(),
                ),
            }
        }
        if errors.is_empty() { Ok(selection) } else { Err(selection.failure(errors)) }
    }

    fn inputs<'a>(&'a self, facts: &'a Facts, filters: &'a Filters) -> Inputs<'a> {
        let Loaded { sources, catalogue, .. } = &self.loaded;
        Inputs { sources, catalogue, facts, filters, max_cases: self.max_cases }
    }

    /// Fails where the filters leave no case on any kind of host: then no host is needed to say so.
    pub(super) fn of_something(self) -> Result<Self, Failure> {
        if self.selects {
            return Ok(self);
        }
        let help = "`sdc-engine list` with the same filters tells of each case why it is left out";
        Err(Failure::input(miette::miette!(help = help, "no case is selected")))
    }

    /// The plan for a host.
    pub(super) fn plan(&self, facts: &Facts) -> Result<RunPlan, Failure> {
        let ids = self.only.as_ref().map(|only| only.on(&facts.name));
        let filters = Filters { ids, ..self.filters.clone() };
        plan(&self.loaded.scenarios, self.inputs(facts, &filters)).map_err(|errors| self.failure(errors))
    }

    /// The ids of all cases that there are on some kind of host, whatever the filters are.
    pub(super) fn ids(&self) -> Result<BTreeSet<String>, Failure> {
        let mut ids = BTreeSet::new();
        for facts in kinds_of_hosts() {
            let plan = self.plan(&facts)?;
            ids.extend(plan.groups.into_iter().flat_map(|group| group.cases).map(|case| case.id.0));
            ids.extend(plan.left_out.into_iter().map(|out| out.id.0));
        }
        Ok(ids)
    }

    fn failure(&self, mut errors: Vec<PlanError>) -> Failure {
        errors.sort_by_key(|error| (error.loc.file, error.loc.span.start));
        let sources = &self.loaded.sources;
        Failure::input(Report::new(PlanErrors {
            errors: errors.into_iter().map(|error| Shown::new(error, sources)).collect(),
        }))
    }
}

/// Whether a plan has cases that run, or would if the host could; in whichever share: one that is empty still has its report.
fn selects(plan: &RunPlan) -> bool {
    let whole = plan.share.as_ref().map_or(0, |share| share.whole);
    plan.cases() > 0 || whole > 0 || plan.left_out.iter().any(|out| matches!(out.why, WhyOut::Skipped(_)))
}

/// What differs between hosts for a plan, each kind once.
pub(super) fn kinds_of_hosts() -> Vec<Facts> {
    let mut kinds = Vec::new();
    for engine in [EngineKind::Docker, EngineKind::Podman] {
        for (cgroups, cgroup_layout) in
            [(CgroupVersion::V1, CgroupLayout::Hybrid), (CgroupVersion::V2, CgroupLayout::V2)]
        {
            kinds.push(Facts { engine, cgroups, cgroup_layout, ..Facts::assumed() });
        }
    }
    kinds
}

/// Everything that planning found wrong.
#[derive(Debug, thiserror::Error)]
#[error("{} found when the cases were rendered", if .errors.len() == 1 { "an error was".into() } else { format!("{} errors were", .errors.len()) })]
struct PlanErrors {
    errors: Vec<Shown>,
}

impl Diagnostic for PlanErrors {
    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.errors.iter().map(|error| error as &dyn Diagnostic)))
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{}", .error.message)]
struct Shown {
    error: PlanError,
    source_text: NamedSource<String>,
}

impl Shown {
    fn new(error: PlanError, sources: &Sources) -> Self {
        let file = sources.get(error.loc.file);
        Self { source_text: NamedSource::new(&file.path, file.text.clone()), error }
    }
}

impl Diagnostic for Shown {
    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        Some(Box::new(&self.error.help))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source_text)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.error.loc.span.clone();
        Some(Box::new(std::iter::once(LabeledSpan::new_with_span(Some("here".into()), span))))
    }
}
