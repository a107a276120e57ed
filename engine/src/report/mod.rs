//! What people and tools are told of a run. Reporters consume [`Event`]s and never know the runner: events come in one
//! at a time, [`run::Run`] keeps them, and each reporter turns that value into text at the end. Only `terminal` writes
//! to a stream, and only to the one that it was given; `junit` and `json` write one file each, atomically.

mod advise;
mod bundle;
pub mod compare;
pub mod counts;
mod details;
mod diff;
mod explain;
mod file;
pub mod github;
pub mod groups;
pub mod host;
mod json;
mod junit;
pub mod merge;
pub mod page;
pub mod review;
pub mod run;
mod stream;
mod style;
pub mod support;
pub mod table;
mod terminal;
mod text;
mod trace;
mod why;

#[cfg(test)]
mod sample;

use std::io;

pub use advise::{Advised, advised};
pub use bundle::Bundle;
pub use counts::{Counts, Outcome};
pub use details::boot as boot_lines;
pub use explain::{Explained, explained};
pub use file::Target;
pub use github::Github;
pub use json::{Json, document, text as json_text};
pub use junit::{Junit, text as junit_text};
pub use stream::Stream;
pub use style::Mark;
pub use terminal::{Options, Terminal, Verbosity};
pub use text::{clean, plain_log};
pub use trace::side_by_side;
pub use why::diagnosis;

use crate::events::Event;

/// Something that is told everything that happens in a run.
pub trait Reporter: Send {
    /// Takes note of an event. A reporter keeps a write that failed for [`Reporter::finish`]: a full disk or a closed
    /// pipe never stops a run.
    fn event(&mut self, event: &Event);

    /// Some time has passed without an event: what is shown of the time may have changed.
    fn tick(&mut self) {}

    /// Writes what is left to write; called once, after the last event or an interruption.
    ///
    /// # Errors
    /// The first write that failed, then or before. This is an error of the environment.
    fn finish(&mut self) -> io::Result<()>;
}

/// Several reporters as one.
#[derive(Default)]
pub struct Fanout {
    reporters: Vec<Box<dyn Reporter>>,
}

impl Fanout {
    /// Adds a reporter; each is told everything in this order.
    #[must_use]
    pub fn with(mut self, reporter: impl Reporter + 'static) -> Self {
        self.reporters.push(Box::new(reporter));
        self
    }
}

impl Reporter for Fanout {
    fn event(&mut self, event: &Event) {
        for reporter in &mut self.reporters {
            reporter.event(event);
        }
    }

    fn tick(&mut self) {
        self.reporters.iter_mut().for_each(|reporter| reporter.tick());
    }

    /// Finishes all of them, also after one failed.
    fn finish(&mut self) -> io::Result<()> {
        let results: Vec<_> = self.reporters.iter_mut().map(|reporter| reporter.finish()).collect();
        results.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    struct Noted(&'static str, Arc<Mutex<Vec<String>>>, bool);

    impl Reporter for Noted {
        fn event(&mut self, _: &Event) {
            self.1.lock().unwrap().push(format!("{} event", self.0));
        }

        fn finish(&mut self) -> io::Result<()> {
            self.1.lock().unwrap().push(format!("{} finish", self.0));
            if self.2 { Err(io::Error::other(self.0)) } else { Ok(()) }
        }
    }

    #[test]
    fn all_are_finished_and_the_first_error_is_kept() {
        let log = Arc::new(Mutex::new(Vec::new()));
        let mut fanout = Fanout::default().with(Noted("a", log.clone(), true)).with(Noted("b", log.clone(), true));
        fanout.event(&Event::BootOver { boot: 0 });
        assert_eq!(fanout.finish().unwrap_err().to_string(), "a");
        assert_eq!(*log.lock().unwrap(), ["a event", "b event", "a finish", "b finish"]);
    }
}
