//! Runs boots side by side, tells what happens, and cleans up whatever the end is.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::alive::{Health, health, lost};
use super::evidence::evidence;
use super::group::{Boot, Over};
use super::leaks::{Leaks, Pass};
use super::order::in_order;
use super::{Outcome, Run, labels};
use crate::events::{BootPhase, Event, Kept, Summary};
use crate::golden::name;
use crate::host::{HostError, HostErrorKind};
use crate::judge::{CaseResult, Varied, Verdict, combine_repeats, varying};
use crate::observe::BootOutcome;
use crate::plan::{BootGroup, CaseId, CasePlan, RunPlan};

/// Carries out a plan. Comes back when every container of the run is gone, or is named in `left_behind`.
pub async fn run(mut run: Run, plan: RunPlan) -> Outcome {
    let started = Instant::now();
    let planned = plan.cases();
    let before = run.before.take();
    let run = Arc::new(run);
    let floor = Arc::new(Floor {
        slots: Semaphore::new(run.options.jobs.max(1)),
        gone: OnceLock::new(),
        over: CancellationToken::new(),
        leaks: Leaks::start(run.host.as_ref(), before).await,
        kept: Mutex::default(),
    });
    let watch = tokio::spawn({
        let (run, floor) = (Arc::clone(&run), Arc::clone(&floor));
        async move {
            let why = lost(run.host.as_ref()).await;
            floor.close(why);
        }
    });
    let _watch = AbortOnDropHandle::new(watch);
    let mut tasks = JoinSet::new();
    let mut groups = HashMap::new();
    for (number, group) in in_order(plan.groups, &run.lengths) {
        let (run, floor, group) = (Arc::clone(&run), Arc::clone(&floor), Arc::new(group));
        let mine = Arc::clone(&group);
        let task = tasks.spawn(async move { (number, serve(&run, &floor, number, &mine).await) });
        groups.insert(task.id(), (number, group));
    }
    let mut results: Vec<(usize, Vec<CaseResult>)> = Vec::new();
    let mut boots = 0;
    let mut varied = BTreeMap::new();
    while let Some(joined) = tasks.join_next().await {
        match joined {
            Ok((number, served)) => {
                boots += served.boots;
                varied.extend(served.varied);
                results.push((number, served.results));
            }
            // A fault of ours: its cases must not be missing from the results.
            Err(error) => {
                let Some((number, group)) = groups.get(&error.id()) else { continue };
                results.push((*number, broken(&run, *number, group, &error)));
            }
        }
    }
    let kept = std::mem::take(&mut *floor.kept());
    let left_behind = match floor.gone.get() {
        // A private engine takes its containers with it, and its closing names what is left.
        Some(_) if run.host.is_lab() => Vec::new(),
        gone => labels::remove_own(run.host.as_ref(), &run.options.owner, &kept, gone.is_some()).await,
    };
    let leaks = floor.leaks.end(run.host.as_ref()).await;
    results.sort_by_key(|(number, _)| *number);
    let results: Vec<CaseResult> = results.into_iter().flat_map(|(_, results)| results).collect();
    let stopped_early = stopped(&run, planned, &results);
    let summary = Summary { boots, took: started.elapsed(), stopped_early, left_behind, leaks, kept };
    Outcome { results, varied, summary, before: floor.leaks.first().await }
}

/// What boots share while they run side by side.
struct Floor {
    slots: Semaphore,
    /// Why the engine can't be used any more.
    gone: OnceLock<String>,
    /// Ends the boots under way when the engine can't be used any more.
    over: CancellationToken,
    leaks: Leaks,
    kept: Mutex<Vec<Kept>>,
}

impl Floor {
    /// No more boots, for that reason or the one that came first, which it gives.
    fn close(&self, why: String) -> &str {
        let why = self.gone.get_or_init(|| why);
        self.over.cancel();
        why
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The results of a group whose task ended in the middle.
fn broken(run: &Run, number: usize, group: &BootGroup, error: &JoinError) -> Vec<CaseResult> {
    let error = HostError { action: "carry out the boot".into(), kind: HostErrorKind::Local(error.to_string()) };
    let results = Boot { run, number, group }.all_failed(&error, Duration::ZERO);
    for result in &results {
        run.tell(Event::CaseFinished { result: Box::new(result.clone()) });
    }
    run.tell(Event::BootOver { boot: number });
    results
}

fn stopped(run: &Run, planned: usize, results: &[CaseResult]) -> Option<String> {
    if !run.cancel.is_cancelled() || results.len() == planned {
        return None;
    }
    let failed = run.options.fail_fast.then(|| results.iter().find(|r| stops(&r.verdict))).flatten();
    Some(failed.map_or_else(|| "interrupted".into(), |first| format!("--fail-fast: {} came first", first.id)))
}

/// Whether a verdict ends a run that is to end at the first failure.
const fn stops(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Fail | Verdict::Timeout(_) | Verdict::Flaky(..) | Verdict::Error(_))
}

/// What came of a group.
#[derive(Default)]
struct Served {
    results: Vec<CaseResult>,
    varied: Vec<(CaseId, Varied)>,
    boots: usize,
}

/// How the engine is, where a boot that broke may have shown that it does not answer.
async fn after(run: &Run, results: &[CaseResult]) -> Health {
    if results.iter().all(|result| matches!(result.verdict, Verdict::Pass | Verdict::Warn | Verdict::New)) {
        return Health::Answers;
    }
    // What a boot came to says nothing of the subject where its engine died under it.
    health(run.host.as_ref()).await
}

/// Boots a group as often as asked. A group that was not booted that often has no results: half of what was asked for
/// says nothing.
async fn serve(run: &Run, floor: &Floor, number: usize, group: &BootGroup) -> Served {
    let wanted = run.options.repeat.max(1);
    let mut repeats: Vec<Vec<CaseResult>> = Vec::new();
    for repeat in 0..wanted {
        let Some(results) = once(run, floor, number, group, repeat).await else {
            return Served { boots: repeats.len(), ..Served::default() };
        };
        repeats.push(results);
    }
    let mut served = Served { boots: repeats.len(), ..Served::default() };
    for case in 0..group.cases.len() {
        let all: Vec<CaseResult> = repeats.iter().filter_map(|results| results.get(case).cloned()).collect();
        served.varied.extend(varying(&all).zip(all.first()).map(|(varied, first)| (first.id.clone(), varied)));
        let Some(mut result) = combine_repeats(all) else { continue };
        if stops(&result.verdict) {
            let root = run.options.bundle.as_ref();
            result.bundle = root.map(|root| root.join(name::folder(&result.id.0)).display().to_string());
        }
        if run.options.fail_fast && stops(&result.verdict) {
            run.cancel.cancel();
        }
        run.tell(Event::CaseFinished { result: Box::new(result.clone()) });
        served.results.push(result);
    }
    served
}

/// A container that stays.
fn kept(run: &Run, container: String, failed: &CaseResult) -> Kept {
    let ended = failed
        .boot
        .as_ref()
        .is_some_and(|boot| matches!(boot.outcome, BootOutcome::Exited { .. } | BootOutcome::Refused { .. }));
    let (host, client) = (run.host.facts().name.clone(), run.host.by_hand());
    Kept { host, container, case: failed.id.clone(), running: !ended, client }
}

/// Asks the container of cases that failed for what it can still show, where that is wanted.
async fn ask(run: &Run, group: &BootGroup, over: &Over) {
    let (Some(_wanted), Some(made)) = (&run.options.bundle, &over.made) else { return };
    let failed = |case: &&CasePlan| over.results.iter().any(|one| one.id == case.id && stops(&one.verdict));
    let cases: Vec<CasePlan> = group.cases.iter().filter(failed).cloned().collect();
    if !cases.is_empty() {
        let evidence = Box::new(evidence(run.host.as_ref(), made).await);
        run.tell(Event::Evidence { cases, evidence });
    }
}

/// One boot of a group; `None` where the run is over before or while it boots.
async fn once(run: &Run, floor: &Floor, number: usize, group: &BootGroup, repeat: u32) -> Option<Vec<CaseResult>> {
    let slot = tokio::select! {
        biased;
        () = run.cancel.cancelled() => return None,
        slot = floor.slots.acquire() => slot.ok()?,
    };
    let pass = tokio::select! {
        biased;
        () = run.cancel.cancelled() => return None,
        pass = floor.leaks.begin(number, group) => pass,
    };
    let boot = Boot { run, number, group };
    if let Some(why) = floor.gone.get() {
        return Some(boot.all_ended(why));
    }
    let name = format!("sdc-{}-{number}-{repeat}", run.options.owner.run);
    let ended = || Some(Over { results: boot.all_ended(floor.gone.get().map_or("", String::as_str)), made: None });
    let over = tokio::select! {
        biased;
        () = run.cancel.cancelled() => None,
        () = floor.over.cancelled() => ended(),
        over = async {
            let over = boot.go(name.clone()).await;
            match after(run, &over.results).await {
                Health::Answers => {
                    ask(run, group, &over).await;
                    over
                }
                Health::CameBack(why) => Over { results: boot.all_ended(&why), ..over },
                Health::Lost(why) => Over { results: boot.all_ended(floor.close(why)), made: None },
            }
        } => Some(over),
    };
    // A container that was made before the interruption has this run's label: it is removed with what is left.
    let Over { results, made } = over?;
    // Before the slot is free for another boot; `serve` looks at what all repeats together say.
    let last = repeat + 1 >= run.options.repeat;
    if run.options.fail_fast && last && results.iter().any(|result| stops(&result.verdict)) {
        run.cancel.cancel();
    }
    // One that runs alone keeps others off until its container is gone and the host was looked at.
    let alone = matches!(pass, Pass::Alone(_));
    if !alone {
        drop(slot);
    }
    let failed = results.iter().find(|result| stops(&result.verdict)).filter(|_| run.options.keep_failed);
    if let (Some(failed), Some(_)) = (failed, &made) {
        floor.kept().push(kept(run, name, failed));
    } else if let Some(made) = made {
        boot.phase(BootPhase::Remove);
        if let Err(error) = run.host.remove(&made.id).await {
            run.tell(Event::Notice { message: format!("{error}; tried again at the end of the run") });
        }
    }
    floor.leaks.over(run.host.as_ref(), number, group).await;
    drop(pass);
    run.tell(Event::BootOver { boot: number });
    Some(results)
}
