//! Defaults below a scenario's own words, outer folders first; then a [`Scenario`] with every default filled in.

use std::time::Duration;

use indexmap::IndexMap;

use super::draft::{AxisDraft, BootDraft, Draft, StepDraft};
use super::model::{
    Action, Boot, BootExpectation, BootState, EngineAction, Layer, Level, Matrix, NamedRule, Scalar, Scenario, Step,
};
use crate::source::{Loc, Sp};

const BOOT_TIMEOUT: Duration = Duration::from_secs(20);
const STEP_TIMEOUT: Duration = Duration::from_secs(10);
const NORMALISE: [&str; 2] = ["ansi", "ids"];

/// Lays each draft over the one before it; the last is the scenario's own. Everything before the last
/// `inherit = false` is dropped.
pub(crate) fn merge(chain: &[&Draft]) -> Option<Draft> {
    let from = chain.iter().rposition(|draft| !draft.inherit).unwrap_or(0);
    let mut drafts = chain[from..].iter();
    let first = (*drafts.next()?).clone();
    Some(drafts.fold(first, |below, above| over(below, (*above).clone())))
}

fn over(below: Draft, above: Draft) -> Draft {
    Draft {
        loc: above.loc,
        inherit: true,
        title: above.title,
        description: above.description.or(below.description),
        tags: union(below.tags, above.tags),
        fresh: above.fresh.or(below.fresh),
        host_risk: above.host_risk.or(below.host_risk),
        select: above.select.or(below.select),
        normalise: above.normalise.or(below.normalise),
        rules: append(below.rules, above.rules),
        axes: axes(below.axes, above.axes),
        exclude: append(below.exclude, above.exclude),
        include: append(below.include, above.include),
        skip: append(below.skip, above.skip),
        layers: append(below.layers, above.layers),
        container_broken: below.container_broken || above.container_broken,
        boot: BootDraft {
            timeout: above.boot.timeout.or(below.boot.timeout),
            ready: above.boot.ready.or(below.boot.ready),
            before: above.boot.before.or(below.boot.before),
            expect: above.boot.expect.or(below.boot.expect),
            unknown_lines: above.boot.unknown_lines.or(below.boot.unknown_lines),
            known_lines: append(below.boot.known_lines, above.boot.known_lines),
        },
        steps: above.steps,
    }
}

fn append<T>(mut below: Vec<T>, above: Vec<T>) -> Vec<T> {
    below.extend(above);
    below
}

fn union(mut below: Vec<String>, above: Vec<String>) -> Vec<String> {
    for tag in above {
        if !below.contains(&tag) {
            below.push(tag);
        }
    }
    below
}

/// Axes keep the order of the defaults; an empty list takes an inherited axis away (and stays, as an error, where there
/// is none).
fn axes(mut below: IndexMap<String, AxisDraft>, above: IndexMap<String, AxisDraft>) -> IndexMap<String, AxisDraft> {
    for (name, axis) in above {
        if axis.removes && below.shift_remove(&name).is_some() {
            continue;
        }
        below.insert(name, axis);
    }
    below
}

/// Fills in what the files leave open.
pub(crate) fn finish(name: &str, draft: Draft) -> Scenario {
    let loc = draft.loc.clone();
    let named_rules = named_rules(&draft);
    let normalise: Vec<String> = match draft.normalise {
        Some(names) => names.into_iter().map(|name| name.value).collect(),
        None => NORMALISE.map(str::to_string).to_vec(),
    };
    let timeout = draft.boot.timeout.unwrap_or(BOOT_TIMEOUT);
    let mut layers = draft.layers;
    if !layers.iter().any(|layer| layer.when.is_none() && layer.scalars.contains_key(&Scalar::SetupMode)) {
        layers.insert(0, default_mode(&loc));
    }
    let expect = draft.boot.expect.filter(|expect| !expect.is_empty()).unwrap_or_else(|| {
        vec![BootExpectation {
            loc: loc.clone(),
            when: None,
            level: Level::Fail,
            state: vec![BootState::Running],
            exit: Vec::new(),
            checks: Vec::new(),
        }]
    });
    let axes = draft.axes.into_iter();
    Scenario {
        name: name.to_string(),
        title: draft.title,
        description: draft.description.unwrap_or_default(),
        tags: draft.tags,
        fresh: draft.fresh.unwrap_or(false),
        host_risk: draft.host_risk,
        select: draft.select.unwrap_or_default(),
        matrix: Matrix {
            axes: axes.map(|(name, axis)| (name.into(), axis.entries.into_iter().map(|e| e.value).collect())).collect(),
            exclude: draft.exclude,
            include: draft
                .include
                .into_iter()
                .map(|include| include.point.into_iter().map(|(name, value)| (name.into(), value.value)).collect())
                .collect(),
        },
        skip: draft.skip,
        layers,
        boot: Boot {
            timeout,
            ready: draft.boot.ready.map(|ready| ready.value).unwrap_or_default(),
            before: draft.boot.before,
            expect,
            unknown_lines: draft.boot.unknown_lines.unwrap_or_default(),
            known_lines: draft.boot.known_lines,
        },
        steps: draft.steps.into_iter().map(|draft| step(draft, timeout, &normalise)).collect(),
        normalise_rules: draft.rules.into_iter().map(|(_, rule)| rule).collect(),
        named_rules,
        loc,
    }
}

/// The rules that the file itself names, each with the steps for whose goldens it is meant there.
fn named_rules(draft: &Draft) -> Vec<NamedRule> {
    let with_golden = || draft.steps.iter().filter(|draft| draft.step.goldens().next().is_some());
    let names = |draft: &StepDraft| draft.step.name.value.clone();
    let shared: Vec<String> = with_golden().filter(|draft| draft.normalise.is_none()).map(names).collect();
    let own = draft.normalise.iter().flatten().filter(|name| name.loc.file == draft.loc.file);
    let of_all = own.map(|name| NamedRule { name: name.clone(), steps: shared.clone() });
    let of_one = with_golden().flat_map(|step| {
        let named = |name: &Sp<String>| NamedRule { name: name.clone(), steps: vec![step.step.name.value.clone()] };
        step.normalise.iter().flatten().map(named)
    });
    of_all.chain(of_one).collect()
}

/// The lowest layer where no file says which setup mode: the one that changes nothing.
fn default_mode(loc: &Loc) -> Layer {
    let template = super::model::Template(Sp::new("default".to_string(), loc.clone()));
    Layer { scalars: [(Scalar::SetupMode, template)].into(), ..Layer::default() }
}

fn step(draft: StepDraft, boot: Duration, normalise: &[String]) -> Step {
    let normalise = match draft.normalise {
        Some(names) => names.into_iter().map(|name| name.value).collect(),
        None => normalise.to_vec(),
    };
    // What an engine action is given by other keys is part of its limit.
    let given = match &draft.step.action {
        Action::Engine(EngineAction::Stop { grace }) => *grace,
        Action::Engine(EngineAction::Restart { grace }) => *grace + boot,
        Action::Engine(EngineAction::Start) => boot,
        _ => Duration::ZERO,
    };
    Step { timeout: draft.timeout.unwrap_or(STEP_TIMEOUT + given), normalise, ..draft.step }
}
