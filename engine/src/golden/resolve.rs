//! Which file stands for a case: of those whose condition holds there, the most specific. Pure.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::OnceLock;

use miette::Diagnostic;
use thiserror::Error;

use super::Coordinates;
use super::bits::Bits;
use super::name::Condition;

/// Two files that are equally specific for a case, and say different things.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
#[error("{first} and {second} are equally specific for {at}, and their texts differ")]
#[diagnostic(help("delete the one that is wrong, or record the case again"))]
pub struct Ambiguity {
    /// One file's name.
    pub first: String,
    /// The other's.
    pub second: String,
    /// The coordinates, in the form of a file name.
    pub at: String,
}

/// The condition and text of the file that stands for these coordinates, if one does.
///
/// # Errors
/// When two equally specific files hold there with different texts. Of two with the same text, the first by name is
/// taken.
pub fn resolve<'a>(
    files: &'a BTreeMap<Condition, String>,
    at: &Coordinates,
) -> Result<Option<(&'a Condition, &'a str)>, Ambiguity> {
    let holding = files.iter().filter(|(condition, _)| condition.matches(at));
    most_specific(holding.map(|(condition, text)| (condition, text.as_str())), at)
}

/// Of the files that hold there, in order, the one that stands.
fn most_specific<'a>(
    holding: impl Iterator<Item = (&'a Condition, &'a str)>,
    at: &Coordinates,
) -> Result<Option<(&'a Condition, &'a str)>, Ambiguity> {
    let mut best: Option<(&Condition, &str)> = None;
    let mut rival: Option<&Condition> = None;
    for (condition, text) in holding {
        let than_best = best.map(|(found, _)| condition.specificity().cmp(&found.specificity()));
        match than_best {
            None | Some(std::cmp::Ordering::Greater) => {
                best = Some((condition, text));
                rival = None;
            }
            Some(std::cmp::Ordering::Equal) if best.is_some_and(|(_, found)| found != text) => {
                rival = rival.or(Some(condition));
            }
            Some(_) => {}
        }
    }
    match (best, rival) {
        (Some((first, _)), Some(second)) => {
            Err(Ambiguity { first: first.file_name(), second: second.file_name(), at: Condition::at(at).to_string() })
        }
        (best, _) => Ok(best),
    }
}

/// Texts by condition: a map that resolves many cases quickly, as it is indexed at the first and until it changes.
#[derive(Default)]
pub struct Files {
    texts: BTreeMap<Condition, String>,
    index: OnceLock<Index>,
}

/// For each key of a condition the files that hold as far as that key goes.
struct Index {
    conditions: Vec<Condition>,
    keys: BTreeMap<String, OfKey>,
}

struct OfKey {
    /// Files that do not name the key.
    silent: Bits,
    /// For each value, those and the files that name it.
    by_value: BTreeMap<String, Bits>,
}

impl Files {
    /// No files.
    #[must_use]
    pub const fn new() -> Self {
        Self { texts: BTreeMap::new(), index: OnceLock::new() }
    }

    /// The same as [`resolve`].
    ///
    /// # Errors
    /// When two equally specific files hold there with different texts.
    pub fn resolve(&self, at: &Coordinates) -> Result<Option<(&Condition, &str)>, Ambiguity> {
        let index = self.index.get_or_init(|| Index::new(&self.texts));
        let holding = index.holding(at);
        let files = holding.iter().filter_map(|file| self.texts.get_key_value(&index.conditions[file]));
        most_specific(files.map(|(condition, text)| (condition, text.as_str())), at)
    }
}

impl Index {
    fn new(texts: &BTreeMap<Condition, String>) -> Self {
        let conditions: Vec<Condition> = texts.keys().cloned().collect();
        let mut keys: BTreeMap<String, OfKey> = BTreeMap::new();
        for (key, values) in conditions.iter().flat_map(Condition::values) {
            let nothing = || OfKey { silent: Bits::all(conditions.len()), by_value: BTreeMap::new() };
            let of_key = keys.entry(key.clone()).or_insert_with(nothing);
            for value in values {
                of_key.by_value.entry(value.clone()).or_insert_with(|| Bits::none(conditions.len()));
            }
        }
        for (file, condition) in conditions.iter().enumerate() {
            for (key, values) in condition.values() {
                let Some(of_key) = keys.get_mut(key) else { continue };
                of_key.silent.remove(file);
                for value in values {
                    of_key.by_value.entry(value.clone()).and_modify(|bits| bits.insert(file));
                }
            }
        }
        for OfKey { silent, by_value } in keys.values_mut() {
            by_value.values_mut().for_each(|bits| bits.add(silent));
        }
        Self { conditions, keys }
    }

    /// The files whose conditions hold.
    fn holding(&self, at: &Coordinates) -> Bits {
        let mut holding = Bits::all(self.conditions.len());
        for (key, OfKey { silent, by_value }) in &self.keys {
            holding.keep(at.get(key).and_then(|value| by_value.get(value)).unwrap_or(silent));
        }
        holding
    }
}

impl Deref for Files {
    type Target = BTreeMap<Condition, String>;

    fn deref(&self) -> &Self::Target {
        &self.texts
    }
}

impl DerefMut for Files {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.index.take();
        &mut self.texts
    }
}

impl From<BTreeMap<Condition, String>> for Files {
    fn from(texts: BTreeMap<Condition, String>) -> Self {
        Self { texts, index: OnceLock::new() }
    }
}

impl Clone for Files {
    fn clone(&self) -> Self {
        self.texts.clone().into()
    }
}

impl PartialEq for Files {
    fn eq(&self, other: &Self) -> bool {
        self.texts == other.texts
    }
}

impl Eq for Files {}

impl std::fmt::Debug for Files {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.texts.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn files(all: &[(&str, &str)]) -> BTreeMap<Condition, String> {
        all.iter().map(|(name, text)| (Condition::parse(name).unwrap(), text.to_string())).collect()
    }

    fn at(name: &str) -> Coordinates {
        Condition::parse(name).unwrap().single().unwrap()
    }

    #[test]
    fn the_most_specific_wins() {
        let files = files(&[("base", "b"), ("cgroups=v2", "c"), ("cgroups=v2,mode=x+y", "m")]);
        let text = |name| resolve(&files, &at(name)).unwrap().map(|(_, text)| text);
        assert_eq!(text("cgroups=v1,mode=x"), Some("b"));
        assert_eq!(text("cgroups=v2,mode=z"), Some("c"));
        assert_eq!(text("cgroups=v2,mode=y"), Some("m"));
        assert_eq!(text("base"), Some("b"));
    }

    #[test]
    fn nothing_may_match() {
        assert_eq!(resolve(&files(&[("a=1", "t")]), &at("a=2")), Ok(None));
        assert_eq!(resolve(&BTreeMap::new(), &at("a=2")), Ok(None));
    }

    #[test]
    fn equally_specific_files_are_named() {
        let files = files(&[("base", "b"), ("cgroupns=private", "p"), ("mode=rebind", "r")]);
        let error = resolve(&files, &at("cgroupns=private,mode=rebind")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cgroupns=private.txt and mode=rebind.txt are equally specific for cgroupns=private,mode=rebind, \
             and their texts differ"
        );
        assert!(resolve(&files, &at("cgroupns=host,mode=rebind")).is_ok());
    }

    #[test]
    fn a_more_specific_file_ends_an_ambiguity_and_equal_texts_are_none() {
        let mut all = files(&[("a=1", "p"), ("b=1", "r"), ("a=1,b=1", "q")]);
        assert_eq!(resolve(&all, &at("a=1,b=1")).unwrap().unwrap().1, "q");
        all.retain(|condition, _| condition.specificity() == 1);
        all.values_mut().for_each(|text| *text = "same".into());
        assert_eq!(resolve(&all, &at("a=1,b=1")).unwrap().unwrap().0.file_name(), "a=1.txt");
    }

    /// Conditions and coordinates of few keys and values, so that they meet.
    fn few<T: std::fmt::Debug>(values: impl Strategy<Value = T>) -> impl Strategy<Value = BTreeMap<String, T>> {
        prop::collection::btree_map("[abc]", values, 0..4)
    }

    proptest! {
        #[test]
        fn the_index_finds_what_looking_at_every_file_does(
            conditions in prop::collection::vec((few(prop::collection::btree_set("[xyz]", 1..3)), "[TU]"), 0..12),
            all in prop::collection::vec(few("[xyz]"), 1..20),
            later in few(prop::collection::btree_set("[xyz]", 1..3)),
        ) {
            let texts: BTreeMap<Condition, String> =
                conditions.into_iter().map(|(values, text)| (Condition::new(values), text)).collect();
            let mut files = Files::from(texts);
            for at in &all {
                prop_assert_eq!(files.resolve(at), resolve(&files, at));
            }
            files.insert(Condition::new(later), "V".into());
            for at in &all {
                prop_assert_eq!(files.resolve(at), resolve(&files, at), "the index is of the files as they are now");
            }
        }
    }
}
