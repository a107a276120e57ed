//! The smallest set of files that we find for recorded texts. Pure and deterministic: the order of the input is nothing.
//!
//! The most common text is the base, and every other text is covered as `cover` says. Then conditions lose the keys that
//! have become superfluous, and files that nothing needs are dropped.
//! What keeps it right is one rule: in every cell, the most specific file of its own text is strictly more specific
//! than any file of another text that matches it. (Where exceptions hold every case of the most common text, no base is
//! left: it would be redundant.)

use std::collections::{BTreeMap, BTreeSet};

use miette::Diagnostic;
use thiserror::Error;

use super::Coordinates;
use super::cover::WORK;
use super::grid::Grid;
use super::layout::Layout;
use super::name::{Condition, MAX_NAME};

/// With more files than this, no second look is taken at a set: nobody reads so many names.
pub(super) const READABLE: usize = 512;

/// Why there is no set of files.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum MinimiseError {
    /// Equal coordinates with different texts.
    #[error("two different texts for the same coordinates, {at}")]
    Contradiction {
        /// The coordinates, in the form of a file name.
        at: String,
    },
    /// Every file name that tells this case from others is too long.
    #[error("a golden's file name would be longer than {MAX_NAME} bytes: {at}.txt")]
    #[diagnostic(help("use shorter names for axes or their values"))]
    TooLong {
        /// The condition.
        at: String,
    },
}

/// The files for these texts: condition to text.
///
/// # Errors
/// When two texts have the same coordinates, or when no short enough name tells a case from others.
pub fn minimise(seen: &[(Coordinates, String)]) -> Result<BTreeMap<Condition, String>, MinimiseError> {
    let mut all: BTreeMap<&Coordinates, &str> = BTreeMap::new();
    for (at, text) in seen {
        if all.insert(at, text).is_some_and(|other| other != text) {
            return Err(MinimiseError::Contradiction { at: Condition::at(at).to_string() });
        }
    }
    fresh(&all)
}

/// The files for these texts, whatever files there were.
pub(super) fn fresh(all: &BTreeMap<&Coordinates, &str>) -> Result<BTreeMap<Condition, String>, MinimiseError> {
    if all.is_empty() {
        return Ok(BTreeMap::new());
    }
    let grid = Grid::new(all, &BTreeSet::new());
    let mut layout = Layout::empty(&grid);
    layout.place(base(&grid), grid.everything());
    layout.cover()?;
    tidy(&mut layout);
    improve(&mut layout);
    Ok(layout.named().into_iter().map(|(condition, text)| (condition, text.to_owned())).collect())
}

/// Shortens and drops until neither finds anything.
fn tidy(layout: &mut Layout<'_, '_>) {
    while layout.grid.work() < WORK && (layout.shorten() | layout.drop_needless()) {}
    layout.drop_needless();
}

/// Covers one text after the other anew, as there are more exceptions now that it may leave out than when it was covered
/// first, until that finds no smaller set.
fn improve(layout: &mut Layout<'_, '_>) {
    let mut since = 0;
    for text in (0..layout.grid.texts.len()).cycle() {
        if since == layout.grid.texts.len() || layout.files.len() > READABLE || layout.grid.work() > WORK {
            return;
        }
        since += 1;
        let mut next = layout.clone();
        next.remove(|_, file| file.text == Some(text));
        if next.cover().is_ok() {
            tidy(&mut next);
            if next.files.len() < layout.files.len() {
                *layout = next;
                since = 0;
            }
        }
    }
}

/// The most common text, the first of those that are equally common. A case without coordinates can only be the base.
fn base(grid: &Grid<'_>) -> usize {
    let bare = grid.cells.iter().position(|cell| cell.is_empty()).map(|cell| grid.text_of[cell]);
    let common = (0..grid.texts.len()).min_by_key(|text| usize::MAX - grid.own[*text].count());
    bare.or(common).unwrap_or_default()
}
