//! The keys of `[boot]`.

use super::super::decode::{READY, UNKNOWN};
use super::super::model::BootState;
use super::expect::{BOOT_STREAM, LEVEL, WHEN};
use crate::schema::{Key, Shape, Table, words};

/// `[boot]`.
pub(crate) static BOOT: Table = Table {
    what: "[boot]",
    id: "boot",
    written: "`[boot]`",
    doc: "How the container boots, and what must come of it.",
    keys: &[&[
        Key::new("timeout", Shape::Duration, "How long the boot may take from the container's start.").or("\"20s\""),
        Key::new(
            "ready",
            Shape::Words(|| words(READY)),
            "How its end is noticed: by the console log, or by exec, which containers without a terminal need and which \
             disturbs what cgroup scenarios measure.",
        )
        .or("\"console\""),
        Key::new("before", Shape::Template, "A shell command that runs in the container before the setup script and systemd."),
        Key::new(
            "expect",
            Shape::OneOrMany(&Shape::Table(&BOOT_EXPECT)),
            "What must come of it; where nothing is said, `state = \"running\"`.",
        ),
        Key::new("unknown_lines", Shape::Words(|| words(UNKNOWN)), "What happens with console lines that no rule knows.").or("\"warn\""),
        Key::new("known_lines", Shape::List(&Shape::Regex), "Console lines that are harmless, besides the built-in ones."),
    ]],
    named: None,
};

/// `boot.expect`.
pub(crate) static BOOT_EXPECT: Table = Table {
    what: "a boot's `expect`",
    id: "boot_expect",
    written: "`boot.expect`",
    doc: "What must come of a boot; one table, or a list of them. One that asserts nothing is an error.",
    keys: &[&[
        WHEN,
        LEVEL,
        Key::new(
            "state",
            Shape::OneOrMany(&Shape::Words(|| words(BootState::ALL))),
            "How it may end. A boot that must fail is an expectation like any other.",
        ),
        Key::new("exit", Shape::OneOrMany(&Shape::Int(0, 255)), "Exit codes of PID 1, for the state `exited`."),
        Key::new("console", Shape::Table(&BOOT_STREAM), "What the console log must hold."),
    ]],
    named: None,
};
