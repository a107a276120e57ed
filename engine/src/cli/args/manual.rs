//! What the program prints of its own command line: `completions`, `man`.

use clap::Args;

/// `completions`.
#[derive(Debug, Clone, Args)]
pub struct CompletionsArgs {
    /// The shell.
    #[arg(value_name = "SHELL")]
    pub shell: clap_complete::Shell,
}

/// `man`.
#[derive(Debug, Clone, Args)]
pub struct ManArgs {
    /// A command; none: the whole program.
    #[arg(value_name = "COMMAND")]
    pub command: Option<String>,
}
