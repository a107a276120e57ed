//! The kinds of files that people write.

use crate::schema::Table;

/// A kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum File {
    /// scenarios/NAME.toml
    Scenario,
    /// scenarios/defaults.toml, and those of its folders
    Defaults,
    /// images/NAME/image.toml
    Image,
    /// images/setup/NAME/mode.toml
    Mode,
    /// images/hosts/NAME.toml
    Host,
    /// images/diagnoses.toml
    Diagnoses,
}

impl File {
    /// Every kind, in the order of the reference.
    pub const ALL: [Self; 6] = [Self::Scenario, Self::Defaults, Self::Image, Self::Mode, Self::Host, Self::Diagnoses];

    /// The table that a whole file of this kind is.
    #[must_use]
    pub fn table(self) -> &'static Table {
        match self {
            Self::Scenario => &crate::scenario::SCENARIO,
            Self::Defaults => &crate::scenario::DEFAULTS,
            Self::Image => &crate::images::IMAGE,
            Self::Mode => &crate::images::MODE,
            Self::Host => &crate::host::lab::HOST,
            Self::Diagnoses => &crate::diagnose::DIAGNOSES,
        }
    }

    /// Where its schema stands in a repository, below `scenarios/` or `images/`: beside the files, or above them.
    #[must_use]
    pub const fn schema(self) -> &'static str {
        match self {
            Self::Scenario => "scenarios/scenario.schema.json",
            Self::Defaults => "scenarios/defaults.schema.json",
            Self::Image => "images/image.schema.json",
            Self::Mode => "images/mode.schema.json",
            Self::Host => "images/host.schema.json",
            Self::Diagnoses => "images/diagnoses.schema.json",
        }
    }
}
