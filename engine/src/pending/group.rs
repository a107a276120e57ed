//! Texts that differ from their goldens in the same way, to be decided on once. Pure.

use std::collections::HashMap;

use indexmap::IndexMap;
use similar::{Algorithm, ChangeTag, TextDiffConfig};

use super::present::Item;

/// Above so many lines, texts are the same difference only where they are the same.
const LINES: usize = 4000;

/// What is new in a text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Change {
    /// All of it: nothing was recorded.
    First(String),
    /// Lines that are gone (`-`) and lines that came (`+`), in their order, without those that stayed.
    Lines(Vec<(char, String)>),
    /// The golden and the text, too long to be told line by line.
    Whole(String, String),
    /// Runs that do not agree: the one text and the other.
    Varies(String, String),
}

/// Texts with one and the same change: at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group<'a> {
    /// What changes.
    pub change: Change,
    /// The texts, in the order in which they came.
    pub items: Vec<Item<'a>>,
}

/// Groups texts by what changes in them; of the first recordings of a text, those of one golden are together.
#[must_use]
pub fn group(items: Vec<Item<'_>>) -> Vec<Group<'_>> {
    let mut known: HashMap<(Option<String>, String), Change> = HashMap::new();
    let mut groups: IndexMap<(Change, Option<String>), Vec<Item<'_>>> = IndexMap::new();
    for item in items {
        let golden = item.golden.as_ref().map(|(_, text)| text.clone());
        let change = match &item.entry.other {
            Some(other) => Change::Varies(item.text.clone(), other.clone()),
            None => known
                .entry((golden.clone(), item.text.clone()))
                .or_insert_with_key(|(old, new)| change(old.as_deref(), new))
                .clone(),
        };
        let of = match change {
            Change::First(_) | Change::Varies(..) => {
                Some(format!("{}/{}", item.entry.key.scenario, item.entry.key.folder))
            }
            Change::Lines(_) | Change::Whole(..) => None,
        };
        groups.entry((change, of)).or_default().push(item);
    }
    groups.into_iter().map(|((change, _), items)| Group { change, items }).collect()
}

fn change(golden: Option<&str>, text: &str) -> Change {
    let Some(golden) = golden else { return Change::First(text.to_owned()) };
    if golden.lines().count().max(text.lines().count()) > LINES {
        return Change::Whole(golden.to_owned(), text.to_owned());
    }
    let diff = TextDiffConfig::default().algorithm(Algorithm::Patience).diff_lines(golden, text);
    let signed = |tag| match tag {
        ChangeTag::Delete => Some('-'),
        ChangeTag::Insert => Some('+'),
        ChangeTag::Equal => None,
    };
    let lines = diff.iter_all_changes().filter_map(|line| Some((signed(line.tag())?, line.value().to_owned())));
    Change::Lines(lines.collect())
}

#[cfg(test)]
mod tests {
    use super::super::Pending;
    use super::super::testkit::{Run, items};
    use super::*;

    fn sizes(pending: &Pending, golden: impl Fn(&str) -> Option<String>) -> Vec<usize> {
        let items = items(pending, golden);
        group(items).iter().map(|group| group.items.len()).collect()
    }

    #[test]
    fn the_same_lines_in_different_texts_are_one_change() {
        let mut pending = Pending::default();
        for (a, version) in [("1", "253"), ("2", "253"), ("3", "254")] {
            Run::of(&format!("a={a}"), &format!("case {a}\nversion {version}\n")).into(&mut pending);
        }
        assert_eq!(sizes(&pending, |a| Some(format!("case {a}\nversion 252\n"))), [2, 1]);
        assert_eq!(sizes(&pending, |_| None), [1, 1, 1]);
    }

    #[test]
    fn what_varies_is_no_change_that_others_have() {
        let mut pending = Pending::default();
        Run::of("a=1", "x\n").into(&mut pending);
        Run::of("a=2", "x\n").varied("y\n").into(&mut pending);
        let groups = group(items(&pending, |_| None));
        assert_eq!(groups.len(), 2);
        assert!(matches!(groups[1].change, Change::Varies(..)));
    }

    #[test]
    fn texts_of_many_lines_are_compared_as_a_whole() {
        let long = "line\n".repeat(LINES + 1);
        assert!(matches!(change(Some("short\n"), &long), Change::Whole(..)));
    }
}
