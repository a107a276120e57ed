//! The shapes of the tables of keys. Plain values, made at compile time.

/// A table of a file, and every key that it may have.
#[derive(Debug)]
pub struct Table {
    /// What messages call it: `a step`, `[boot]`.
    pub what: &'static str,
    /// Its name in a schema, unique in a kind of file.
    pub id: &'static str,
    /// How it is written, as a heading: `[[step]]`.
    pub written: &'static str,
    /// What it is for.
    pub doc: &'static str,
    /// Its keys, in groups that tables share.
    pub keys: &'static [&'static [Key]],
    /// Keys besides, whose names the author chooses.
    pub named: Option<Named>,
}

/// Keys whose names the author chooses.
#[derive(Debug)]
pub struct Named {
    /// What such a name is: `AXIS`.
    pub name: &'static str,
    /// The value of each.
    pub shape: Shape,
    /// What they mean.
    pub doc: &'static str,
}

/// One key.
#[derive(Debug)]
pub struct Key {
    /// As it is written.
    pub name: &'static str,
    /// What its value may be.
    pub shape: Shape,
    /// What it means, in a sentence or two.
    pub doc: &'static str,
    /// The value that stands for a key which is not there, in TOML; `None` where there is none.
    pub default: Option<&'static str>,
    /// Whether the table is wrong without it.
    pub required: bool,
    /// Whether it is read only to say why it can't be here.
    pub refused: bool,
}

impl Key {
    /// A key that may be left out.
    pub const fn new(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self { name, shape, doc, default: None, required: false, refused: false }
    }

    /// One that the table can't be without.
    pub const fn needed(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self { required: true, ..Self::new(name, shape, doc) }
    }

    /// One that is read only to say why it can't be here.
    pub const fn refused(name: &'static str) -> Self {
        Self { refused: true, ..Self::new(name, Shape::Template, "") }
    }

    /// With the value that it has when it is not there, in TOML.
    pub const fn or(self, default: &'static str) -> Self {
        Self { default: Some(default), ..self }
    }
}

/// What a value may be.
#[derive(Debug)]
pub enum Shape {
    /// A string with something in it.
    Text,
    /// A string that is a name of files, cases or tags: small letters, digits, `_`, `.` and `-`.
    Name,
    /// A string that may hold `${{ … }}`.
    Template,
    /// A string that may hold `${{ … }}`, a boolean or a number.
    Scalar,
    /// `true` or `false`, or a template that gives one.
    Switch,
    /// One of some words, or a template that gives one.
    Choice(&'static [&'static str]),
    /// `true` or `false`.
    Bool,
    /// One value alone: `true`.
    True,
    /// A whole number from one to another; without a limit above where that is `i64::MAX`.
    Int(i64, i64),
    /// Such as `"1m 30s"`.
    Duration,
    /// An expression over the axes and the host.
    Condition,
    /// A regular expression.
    Regex,
    /// One of some words.
    Words(fn() -> Vec<&'static str>),
    /// A list, maybe empty.
    List(&'static Shape),
    /// A list with something in it.
    Some(&'static Shape),
    /// One value, or a list of them.
    OneOrMany(&'static Shape),
    /// Any of these.
    Any(&'static [Shape]),
    /// A table.
    Table(&'static Table),
}

impl Table {
    /// Every key that may be written, in order.
    pub fn known(&self) -> impl Iterator<Item = &'static Key> {
        self.keys.iter().copied().flatten().filter(|key| !key.refused)
    }

    /// Whether the decoder may ask for a key.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.keys.iter().copied().flatten().any(|key| key.name == name)
    }
}

/// The words of a decoder's table.
pub fn words<T>(table: &[(T, &'static str)]) -> Vec<&'static str> {
    table.iter().map(|(_, word)| *word).collect()
}
