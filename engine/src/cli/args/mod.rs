//! The command line: what all commands share, and their list. What each takes is in a file of its group.

mod advise;
mod check;
mod compare;
mod diagnose;
mod goldens;
mod host;
mod images;
mod list;
mod manual;
mod one;
mod report;
mod run;
mod scenarios;
mod select;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

pub(super) use advise::AdviseArgs;
pub(super) use check::{CheckArgs, RerunArgs};
pub(super) use compare::CompareArgs;
pub(super) use diagnose::DiagnoseArgs;
pub(super) use goldens::{AcceptArgs, PruneArgs, RejectArgs, ReviewArgs, UpdateArgs, WhichArgs};
pub(super) use host::{CleanArgs, HostArgs, HostCommand, HostsArgs};
pub(super) use images::{ImagesArgs, ImagesCommand};
pub(super) use list::{ExplainArgs, ListArgs};
pub(super) use manual::{CompletionsArgs, ManArgs};
pub(super) use one::{LogsArgs, OneArgs, ShellArgs};
pub(super) use report::{MergeArgs, ReportArgs};
pub(super) use run::{Keep, RunArgs};
pub(super) use scenarios::{LintArgs, NewArgs, SchemaArgs};
pub(super) use select::{PathArgs, SelectArgs};

/// What works, and what does not, when systemd runs inside a container.
#[derive(Debug, Parser)]
#[command(name = "sdc-engine", version, about, after_help = EXIT_CODES, propagate_version = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// How much to log on stderr: error, warn, info, debug, trace.
    #[arg(long, global = true, value_name = "LEVEL", env = "SDC_ENGINE_LOG", default_value = "warn")]
    pub log_level: String,
    /// Where images and setup modes are declared.
    #[arg(long, global = true, value_name = "FOLDER", default_value = "images")]
    pub images: PathBuf,
    /// Where goldens are recorded.
    #[arg(long, global = true, value_name = "FOLDER", default_value = "golden")]
    pub golden: PathBuf,
    /// Where check sets aside what differs from the goldens, until it is reviewed.
    #[arg(long, global = true, value_name = "FOLDER", default_value = ".sdc-engine")]
    pub aside: PathBuf,
    /// Leave names of users and machines in what is written for others (--json, --junit, recorded.toml), instead of
    /// <user>, <home>, <machine-1>. The terminal's text always has them.
    #[arg(long, global = true)]
    pub no_redact: bool,
}

const EXIT_CODES: &str = "\
Exit codes:
  0    something ran, and everything that was expected held
  1    the subject differs from what was expected, or has no golden yet
  2    a scenario, a golden or the command line is wrong; nothing was started
  3    the environment is wrong: no engine, no image, or an engine that broke
  130  interrupted; everything that was started is removed";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs scenarios in real containers and compares what happens with what they expect. Writes no golden.
    Check(CheckArgs),
    /// Runs again what failed in the last run, or in a report.
    Rerun(RerunArgs),
    /// Shows what differs between two hosts, or between reports that check has written.
    Compare(CompareArgs),
    /// Reads the log of a container in which systemd did not come up, and says the cause and the fix.
    Diagnose(DiagnoseArgs),
    /// Boots an image with more and more grants until systemd comes up, and says the least that it needs, as docker, podman and
    /// compose have it.
    Advise(AdviseArgs),
    /// Makes a page of the support table, HTML or Markdown, from reports that check has written.
    Report(ReportArgs),
    /// Joins reports that check has written, such as those of all shares of a --partition, into one.
    Merge(MergeArgs),
    /// Shows the cases, and why each is in or out. Starts nothing when the facts are given.
    List(ListArgs),
    /// Shows the host that would be used, why, and its facts.
    Host(HostCommand),
    /// Lists, makes and removes the images that scenarios use.
    Images(ImagesArgs),
    /// Runs scenarios and records what they show as goldens.
    Update(UpdateArgs),
    /// Walks through what check saw beyond the goldens, and asks what to do with it.
    Review(ReviewArgs),
    /// Records what check saw of these cases as goldens.
    Accept(AcceptArgs),
    /// Forgets what check saw of these cases.
    Reject(RejectArgs),
    /// Shows what a case will do, and the command lines that do it by hand, without running it. With --goldens: how its
    /// golden texts are made of what it printed, line by line and rule by rule.
    Explain(ExplainArgs),
    /// Boots a case as it is planned and enters it; it is removed when the shell ends.
    Shell(ShellArgs),
    /// Boots a case and shows its console while it prints.
    Logs(LogsArgs),
    /// Runs everything and, where all of it held, shows the goldens that are of no case any more; --yes removes them.
    Prune(PruneArgs),
    /// Writes a commented scenario to start from: it runs as it is.
    New(NewArgs),
    /// Says whether scenarios are right, for every kind of host, and warns of what has no effect. Starts nothing.
    Lint(LintArgs),
    /// Prints the keys that files may have, as a JSON Schema for editors or, with --markdown, as a reference.
    Schema(SchemaArgs),
    /// Prints a shell's completions: sdc-engine completions bash >/etc/bash_completion.d/sdc-engine
    Completions(CompletionsArgs),
    /// Prints the manual page, or that of a command: sdc-engine man check | man -l -
    Man(ManArgs),
    /// Removes what runs that died have left on a host.
    Clean(CleanArgs),
}
