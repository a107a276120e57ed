//! Which scenarios and cases.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::matrix::{MAX_CASES, Select};
use crate::plan::Partition;
use crate::rerun::Only;

/// Where scenarios are.
#[derive(Debug, Clone, Args)]
pub struct PathArgs {
    /// Scenario files, or folders of them, that check was given.
    #[arg(default_value = "scenarios", value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The most cases that one scenario may have.
    #[arg(long, value_name = "N", default_value_t = MAX_CASES)]
    pub max_cases: usize,
}

/// Which scenarios and cases.
#[derive(Debug, Clone, Args)]
pub struct SelectArgs {
    /// Scenario files, or folders of them.
    #[arg(default_value = "scenarios", value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Only these values of the axis setup_mode.
    #[arg(long, value_name = "A,B", value_delimiter = ',', alias = "setup-modes")]
    pub setup_mode: Vec<String>,
    /// Only these values of the axis cgroupns.
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub cgroupns: Vec<String>,
    /// Only these values of the axis cgroup_mode.
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub cgroup_mode: Vec<String>,
    /// Only these values of any axis; may be given more than once.
    #[arg(long, value_name = "NAME=A,B")]
    pub axis: Vec<String>,
    /// Only cases whose id has all of these words (!word: has it not); given more than once, any of the lines counts.
    #[arg(short = 'k', value_name = "WORDS")]
    pub names: Vec<String>,
    /// Only scenarios with one of these tags.
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub tag: Vec<String>,
    /// How many of these cases: as each scenario says for itself, all, or as many as bring every pair of values of two axes.
    #[arg(long, value_name = "HOW", default_value = "default")]
    pub select: SelectHow,
    /// Only one share of these cases, for several machines that run one share each: slice:1/3 deals boots by their place,
    /// hash:1/3 by what they are, so that a new case moves no other. `merge` joins the reports.
    #[arg(long, value_name = "HOW:M/N")]
    pub partition: Option<Partition>,
    /// The most cases that one scenario may have.
    #[arg(long, value_name = "N", default_value_t = MAX_CASES)]
    pub max_cases: usize,
    /// Only these cases: no flag, but what `rerun` asks for.
    #[arg(skip)]
    pub only: Option<Only>,
}

impl SelectArgs {
    /// These cases of the scenarios below these paths; no case is named: all.
    #[must_use]
    pub fn of(paths: &PathArgs, names: Vec<String>) -> Self {
        let (setup_mode, cgroupns, cgroup_mode, axis, tag) = (vec![], vec![], vec![], vec![], vec![]);
        let PathArgs { paths, max_cases } = paths.clone();
        Self {
            paths,
            setup_mode,
            cgroupns,
            cgroup_mode,
            axis,
            names,
            tag,
            select: SelectHow::Full,
            partition: None,
            max_cases,
            only: None,
        }
    }

    /// Whether anything else than all of the scenarios is selected.
    #[must_use]
    pub fn is_some_selection(&self) -> bool {
        let lists = [&self.setup_mode, &self.cgroupns, &self.cgroup_mode, &self.axis, &self.names, &self.tag];
        let some = lists.iter().any(|list| !list.is_empty()) || self.partition.is_some() || self.only.is_some();
        self.paths != [PathBuf::from("scenarios")] || some
    }
}

/// `--select`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SelectHow {
    /// As each scenario says.
    Default,
    /// All.
    Full,
    /// As many as bring every pair of values.
    Pairwise,
}

impl From<SelectHow> for Select {
    fn from(how: SelectHow) -> Self {
        match how {
            SelectHow::Default => Self::Default,
            SelectHow::Full => Self::Full,
            SelectHow::Pairwise => Self::Pairwise,
        }
    }
}
