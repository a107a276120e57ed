//! The commands that read reports of `check --json`: `report`, `merge`.

use std::path::PathBuf;

use clap::Args;

/// `report`.
#[derive(Debug, Clone, Args)]
#[command(group = clap::ArgGroup::new("page").required(true).multiple(true).args(["html", "markdown", "findings"]))]
pub struct ReportArgs {
    /// Reports of check --json FILE: their hosts stand side by side. Of a case that several have on the same host the last
    /// one's result counts.
    #[arg(value_name = "FILE", required = true)]
    pub reports: Vec<PathBuf>,
    /// Write a page for a browser: one file that needs no network ('-': to stdout).
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Write a page in Markdown ('-': to stdout).
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
    /// Write the findings in Markdown ('-': to stdout): for each scenario its question and description, and what was seen by
    /// host and version of systemd.
    #[arg(long, value_name = "FILE")]
    pub findings: Option<PathBuf>,
    /// Where the scenarios are whose descriptions the findings have.
    #[arg(long, value_name = "PATH", default_value = "scenarios")]
    pub scenarios: PathBuf,
}

/// `merge`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Exit codes: 0 merged, and everything held; 1 merged, and something differs or has no golden; 2 a part is missing, they\n\
    are no parts of one run, or a file is no report; 3 merged, and the environment failed for some case. With 2 nothing is written.\n\n\
    Example:\n  sdc-engine merge share-1.json share-2.json share-3.json --json run.json"
)]
pub struct MergeArgs {
    /// Reports of check --json FILE. A case that two of them have with the same verdict is kept once; with two verdicts they are no
    /// parts of one run. Reports of several hosts become one as of check with several --host.
    #[arg(value_name = "FILE", required = true)]
    pub reports: Vec<PathBuf>,
    /// Write the JSON report of all ('-': to stdout).
    #[arg(long, value_name = "FILE")]
    pub json: PathBuf,
    /// Write a JUnit report of all.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Merge also where shares, or results of a run that was stopped, are missing; what is missing is told, and stands in the report.
    #[arg(long)]
    pub allow_missing: bool,
}
