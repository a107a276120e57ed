//! What `check` and `update` share: read, choose a host, plan, make images, run, report.

mod planned;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;

pub(super) use self::planned::Planned;

use self::planned::{ForHost, look_up};
use super::args::{Keep, RunArgs, SelectArgs};
use super::exit::{Exit, Failure};
use super::host::{self, Ask, Opened};
use super::kept;
use super::load::Selection;
use super::provided::{Images, provided};
use super::{changed, log, reporters, secrets, signals};
use crate::diagnose::{self, Diagnoses};
use crate::durations;
use crate::events::Event;
use crate::facts::{CgroupLayout, CgroupVersion, EngineKind, Facts};
use crate::golden::{self, GoldenStore};
use crate::host::{Host, Masked};
use crate::images::Catalogue;
use crate::judge::{CaseResult, Verdict, unused_rules};
use crate::leak::{self, HostState, Leak};
use crate::plan::{CaseId, HOST_AXIS, LeftOut, RunPlan};
use crate::redact::Redaction;
use crate::report::run::Run as Record;
use crate::runner::{self, Lengths, Options, Outcome, Owner, Run};
use crate::scenario::Loaded;

/// What earlier runs have left: how long cases took, and which passed.
#[derive(Clone, Copy)]
pub(super) struct Earlier<'a> {
    /// Where it is kept.
    pub(super) folder: &'a Path,
    /// Whether what passed and is as it was is left out.
    pub(super) leave_out: bool,
}

/// What is asked of a run.
pub(super) struct Asked<'a> {
    pub(super) select: &'a SelectArgs,
    /// Where, one after another; at least one.
    pub(super) hosts: Vec<Ask<'a>>,
    pub(super) run: &'a RunArgs,
    pub(super) repeat: u32,
    pub(super) images: &'a Path,
    pub(super) golden: &'a Path,
    /// What earlier runs have left, where this one is to know it.
    pub(super) earlier: Option<Earlier<'a>>,
    /// Whether only progress is shown, and no report made.
    pub(super) silent: bool,
    /// How reports are freed from names.
    pub(super) redaction: &'a Redaction,
}

/// What a run came to.
pub(super) struct Ran {
    pub(super) outcome: Outcome,
    /// What the reporters were told.
    pub(super) record: Record,
    /// The facts of each host that was used.
    pub(super) facts: Vec<Facts>,
    pub(super) store: GoldenStore,
    pub(super) catalogue: Catalogue,
    pub(super) cases: BTreeMap<CaseId, Planned>,
    /// The running program, where what passed is kept for it.
    pub(super) program: Option<crate::changed::store::Program>,
}

/// Runs everything that was asked for, and reports it.
pub(super) async fn run(asked: Asked<'_>) -> Result<Ran, Failure> {
    // Goldens are read while scenarios are.
    let folder = asked.golden.to_owned();
    let store = tokio::task::spawn_blocking(move || golden::store::read(&folder));
    let selection = Selection::read(asked.select, asked.images)?.of_something()?;
    let store = store.await.map_err(Failure::environment)?.map_err(Failure::input)?;
    let diagnoses = Arc::new(diagnose::load(asked.images).map_err(Failure::input)?);
    let cancel = CancellationToken::new();
    signals::cancel_at_signal(cancel.clone())?;
    let lines = reporters::lines(asked.run)?;
    let known = changed::known(&asked);
    // A run that has one host and can't have it says so, and no more.
    let mut first = match asked.hosts.as_slice() {
        [only] => Some(host::open(*only, asked.images).await?),
        _ => None,
    };
    let known = known.wait().await;
    let (events, heard) = unbounded_channel();
    let reporters = reporters::start(&asked, heard, lines);
    let mut session = Session {
        asked: &asked,
        selection: &selection,
        store: &store,
        diagnoses,
        events,
        cancel,
        outcome: Outcome::default(),
        left_out: Vec::new(),
        facts: Vec::new(),
        cases: BTreeMap::new(),
        held: Vec::new(),
        known,
    };
    let done = session.on_hosts(&mut first).await;
    let Session { events, mut outcome, left_out, facts, cases, held, cancel, known, .. } = session;
    if done.is_ok() {
        if outcome.summary.stopped_early.is_none() {
            let Loaded { scenarios, sources, .. } = &selection.loaded;
            for rule in unused_rules(scenarios, sources, &outcome.results, &left_out) {
                let _gone = events.send(Event::RuleUnused { rule });
            }
        }
        let _gone = events.send(Event::RunFinished { summary: outcome.summary.clone() });
    }
    drop(events);
    let said = reporters.await;
    done?;
    let left = kept::show_and_hold(&outcome.summary.kept, &held, &cancel).await;
    let record = said.map_err(Failure::environment)?.map_err(Failure::environment)?;
    outcome.summary.left_behind.extend(left);
    Ok(Ran {
        outcome,
        record,
        facts,
        store,
        catalogue: selection.loaded.catalogue,
        cases,
        program: known.map(|known| known.program),
    })
}

/// A run under way.
struct Session<'a> {
    asked: &'a Asked<'a>,
    selection: &'a Selection,
    store: &'a GoldenStore,
    diagnoses: Arc<Diagnoses>,
    events: UnboundedSender<Event>,
    cancel: CancellationToken,
    outcome: Outcome,
    /// The cases that were never to run.
    left_out: Vec<LeftOut>,
    facts: Vec<Facts>,
    cases: BTreeMap<CaseId, Planned>,
    /// Hosts that stay up for the containers that are kept on them.
    held: Vec<Arc<dyn Host>>,
    known: Option<changed::Known>,
}

impl Session<'_> {
    fn tell(&self, event: Event) {
        let _gone = self.events.send(event);
    }

    /// Each host in turn: opened, used and closed before the next.
    async fn on_hosts(&mut self, first: &mut Option<Opened>) -> Result<(), Failure> {
        let several = self.asked.hosts.len() > 1;
        for ask in self.asked.hosts.clone() {
            if self.cancel.is_cancelled() {
                self.not_started(ask);
                continue;
            }
            let opened = match first.take() {
                Some(opened) => opened,
                None => match host::open(ask, self.asked.images).await {
                    Ok(opened) => opened,
                    Err(failure) if failure.exit == Exit::Environment => {
                        self.not_opened(ask, &failure)?;
                        continue;
                    }
                    Err(failure) => return Err(failure),
                },
            };
            let done = self.on_host(&opened, several).await;
            if opened.host.is_lab() && self.keeps_on(&opened.host.facts().name) {
                self.held.push(opened.host);
                done?;
                continue;
            }
            let left = opened.host.close().await;
            self.outcome.summary.left_behind.extend(left);
            settle(opened.host.as_ref(), self.outcome.before.take(), &mut self.outcome.summary.leaks).await;
            match done {
                Err(failure) if several && failure.exit == Exit::Environment => {
                    let plan = self.selection.plan(opened.host.facts())?;
                    self.failed(plan, opened.host.facts(), &opened.why, &failure);
                }
                Err(failure) if several && failure.exit == Exit::Interrupted => self.not_started(ask),
                done => done?,
            }
        }
        Ok(())
    }

    /// Whether containers of that host are to stay; not where the run was interrupted, and nobody waits.
    fn keeps_on(&self, host: &str) -> bool {
        !self.cancel.is_cancelled() && self.outcome.summary.kept.iter().any(|kept| kept.host == host)
    }

    fn not_started(&mut self, ask: Ask<'_>) {
        let why = self.outcome.summary.stopped_early.take().unwrap_or_else(|| "interrupted".to_owned());
        let name = ask.name.unwrap_or_default();
        self.outcome.summary.stopped_early = Some(format!("{why}; nothing ran on {name}"));
    }

    /// What a host has that can't be asked is guessed from its name, so that its cases are counted at all.
    fn not_opened(&mut self, ask: Ask<'_>, failure: &Failure) -> Result<(), Failure> {
        let name = ask.name.unwrap_or_default();
        let facts = guess(name);
        let plan = self.selection.plan(&facts)?;
        self.failed(plan, &facts, "--host asks for it", failure);
        Ok(())
    }

    /// Ends the cases of a host that can't be used.
    fn failed(&mut self, mut plan: RunPlan, facts: &Facts, why_host: &str, failure: &Failure) {
        plan.add_axis(HOST_AXIS, &facts.name);
        let reason = failure.report.to_string();
        self.tell(Event::HostFailed {
            host: facts.name.clone(),
            why_host: why_host.to_owned(),
            reason: reason.clone(),
            cases: plan.cases(),
        });
        for case in plan.groups.iter().flat_map(|group| &group.cases) {
            let verdict = Verdict::Error(format!("{} can't be used: {reason}", facts.name));
            let result = CaseResult::of_nothing(case, &facts.name, verdict);
            self.tell(Event::CaseFinished { result: Box::new(result.clone()) });
            self.outcome.results.push(result);
        }
    }

    /// Tells of files among the goldens that are not read, and of goldens that are of no scenario.
    fn not_needed(&self) {
        let notice = |message: String| self.tell(Event::Notice { message });
        for stray in &self.store.strays {
            notice(format!("{} in the goldens' folder is not read: {}", stray.path, stray.why));
        }
        if self.asked.select.is_some_selection() {
            return;
        }
        let scenarios = self.selection.loaded.scenarios.iter().map(|one| one.name.as_str()).collect();
        golden::not_needed(self.store, &scenarios).into_iter().for_each(notice);
    }

    /// Removes what runs that died have left, and says so; who this run is for the ones after it.
    async fn swept(&self, host: &dyn Host) -> Result<Owner, Failure> {
        let owner = Owner::on(host).await;
        for name in runner::sweep(host, &owner, runner::Sweep::Left).await.map_err(Failure::environment)? {
            self.tell(Event::Notice { message: format!("removed {name}, which a run that died had left") });
        }
        Ok(owner)
    }

    /// The plan for a host, with what goldens and the user's settings do to it.
    fn for_host(&self, opened: &Opened, several: bool) -> Result<ForHost, Failure> {
        let facts = opened.host.facts();
        let mut plan = self.selection.plan(facts)?;
        let secrets = secrets::values(&mut plan);
        log::hide(secrets.values());
        plan.widen(opened.host.slowness());
        if !self.asked.run.allow_host_risk && !opened.host.is_lab() {
            plan.spare_host();
        }
        let (mut goldens, mut cases) = look_up(self.store, &plan, facts, self.facts.len(), self.known.is_some())?;
        if several {
            // Goldens know hosts by their facts, so the axis comes after they were looked up.
            plan.add_axis(HOST_AXIS, &facts.name);
            let named = |id: CaseId| id.with(HOST_AXIS, &facts.name);
            goldens = goldens.into_iter().map(|(id, states)| (named(id), states)).collect();
            cases = cases.into_iter().map(|(id, planned)| (named(id), planned)).collect();
        }
        Ok(ForHost { plan, goldens, cases, secrets })
    }

    /// Sees to the images of a plan, and leaves out what is as it was when it passed, where that is asked for.
    async fn with_images(&self, host: &dyn Host, of: &mut ForHost) -> Result<Images, Failure> {
        let notice = |message: String| self.tell(Event::Notice { message });
        let catalogue = &self.selection.loaded.catalogue;
        let images = tokio::select! {
            images = provided(host, catalogue, &mut of.plan, &notice) => images,
            why = runner::lost(host) => return Err(Failure::environment(why)),
            () = self.cancel.cancelled() => return Err(Failure { exit: Exit::Interrupted, ..Failure::environment("interrupted while images were made") }),
        };
        if let Some(known) = &self.known {
            let facts = host.facts();
            changed::complete(known, &of.plan, &mut of.cases, (facts, catalogue, &images.ids));
            if self.asked.earlier.is_some_and(|earlier| earlier.leave_out) {
                changed::leave_out(known, &mut of.plan, &of.cases, &facts.name, &notice);
            }
        }
        Ok(images)
    }

    /// How long the cases of a host took before.
    fn lengths(&self, host: &str, several: bool) -> Lengths {
        let known = self.asked.earlier.map(|earlier| durations::read(earlier.folder)).unwrap_or_default();
        let lengths = known.of(host).map(|(case, took)| {
            let case = if several { case.with(HOST_AXIS, host) } else { case.clone() };
            (case, took)
        });
        lengths.collect()
    }

    fn options(&self, host: &dyn Host, owner: Owner) -> Options {
        let RunArgs { jobs, fail_fast, keep, bundle, .. } = self.asked.run;
        Options {
            jobs: jobs.map_or_else(|| default_jobs(host.slowness()), |jobs| jobs as usize),
            fail_fast: *fail_fast,
            keep_failed: *keep == Some(Keep::Failed),
            repeat: self.asked.repeat,
            bundle: bundle.clone(),
            owner,
        }
    }

    async fn on_host(&mut self, opened: &Opened, several: bool) -> Result<(), Failure> {
        let facts = opened.host.facts().clone();
        let owner = self.swept(opened.host.as_ref()).await?;
        // A machine is looked at while the run is planned.
        let host = Arc::clone(&opened.host);
        let before = tokio::spawn(async move { host.state(true).await });
        let mut of = self.for_host(opened, several)?;
        if self.facts.is_empty() {
            self.not_needed();
        }
        let images = self.with_images(opened.host.as_ref(), &mut of).await?;
        let ForHost { plan, goldens, cases, secrets } = of;
        let options = self.options(opened.host.as_ref(), owner);
        self.tell(Event::RunStarted {
            host: Box::new(facts.clone()),
            why_host: opened.why.clone(),
            cases: plan.cases(),
            boots: plan.groups.len() * self.asked.repeat as usize,
            left_out: plan.left_out.clone(),
            jobs: options.jobs,
            share: plan.share.clone(),
        });
        self.left_out.extend_from_slice(&plan.left_out);
        let run = Run {
            lengths: self.lengths(&facts.name, several),
            host: Masked::over(Arc::clone(&opened.host), secrets),
            catalogue: self.selection.loaded.catalogue.clone(),
            tags: images.tags,
            goldens,
            diagnoses: Arc::clone(&self.diagnoses),
            options,
            events: self.events.clone(),
            cancel: self.cancel.clone(),
            hear: None,
            before: if images.tried { None } else { before.await.ok().flatten() },
        };
        self.outcome.add(runner::run(run, plan).await);
        self.facts.push(facts);
        self.cases.extend(cases);
        Ok(())
    }
}

/// What the end of an engine of ours has undone on the machine does not last; `before` is how the run found it.
pub(super) async fn settle(host: &dyn Host, before: Option<HostState>, leaks: &mut Vec<Leak>) {
    // To look at a machine takes some hundredths of a second.
    if leaks.iter().any(|leak| leak.lasting)
        && let Some(before) = before
        && let Some(now) = host.state(true).await
    {
        leak::settle(leaks, &host.facts().name, &leak::changes(&before, &now));
    }
}

/// The facts of a host that can't be asked, as far as its name tells them.
fn guess(name: &str) -> Facts {
    let engine = if name.contains("podman") { EngineKind::Podman } else { EngineKind::Docker };
    let (cgroups, cgroup_layout) = if name.ends_with("-v1") {
        (CgroupVersion::V1, CgroupLayout::Hybrid)
    } else {
        (CgroupVersion::V2, CgroupLayout::V2)
    };
    Facts { name: name.to_owned(), engine, cgroups, cgroup_layout, ..Facts::assumed() }
}

/// The cores, twice, for half of a boot is waiting; on a slow host it is not.
fn default_jobs(slowness: u32) -> usize {
    let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    if slowness > 1 { cores } else { cores * 2 }
}

/// The day, in UTC, that goldens bear.
pub(super) fn today() -> String {
    let now = humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string();
    now.split('T').next().unwrap_or_default().to_string()
}
