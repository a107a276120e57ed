//! The keys of `[[step]]`.

use super::super::decode::{ENGINE_WORDS, MOST_TIMES, PHASES};
use super::expect::EXPECT;
use crate::schema::{Key, Named, Shape, Table, words};

/// `[[step]]`.
pub(crate) static STEP: Table = Table {
    what: "a step",
    id: "step",
    written: "`[[step]]`",
    doc: "One thing that is done, and what must come of it: `run` inside the container, or `engine` on the engine's side.",
    keys: &[&[
        Key::needed("name", Shape::Name, "Its name, once in a scenario: case ids and goldens go by it."),
        Key::new(
            "run",
            Shape::Any(&[Shape::Template, Shape::Some(&Shape::Template)]),
            "What runs inside the container: a text for `/bin/sh -c`, or a program and its arguments.",
        ),
        Key::new(
            "engine",
            Shape::Words(|| words(ENGINE_WORDS)),
            "A command on the engine's side; its answer is the step's stdout.",
        ),
        Key::new("grace", Shape::Duration, "Of `stop` and `restart`: how long PID 1 has to end.").or("\"10s\""),
        Key::new("signal", Shape::Text, "Of `kill`, which needs it: the signal that PID 1 is sent."),
        Key::new("when", Shape::Condition, "Runs only when this holds."),
        Key::new(
            "at",
            Shape::Words(|| words(PHASES)),
            "When it runs: while systemd boots, or when the boot is complete.",
        )
        .or("\"ready\""),
        Key::new("background", Shape::Bool, "Left running while later steps go on; it ends with the container.")
            .or("false"),
        Key::new("repeat", Shape::Table(&REPEAT), "Run more than once."),
        Key::new("wait", Shape::Table(&WAIT), "Run again until what it expects holds."),
        Key::new("capture", Shape::Table(&CAPTURE), "Values of its stdout that later steps read as `@{NAME}`."),
        Key::new(
            "timeout",
            Shape::Duration,
            "The limit for one run of the command: 10s if not written, and what `grace` and a boot add to it.",
        ),
        Key::new(
            "changes",
            Shape::Bool,
            "Whether it changes the container, so that its boot is not shared. If not written: true for `background`, `stop`, \
             `start`, `restart` and `kill`.",
        ),
        Key::new("user", Shape::Scalar, "Whom the command runs as."),
        Key::new(
            "normalise",
            Shape::List(&Shape::Name),
            "Normalising rules for its goldens, in place of the scenario's.",
        ),
        Key::new(
            "expect",
            Shape::OneOrMany(&Shape::Table(&EXPECT)),
            "What must come of it; exit code 0, if nothing is said.",
        ),
    ]],
    named: None,
};

/// `repeat`.
pub(crate) static REPEAT: Table = Table {
    what: "`repeat`",
    id: "repeat",
    written: "`repeat`",
    doc: "How often the command runs: one of the two.",
    keys: &[&[
        Key::new("times", Shape::Int(1, MOST_TIMES), "This often."),
        Key::new("for", Shape::Duration, "One after another until the time is over."),
    ]],
    named: None,
};

/// `wait`.
pub(crate) static WAIT: Table = Table {
    what: "`wait`",
    id: "wait",
    written: "`wait`",
    doc: "The command runs again until its expectations hold.",
    keys: &[&[
        Key::needed("limit", Shape::Duration, "How long to try."),
        Key::new("every", Shape::Duration, "The pause between tries.").or("\"200ms\""),
    ]],
    named: None,
};

/// `capture`.
pub(crate) static CAPTURE: Table = Table {
    what: "`capture`",
    id: "capture",
    written: "`capture`",
    doc: "Values for later steps.",
    keys: &[],
    named: Some(Named { name: "NAME", shape: Shape::Regex, doc: "Its first group in stdout, or the whole match." }),
};
