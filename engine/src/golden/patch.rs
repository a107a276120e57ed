//! The files for recorded texts where there are files already: as few as are found, and of several such sets the one that
//! changes the fewest files. Pure and deterministic in the texts and the files that there are.
//!
//! Candidates are
//! - the files as they are, with texts rewritten where all that a file stands for has another text now, and with files
//!   for the cells that this leaves without their own;
//! - the same, where a file follows most of its cells;
//! - [`fresh`]: what would be written if there was nothing; and, where that is smaller, what becomes of the first when it
//!   takes over from it what makes it smaller, one text at a time.
//!
//! When one cell changes, and all cells have the same keys, the first writes one file at most, and none that is there
//! moves. Only where the cell's file names every key already, nothing can be more specific: it goes, and is written anew
//! in as many pieces as it has keys of several values. What it deletes besides nothing needs any more. So more files
//! change only where that makes the set smaller.

use std::collections::{BTreeMap, BTreeSet};

use super::Coordinates;
use super::bits::Bits;
use super::grid::Grid;
use super::layout::Layout;
use super::minimise::{MinimiseError, READABLE, fresh};
use super::name::Condition;

/// A set that is too large to be read, of more than [`READABLE`] files, is written anew only where that saves one file in
/// so many: the search is not thorough there, and finds one file less or more by chance.
const WORTH: usize = 16;

/// Files by condition.
type Files = BTreeMap<Condition, String>;

/// The files for these texts, and those that stay because they stand for none of them.
pub(super) struct Patched<'a> {
    pub(super) files: Files,
    pub(super) unclaimed: BTreeSet<&'a Condition>,
}

/// The files for these texts.
pub(super) fn patch<'a>(
    existing: &'a Files,
    all: &BTreeMap<&'a Coordinates, &'a str>,
) -> Result<Patched<'a>, MinimiseError> {
    let new = fresh(all);
    let kept = existing.keys().flat_map(|condition| condition.values().keys()).map(String::as_str).collect();
    let grid = Grid::new(all, &kept);
    let standing = Layout::of(&grid, existing);
    let claimed: BTreeSet<&Condition> = standing.files.iter().filter_map(|file| file.kept).collect();
    let cost = |files: &BTreeMap<Condition, &str>| cost(files, existing, &claimed);
    let mut best = None;
    if !claimed.is_empty() {
        let patched = [Rewrite::Wholly, Rewrite::Mostly].map(|rewrite| patched(&standing, rewrite).ok());
        best = patched.into_iter().flatten().min_by_key(|layout| cost(&layout.named()));
    }
    if let (Some(layout), Ok(new)) = (&mut best, &new)
        && layout.files.len() <= READABLE
    {
        take_over(layout, &Layout::of(&grid, new), standing.tally.open());
    }
    let named = best.map(|layout| layout.named());
    let files = match (named, new) {
        (Some(named), new) if new.as_ref().map_or(true, |new| stays(cost(&named), cost(&borrowed(new)))) => {
            named.into_iter().map(|(condition, text)| (condition, text.to_owned())).collect()
        }
        (_, new) => new?,
    };
    Ok(Patched { files, unclaimed: existing.keys().filter(|condition| !claimed.contains(condition)).collect() })
}

/// Whether a set of so many files, of which so many change, is preferred to what would be written if there was nothing.
fn stays(patched: (usize, usize), fresh: (usize, usize)) -> bool {
    let (files, _) = patched;
    let spare = if files > READABLE { files / WORTH } else { 0 };
    patched <= fresh || (files > fresh.0 && files <= fresh.0 + spare)
}

fn borrowed(files: &Files) -> BTreeMap<Condition, &str> {
    files.iter().map(|(condition, text)| (condition.clone(), text.as_str())).collect()
}

/// How many files there are, and how many change.
fn cost(files: &BTreeMap<Condition, &str>, existing: &Files, claimed: &BTreeSet<&Condition>) -> (usize, usize) {
    let written = files.iter().filter(|(condition, text)| existing.get(condition).map(String::as_str) != Some(**text));
    let deleted = claimed.iter().filter(|condition| !files.contains_key(**condition));
    (files.len(), written.count() + deleted.count())
}

/// Which files get another text and keep their condition.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rewrite {
    /// Those that stand for no cell of their text any more.
    Wholly,
    /// Those most of whose cells have another one.
    Mostly,
}

/// The files that there are, changed where cells are not settled.
fn patched<'a, 'g>(standing: &Layout<'a, 'g>, rewrite: Rewrite) -> Result<Layout<'a, 'g>, MinimiseError> {
    let mut layout = standing.clone();
    if !layout.tally.open().is_empty() {
        rewritten(&mut layout, rewrite);
        layout.remove(|_, file| file.text.is_none());
        layout.cover()?;
    }
    layout.drop_needless();
    Ok(layout)
}

/// Gives files the text of the cells that they stand for.
fn rewritten(layout: &mut Layout<'_, '_>, rewrite: Rewrite) {
    let mut order: Vec<usize> = (0..layout.files.len()).collect();
    order.sort_by_key(|i| (usize::MAX - layout.files[*i].area.size(), *i));
    let mut rest = Bits::all(layout.grid.cells.len());
    for i in order {
        let (area, text) = (layout.files[i].area.clone(), layout.files[i].text);
        let cells = area.hits.and(&rest);
        rest = rest.without(&cells);
        let mut texts: BTreeMap<usize, usize> = BTreeMap::new();
        cells.iter().for_each(|cell| *texts.entry(layout.grid.text_of[cell]).or_default() += 1);
        let own = text.and_then(|text| texts.get(&text)).copied().unwrap_or(0);
        let most = texts.into_iter().min_by_key(|(text, count)| (usize::MAX - count, *text));
        let Some((most, _)) = most.filter(|(_, count)| *count > own) else { continue };
        // Cells of the old text that something more specific settles do not miss it.
        let held = area.hits.and(layout.own(text)).without(layout.tally.open());
        let harmless = own == 0 && held.within(layout.tally.excused(area.size()), layout.tally.open());
        if harmless || rewrite == Rewrite::Mostly {
            layout.rewrite(i, most);
        }
    }
}

/// Takes over from a smaller set, one text at a time, what makes it smaller: first the texts of the cells that changed.
fn take_over(layout: &mut Layout<'_, '_>, smaller: &Layout<'_, '_>, changed: &Bits) {
    let grid = layout.grid;
    let mut order: Vec<usize> = (0..grid.texts.len()).collect();
    order.sort_by_key(|text| !grid.own[*text].meets(changed));
    for text in order {
        if layout.files.len() <= smaller.files.len() {
            return;
        }
        let ours = |layout: &Layout<'_, '_>| {
            let files = layout.files.iter().filter(|file| file.text == Some(text));
            files.map(|file| file.area.sides.clone()).collect::<BTreeSet<_>>()
        };
        let (old, new) = (ours(layout), ours(smaller));
        let mut next = layout.clone();
        // Files of other texts that are called as new ones are have to go, too.
        next.remove(|_, file| (file.text == Some(text)) != new.contains(&file.area.sides));
        for file in smaller.files.iter().filter(|file| file.text == Some(text) && !old.contains(&file.area.sides)) {
            next.place(text, (*file.area).clone());
        }
        if next.cover().is_ok() {
            next.drop_needless();
            if next.files.len() < layout.files.len() {
                *layout = next;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::golden::resolve;

    type Texts = BTreeMap<Coordinates, String>;

    fn borrow(texts: &Texts) -> BTreeMap<&Coordinates, &str> {
        texts.iter().map(|(at, text)| (at, text.as_str())).collect()
    }

    fn exact(texts: &Texts, files: &Files) -> bool {
        texts.iter().all(|(at, text)| matches!(resolve(files, at), Ok(Some((_, found))) if found == text))
    }

    fn changes(old: &Files, new: &Files) -> usize {
        let written = new.iter().filter(|(condition, text)| old.get(condition) != Some(text));
        written.count() + old.keys().filter(|condition| !new.contains_key(condition)).count()
    }

    /// All points of a few keys, so that all have the same, with few texts.
    fn any_texts() -> impl Strategy<Value = Texts> {
        prop::collection::vec(2..4_usize, 2..5).prop_flat_map(|sizes| {
            let cells = sizes.iter().product::<usize>();
            prop::collection::vec("[A-D]", cells..=cells).prop_map(move |texts| {
                let cell = |(number, text): (usize, String)| {
                    let mut rest = number;
                    let value = |(key, size): (usize, &usize)| {
                        let value = rest % size;
                        rest /= size;
                        (format!("k{key}"), value.to_string())
                    };
                    (sizes.iter().enumerate().map(value).collect(), text)
                };
                texts.into_iter().enumerate().map(cell).collect()
            })
        })
    }

    /// Texts and what they were before some of them changed, one after the other.
    fn any_history() -> impl Strategy<Value = (Texts, Vec<(usize, String)>)> {
        (any_texts(), prop::collection::vec((any::<prop::sample::Index>(), "[A-E]"), 1..5)).prop_map(
            |(texts, changes)| {
                let changes = changes.into_iter().map(|(at, text)| (at.index(texts.len()), text)).collect();
                (texts, changes)
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn one_changed_cell_writes_one_file_unless_a_smaller_set_is_found((mut texts, history) in any_history()) {
            let mut existing = fresh(&borrow(&texts)).unwrap();
            for (cell, text) in history {
                let at = texts.keys().nth(cell).unwrap().clone();
                texts.insert(at.clone(), text.clone());
                let grid = Grid::new(&borrow(&texts), &BTreeSet::new());
                let layout = patched(&Layout::of(&grid, &existing), Rewrite::Wholly).unwrap();
                let files: Files = layout.named().into_iter().map(|(c, text)| (c, text.to_owned())).collect();
                prop_assert!(exact(&texts, &files));

                let full = existing.iter().filter(|(condition, old)| {
                    condition.specificity() == at.len() && condition.matches(&at) && **old != text
                });
                let pieces = |c: &Condition| c.values().values().filter(|values| values.len() > 1).count();
                let pieces: Vec<usize> = full.map(|(condition, _)| pieces(condition)).collect();
                let written = files.iter().filter(|(condition, text)| existing.get(condition) != Some(text)).count();
                prop_assert!(written <= 1 + pieces.iter().sum::<usize>(), "{existing:?} -> {files:?}");
                if pieces.is_empty() {
                    let stood = resolve(&existing, &at).unwrap().unwrap().0;
                    let mut all = existing.clone();
                    all.remove(stood);
                    all.extend(files.clone());
                    prop_assert!(exact(&texts, &all), "what else is deleted is needless: {existing:?} -> {files:?}");
                }

                let new = fresh(&borrow(&texts)).unwrap();
                let chosen = patch(&existing, &borrow(&texts)).unwrap().files;
                let cost = |files: &Files| (files.len(), changes(&existing, files));
                prop_assert!(cost(&chosen) <= cost(&files).min(cost(&new)), "{chosen:?}");
                existing = chosen;
            }
        }
    }
}
