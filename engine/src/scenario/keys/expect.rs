//! The keys of what stands below `expect`.

use super::super::decode::{COMPARE, LEVELS};
use crate::schema::{Key, Shape, Table, words};

/// `when` of an expectation.
pub(super) const WHEN: Key = Key::new("when", Shape::Condition, "Judged only when this holds.");

/// `level` of an expectation.
pub(super) const LEVEL: Key =
    Key::new("level", Shape::Words(|| words(LEVELS)), "Whether the case fails or only warns where it does not hold.")
        .or("\"fail\"");

const PATTERNS: Shape = Shape::OneOrMany(&Shape::Regex);
const TEXTS: Shape = Shape::OneOrMany(&Shape::Template);
const WORDS: Shape = Shape::List(&Shape::Template);
const COUNT: Shape = Shape::Int(0, i64::MAX);

/// `expect` of a step.
pub(crate) static EXPECT: Table = Table {
    what: "`expect`",
    id: "expect",
    written: "`step.expect`",
    doc: "What must come of a step's command; one table, or a list of them. One that asserts nothing is an error.",
    keys: &[&[
        WHEN,
        LEVEL,
        Key::new(
            "exit",
            Shape::Any(&[Shape::OneOrMany(&Shape::Int(0, 255)), Shape::Words(|| words(EXIT_WORDS))]),
            "The exit code, several, `\"nonzero\"` or `\"any\"`; 0 is demanded where no expectation of the step names one.",
        ),
        Key::new("stdout", Shape::Table(&STREAM), "The command's standard output, or an engine's answer."),
        Key::new("stderr", Shape::Table(&STREAM), "The command's standard error."),
        Key::new("console", Shape::Table(&STREAM), "The container's console log up to then."),
    ]],
    named: None,
};

/// The words of `exit`: whether any code will do.
pub(crate) const EXIT_WORDS: &[(bool, &str)] = &[(true, "any"), (false, "nonzero")];

/// A stream of a step.
pub(crate) static STREAM: Table = Table {
    what: "an expectation of a stream",
    id: "stream",
    written: "`expect.stdout`, `expect.stderr`, `expect.console`",
    doc: "What a text must be.",
    keys: &[
        ASKS,
        &[Key::new(
            "golden",
            Shape::Any(&[Shape::True, Shape::Name, Shape::Table(&GOLDEN)]),
            "The normalised text is the recorded one: `true` (recorded by the step's name), a name, or a table that says what counts.",
        )],
    ],
    named: None,
};

/// The console log of a boot.
pub(crate) static BOOT_STREAM: Table = Table {
    what: "an expectation of a stream",
    id: "boot_stream",
    written: "`boot.expect.console`",
    doc: "What the console log of a boot must be: as a step's streams, without `golden`.",
    keys: &[ASKS, &[Key::refused("golden")]],
    named: None,
};

/// A number, or both its bounds.
static LINES_SHAPES: [Shape; 2] = [COUNT, Shape::Table(&LINES)];

const ASKS: &[Key] = &[
    Key::new("regex", PATTERNS, "Found somewhere; `^` and `$` match at lines. Of a list, each."),
    Key::new("not_regex", PATTERNS, "Found nowhere."),
    Key::new("contains", TEXTS, "This text is in it. Of a list, each."),
    Key::new("not_contains", TEXTS, "This text is not in it."),
    Key::new("equals", Shape::Scalar, "The whole text, without spaces and line ends around it."),
    Key::new("empty", Shape::Bool, "Nothing but white space; for false, something."),
    Key::new("lines", Shape::Any(&LINES_SHAPES), "How many lines."),
    Key::new("set", Shape::Table(&SET), "The words of the text as a set."),
];

/// `lines`.
pub(crate) static LINES: Table = Table {
    what: "`lines`",
    id: "lines",
    written: "`lines`",
    doc: "How many lines, where it is no single number.",
    keys: &[&[Key::new("min", COUNT, "At least.").or("0"), Key::new("max", COUNT, "At most.")]],
    named: None,
};

/// `set`.
pub(crate) static SET: Table = Table {
    what: "`set`",
    id: "set",
    written: "`set`",
    doc: "How the words of the text relate to these.",
    keys: &[&[
        Key::new("at_least", WORDS, "All of these, and maybe more."),
        Key::new("equal", WORDS, "These and no others."),
        Key::new("at_most", WORDS, "None but these."),
        Key::new("none_of", WORDS, "None of these."),
    ]],
    named: None,
};

/// `golden`.
pub(crate) static GOLDEN: Table = Table {
    what: "`golden`",
    id: "golden",
    written: "`golden`",
    doc: "What of a recorded text counts, where the order or the width of an output varies.",
    keys: &[&[
        Key::new("name", Shape::Name, "Its folder below `golden/SCENARIO/`; the step's name, if not written."),
        Key::needed("compare", Shape::Words(|| words(COMPARE)), "The lines in any order, or the cells of a table."),
        Key::new(
            "columns",
            Shape::Some(&Shape::Text),
            "Of a table: the headings that count, in that order; without it all, by name.",
        ),
        Key::new("sort_rows", Shape::Bool, "Of a table: the order of rows does not count.").or("false"),
    ]],
    named: None,
};
