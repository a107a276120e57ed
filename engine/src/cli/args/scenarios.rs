//! The commands for writing scenarios: `new`, `lint`, `schema`.

use std::path::PathBuf;

use clap::Args;

use super::select::PathArgs;
use crate::cli::File;

/// `new`.
#[derive(Debug, Clone, Args)]
pub struct NewArgs {
    /// The scenario's name; `/` makes folders: sandbox/private_tmp.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Where it is written.
    #[arg(long, value_name = "FOLDER", default_value = "scenarios")]
    pub folder: PathBuf,
}

/// `lint`.
#[derive(Debug, Clone, Args)]
pub struct LintArgs {
    /// The scenarios.
    #[command(flatten)]
    pub paths: PathArgs,
}

/// `schema`.
#[derive(Debug, Clone, Args)]
pub struct SchemaArgs {
    /// The kind of file [default: scenario; with --markdown: all].
    #[arg(value_name = "FILE")]
    pub file: Option<File>,
    /// A reference for people instead, in Markdown.
    #[arg(long)]
    pub markdown: bool,
}
