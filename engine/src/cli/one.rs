//! One case on one host, for commands that boot it for somebody to look into: found by its name, with its host open, its
//! image there, and everything removed in the end.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;

use super::args::{OneArgs, SelectArgs};
use super::exit::{Exit, Failure};
use super::explain::{named, none};
use super::host::{self, Opened};
use super::load::Selection;
use super::provided::provided;
use super::{log, say, secrets, signals};
use crate::diagnose;
use crate::host::Masked;
use crate::plan::CasePlan;
use crate::runner::{self, Goldens, Held, Lengths, Options, Owner, Run};

/// So many cases are listed where one was to be named.
const LISTED: usize = 20;

/// What is booted, and where.
pub(super) struct One {
    pub(super) case: CasePlan,
    pub(super) run: Run,
    opened: Opened,
}

/// Finds the case, opens its host and makes its image. `hear` gets what its console prints.
///
/// # Errors
/// No case or several have that name, or it can't run there: a wrong command line. Else the environment's.
pub(super) async fn open(args: &OneArgs, images: &Path, hear: Option<UnboundedSender<Bytes>>) -> Result<One, Failure> {
    let select = SelectArgs::of(&args.paths, vec![args.case.clone()]);
    let selection = Selection::read(&select, images)?.of_something()?;
    let diagnoses = Arc::new(diagnose::load(images).map_err(Failure::input)?);
    let cancel = CancellationToken::new();
    signals::cancel_at_signal(cancel.clone())?;
    let opened = host::open_one(&args.host, images).await?;
    let made = async {
        let mut plan = selection.plan(opened.host.facts())?;
        let values = secrets::values(&mut plan);
        log::hide(values.values());
        plan.widen(opened.host.slowness());
        if !args.allow_host_risk && !opened.host.is_lab() {
            plan.spare_host();
        }
        let owner = Owner::on(opened.host.as_ref()).await;
        runner::sweep(opened.host.as_ref(), &owner, runner::Sweep::Left).await.map_err(Failure::environment)?;
        let case = only(&args.case, &plan, opened.host.facts())?;
        for group in &mut plan.groups {
            group.cases.retain(|other| other.id == case.id);
        }
        let catalogue = selection.loaded.catalogue.clone();
        let notice = |words: String| say(&words);
        let tags = tokio::select! {
            images = provided(opened.host.as_ref(), &catalogue, &mut plan, &notice) => images.tags,
            () = cancel.cancelled() => return Err(interrupted()),
        };
        // Its image may be none that can be had here.
        let case = only(&args.case, &plan, opened.host.facts())?;
        let options = Options { jobs: 1, fail_fast: false, keep_failed: false, repeat: 1, bundle: None, owner };
        let host = Masked::over(Arc::clone(&opened.host), values);
        let (events, _nobody) = unbounded_channel();
        let goldens = Goldens::new();
        Ok((
            case,
            Run {
                host,
                catalogue,
                tags,
                goldens,
                diagnoses,
                options,
                events,
                cancel,
                hear,
                lengths: Lengths::new(),
                before: None,
            },
        ))
    }
    .await;
    match made {
        Ok((case, run)) => Ok(One { case, run, opened }),
        Err(failure) => {
            opened.host.close().await.iter().for_each(|left| say(left));
            Err(failure)
        }
    }
}

/// The only case of that name.
fn only(asked: &str, plan: &crate::plan::RunPlan, facts: &crate::facts::Facts) -> Result<CasePlan, Failure> {
    let cases: Vec<&CasePlan> = plan.groups.iter().flat_map(|group| &group.cases).collect();
    match named(asked, &cases).as_slice() {
        [] => Err(none(asked, &plan.left_out, facts)),
        [only] => Ok((*only).clone()),
        several => {
            let ids: Vec<&str> = several.iter().take(LISTED).map(|case| case.id.0.as_str()).collect();
            let more = several.len().saturating_sub(LISTED);
            let more = if more > 0 { format!("\nand {more} more") } else { String::new() };
            Err(Failure::input(miette::miette!(
                help = "name one of them, in quotes",
                "{} cases have `{asked}` in their names:\n{}{more}",
                several.len(),
                ids.join("\n")
            )))
        }
    }
}

fn interrupted() -> Failure {
    Failure { exit: Exit::Interrupted, ..Failure::environment("interrupted") }
}

impl One {
    /// Boots it; what is booted is removed by [`One::close`].
    ///
    /// # Errors
    /// Where the engine fails, or a signal came first.
    pub(super) async fn boot(&self) -> Result<Held, Failure> {
        tokio::select! {
            biased;
            () = self.run.cancel.cancelled() => Err(interrupted()),
            held = runner::boot_alone(&self.run, &self.case) => held.map_err(Failure::environment),
            why = runner::lost(self.run.host.as_ref()) => Err(Failure::environment(why)),
        }
    }

    /// Removes what was booted, and ends the host where it was started for this; then what came before counts.
    pub(super) async fn close(self, done: Result<Exit, Failure>) -> Result<Exit, Failure> {
        let mut left = runner::release(&self.run).await;
        left.extend(self.opened.host.close().await);
        let exit = done?;
        if left.is_empty() { Ok(exit) } else { Err(Failure::environment(format!("not removed: {}", left.join("; ")))) }
    }
}
