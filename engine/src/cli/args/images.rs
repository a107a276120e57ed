//! `images`.

use clap::{Args, Subcommand};

use super::host::HostArgs;

/// `images`.
#[derive(Debug, Clone, Args)]
pub struct ImagesArgs {
    /// What to do with them.
    #[command(subcommand)]
    pub command: ImagesCommand,
}

/// The commands of `images`.
#[derive(Debug, Clone, Subcommand)]
pub enum ImagesCommand {
    /// Shows what is declared, and what of it the host has.
    List(HostArgs),
    /// Makes images on the host.
    Build {
        /// Their names; none: all.
        names: Vec<String>,
        /// Where.
        #[command(flatten)]
        host: HostArgs,
    },
    /// Removes images from the host, and the root file systems kept for them.
    Remove {
        /// Their names; none: all.
        names: Vec<String>,
        /// Where.
        #[command(flatten)]
        host: HostArgs,
    },
}
