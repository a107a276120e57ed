//! The commands that change goldens, and what `check` sets aside for them. None of them writes in CI.

mod accept;
mod aside;
mod confirm;
mod desk;
mod explain;
mod prune;
mod review;
mod update;

pub(super) use accept::{accept, reject};
pub(super) use aside::set_aside;
pub(super) use explain::explain;
pub(super) use prune::prune;
pub(super) use review::review;
pub(super) use update::update;

use super::exit::Failure;
use crate::golden::update::FolderUpdate;

/// Whether this is a run of a continuous integration service: these set `CI`.
pub(super) fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"))
}

/// # Errors
/// In CI: goldens are changed by people, who look at them.
fn not_in_ci(command: &str) -> Result<(), Failure> {
    if !in_ci() {
        return Ok(());
    }
    let help = "goldens are recorded and reviewed by people, and committed; where you are one, unset CI";
    Err(Failure::input(miette::miette!(help = help, "`{command}` writes goldens, and CI is set")))
}

/// # Errors
/// Nothing but white space.
fn reason(text: &str) -> Result<&str, Failure> {
    match text.trim() {
        "" => Err(Failure::input(miette::miette!(
            help = "say why the recorded truth changes: it is kept beside the goldens",
            "--reason is empty"
        ))),
        text => Ok(text),
    }
}

/// What was written and removed, a line each, and the sum.
fn written(updates: &[FolderUpdate], refused: usize) -> String {
    let mut text = String::new();
    for update in updates {
        let folder = format!("golden/{}/{}", update.key.scenario, update.key.folder);
        text.extend(update.write.keys().map(|name| format!("wrote    {folder}/{name}\n")));
        text.extend(update.delete.iter().map(|name| format!("removed  {folder}/{name}\n")));
    }
    let cases: usize = updates.iter().map(|update| update.changed.len()).sum();
    let files: usize = updates.iter().map(|update| update.write.len()).sum();
    text + &match (cases, files, refused) {
        (0, 0, 0) => "the goldens are as they were\n".to_owned(),
        _ => format!(
            "recorded {} in {}; {} refused\n",
            count(cases, "text"),
            count(files, "file"),
            count(refused, "case")
        ),
    }
}

fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}
