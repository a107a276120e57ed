//! `sdc-engine clean`: removes what dead runs have left.

use std::path::Path;

use super::args::CleanArgs;
use super::exit::{Exit, Failure};
use super::{host, print};
use crate::runner::{Owner, Sweep, sweep};

/// Sweeps a host.
pub(super) async fn clean(args: CleanArgs, images: &Path) -> Result<Exit, Failure> {
    let opened = host::open_one(&args.host, images).await?;
    let owner = Owner::on(opened.host.as_ref()).await;
    let swept = sweep(opened.host.as_ref(), &owner, Sweep::Everything).await;
    let left = opened.host.close().await;
    let swept = swept.map_err(Failure::environment)?;
    print(&match swept.len() {
        0 => "nothing was left by dead runs\n".to_string(),
        n => format!("removed {n} containers of dead runs: {}\n", swept.join(", ")),
    })?;
    if left.is_empty() { Ok(Exit::Held) } else { Err(Failure::environment(left.join("; "))) }
}
