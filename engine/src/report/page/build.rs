//! From reports to the model: one report's cases after the other's, each text once. Pure.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::differ::{Differ, Seen};
use super::merge::{Merged, Origin, merge};
use super::model::{AxisView, BootView, CaseView, FlipView, JudgementView, MarkView, Page, Pool, StepView};
use super::neighbours::{Axes, Spot, flips};
use super::words;
use crate::compare::document::{Boot, Document, Judged, Ran, Step, outcome, word};
use crate::report::clean;
use crate::report::style::Mark;
use crate::report::text::plain_log;

/// The axis that hosts with cgroup v1 and v2 share no value of.
const WITH_HOST: &str = "cgroup_mode";
pub(super) const HOST: &str = "host";
pub(super) const SCENARIO: &str = "scenario";

/// A report and what it is called.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its name for readers.
    pub name: String,
    /// What it says.
    pub document: Document,
}

/// Why reports make no page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// A later program wrote it, or somebody else.
    #[error("{source_name}: the case {id} has the verdict `{verdict}`, which this sdc-engine does not know")]
    Verdict {
        /// The report.
        source_name: String,
        /// The case.
        id: String,
        /// Its word.
        verdict: String,
    },
}

/// Puts reports together.
///
/// # Errors
/// A case has a verdict that is not known.
pub fn page(sources: &[Source]) -> Result<Page, PageError> {
    let merged = merge(sources);
    let mut build = Build::default();
    let axes = axes(&merged);
    let index = Index::of(&axes);
    let mut cases = Vec::new();
    let mut spots = Vec::new();
    for origin in &merged.cases {
        let verdict = origin.verdict();
        let Some(mark) = words::mark(verdict) else {
            let (source_name, id) = (clean(origin.source), clean(&origin.id));
            return Err(PageError::Verdict { source_name, id, verdict: clean(verdict) });
        };
        let case = build.case(origin, mark, index.at(&axes, origin));
        let silent = matches!(Mark::ALL[mark], Mark::Error | Mark::Skipped | Mark::NotApplicable | Mark::Filtered);
        spots.push(Spot {
            at: case.at.clone(),
            verdict: (!silent).then_some(mark),
            boot: case.boot.and_then(|boot| build.boots.get(boot)).map(|boot| boot.outcome.clone()),
        });
        cases.push(case);
    }
    build.add_flips(&mut cases, &spots, &axes, &merged);
    let titles = titles(&axes, &merged);
    let boots = build.boots();
    Ok(Page {
        version: env!("CARGO_PKG_VERSION"),
        sources: sources.iter().map(|source| clean(&source.name)).collect(),
        notices: merged.notices,
        marks: marks(),
        hosts: merged.hosts,
        axes,
        titles,
        tags: build.tags.into_values(),
        texts: build.texts.into_values(),
        judgements: build.judgements.into_values(),
        boots,
        steps: build.steps.into_values(),
        cases,
    })
}

fn marks() -> Vec<MarkView> {
    let view = |mark: Mark| MarkView {
        word: mark.word(),
        symbol: mark.symbol(),
        ran: !matches!(mark, Mark::Skipped | Mark::NotApplicable | Mark::Filtered),
        bad: matches!(mark, Mark::Fail | Mark::Timeout | Mark::Flaky | Mark::New | Mark::Error),
        rank: mark as usize,
    };
    Mark::ALL.into_iter().map(view).collect()
}

/// A value by its place: not `default`, its number if it is one, itself.
type Rank = (bool, Option<i64>, String);

/// The axes in the order in which cases name them, then host and scenario.
fn axes(merged: &Merged<'_>) -> Vec<AxisView> {
    let mut names: Vec<&str> = Vec::new();
    let mut values: HashMap<&str, BTreeSet<Rank>> = HashMap::new();
    for origin in &merged.cases {
        for (axis, value) in origin.point().iter().filter(|(axis, _)| !matches!(axis.as_str(), HOST | SCENARIO)) {
            if !names.contains(&axis.as_str()) {
                names.push(axis);
            }
            let value = clean(&word(value));
            // `default` comes first, and numbers are no words.
            values.entry(axis).or_default().insert((value != "default", value.parse().ok(), value));
        }
    }
    let mut axes: Vec<AxisView> = names
        .into_iter()
        .map(|name| {
            let values = values.remove(name).into_iter().flatten().map(|(_, _, value)| value);
            AxisView { name: clean(name), values: values.collect() }
        })
        .collect();
    axes.push(AxisView { name: HOST.into(), values: merged.hosts.iter().map(|host| host.name.clone()).collect() });
    let scenarios: BTreeSet<String> = merged.cases.iter().map(|origin| clean(origin.scenario())).collect();
    axes.push(AxisView { name: SCENARIO.into(), values: scenarios.into_iter().collect() });
    axes
}

fn titles(axes: &[AxisView], merged: &Merged<'_>) -> Vec<String> {
    let known: HashMap<String, &str> = merged
        .cases
        .iter()
        .filter_map(|origin| origin.ran().map(|ran| (clean(&ran.scenario), ran.title.as_str())))
        .collect();
    let title = |name: &String| known.get(name).map_or_else(String::new, |title| plain_log(title).replace('\n', " "));
    axes.iter().filter(|axis| axis.name == SCENARIO).flat_map(|axis| axis.values.iter().map(title)).collect()
}

/// Where the values of axes stand.
struct Index(Vec<HashMap<String, usize>>);

impl Index {
    fn of(axes: &[AxisView]) -> Self {
        let one = |axis: &AxisView| axis.values.iter().cloned().zip(0..).collect();
        Self(axes.iter().map(one).collect())
    }

    fn at(&self, axes: &[AxisView], origin: &Origin<'_>) -> Vec<Option<usize>> {
        let value = |axis: &AxisView| match axis.name.as_str() {
            HOST => origin.host.clone(),
            SCENARIO => Some(clean(origin.scenario())),
            name => origin.point().iter().find(|(axis, _)| clean(axis) == name).map(|(_, value)| clean(&word(value))),
        };
        axes.iter().zip(&self.0).map(|(axis, known)| known.get(&value(axis)?).copied()).collect()
    }
}

/// What is kept once each.
#[derive(Default)]
struct Build {
    texts: Pool<String>,
    judgements: Pool<JudgementView>,
    boots: Pool<BootView>,
    /// Cgroup mounts that a step of any case of the boot has shown, by the boot.
    mounts: HashMap<usize, Vec<(String, usize)>>,
    steps: Pool<StepView>,
    tags: Pool<String>,
}

impl Build {
    fn case(&mut self, origin: &Origin<'_>, mark: usize, at: Vec<Option<usize>>) -> CaseView {
        let detail = self.text(&detail(Mark::ALL[mark], origin.detail().as_ref()));
        let mut case = CaseView {
            id: clean(&origin.id),
            at,
            mark,
            detail,
            tags: Vec::new(),
            boot: None,
            judgements: Vec::new(),
            steps: Vec::new(),
            by_hand: Vec::new(),
            bundle: None,
            flips: Vec::new(),
        };
        let Some(ran) = origin.ran() else { return case };
        case.tags = ran.tags.iter().map(|tag| self.tags.put(clean(tag))).collect();
        case.boot = ran.boot.as_ref().map(|boot| self.boot(boot));
        case.judgements = ran.judgements.iter().map(|judged| self.judgement(judged)).collect();
        case.steps = ran.steps.iter().map(|step| self.step(step, ran)).collect();
        case.by_hand = [&ran.by_hand, &ran.by_hand_elsewhere].into_iter().filter_map(|line| self.text(line)).collect();
        case.bundle = ran.bundle.as_deref().map(clean);
        if let Some(boot) = case.boot {
            let of_steps = case.steps.iter().filter_map(|step| self.steps.get(*step));
            let told = of_steps.filter_map(|step| Some((step.name.clone(), step.stdout?)));
            let told: Vec<_> =
                told.filter(|(_, text)| self.texts.get(*text).is_some_and(|text| words::tells_mounts(text))).collect();
            let known = self.mounts.entry(boot).or_default();
            known.extend(told.into_iter().filter(|told| !known.contains(told)).collect::<Vec<_>>());
        }
        case
    }

    /// The number of a text as it is shown; none of an empty one.
    fn text(&mut self, text: &str) -> Option<usize> {
        (!text.is_empty()).then(|| self.texts.put(plain_log(text)))
    }

    fn boot(&mut self, boot: &Boot) -> usize {
        let (console, setup) = (words::log(&boot.console), boot.setup_log.as_deref().map(words::log));
        let deciding = boot.deciding_line.as_deref();
        let mounts = setup.iter().flat_map(|log| words::setup_mounts(log));
        let mounts = mounts.map(|(title, text)| (format!("setup script: {title}"), self.texts.put(text))).collect();
        let outcome = clean(&outcome(&boot.outcome));
        let view = BootView {
            up: outcome == "running" || outcome.starts_with("degraded"),
            outcome,
            took: words::took(boot.took),
            deciding: deciding.map(|line| plain_log(line).trim().to_owned()).filter(|line| !line.is_empty()),
            marked: words::marked(&console, deciding),
            setup_marked: setup.as_deref().and_then(|log| words::marked(log, deciding)),
            console: self.texts.put(console),
            cut: boot.console_cut,
            setup: setup.map(|log| self.texts.put(log)),
            not_applied: boot
                .not_applied
                .iter()
                .map(|flag| {
                    clean(&format!("{}: asked for {}, the engine shows {}", flag.flag, flag.requested, flag.effective))
                })
                .collect(),
            mounts,
        };
        self.boots.put(view)
    }

    fn judgement(&mut self, judged: &Judged) -> usize {
        let is_text = judged.expected.is_empty() || judged.expected.ends_with('\n');
        let diff = (judged.kind == "golden" && !judged.held && is_text)
            .then(|| super::differ::text(("golden", &judged.expected), ("seen", &judged.actual)));
        let view = JudgementView {
            subject: clean(&judged.about()),
            kind: words::kind(&clean(&judged.kind)),
            held: judged.held,
            level: clean(&judged.level),
            expected: self.texts.put(plain_log(&judged.expected)),
            actual: self.texts.put(plain_log(&judged.actual)),
            diff: diff.map(|diff| self.texts.put(diff)),
            place: judged.place.as_ref().map_or_else(String::new, |at| clean(&format!("{}:{}", at.file, at.line))),
        };
        self.judgements.put(view)
    }

    fn step(&mut self, step: &Step, ran: &Ran) -> usize {
        let fine =
            |run: &&crate::compare::document::Output| matches!(run.ended().as_str(), "exit code 0" | "left running");
        let broke = step.runs.iter().position(|run| !fine(&run));
        let shown = broke.or(step.runs.len().checked_sub(1)).and_then(|at| step.runs.get(at));
        let ended = match (shown, broke, step.runs.len()) {
            (None, ..) => format!("did not run: {}", step.not_run.as_deref().unwrap_or("nobody knows why")),
            (Some(run), _, 1) => run.ended(),
            (Some(run), None, runs) => format!("{} in each of {runs} runs", run.ended()),
            (Some(run), Some(at), runs) => format!("{} in run {} of {runs}", run.ended(), at + 1),
        };
        let view = StepView {
            name: clean(&step.name),
            command: ran.commands.get(&step.name).and_then(|command| self.text(command)),
            ended: plain_log(&ended),
            stdout: shown.and_then(|run| self.text(&run.stdout)),
            stderr: shown.and_then(|run| self.text(&run.stderr)),
            cut: shown.is_some_and(|run| run.cut),
        };
        self.steps.put(view)
    }

    fn add_flips(&mut self, cases: &mut [CaseView], spots: &[Spot], axes: &[AxisView], merged: &Merged<'_>) {
        let position = |name: &str| axes.iter().position(|axis| axis.name == name);
        let (Some(host), Some(scenario)) = (position(HOST), position(SCENARIO)) else { return };
        let rule = Axes { count: axes.len(), host, scenario, with_host: position(WITH_HOST) };
        let found = flips(spots, rule);
        let mut differ = Differ::default();
        for (number, flips) in found.into_iter().enumerate() {
            for flip in flips {
                let name = |number: usize| {
                    flip.axes
                        .iter()
                        .map(|axis| {
                            let value = spots[number].at[*axis].and_then(|value| axes[*axis].values.get(value));
                            format!("{}={}", axes[*axis].name, value.map_or("", String::as_str))
                        })
                        .collect::<Vec<_>>()
                        .join(", ")
                };
                let sides = [number, flip.to].map(|side| merged.cases[side].ran().map(Seen::of));
                let [Some(own), Some(other)] = sides else { continue };
                let diffs = differ.between((&name(number), &own), (&name(flip.to), &other));
                let diffs = diffs.into_iter().map(|(what, text)| (what, self.texts.put(text))).collect();
                cases[number].flips.push(FlipView { axes: flip.axes, to: flip.to, diffs });
            }
        }
    }

    /// The boots, with what steps have shown of their mounts.
    fn boots(&mut self) -> Vec<BootView> {
        let mut boots = std::mem::take(&mut self.boots).into_values();
        for (boot, mounts) in &mut self.mounts {
            if let Some(boot) = boots.get_mut(*boot) {
                boot.mounts.extend(mounts.drain(..).map(|(step, text)| (format!("step {step}"), text)));
            }
        }
        boots
    }
}

/// What a verdict says besides its word.
fn detail(mark: Mark, detail: Option<&Value>) -> String {
    match (mark, detail) {
        (_, None | Some(Value::Null)) => String::new(),
        (Mark::Flaky, Some(Value::Array(runs))) => match runs.as_slice() {
            [held, of] => format!("held in {held} of {of} runs"),
            _ => String::new(),
        },
        (Mark::Timeout, Some(phase)) => format!("limit passed: {}", word(phase)),
        (_, Some(words)) => word(words),
    }
}
