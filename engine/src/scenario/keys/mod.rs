//! Every key of a scenario file and of a `defaults.toml`, with its meaning: what the decoder may ask for, and what the
//! schema and the reference say.

mod boot;
mod container;
mod expect;
mod matrix;
mod step;

pub(crate) use boot::{BOOT, BOOT_EXPECT};
pub(crate) use container::{CONTAINER, CONTAINER_WHEN, ENV, SECRET, SYSCTLS};
pub(crate) use expect::{BOOT_STREAM, EXIT_WORDS, EXPECT, GOLDEN, LINES, SET, STREAM};
pub(crate) use matrix::{AXIS_VALUE, EXCLUDE, INCLUDE, MATRIX, NOT_APPLICABLE, SKIP};
pub(crate) use step::{CAPTURE, REPEAT, STEP, WAIT};

use super::decode::SELECT;
use crate::schema::{Key, Named, Shape, Table, words};

/// A scenario file.
pub(crate) static SCENARIO: Table = Table {
    what: "a scenario",
    id: "scenario",
    written: "A scenario file",
    doc: "`scenarios/NAME.toml`: one question, the containers that answer it, and what must come of them. Its cases are named by \
          its path below `scenarios/`.",
    keys: &[
        &[
            Key::needed("title", Shape::Text, "The question that it answers, for people."),
            Key::new("description", Shape::Template, "Why someone would ask, and links."),
        ],
        SHARED,
        &[Key::new(
            "step",
            Shape::List(&Shape::Table(&STEP)),
            "What is done when it has booted (or meanwhile), in order.",
        )],
    ],
    named: None,
};

/// A `defaults.toml`.
pub(crate) static DEFAULTS: Table = Table {
    what: "a defaults.toml",
    id: "defaults",
    written: "A `defaults.toml`",
    doc: "What the scenarios of its folder, and of those below, share. A scenario's own keys come on top: lists of `[container]` \
          replace, tables are merged, tags, rules and `known_lines` are added.",
    keys: &[SHARED],
    named: None,
};

static SKIPPED: Shape = Shape::Table(&SKIP);

const SHARED: &[Key] = &[
    Key::new("tags", Shape::List(&Shape::Name), "Words to select by: `--tag`."),
    Key::new("inherit", Shape::Bool, "Whether the `defaults.toml` of the folders above apply.").or("true"),
    Key::new("fresh", Shape::Bool, "Whether each case has a boot of its own, never shared with other scenarios.").or("false"),
    Key::new(
        "host_risk",
        Shape::Text,
        "What its containers may change on the host, and why that is wanted. Needed where they can: in the host's cgroup \
         namespace or network, privileged, with folders or devices of the host's writable, or `/proc/sys` unmasked.",
    ),
    Key::new(
        "select",
        Shape::Words(|| words(SELECT)),
        "Which cases a run takes unless `--select` asks for others: `full`, all; `pairwise`, as many as bring every pair of values of two \
         axes; `each`, as many as bring every value. For what would take long and show the same.",
    )
    .or("\"full\""),
    Key::new(
        "normalise",
        Shape::List(&Shape::Name),
        "The normalising rules for all goldens here, in order: `ansi`, `cgroup`, `ids`, `pids`, `times`, `sizes`, `paths`, and \
         those of `[normalise_rule.NAME]`.",
    )
    .or("[\"ansi\", \"ids\"]"),
    Key::new("normalise_rule", Shape::Table(&NORMALISE_RULES), "Normalising rules of its own."),
    Key::new("matrix", Shape::Table(&MATRIX), "The axes: every combination of their values is a case."),
    Key::new("skip", Shape::List(&SKIPPED), "Cases that make sense and that this host can't run."),
    Key::new("container", Shape::Table(&CONTAINER), "The container's flags."),
    Key::new("boot", Shape::Table(&BOOT), "How it boots, and what must come of it."),
];

/// `[normalise_rule]`.
pub(crate) static NORMALISE_RULES: Table = Table {
    what: "`normalise_rule`",
    id: "normalise_rules",
    written: "`[normalise_rule]`",
    doc: "Normalising rules of the scenario's own, by name.",
    keys: &[],
    named: Some(Named {
        name: "NAME",
        shape: Shape::Table(&NORMALISE_RULE),
        doc: "A rule; the name is what `normalise` calls it.",
    }),
};

/// `[normalise_rule.NAME]`.
pub(crate) static NORMALISE_RULE: Table = Table {
    what: "a normalising rule",
    id: "normalise_rule",
    written: "`[normalise_rule.NAME]`",
    doc: "Volatile text that is replaced before texts are compared and recorded.",
    keys: &[&[
        Key::needed("regex", Shape::Regex, "What is replaced; it must not match the empty text."),
        Key::needed("replace", Shape::Template, "By what, such as `<TIME>`; `$1` is the first group."),
    ]],
    named: None,
};
