//! The condition that a golden file stands for, and its file name: `base.txt`, `cgroupns=private.txt`,
//! `cgroups=v2,setup_mode=rebind+remount.txt`. Texts alone; no file is looked at.
//!
//! A condition has exactly one name. Keys and values are sorted, and what is outside `[A-Za-z0-9_.-]` is
//! percent-encoded, so a name holds no separator, no path and no byte that a file system might change.

use std::collections::{BTreeMap, BTreeSet};

use miette::Diagnostic;
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::Coordinates;

/// The longest file name in bytes, with its `.txt`. Updates look for shorter or narrower conditions before they give up.
pub const MAX_NAME: usize = 200;

/// What the empty condition is called.
const BASE: &str = "base";

/// The ending of golden files.
pub(super) const SUFFIX: &str = ".txt";

/// For each key the values that it may have. The empty condition holds everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Condition(BTreeMap<String, BTreeSet<String>>);

/// Why a name stands for no condition.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum NameError {
    /// It does not end in `.txt`.
    #[error("it does not end in .txt")]
    Suffix,
    /// A part without `=`.
    #[error("`{0}` is not of the form key=value")]
    NoValue(String),
    /// A key that stands twice.
    #[error("the key `{0}` stands twice")]
    Twice(String),
    /// A percent sign without two hexadecimal digits after it, or bytes that are no UTF-8.
    #[error("`{0}` is not percent-encoded UTF-8")]
    Encoding(String),
    /// The same condition has another name.
    #[error("the condition's name is `{0}`")]
    NotCanonical(String),
}

impl Condition {
    /// The condition that holds everywhere.
    #[must_use]
    pub fn base() -> Self {
        Self::default()
    }

    /// From values by key; a key without values is left out.
    #[must_use]
    pub fn new(values: BTreeMap<String, BTreeSet<String>>) -> Self {
        Self(values.into_iter().filter(|(_, values)| !values.is_empty()).collect())
    }

    /// The condition that names every coordinate.
    #[must_use]
    pub fn at(coordinates: &Coordinates) -> Self {
        Self(coordinates.iter().map(|(key, value)| (key.clone(), BTreeSet::from([value.clone()]))).collect())
    }

    /// The coordinates, where every key has one value.
    #[must_use]
    pub fn single(&self) -> Option<Coordinates> {
        self.0.iter().map(|(key, values)| (values.len() == 1).then(|| (key.clone(), values.first().cloned()))).try_fold(
            Coordinates::new(),
            |mut all, pair| {
                let (key, value) = pair?;
                all.insert(key, value?);
                Some(all)
            },
        )
    }

    /// Whether it holds there: every key is a coordinate and has one of the values.
    #[must_use]
    pub fn matches(&self, at: &Coordinates) -> bool {
        self.0.iter().all(|(key, values)| at.get(key).is_some_and(|value| values.contains(value)))
    }

    /// The number of keys: of two conditions that hold, the one with more keys is the more specific.
    #[must_use]
    pub fn specificity(&self) -> usize {
        self.0.len()
    }

    /// The values by key.
    #[must_use]
    pub const fn values(&self) -> &BTreeMap<String, BTreeSet<String>> {
        &self.0
    }

    /// The file's name.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("{self}{SUFFIX}")
    }

    /// Reads a file's name.
    ///
    /// # Errors
    /// When it is not exactly the name of a condition.
    pub fn from_file_name(name: &str) -> Result<Self, NameError> {
        Self::parse(name.strip_suffix(SUFFIX).ok_or(NameError::Suffix)?)
    }

    /// Reads a name without its ending.
    ///
    /// # Errors
    /// When it is not exactly the name of a condition.
    pub fn parse(stem: &str) -> Result<Self, NameError> {
        if stem == BASE {
            return Ok(Self::base());
        }
        let mut all = BTreeMap::new();
        for part in stem.split(',') {
            let (key, values) = part.split_once('=').ok_or_else(|| NameError::NoValue(part.into()))?;
            let key = decode(key)?;
            let values = values.split('+').map(decode).collect::<Result<BTreeSet<_>, _>>()?;
            if all.insert(key.clone(), values).is_some() {
                return Err(NameError::Twice(key));
            }
        }
        let condition = Self(all);
        let canonical = condition.to_string();
        if canonical == stem { Ok(condition) } else { Err(NameError::NotCanonical(canonical)) }
    }
}

impl std::fmt::Display for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() {
            return f.write_str(BASE);
        }
        for (i, (key, values)) in self.0.iter().enumerate() {
            let values: Vec<String> = values.iter().map(|value| encode(value)).collect();
            write!(f, "{}{}={}", if i == 0 { "" } else { "," }, encode(key), values.join("+"))?;
        }
        Ok(())
    }
}

/// Two of these names that differ by letter case alone: where a file system does not tell it apart, they are one file.
#[must_use]
pub fn same_but_case<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<(&'a str, &'a str)> {
    let mut all: BTreeMap<String, &str> = BTreeMap::new();
    for name in names {
        if let Some(other) = all.insert(name.to_lowercase(), name)
            && other != name
        {
            return Some((other, name));
        }
    }
    None
}

/// Percent-encodes what is outside `[A-Za-z0-9_.-]`.
#[must_use]
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"_.-".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// The longest folder name in bytes that [`folder`] gives.
const MAX_FOLDER: usize = 200;

/// A case's name as one of a folder: as in [`encode`], but `,`, `=` and `+` stay, no dot comes first, and where it would be
/// too long a hash stands for the rest.
#[must_use]
pub fn folder(case: &str) -> String {
    let parts = case.split_inclusive([',', '=', '+']).map(|part| {
        let kept = part.trim_end_matches([',', '=', '+']);
        encode(kept) + &part[kept.len()..]
    });
    let name: String = parts.collect();
    let name = name.strip_prefix('.').map_or_else(|| name.clone(), |rest| format!("%2E{rest}"));
    if name.len() <= MAX_FOLDER {
        return name;
    }
    let hash = format!("{:.16x}", Sha256::digest(case));
    format!("{}-{hash}", &name[..MAX_FOLDER - hash.len() - 1])
}

/// Undoes [`encode`]; lenient on what need not have been encoded, as names are compared with their own encoding.
///
/// # Errors
/// When a percent sign has no two hexadecimal digits after it, or the bytes are no UTF-8.
pub fn decode(text: &str) -> Result<String, NameError> {
    let fault = || NameError::Encoding(text.into());
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || {
            rest.next().and_then(|b| char::from(b).to_digit(16)).and_then(|d| u8::try_from(d).ok()).ok_or_else(fault)
        };
        bytes.push(digit()? * 16 + digit()?);
    }
    String::from_utf8(bytes).map_err(|_| fault())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn condition(pairs: &[(&str, &[&str])]) -> Condition {
        Condition::new(
            pairs.iter().map(|(k, vs)| (k.to_string(), vs.iter().map(ToString::to_string).collect())).collect(),
        )
    }

    #[test]
    fn names_are_readable() {
        assert_eq!(Condition::base().file_name(), "base.txt");
        assert_eq!(condition(&[("cgroupns", &["private"])]).file_name(), "cgroupns=private.txt");
        assert_eq!(
            condition(&[("setup_mode", &["remount", "rebind"]), ("cgroups", &["v2"])]).file_name(),
            "cgroups=v2,setup_mode=rebind+remount.txt"
        );
        assert_eq!(condition(&[("path", &["/a,b=c+d %"])]).file_name(), "path=%2Fa%2Cb%3Dc%2Bd%20%25.txt");
        assert_eq!(condition(&[("a", &[""])]).file_name(), "a=.txt");
    }

    #[test]
    fn other_names_are_refused_with_a_reason() {
        let reason = |name: &str| Condition::from_file_name(name).unwrap_err().to_string();
        assert_eq!(reason("base.md"), "it does not end in .txt");
        assert_eq!(reason("notes.txt"), "`notes` is not of the form key=value");
        assert_eq!(reason("b=1,a=1.txt"), "the condition's name is `a=1,b=1`");
        assert_eq!(reason("a=2+1.txt"), "the condition's name is `a=1+2`");
        assert_eq!(reason("a=1+1.txt"), "the condition's name is `a=1`");
        assert_eq!(reason("a=%2f.txt"), "the condition's name is `a=%2F`");
        assert_eq!(reason("a=%2.txt"), "`%2` is not percent-encoded UTF-8");
        assert_eq!(reason("a=%FF.txt"), "`%FF` is not percent-encoded UTF-8");
        assert_eq!(reason("a=1,a=2.txt"), "the key `a` stands twice");
        assert_eq!(reason(".txt"), "`` is not of the form key=value");
    }

    #[test]
    fn names_that_differ_by_letter_case_alone_are_found() {
        assert_eq!(same_but_case(["a=x.txt", "a=y.txt", "A=x.txt"]), Some(("a=x.txt", "A=x.txt")));
        assert_eq!(same_but_case(["a=x.txt", "a=x.txt", "a=x,b=y.txt"]), None);
        // What encodes a letter is always upper case, and so is one file with nothing else.
        assert_eq!(encode("É").to_lowercase(), encode("É").replace("C3", "c3"));
        assert_ne!(encode("É").to_lowercase(), encode("é").to_lowercase());
    }

    #[test]
    fn a_cases_folder_is_one_name_that_leads_nowhere() {
        assert_eq!(folder("a/b[c=1,d=x y]"), "a%2Fb%5Bc=1,d=x%20y%5D");
        assert_eq!([folder(".."), folder("."), folder("../x")], ["%2E.", "%2E", "%2E.%2Fx"]);
        let long = |end: &str| folder(&format!("{}{end}", "é".repeat(200)));
        assert_eq!(long("a").len(), MAX_FOLDER);
        assert_ne!(long("a"), long("b"));
    }

    #[test]
    fn a_condition_holds_where_every_key_does() {
        let at = Coordinates::from([("a".into(), "1".into()), ("b".into(), "2".into())]);
        assert!(Condition::base().matches(&at));
        assert!(condition(&[("a", &["0", "1"])]).matches(&at));
        assert!(!condition(&[("a", &["1"]), ("b", &["1"])]).matches(&at));
        assert!(!condition(&[("c", &["1"])]).matches(&at));
        assert!(Condition::at(&at).matches(&at));
        assert_eq!(Condition::at(&at).single(), Some(at));
        assert_eq!(condition(&[("a", &["0", "1"])]).single(), None);
    }

    proptest! {
        #[test]
        fn every_condition_has_one_name(
            values in prop::collection::btree_map(".{0,6}", prop::collection::btree_set(".{0,6}", 1..4), 0..4)
        ) {
            let condition = Condition::new(values);
            let name = condition.file_name();
            prop_assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-=,+%".contains(&b)), "{}", name);
            prop_assert_eq!(Condition::from_file_name(&name), Ok(condition));
        }

        #[test]
        fn no_name_panics(name in ".{0,20}") {
            if let Ok(condition) = Condition::from_file_name(&name) {
                prop_assert_eq!(condition.file_name(), name);
            }
        }
    }
}
