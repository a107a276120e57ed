//! What `check` and `update` share: read, choose a host, plan, make images, run, report.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::args::{HostArgs, RunArgs, SelectArgs};
use super::exit::Failure;
use super::host::{self, Opened};
use super::images::cache;
use super::load::Selection;
use super::signals;
use crate::events::Event;
use crate::facts::Facts;
use crate::golden::{self, Coordinates, GoldenStore};
use crate::host::Host;
use crate::images::{Catalogue, provide};
use crate::judge::golden_keys;
use crate::plan::{CaseId, CasePlan, RunPlan};
use crate::report::run::Run as Record;
use crate::report::{Fanout, Json, Junit, Outcome as Said, Reporter, Target, Terminal, Verbosity};
use crate::runner::{self, Goldens, Options, Outcome, Owner, Run};

/// What is asked of a run.
pub(super) struct Asked<'a> {
    pub(super) select: &'a SelectArgs,
    pub(super) host: &'a HostArgs,
    pub(super) run: &'a RunArgs,
    pub(super) repeat: u32,
    pub(super) images: &'a Path,
    pub(super) golden: &'a Path,
}

/// What a run came to.
pub(super) struct Ran {
    pub(super) outcome: Outcome,
    /// What the reporters said of it as a whole.
    pub(super) said: Said,
    pub(super) facts: Facts,
    pub(super) store: GoldenStore,
    pub(super) catalogue: Catalogue,
    /// Each case's image and point.
    pub(super) cases: BTreeMap<CaseId, (String, Coordinates)>,
}

/// Runs everything that was asked for, and reports it.
pub(super) async fn run(asked: Asked<'_>) -> Result<Ran, Failure> {
    let selection = Selection::read(asked.select, asked.images)?.of_something()?;
    let store = golden::store::read(asked.golden).map_err(Failure::input)?;
    let cancel = CancellationToken::new();
    signals::cancel_at_signal(cancel.clone())?;
    let opened = host::open(asked.host.host.as_deref(), asked.images).await?;
    let (events, heard) = unbounded_channel();
    let reporters = report(&asked, heard);
    let done = on_host(&asked, &selection, &store, &opened, &events, &cancel).await;
    let left = opened.host.close().await;
    let (mut outcome, facts, cases) = match done {
        Ok(done) => done,
        Err(failure) => {
            drop(events);
            let _the_failure_counts = reporters.await;
            return Err(failure);
        }
    };
    outcome.summary.left_behind.extend(left);
    let _gone = events.send(Event::RunFinished { summary: outcome.summary.clone() });
    drop(events);
    let said = reporters.await.map_err(Failure::environment)?.map_err(Failure::environment)?;
    Ok(Ran { outcome, said, facts, store, catalogue: selection.loaded.catalogue, cases })
}

type OnHost = (Outcome, Facts, BTreeMap<CaseId, (String, Coordinates)>);

async fn on_host(
    asked: &Asked<'_>,
    selection: &Selection,
    store: &GoldenStore,
    opened: &Opened,
    events: &UnboundedSender<Event>,
    cancel: &CancellationToken,
) -> Result<OnHost, Failure> {
    let facts = opened.host.facts().clone();
    let mut plan = selection.plan(&facts)?;
    plan.widen(opened.host.slowness());
    let goldens = look_up(store, &plan, &facts)?;
    let owner = Owner::this_process();
    let notice = |message: String| {
        let _gone = events.send(Event::Notice { message });
    };
    for stray in &store.strays {
        notice(format!("{} in the goldens' folder is not read: {}", stray.path, stray.why));
    }
    for name in runner::sweep(opened.host.as_ref(), &owner).await.map_err(Failure::environment)? {
        notice(format!("removed {name}, which a run that died had left"));
    }
    let tags = tokio::select! {
        tags = tags(opened.host.as_ref(), &selection.loaded.catalogue, &mut plan, &notice) => tags,
        () = cancel.cancelled() => return Err(Failure { exit: super::Exit::Interrupted, ..Failure::environment("interrupted while images were made") }),
    };
    let jobs = asked.run.jobs.map_or_else(default_jobs, |jobs| jobs as usize);
    let _gone = events.send(Event::RunStarted {
        host: Box::new(facts.clone()),
        why_host: opened.why.clone(),
        cases: plan.cases(),
        boots: plan.groups.len() * asked.repeat as usize,
        left_out: plan.left_out.clone(),
        jobs,
    });
    let planned = |case: &CasePlan| (case.id.clone(), (case.container.image.clone(), coordinates(case, &facts)));
    let cases = plan.groups.iter().flat_map(|group| &group.cases).map(planned).collect();
    let run = Run {
        host: Arc::clone(&opened.host),
        catalogue: selection.loaded.catalogue.clone(),
        tags,
        goldens,
        options: Options { jobs, fail_fast: asked.run.fail_fast, repeat: asked.repeat, owner },
        events: events.clone(),
        cancel: cancel.clone(),
    };
    Ok((runner::run(run, plan).await, facts, cases))
}

/// The cores, twice: half of a boot is waiting.
fn default_jobs() -> usize {
    std::thread::available_parallelism().map_or(2, std::num::NonZero::get) * 2
}

/// A case's place among goldens: its axes, and the facts of the host that goldens may depend on.
fn coordinates(case: &CasePlan, facts: &Facts) -> Coordinates {
    let mut at: Coordinates = case.point.iter().map(|(axis, value)| (axis.clone(), value.to_string())).collect();
    at.extend(golden::record::RecordedHost::of(facts).coordinates());
    at
}

fn look_up(store: &GoldenStore, plan: &RunPlan, facts: &Facts) -> Result<Goldens, Failure> {
    let mut goldens = Goldens::new();
    for case in plan.groups.iter().flat_map(|group| &group.cases) {
        let at = coordinates(case, facts);
        let mut states = BTreeMap::new();
        for key in golden_keys(case) {
            let state = store.state(&key, &case.id, &at).map_err(Failure::input)?;
            states.insert(key, state);
        }
        goldens.insert(case.id.clone(), states);
    }
    Ok(goldens)
}

/// The tags of the images that the plan needs; cases whose image can't be had become skipped.
async fn tags(
    host: &dyn Host,
    catalogue: &Catalogue,
    plan: &mut RunPlan,
    notice: &(dyn Fn(String) + Send + Sync),
) -> BTreeMap<String, String> {
    let needed: BTreeSet<String> =
        plan.groups.iter().flat_map(|group| &group.cases).map(|case| case.container.image.clone()).collect();
    let mut tags = BTreeMap::new();
    let mut missing = BTreeMap::new();
    let mut new = false;
    for name in needed {
        let Some(image) = catalogue.images.get(&name) else { continue };
        match provide(host, image, &cache(), notice).await {
            Ok(provided) => {
                new |= provided.new;
                tags.insert(name, provided.tag);
            }
            Err(why) => drop(missing.insert(name, why.to_string())),
        }
    }
    if new {
        host.keep().await;
    }
    plan.skip(|case| missing.get(&case.container.image).cloned());
    tags
}

/// Starts the reporters on a thread of their own: they write, and writing may block.
fn report(asked: &Asked<'_>, mut heard: UnboundedReceiver<Event>) -> JoinHandle<std::io::Result<Said>> {
    let verbosity = match (asked.run.quiet, asked.run.verbose) {
        (true, _) => Verbosity::Quiet,
        (_, true) => Verbosity::Verbose,
        _ => Verbosity::Normal,
    };
    let mut reporters = Fanout::default();
    // JSON on stdout is for a program, and nothing else may be there.
    let to_stdout = asked.run.json.as_deref() == Some(Path::new("-"));
    if !to_stdout {
        reporters = reporters.with(Terminal::standard(verbosity));
    }
    if let Some(path) = &asked.run.json {
        reporters = reporters.with(Json::new(Target::named(path, std::io::stdout())));
    }
    if let Some(path) = &asked.run.junit {
        reporters = reporters.with(Junit::new(Target::named(path, std::io::stdout())));
    }
    tokio::task::spawn_blocking(move || {
        let mut record = Record::default();
        while let Some(event) = heard.blocking_recv() {
            record.event(&event);
            reporters.event(&event);
        }
        reporters.finish()?;
        Ok(record.outcome())
    })
}

/// The day, in UTC, that goldens bear.
pub(super) fn today() -> String {
    let now = humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string();
    now.split('T').next().unwrap_or_default().to_string()
}
