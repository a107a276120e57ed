//! The plan of a whole run: every case rendered, those that do not run with their reason, the others by shared boot.

use std::cell::RefCell;
use std::collections::HashSet;

use minijinja::Value;

use super::container;
use super::error::PlanError;
use super::model::{
    Action, BootExpectation, BootSpec, CaseId, CasePlan, ContainerSpec, Expectation, LeftOut, Risk, RunPlan, StepPlan,
    WhyOut,
};
use super::render::Renderer;
use super::requirements::{forbidden, lacking, takes_no_script};
use super::risk;
use super::run::group;
use crate::facts::Facts;
use crate::images::Catalogue;
use crate::matrix::{Case, Context, Filters, Names, Part, cover, expand};
use crate::scenario::Templates;
use crate::scenario::model::{self as scenario, NormaliseRule, Phase, Point, Scenario, Selection, Step};
use crate::shared::Shared;
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

/// What the cases of one scenario have in common.
struct Common<'s> {
    scenario: &'s Scenario,
    name: Shared<String>,
    title: Shared<String>,
    tags: Shared<Vec<String>>,
    normalise_rules: Shared<Vec<NormaliseRule>>,
    container: Part<Result<Shared<ContainerSpec>, WhyOut>>,
    boot: Part<BootParts>,
    /// `None` where a step's condition does not hold.
    steps: Vec<Part<Option<Shared<StepPlan>>>>,
    /// Of the case before: the next is often the same in most.
    last: (Shared<ContainerSpec>, Shared<Risk>),
}

/// How a case boots, what must come of it, and console lines that are known.
type BootParts = (BootSpec, Shared<Vec<BootExpectation>>, Shared<Vec<String>>);

impl<'s> Common<'s> {
    fn of(scenario: &'s Scenario) -> Self {
        Self {
            scenario,
            name: scenario.name.clone().into(),
            title: scenario.title.clone().into(),
            tags: scenario.tags.clone().into(),
            normalise_rules: scenario.normalise_rules.clone().into(),
            container: Part::default(),
            boot: Part::default(),
            steps: scenario.steps.iter().map(|_| Part::default()).collect(),
            last: Default::default(),
        }
    }
}

impl Planner<'_> {
    fn scenario(
        &self,
        scenario: &Scenario,
        plans: &mut Vec<CasePlan>,
        left_out: &mut Vec<LeftOut>,
    ) -> Result<(), PlanError> {
        let mut common = Common::of(scenario);
        let mut running = Vec::new();
        for case in expand(scenario, &self.templates, &self.context, self.inputs.filters, self.inputs.max_cases)? {
            match self.case(&mut common, case)? {
                Ok(plan) => running.push(plan),
                Err(out) => left_out.push(out),
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

    /// The plan of a case, or why it does not run.
    fn case(&self, common: &mut Common<'_>, case: Case) -> Result<Result<CasePlan, LeftOut>, PlanError> {
        let planned = self.rendered(common, &case)?;
        let Case { id, point, .. } = case;
        Ok(match planned {
            Ok(plan) => Ok(CasePlan { id, point, ..plan }),
            Err(why) => Err(LeftOut { id, scenario: common.name.clone(), point, why }),
        })
    }

    /// The plan of a case without its name and point, or why it does not run. Not applicable beats filtered beats skipped.
    fn rendered(&self, common: &mut Common<'_>, case: &Case) -> Result<Result<CasePlan, WhyOut>, PlanError> {
        if let Some(why @ WhyOut::NotApplicable(_)) = &case.out {
            return Ok(Err(why.clone()));
        }
        let scenario = common.scenario;
        let names = Names::of(&self.context, &case.point);
        let r = self.renderer(&names, case);
        let container = common.container.of(&names, || self.container(scenario, &common.last.0, &r))?;
        let container = match (container, &case.out) {
            (Err(why), _) => return Ok(Err(why)),
            (_, Some(why)) => return Ok(Err(why.clone())),
            (Ok(container), None) => container,
        };
        if !scenario.skip.is_empty() {
            let known = names.with_container(flags(&container));
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
        let mut risk = Shared::from(Self::risk(scenario, case, &container)?);
        risk.join(&common.last.1);
        common.last = (container.clone(), risk.clone());
        render(common, &names, container, risk, &r).map(Ok)
    }

    /// The container of a case, or why it makes no sense here.
    fn container(
        &self,
        scenario: &Scenario,
        last: &ContainerSpec,
        r: &Renderer<'_>,
    ) -> Result<Result<Shared<ContainerSpec>, WhyOut>, PlanError> {
        let mut container = container::render(&scenario.layers, r)?;
        if let Some(reason) = self.setup_mode_forbids(&container, scenario, r)? {
            return Ok(Err(WhyOut::NotApplicable(reason)));
        }
        if let Some(reason) = lacking(&container, self.inputs.facts) {
            return Ok(Err(WhyOut::NotApplicable(reason)));
        }
        container.join(last);
        Ok(Ok(container.into()))
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

    fn renderer<'r>(&'r self, names: &'r Names<'r>, case: &'r Case) -> Renderer<'r> {
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
        let names = self.context.of_container(&Point::new(), flags(container));
        for rule in &mode.not_applicable {
            if PlanError::at(self.templates.holds(&rule.when.0.value, &names), &rule.when.0.loc, r.case)? {
                return Ok(Some(format!("{}: {}", mode.name, rule.reason)));
            }
        }
        Ok(None)
    }
}

/// A case that runs, without its name and point.
fn render(
    common: &mut Common<'_>,
    names: &Names<'_>,
    container: Shared<ContainerSpec>,
    risk: Shared<Risk>,
    r: &Renderer<'_>,
) -> Result<CasePlan, PlanError> {
    let scenario = common.scenario;
    let (boot, boot_expect, known_lines) = common.boot.of(names, || render_boot(&scenario.boot, r))?;
    let mut steps = Vec::with_capacity(scenario.steps.len());
    let mut solo = scenario.fresh;
    for (step, part) in scenario.steps.iter().zip(&mut common.steps) {
        if let Some(plan) = part.of(names, || render_step(step, r))? {
            solo |= step.changes || step.at == Phase::Boot;
            steps.push(plan);
        }
    }
    Ok(CasePlan {
        id: CaseId(String::new()),
        scenario: common.name.clone(),
        title: common.title.clone(),
        tags: common.tags.clone(),
        point: Point::new(),
        container,
        boot,
        boot_expect,
        unknown_lines: scenario.boot.unknown_lines,
        known_lines,
        steps,
        normalise_rules: common.normalise_rules.clone(),
        solo,
        risk,
    })
}

fn render_boot(boot: &scenario::Boot, r: &Renderer<'_>) -> Result<BootParts, PlanError> {
    let spec = BootSpec { timeout: boot.timeout, ready: boot.ready, before: r.optional(boot.before.as_ref())? };
    let expect = boot.expect.iter().filter_map(|e| render_boot_expectation(e, r).transpose());
    let expect = expect.collect::<Result<Vec<_>, _>>()?;
    let known_lines = boot.known_lines.iter().map(|t| r.pattern(t)).collect::<Result<Vec<_>, _>>()?;
    Ok((spec, expect.into(), known_lines.into()))
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

/// `None` where its condition does not hold.
fn render_step(step: &Step, r: &Renderer<'_>) -> Result<Option<Shared<StepPlan>>, PlanError> {
    if !r.holds(step.when.as_ref())? {
        return Ok(None);
    }
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
    let plan = StepPlan {
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
    };
    Ok(Some(plan.into()))
}
