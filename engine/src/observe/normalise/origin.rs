//! Which part of a text came from which part of the text that it was made from. Pure.

use std::collections::VecDeque;
use std::ops::Range;

use super::By;
use crate::observe::edit::Edit;

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// Where it came from.
    pub(super) raw: Range<usize>,
    /// What it is now; `None` where it is what it was.
    pub(super) now: Option<String>,
    /// What changed it, each once, in order.
    pub(super) by: Vec<By>,
    /// It is the rest of a change that came from the piece before it as a whole.
    rest: bool,
}

impl Piece {
    fn len(&self) -> usize {
        self.now.as_ref().map_or(self.raw.len(), String::len)
    }

    /// Splits it after so many bytes. A part that was changed as a whole came from its raw text as a whole: the first half
    /// has all of that.
    fn split(&mut self, after: usize) -> Self {
        let rest = match &mut self.now {
            None => self.raw.start + after..self.raw.end,
            Some(_) => self.raw.end..self.raw.end,
        };
        self.raw.end = rest.start;
        let now = self.now.as_mut().map(|now| now.split_off(after));
        Self { raw: rest, rest: now.is_some(), now, by: self.by.clone() }
    }

    /// Takes in the piece that follows.
    fn join(&mut self, other: Self) {
        self.raw.end = other.raw.end;
        if let (Some(now), Some(more)) = (&mut self.now, other.now) {
            now.push_str(&more);
        }
        other.by.into_iter().for_each(|by| push_once(&mut self.by, by));
    }
}

fn push_once(all: &mut Vec<By>, by: By) {
    if !all.contains(&by) {
        all.push(by);
    }
}

/// The pieces of a text, in order; their raw parts are the whole raw text.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    pub(super) pieces: Vec<Piece>,
}

impl Origin {
    /// A text that nothing has changed yet.
    pub(super) fn of(raw: &str) -> Self {
        Self { pieces: vec![Piece { raw: 0..raw.len(), now: None, by: Vec::new(), rest: false }] }
    }

    /// Takes note of changes to the text as it is now.
    pub(super) fn edit(&mut self, by: By, edits: &[Edit]) {
        let mut left: VecDeque<Piece> = std::mem::take(&mut self.pieces).into();
        let mut done: Vec<Piece> = Vec::with_capacity(left.len() + edits.len());
        // How much of the text is in `done`.
        let mut at = 0;
        for edit in edits {
            move_upto(&mut left, &mut at, edit.at.start, |piece| done.push(piece));
            // What was taken out just before the part is no part of it.
            while left.front().is_some_and(|piece| piece.len() == 0) {
                done.extend(left.pop_front());
            }
            let raw = left.front().map(|piece| piece.raw.start).or_else(|| done.last().map(|piece| piece.raw.end));
            let raw = raw.unwrap_or(0);
            // A change of the rest of a change belongs to all of that.
            let rest = edit.at.start < edit.at.end && left.front().is_some_and(|piece| piece.rest);
            let mut changed = Piece { raw: raw..raw, now: Some(String::new()), by: Vec::new(), rest };
            move_upto(&mut left, &mut at, edit.at.end, |piece| {
                changed.raw.end = piece.raw.end;
                piece.by.into_iter().for_each(|by| push_once(&mut changed.by, by));
            });
            changed.now = Some(edit.by.clone());
            push_once(&mut changed.by, by);
            done.push(changed);
        }
        done.extend(left);
        self.pieces = joined(done);
    }
}

/// Moves the pieces before an offset of the text.
fn move_upto(left: &mut VecDeque<Piece>, at: &mut usize, upto: usize, mut take: impl FnMut(Piece)) {
    while *at < upto {
        let Some(mut piece) = left.pop_front() else { return };
        if *at + piece.len() > upto {
            let rest = piece.split(upto - *at);
            left.push_front(rest);
        }
        *at += piece.len();
        take(piece);
    }
}

/// Puts neighbours together that are unchanged, and what an edit left of a change with what stands before it.
fn joined(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut joined: Vec<Piece> = Vec::with_capacity(pieces.len());
    for piece in pieces {
        match joined.last_mut() {
            Some(last) if last.now.is_none() && piece.now.is_none() => last.join(piece),
            Some(last) if last.now.is_some() && piece.rest => last.join(piece),
            _ => joined.push(piece),
        }
    }
    joined.retain(|piece| !piece.raw.is_empty() || piece.len() > 0);
    joined
}

#[cfg(test)]
mod tests {
    use super::{By, Origin};
    use crate::observe::edit::{Edit, applied};
    use proptest::prelude::{prop, prop_assert, prop_assert_eq, proptest};

    fn told(raw: &str, passes: &[Vec<Edit>]) -> (String, Origin) {
        let (mut text, mut origin) = (raw.to_owned(), Origin::of(raw));
        for (at, edits) in passes.iter().enumerate() {
            origin.edit(By::Rule(at), edits);
            text = applied(&text, edits);
        }
        (text, origin)
    }

    fn edit(at: std::ops::Range<usize>, by: &str) -> Edit {
        Edit { at, by: by.to_owned() }
    }

    #[test]
    fn each_part_knows_where_it_came_from() {
        let (text, origin) =
            told("a 12s b 34 c", &[vec![edit(2..5, "<time>"), edit(10..10, "!")], vec![edit(3..7, "TIME")]]);
        assert_eq!(text, "a <TIME> b 34! c");
        let pieces: Vec<_> = origin.pieces.iter().map(|p| (p.raw.clone(), p.now.as_deref(), p.by.len())).collect();
        assert_eq!(
            pieces,
            [(0..2, None, 0), (2..5, Some("<TIME>"), 2), (5..10, None, 0), (10..10, Some("!"), 1), (10..12, None, 0)]
        );
        let (_, origin) = told("abc", &[vec![edit(1..2, "xyz")], vec![edit(0..2, "-")]]);
        let pieces: Vec<_> = origin.pieces.iter().map(|p| (p.raw.clone(), p.now.as_deref(), p.by.len())).collect();
        assert_eq!(pieces, [(0..2, Some("-yz"), 2), (2..3, None, 0)], "a change of a part of a change");
    }

    proptest! {
        #[test]
        fn pieces_are_the_text_and_the_raw_text(
            raw in "[a-z]{0,12}",
            passes in prop::collection::vec(prop::collection::vec((0..9_usize, 0..4_usize, "[A-Z]{0,3}"), 0..4), 0..4),
        ) {
            let (mut text, mut origin) = (raw.clone(), Origin::of(&raw));
            for (at, pass) in passes.into_iter().enumerate() {
                let mut edits: Vec<Edit> = Vec::new();
                let mut from = 0;
                for (skip, length, by) in pass {
                    let start = (from + skip).min(text.len());
                    from = (start + length).min(text.len());
                    edits.push(Edit { at: start..from, by });
                }
                origin.edit(By::Rule(at), &edits);
                text = applied(&text, &edits);
            }
            let now: String = origin.pieces.iter().map(|p| p.now.clone().unwrap_or_else(|| raw[p.raw.clone()].to_owned())).collect();
            prop_assert_eq!(now, text);
            let mut end = 0;
            for piece in &origin.pieces {
                prop_assert_eq!(piece.raw.start, end);
                prop_assert!(piece.now.is_some() != piece.by.is_empty());
                end = piece.raw.end;
            }
            prop_assert_eq!(end, raw.len());
        }
    }
}
