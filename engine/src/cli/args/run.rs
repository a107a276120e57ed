//! How cases run, and what is written of it.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// How cases run.
#[derive(Debug, Clone, Default, Args)]
pub struct RunArgs {
    /// Containers at a time [default: the cores, twice].
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub jobs: Option<u32>,
    /// Stop at the first case that fails.
    #[arg(long)]
    pub fail_fast: bool,
    /// Also run, on a host that is no lab host of ours, cases that may change it: in the host's cgroup namespace, privileged,
    /// with its folders or devices.
    #[arg(long)]
    pub allow_host_risk: bool,
    /// Keep the containers of cases that fail, and say how to enter and remove them. A private engine stays up for them
    /// until Ctrl-C.
    #[arg(long, value_name = "WHICH")]
    pub keep: Option<Keep>,
    /// Write a JUnit report.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Write a JSON report ('-': to stdout).
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write what happens as it happens, a JSON object a line ('-': to stdout); README says what they have.
    #[arg(long, value_name = "FILE")]
    pub events: Option<PathBuf>,
    /// Write a folder of evidence below this one for each case that fails: console, journal, failed units, mounts, cgroups,
    /// inspect, verdict, the command by hand.
    #[arg(long, value_name = "FOLDER")]
    pub bundle: Option<PathBuf>,
    /// Show every case, also those that pass.
    #[arg(short, long, conflicts_with = "quiet")]
    pub verbose: bool,
    /// Show failures and the last line only.
    #[arg(short, long)]
    pub quiet: bool,
}

impl RunArgs {
    /// Whether something else than text for people goes to stdout.
    #[must_use]
    pub fn stdout_is_taken(&self) -> bool {
        self.for_a_program() || self.junit.as_ref().is_some_and(|path| path.as_os_str() == "-")
    }

    /// Whether stdout is for a program.
    #[must_use]
    pub fn for_a_program(&self) -> bool {
        [&self.json, &self.events].into_iter().flatten().any(|path| path.as_os_str() == "-")
    }
}

/// Which containers stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Keep {
    /// Those of cases that fail.
    Failed,
}
