//! `sdc-engine check`: runs, compares, reports. Writes no golden: what differs from them is set aside.

use std::path::Path;

use super::args::{CheckArgs, RunArgs};
use super::exit::{Exit, Failure};
use super::session::{self, Asked, Earlier, Ran};
use super::{Setting, changed, goldens, host, print, rerun};
use crate::durations;
use crate::judge::Verdict;
use crate::report::Outcome;

/// Runs the scenarios.
pub(super) async fn check(args: CheckArgs, setting: Setting<'_>) -> Result<Exit, Failure> {
    let CheckArgs { select, host: asked, run, repeat, changed } = &args;
    let Setting { images, golden, redaction, .. } = setting;
    let hosts = host::each(asked, images)?;
    let earlier = Some(Earlier { folder: setting.aside, leave_out: *changed });
    let run_asked = Asked { select, hosts, run, repeat: *repeat, images, golden, earlier, silent: false, redaction };
    let ran = session::run(run_asked).await?;
    let ended = end(&ran, run, *repeat, setting.aside);
    rerun::keep(setting.aside, &rerun::of(select, asked, run, *repeat, &ran));
    ended
}

/// What is said after a run, and how it ends.
pub(super) fn end(ran: &Ran, run: &RunArgs, repeat: u32, aside: &Path) -> Result<Exit, Failure> {
    let to_stdout = run.stdout_is_taken();
    // What a person is to look at comes first, where there is room for one of the two.
    let waiting = set_aside(ran, repeat, aside);
    remember(ran, repeat, aside);
    changed::remember(ran, aside);
    if waiting > 0 && !to_stdout {
        let texts = if waiting == 1 { "text waits" } else { "texts wait" };
        print(&format!("{waiting} {texts} for a decision: sdc-engine review\n"))?;
    }
    Ok(exit(ran.record.outcome()))
}

/// Sets aside what differs from the goldens, but not in CI. A folder that can't be written takes nothing from what the
/// run says.
fn set_aside(ran: &Ran, repeat: u32, aside: &Path) -> usize {
    if goldens::in_ci() {
        return 0;
    }
    goldens::set_aside(ran, repeat, aside).unwrap_or_else(|error| {
        tracing::warn!("what differs from the goldens is not set aside for review: {error}");
        0
    })
}

/// Takes note of how long the cases took, but not in CI, where nobody runs again. A case whose environment failed says nothing.
fn remember(ran: &Ran, repeat: u32, aside: &Path) {
    if goldens::in_ci() {
        return;
    }
    let mut durations = durations::read(aside);
    for result in ran.outcome.results.iter().filter(|result| !matches!(result.verdict, Verdict::Error(_))) {
        if let Some(planned) = ran.cases.get(&result.id) {
            durations.note(&result.host, &planned.case, result.took / repeat.max(1));
        }
    }
    if let Err(error) = durations::write(aside, &durations) {
        tracing::warn!("how long cases took is not kept: {error}");
    }
}

/// What a run as a whole means to the caller.
pub(super) const fn exit(said: Outcome) -> Exit {
    match said {
        Outcome::Held | Outcome::Unchanged => Exit::Held,
        Outcome::Differs => Exit::Differs,
        Outcome::NothingSelected | Outcome::EmptyShare => Exit::BadInput,
        Outcome::Environment | Outcome::AllSkipped => Exit::Environment,
        Outcome::Incomplete => Exit::Interrupted,
    }
}
