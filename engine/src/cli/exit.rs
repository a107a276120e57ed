//! What a run's end means to the caller: the exit codes, never mixed.

use std::process::ExitCode;

/// The end of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Something ran and held (or the command did what it says).
    Held,
    /// The subject differs from what was expected.
    Differs,
    /// The author's file, or the command line, is wrong. Nothing was started.
    BadInput,
    /// The environment is wrong: no host, no image, a broken engine.
    Environment,
    /// A signal ended the run.
    Interrupted,
}

impl Exit {
    /// The code that the process ends with.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Held => 0,
            Self::Differs => 1,
            Self::BadInput => 2,
            Self::Environment => 3,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Why a command could not do its work: what to print, and the exit code.
#[derive(Debug)]
pub struct Failure {
    /// The report for the user.
    pub report: miette::Report,
    /// Whose fault it is.
    pub exit: Exit,
}

impl Failure {
    /// The author's file or the command line is wrong.
    pub fn input(report: impl Into<miette::Report>) -> Self {
        Self { report: report.into(), exit: Exit::BadInput }
    }

    /// The environment is wrong.
    pub fn environment(error: impl std::fmt::Display) -> Self {
        Self { report: miette::miette!("{error}"), exit: Exit::Environment }
    }
}
