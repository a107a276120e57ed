//! The log on stderr: no line of it steers a terminal or tells a secret, whoever wrote it.

use std::io::{self, Write};
use std::sync::{PoisonError, RwLock};

use crate::observe::escape::visible;
use crate::report::github::printable;
use crate::secrets::Mask;

use super::exit::Failure;

/// The secrets of this process: libraries log what they send.
static HIDDEN: RwLock<Mask> = RwLock::new(Mask::none());

/// Starts it.
///
/// # Errors
/// A level that there is not.
pub(super) fn start(level: &str) -> Result<(), Failure> {
    use tracing_subscriber::EnvFilter;
    // A level alone is meant for us; libraries get it through a full filter such as `debug,bollard=trace`.
    let filter = if level.contains(['=', ',']) { level.to_string() } else { format!("warn,sdc_engine={level}") };
    let filter = EnvFilter::try_new(filter).map_err(|error| {
        let help = "there are: off, error, warn, info, debug, trace; or a filter such as sdc_engine=debug";
        Failure::input(miette::miette!(help = help, "--log-level {level}: {error}"))
    })?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_target(false).with_ansi(false);
    let _already_there = log.with_writer(|| Line).try_init();
    Ok(())
}

/// Hides a value from now on.
pub(super) fn hide<'a>(values: impl IntoIterator<Item = &'a String>) {
    HIDDEN.write().unwrap_or_else(PoisonError::into_inner).add(values.into_iter().map(String::as_str));
}

/// One event: the log writes each as a whole.
struct Line;

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let shown = shown(bytes, &HIDDEN.read().unwrap_or_else(PoisonError::into_inner));
        io::stderr().write_all(printable(&shown).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

fn shown(bytes: &[u8], mask: &Mask) -> String {
    visible(&mask.text(&String::from_utf8_lossy(bytes))).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_neither_steers_nor_tells() {
        let mask = Mask::new(["hunter2-hunter2"]);
        assert_eq!(shown(b"WARN \x1b]0;x\x07 hunter2-hunter2\n", &mask), "WARN \\x1b]0;x\\x07 <secret>\n");
    }
}
