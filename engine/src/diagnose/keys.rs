//! Every key of a `diagnoses.toml`, with its meaning.

use crate::schema::{Key, Shape, Table};

/// A `diagnoses.toml`.
pub(crate) static DIAGNOSES: Table = Table {
    what: "a diagnoses.toml",
    id: "diagnoses",
    written: "A `diagnoses.toml`",
    doc: "`images/diagnoses.toml`: what failed boots are told by. The first entry that fits counts.",
    keys: &[&[Key::new("diagnosis", Shape::List(&Shape::Table(&DIAGNOSIS)), "The entries, in order.")]],
    named: None,
};

/// `[[diagnosis]]`.
pub(crate) static DIAGNOSIS: Table = Table {
    what: "a diagnosis",
    id: "diagnosis",
    written: "`[[diagnosis]]`",
    doc: "A line of a log, why it is there, and what to do. Texts read a named group of `line` as `{name}`.",
    keys: &[&[
        Key::needed("name", Shape::Name, "Its name; its logs in `engine/tests/diagnose` go by it."),
        Key::needed("line", Shape::Regex, "What the line is known by."),
        Key::new("when", Shape::Condition, "Only where this holds of the host and the container."),
        Key::needed("cause", Shape::Text, "Why the line is there."),
        Key::needed("fix", Shape::Text, "What to do."),
        Key::new("docker", Shape::Text, "docker's flags that do it."),
        Key::new("podman", Shape::Text, "podman's flags that do it."),
        Key::new("links", Shape::List(&Shape::Text), "`project#number`, or an https address."),
    ]],
    named: None,
};
