//! `sdc-engine check`: runs, compares, reports. Writes no golden: what differs from them is set aside.

use std::path::Path;

use super::args::CheckArgs;
use super::exit::{Exit, Failure};
use super::session::{self, Asked};
use super::{goldens, host, print};
use crate::report::Outcome;

/// Runs the scenarios.
pub(super) async fn check(args: CheckArgs, images: &Path, golden: &Path, aside: &Path) -> Result<Exit, Failure> {
    let CheckArgs { select, host: asked, run, repeat } = &args;
    let hosts = host::each(asked, images)?;
    let ran = session::run(Asked { select, hosts, run, repeat: *repeat, images, golden, silent: false }).await?;
    if !goldens::in_ci() {
        // A folder that can't be written takes nothing from what the run says.
        let waiting = goldens::set_aside(&ran, *repeat, aside).unwrap_or_else(|error| {
            tracing::warn!("what differs from the goldens is not set aside for review: {error}");
            0
        });
        let to_stdout = [&run.json, &run.junit].iter().any(|file| file.as_deref() == Some(Path::new("-")));
        if waiting > 0 && !to_stdout {
            let texts = if waiting == 1 { "text waits" } else { "texts wait" };
            print(&format!("{waiting} {texts} for a decision: sdc-engine review\n"))?;
        }
    }
    Ok(exit(ran.record.outcome()))
}

/// What a run as a whole means to the caller.
pub(super) const fn exit(said: Outcome) -> Exit {
    match said {
        Outcome::Held => Exit::Held,
        Outcome::Differs => Exit::Differs,
        Outcome::NothingSelected => Exit::BadInput,
        Outcome::Environment | Outcome::AllSkipped => Exit::Environment,
        Outcome::Incomplete => Exit::Interrupted,
    }
}
