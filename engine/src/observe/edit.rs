//! Replaced parts of a text: what a rule did, as a value. Pure.

use std::ops::Range;

/// A part of a text, and what stands in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edit {
    /// The bytes of the part, at the bounds of characters; empty where something is put in.
    pub(crate) at: Range<usize>,
    /// What stands there after.
    pub(crate) by: String,
}

impl Edit {
    /// The same change of a text, without what is the same at the start and the end of the part; `None` where all is.
    pub(crate) fn trimmed(self, text: &str) -> Option<Self> {
        let from = &text[self.at.clone()];
        let same = |(a, b): &(char, char)| a == b;
        let before: usize = from.chars().zip(self.by.chars()).take_while(same).map(|(c, _)| c.len_utf8()).sum();
        let (from, by) = (&from[before..], &self.by[before..]);
        let after: usize = from.chars().rev().zip(by.chars().rev()).take_while(same).map(|(c, _)| c.len_utf8()).sum();
        let by = by[..by.len() - after].to_owned();
        let at = self.at.start + before..self.at.end - after;
        (!(at.is_empty() && by.is_empty())).then_some(Self { at, by })
    }
}

/// The text with its parts replaced. Edits come in order and do not overlap.
pub(crate) fn applied(text: &str, edits: &[Edit]) -> String {
    let mut done = String::with_capacity(text.len());
    let mut end = 0;
    for edit in edits {
        done.push_str(&text[end..edit.at.start]);
        done.push_str(&edit.by);
        end = edit.at.end;
    }
    done.push_str(&text[end..]);
    done
}

#[cfg(test)]
mod tests {
    use super::{Edit, applied};

    #[test]
    fn a_change_is_no_longer_than_it_must_be() {
        let trimmed = |by: &str| Edit { at: 1..6, by: by.to_owned() }.trimmed("-pid 7-").map(|edit| (edit.at, edit.by));
        assert_eq!(trimmed("pid <pid>"), Some((5..6, "<pid>".to_owned())));
        assert_eq!(trimmed("pid 77"), Some((6..6, "7".to_owned())));
        assert_eq!(trimmed("7"), Some((1..5, String::new())));
        assert_eq!(trimmed("pid 7"), None);
    }

    #[test]
    fn parts_are_replaced_put_in_and_taken_out() {
        let edit = |at, by: &str| Edit { at, by: by.to_owned() };
        assert_eq!(applied("abcdef", &[edit(0..1, "x"), edit(1..1, "y"), edit(3..5, ""), edit(6..6, "z")]), "xybcfz");
        assert_eq!(applied("a", &[]), "a");
    }
}
