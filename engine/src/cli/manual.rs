//! `sdc-engine completions` and `sdc-engine man`: made from the command line's own description.

use clap::CommandFactory as _;

use super::args::{Cli, CompletionsArgs, ManArgs};
use super::exit::{Exit, Failure};
use super::print;

const NAME: &str = "sdc-engine";

/// Prints a shell's completions.
pub(super) fn completions(args: &CompletionsArgs) -> Result<Exit, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), NAME, &mut text);
    print(&String::from_utf8_lossy(&text))?;
    Ok(Exit::Held)
}

/// Prints a page of the manual, in roff.
pub(super) fn man(args: &ManArgs) -> Result<Exit, Failure> {
    let mut whole = Cli::command();
    // Global options reach the commands.
    whole.build();
    let page = match &args.command {
        None => whole,
        Some(name) => {
            let known: Vec<String> = whole.get_subcommands().map(|one| one.get_name().to_owned()).collect();
            let Some(command) = whole.get_subcommands().find(|one| one.get_name() == name) else {
                let help = format!("there are: {}", known.join(", "));
                return Err(Failure::input(miette::miette!(help = help, "there is no command `{name}`")));
            };
            let command = command.clone();
            command.display_name(format!("{NAME}-{name}"))
        }
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(page).render(&mut text).map_err(Failure::environment)?;
    print(&String::from_utf8_lossy(&text))?;
    Ok(Exit::Held)
}
