//! The keys of `[matrix]` and of rules.

use crate::schema::{Key, Named, Shape, Table};

/// What a value of an axis may be.
const VALUE: Shape = Shape::Any(&[Shape::Text, Shape::Int(i64::MIN, i64::MAX), Shape::Bool]);

const RULE: &[Key] = &[
    Key::needed("when", Shape::Condition, "The condition, such as `\"host.cgroups == 'v1'\"`."),
    Key::needed("reason", Shape::Text, "Why; reports show it for every case that is left out."),
];

/// `[matrix]`.
pub(crate) static MATRIX: Table = Table {
    what: "[matrix]",
    id: "matrix",
    written: "`[matrix]`",
    doc: "The axes. Every combination of their values is a case.",
    keys: &[&[
        Key::new("exclude", Shape::List(&Shape::Table(&EXCLUDE)), "Combinations that make no sense."),
        Key::new("include", Shape::List(&Shape::Table(&INCLUDE)), "Points besides the product."),
    ]],
    named: Some(Named {
        name: "AXIS",
        shape: Shape::List(&Shape::Any(&[
            Shape::Text,
            Shape::Int(i64::MIN, i64::MAX),
            Shape::Bool,
            Shape::Table(&AXIS_VALUE),
        ])),
        doc: "An axis and its values. Texts read it as `${{ AXIS }}`, conditions as `AXIS`: small letters, digits and `_`. An \
              empty list removes an axis of the defaults.",
    }),
};

/// A value of an axis with its rule.
pub(crate) static AXIS_VALUE: Table = Table {
    what: "an axis value",
    id: "axis_value",
    written: "A value of an axis, with a rule",
    doc: "`{ value = …, when = \"…\", reason = \"…\" }`: cases with this value are applicable only when the condition holds.",
    keys: &[&[Key::needed("value", VALUE, "The value itself; it stands in case ids and names of goldens.")], RULE],
    named: None,
};

/// `[[matrix.exclude]]`.
pub(crate) static EXCLUDE: Table = Table {
    what: "[[matrix.exclude]]",
    id: "exclude",
    written: "`[[matrix.exclude]]`",
    doc: "Combinations that are not applicable.",
    keys: &[RULE],
    named: None,
};

/// `[[matrix.include]]`.
pub(crate) static INCLUDE: Table = Table {
    what: "[[matrix.include]]",
    id: "include",
    written: "`[[matrix.include]]`",
    doc: "A point besides the product of the axes.",
    keys: &[],
    named: Some(Named { name: "AXIS", shape: VALUE, doc: "Its value of each axis." }),
};

/// `[[skip]]`.
pub(crate) static SKIP: Table = Table {
    what: "[[skip]]",
    id: "skip",
    written: "`[[skip]]`",
    doc: "Cases that are applicable, and that this host can't run: they are `skipped`.",
    keys: &[RULE],
    named: None,
};

/// `[[not_applicable]]` of a setup mode.
pub(crate) static NOT_APPLICABLE: Table = Table {
    what: "[[not_applicable]]",
    id: "not_applicable",
    written: "`[[not_applicable]]`",
    doc: "When the setup mode can't work by its nature; conditions read `host.*` and `container.*`.",
    keys: &[RULE],
    named: None,
};
