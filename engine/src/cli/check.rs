//! `sdc-engine check`: runs, compares, reports. Writes no golden.

use std::path::Path;

use super::args::CheckArgs;
use super::exit::{Exit, Failure};
use super::host;
use super::session::{self, Asked};
use crate::redact::Redaction;
use crate::report::Outcome;

/// Runs the scenarios.
pub(super) async fn check(
    args: CheckArgs,
    images: &Path,
    golden: &Path,
    redaction: &Redaction,
) -> Result<Exit, Failure> {
    let CheckArgs { select, host: asked, run, repeat } = &args;
    let hosts = host::each(asked, images)?;
    let asked = Asked { select, hosts, run, repeat: *repeat, images, golden, silent: false, redaction };
    let ran = session::run(asked).await?;
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
