//! The plan of a whole run: every case rendered, those that do not run with their reason, the others by shared boot.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};

use indexmap::IndexMap;
use minijinja::Value;

use super::container;
use super::error::PlanError;
use super::model::{
    Action, BootExpectation, BootGroup, BootSpec, CaseId, CasePlan, ContainerSpec, Expectation, LeftOut, Risk, RunPlan,
    StepPlan, WhyOut,
};
use super::render::Renderer;
use super::requirements::{forbidden, lacking, takes_no_script};
use super::risk;
use crate::facts::Facts;
use crate::images::Catalogue;
use crate::matrix::{Case, Context, Filters, cover, expand};
use crate::scenario::Templates;
use crate::scenario::model::{self as scenario, AxisValue, EngineAction, Phase, Scenario, Selection, Step};
use crate::source::Sources;

/// What a plan is made from besides the scenarios.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// The files' texts, for places.
    pub sources: &'a Sources,
    /// Images and setup modes.
    pub catalogue: &'a Catalogue,
    /// The host.
    pub facts: &'a Facts,
    /// The user's selection.
    pub filters: &'a Filters,
    /// The most cases that one scenario may have.
    pub max_cases: usize,
}

/// Plans a run.
///
/// # Errors
/// Every scenario's first error that only rendering shows.
pub fn plan(scenarios: &[Scenario], inputs: Inputs<'_>) -> Result<RunPlan, Vec<PlanError>> {
    let (templates, context) = (Templates::new(), Context::new(inputs.facts));
    let planner = Planner { inputs, templates, context, compiled: RefCell::default() };
    let mut plans = Vec::new();
    let mut left_out = Vec::new();
    let mut errors = Vec::new();
    for scenario in scenarios {
        if let Err(error) = planner.scenario(scenario, &mut plans, &mut left_out) {
            errors.push(error);
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let mut plan = RunPlan { groups: group(plans), left_out, share: None };
    inputs.filters.partition.into_iter().for_each(|partition| plan.deal(partition));
    Ok(plan)
}

/// Cases that may share a boot, together; the groups stand where their first case stood.
pub(super) fn group(plans: Vec<CasePlan>) -> Vec<BootGroup> {
    let mut groups: Vec<BootGroup> = Vec::new();
    // By a hash of what must be equal, and not by a copy of it, which would be most of a large plan's memory once more.
    let mut shared: HashMap<u64, Vec<usize>> = HashMap::new();
    let hasher = RandomState::new();
    for plan in plans {
        if plan.solo {
            groups.push(BootGroup { cases: vec![plan] });
            continue;
        }
        let alike = shared.entry(hasher.hash_one((&plan.container, &plan.boot))).or_default();
        let same = |at: &&usize| {
            let first = &groups[**at].cases[0];
            first.container == plan.container && first.boot == plan.boot
        };
        match alike.iter().find(same) {
            Some(at) => groups[*at].cases.push(plan),
            None => {
                alike.push(groups.len());
                groups.push(BootGroup { cases: vec![plan] });
            }
        }
    }
    groups
}

impl RunPlan {
    /// How many cases run.
    #[must_use]
    pub fn cases(&self) -> usize {
        self.groups.iter().map(|g| g.cases.len()).sum()
    }

    /// Adds an axis that has one value in all of the plan, to ids and points alike: where a run has several hosts, each
    /// host's plan gets `host=<name>`.
    pub fn add_axis(&mut self, axis: &str, value: &str) {
        let add = |id: &mut CaseId, point: &mut IndexMap<String, AxisValue>| {
            *id = id.with(axis, value);
            point.insert(axis.to_owned(), AxisValue::Str(value.to_owned()));
        };
        self.groups.iter_mut().flat_map(|group| &mut group.cases).for_each(|case| add(&mut case.id, &mut case.point));
        self.left_out.iter_mut().for_each(|case| add(&mut case.id, &mut case.point));
    }

    /// Makes every limit of time so many times wider: the host is slower than those that limits are written for.
    pub fn widen(&mut self, times: u32) {
        for case in self.groups.iter_mut().flat_map(|group| &mut group.cases) {
            case.boot.timeout *= times;
            for step in &mut case.steps {
                step.timeout *= times;
                if let Some(wait) = &mut step.wait {
                    wait.limit *= times;
                }
                if let Action::Engine(EngineAction::Stop { grace } | EngineAction::Restart { grace }) = &mut step.action
                {
                    *grace *= times;
                }
            }
        }
    }

    /// Turns the cases that may change the host into skipped ones: on a machine that nobody gave for that.
    pub fn spare_host(&mut self) {
        self.skip(|case| match &case.risk {
            Risk::None => None,
            Risk::Host { flags, .. } => {
                Some(format!("it may change this host ({flags}): use a lab host, or --allow-host-risk"))
            }
        });
    }

    /// Turns the cases of which `why` gives a reason into skipped ones: an image that can't be had.
    pub fn skip(&mut self, why: impl Fn(&CasePlan) -> Option<String>) {
        self.leave_out(|case| why(case).map(WhyOut::Skipped));
    }

    /// Takes the cases out of which `why` says so.
    pub fn leave_out(&mut self, mut why: impl FnMut(&CasePlan) -> Option<WhyOut>) {
        for group in &mut self.groups {
            group.cases.retain(|case| match why(case) {
                None => true,
                Some(why) => {
                    self.left_out.push(LeftOut {
                        id: case.id.clone(),
                        scenario: case.scenario.clone(),
                        point: case.point.clone(),
                        why,
                    });
                    false
                }
            });
        }
        self.groups.retain(|group| !group.cases.is_empty());
    }
}

/// What of a rendered container rules may read: [`crate::scenario::CONTAINER_PATHS`].
fn flags(container: &ContainerSpec) -> Value {
    let ContainerSpec { cgroupns, systemd, privileged, .. } = container;
    minijinja::context! {
        cgroupns => cgroupns.clone().unwrap_or_default(),
        systemd => systemd.clone().unwrap_or_default(),
        privileged => privileged,
    }
}

struct Planner<'a> {
    inputs: Inputs<'a>,
    templates: Templates,
    context: Context,
    /// Patterns that compile: most are the same in every case.
    compiled: RefCell<HashSet<String>>,
}

impl Planner<'_> {
    fn scenario(
        &self,
        scenario: &Scenario,
        plans: &mut Vec<CasePlan>,
        left_out: &mut Vec<LeftOut>,
    ) -> Result<(), PlanError> {
        let mut running = Vec::new();
        for case in expand(scenario, &self.templates, &self.context, self.inputs.filters, self.inputs.max_cases)? {
            match self.case(scenario, &case)? {
                Ok(plan) => running.push(plan),
                Err(why) => {
                    left_out.push(LeftOut { id: case.id, scenario: scenario.name.clone(), point: case.point, why });
                }
            }
        }
        self.select(scenario, running, plans, left_out);
        Ok(())
    }

    /// Takes as many of a scenario's cases as are asked for: of those that would run, so that a case that can't stands for none.
    fn select(
        &self,
        scenario: &Scenario,
        running: Vec<CasePlan>,
        plans: &mut Vec<CasePlan>,
        left_out: &mut Vec<LeftOut>,
    ) {
        let selection = self.inputs.filters.select.of(scenario.select);
        let points: Vec<_> = running.iter().map(|case| &case.point).collect();
        let stays = cover(&points, selection);
        for (case, stays) in running.into_iter().zip(stays) {
            if stays {
                plans.push(case);
                continue;
            }
            let what = if selection == Selection::Each { "each value" } else { "each pair of values" };
            let why = WhyOut::Filtered(format!("{what} of its axes is in another case: --select full"));
            left_out.push(LeftOut { id: case.id, scenario: case.scenario, point: case.point, why });
        }
    }

    /// The plan of a case, or why it does not run. Not applicable beats filtered beats skipped.
    fn case(&self, scenario: &Scenario, case: &Case) -> Result<Result<CasePlan, WhyOut>, PlanError> {
        if let Some(why @ WhyOut::NotApplicable(_)) = &case.out {
            return Ok(Err(why.clone()));
        }
        let names = self.context.of(&case.point);
        let r = self.renderer(&names, case);
        let container = container::render(&scenario.layers, &r)?;
        if let Some(reason) = self.setup_mode_forbids(&container, scenario, &r)? {
            return Ok(Err(WhyOut::NotApplicable(reason)));
        }
        if let Some(reason) = lacking(&container, self.inputs.facts) {
            return Ok(Err(WhyOut::NotApplicable(reason)));
        }
        if let Some(why) = &case.out {
            return Ok(Err(why.clone()));
        }
        if !scenario.skip.is_empty() {
            let known = self.context.of_container(&case.point, flags(&container));
            let of_container = self.renderer(&known, case);
            for rule in &scenario.skip {
                if of_container.holds(Some(&rule.when))? {
                    return Ok(Err(WhyOut::Skipped(rule.reason.clone())));
                }
            }
        }
        if let Some(reason) = forbidden(&container, self.inputs.facts) {
            return Ok(Err(WhyOut::Skipped(reason)));
        }
        let risk = Self::risk(scenario, case, &container)?;
        self.render(scenario, case, container, risk, &r).map(Ok)
    }

    /// What the container may do to the host, which the scenario must have declared.
    fn risk(scenario: &Scenario, case: &Case, container: &ContainerSpec) -> Result<Risk, PlanError> {
        let flags = risk::flags(container);
        if flags.is_empty() {
            return Ok(Risk::None);
        }
        let flags = flags.join(", ");
        let Some(declared) = scenario.host_risk.clone() else {
            return Err(PlanError {
                message: format!(
                    "containers of this scenario may change the host, and it does not say why that is wanted: {flags}"
                ),
                loc: scenario.loc.clone(),
                help: format!(
                    "add host_risk = \"…\" at the top: what may change, and why that is needed. Such cases run on lab hosts, and \
                     elsewhere with --allow-host-risk. Seen in the case {}",
                    case.id
                ),
                case: Some(case.id.clone()),
            });
        };
        Ok(Risk::Host { flags, declared, alone: risk::alone(container) })
    }

    fn renderer<'r>(&'r self, names: &'r Value, case: &'r Case) -> Renderer<'r> {
        let Self { templates, compiled, .. } = self;
        Renderer { templates, sources: self.inputs.sources, names, case: &case.id, compiled }
    }

    fn setup_mode_forbids(
        &self,
        container: &ContainerSpec,
        scenario: &Scenario,
        r: &Renderer<'_>,
    ) -> Result<Option<String>, PlanError> {
        let unknown = |what: &str, name: &str, known: Vec<&str>| PlanError {
            message: format!("there is no {what} '{name}'"),
            loc: scenario.loc.clone(),
            help: format!("seen in the case {}; there are: {}", r.case, known.join(", ")),
            case: Some(r.case.clone()),
        };
        let catalogue = self.inputs.catalogue;
        if !catalogue.images.contains_key(&container.image) {
            let known = catalogue.images.keys().map(String::as_str).collect();
            return Err(unknown("image", &container.image, known));
        }
        let Some(mode) = catalogue.setup_modes.get(&container.setup_mode) else {
            let known = catalogue.setup_modes.keys().map(String::as_str).collect();
            return Err(unknown("setup mode", &container.setup_mode, known));
        };
        if let Some(reason) = takes_no_script(container, mode, self.inputs.facts) {
            return Ok(Some(reason));
        }
        if mode.not_applicable.is_empty() {
            return Ok(None);
        }
        let names = self.context.of_container(&indexmap::IndexMap::new(), flags(container));
        for rule in &mode.not_applicable {
            if PlanError::at(self.templates.holds(&rule.when.0.value, &names), &rule.when.0.loc, r.case)? {
                return Ok(Some(format!("{}: {}", mode.name, rule.reason)));
            }
        }
        Ok(None)
    }

    fn render(
        &self,
        scenario: &Scenario,
        case: &Case,
        container: ContainerSpec,
        risk: Risk,
        r: &Renderer<'_>,
    ) -> Result<CasePlan, PlanError> {
        let boot = &scenario.boot;
        let mut steps = Vec::new();
        let mut solo = scenario.fresh;
        for step in &scenario.steps {
            if r.holds(step.when.as_ref())? {
                solo |= step.changes || step.at == Phase::Boot;
                steps.push(render_step(step, r)?);
            }
        }
        Ok(CasePlan {
            id: case.id.clone(),
            scenario: scenario.name.clone(),
            title: scenario.title.clone(),
            tags: scenario.tags.clone(),
            point: case.point.clone(),
            container,
            boot: BootSpec { timeout: boot.timeout, ready: boot.ready, before: r.optional(boot.before.as_ref())? },
            boot_expect: boot
                .expect
                .iter()
                .filter_map(|e| render_boot_expectation(e, r).transpose())
                .collect::<Result<Vec<_>, _>>()?,
            unknown_lines: boot.unknown_lines,
            known_lines: boot.known_lines.iter().map(|t| r.pattern(t)).collect::<Result<_, _>>()?,
            steps,
            normalise_rules: scenario.normalise_rules.clone(),
            solo,
            risk,
        })
    }
}

fn render_boot_expectation(
    expectation: &scenario::BootExpectation,
    r: &Renderer<'_>,
) -> Result<Option<BootExpectation>, PlanError> {
    if !r.holds(expectation.when.as_ref())? {
        return Ok(None);
    }
    Ok(Some(BootExpectation {
        place: r.sources.place(&expectation.loc),
        level: expectation.level,
        state: expectation.state.clone(),
        exit: expectation.exit.clone(),
        checks: expectation.checks.iter().map(|c| r.check(c)).collect::<Result<_, _>>()?,
    }))
}

fn render_step(step: &Step, r: &Renderer<'_>) -> Result<StepPlan, PlanError> {
    let texts = |templates: &[scenario::Template]| templates.iter().map(|t| r.text(t)).collect::<Result<Vec<_>, _>>();
    let action = match &step.action {
        scenario::Action::Shell(text) => Action::Run(vec!["/bin/sh".into(), "-c".into(), r.text(text)?]),
        scenario::Action::Argv(words) => Action::Run(texts(words)?),
        scenario::Action::Engine(action) => Action::Engine(action.clone()),
    };
    let mut expect = Vec::new();
    for expectation in &step.expect {
        if r.holds(expectation.when.as_ref())? {
            expect.push(Expectation {
                place: r.sources.place(&expectation.loc),
                level: expectation.level,
                exit: expectation.exit.clone(),
                checks: expectation.checks.iter().map(|c| r.check(c)).collect::<Result<_, _>>()?,
            });
        }
    }
    let capture = |c: &scenario::Capture| Ok((c.name.clone(), r.pattern(&c.regex)?));
    Ok(StepPlan {
        name: step.name.value.clone(),
        at: step.at,
        action,
        background: step.background,
        repeat: step.repeat,
        wait: step.wait,
        capture: step.capture.iter().map(capture).collect::<Result<_, PlanError>>()?,
        timeout: step.timeout,
        user: r.optional(step.user.as_ref())?,
        normalise: step.normalise.clone(),
        expect,
    })
}
