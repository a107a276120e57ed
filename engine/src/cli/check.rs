//! `sdc-engine check`: runs, compares, reports. Writes no golden.

use std::path::Path;

use super::args::CheckArgs;
use super::exit::{Exit, Failure};
use super::session::{self, Asked};
use crate::report::Outcome;

/// Runs the scenarios.
pub(super) async fn check(args: CheckArgs, images: &Path, golden: &Path) -> Result<Exit, Failure> {
    let CheckArgs { select, host, run, repeat } = &args;
    let ran = session::run(Asked { select, host, run, repeat: *repeat, images, golden }).await?;
    Ok(exit(ran.said))
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
