//! Recorded cells as bit sets, and the boxes around them: the geometry that [`super::minimise()`] searches in. Pure.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use super::Coordinates;
use super::bits::Bits;
use super::name::{Condition, MAX_NAME, SUFFIX, encode};

/// How many sets of keys are tried before only the full one is left: all of those of twelve keys.
const KEY_SETS: usize = 4096;

/// What a cell that lacks a key has for a value's number.
const LACKING: u32 = u32::MAX;

/// Every cell, sorted, with its text. Keys, values, cells and texts are numbers in sorted order.
pub(super) struct Grid<'a> {
    pub(super) cells: Vec<&'a Coordinates>,
    /// The number of each cell's text.
    pub(super) text_of: Vec<usize>,
    /// The texts, sorted.
    pub(super) texts: Vec<&'a str>,
    /// The cells of each text.
    pub(super) own: Vec<Bits>,
    /// The keys that can tell cells apart.
    pub(super) keys: Vec<Key<'a>>,
    /// The values of each cell, cell by cell.
    values: Vec<u32>,
    key_sets: KeySets,
    /// How many words of bits were looked at in searches: what a limit on work can count and a clock can't, as equal
    /// inputs must give equal files.
    work: Cell<u64>,
}

/// A key, and what its values are.
pub(super) struct Key<'a> {
    pub(super) name: &'a str,
    values: Vec<&'a str>,
    /// For each value the cells that have it.
    columns: Vec<Bits>,
    /// How long the key and its values are in a file's name.
    length: usize,
    lengths: Vec<usize>,
}

/// Values by key, both ascending, and the cells that lie within.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) sides: Vec<(usize, Vec<u32>)>,
    pub(super) hits: Bits,
}

impl Area {
    /// The number of keys.
    pub(super) const fn size(&self) -> usize {
        self.sides.len()
    }

    /// The number of values: what a reader has to read.
    pub(super) fn breadth(&self) -> usize {
        self.sides.iter().map(|(_, values)| values.len()).sum()
    }
}

/// The values that some cells have for one key, and all cells that have one of them.
struct Side {
    values: Vec<u32>,
    hits: Bits,
}

/// A box around some cells, while it is looked at.
pub(super) struct Around<'s> {
    keys: &'s [usize],
    sides: &'s [Option<Side>],
    /// All cells that lie within.
    pub(super) hits: &'s Bits,
}

impl Around<'_> {
    /// The number of keys.
    pub(super) const fn size(&self) -> usize {
        self.keys.len()
    }

    fn sides(&self) -> impl Iterator<Item = (usize, &Vec<u32>)> {
        self.keys.iter().filter_map(|key| Some((*key, &self.sides[*key].as_ref()?.values)))
    }

    fn breadth(&self) -> usize {
        self.sides().map(|(_, values)| values.len()).sum()
    }

    /// The box as a value of its own.
    pub(super) fn area(&self) -> Area {
        Area { sides: self.sides().map(|(key, values)| (key, values.clone())).collect(), hits: self.hits.clone() }
    }
}

impl<'a> Grid<'a> {
    /// Builds the grid of cells whose coordinates are known to be distinct. Keys in `kept` stay whatever they tell.
    pub(super) fn new(all: &BTreeMap<&'a Coordinates, &'a str>, kept: &BTreeSet<&str>) -> Self {
        let cells: Vec<&Coordinates> = all.keys().copied().collect();
        let texts: Vec<&str> = all.values().copied().collect::<BTreeSet<_>>().into_iter().collect();
        let text_of: Vec<usize> = all.values().map(|text| texts.partition_point(|t| t < text)).collect();
        let mut own = vec![Bits::none(cells.len()); texts.len()];
        text_of.iter().enumerate().for_each(|(cell, text)| own[*text].insert(cell));

        let mut by_key: BTreeMap<&'a str, BTreeMap<&'a str, Bits>> = BTreeMap::new();
        for (i, cell) in cells.iter().enumerate() {
            for (key, value) in *cell {
                let column = by_key.entry(key).or_default();
                column.entry(value).or_insert_with(|| Bits::none(cells.len())).insert(i);
            }
        }
        // A key that has one value everywhere tells nothing apart, unless some cells lack other keys: then it may be
        // all that a cell has.
        let same_keys = cells.windows(2).all(|pair| pair[0].keys().eq(pair[1].keys()));
        by_key.retain(|key, column| !same_keys || column.len() > 1 || kept.contains(key));
        let keys: Vec<Key<'_>> = by_key.into_iter().map(|(name, column)| Key::new(name, column)).collect();
        let mut values = vec![LACKING; cells.len() * keys.len()];
        for (number, key) in keys.iter().enumerate() {
            for (value, column) in (0..).zip(&key.columns) {
                column.iter().for_each(|cell| values[cell * keys.len() + number] = value);
            }
        }
        let key_sets = KeySets::new(keys.len());
        Self { cells, text_of, texts, own, keys, values, key_sets, work: Cell::new(0) }
    }

    /// The work that was done so far.
    pub(super) const fn work(&self) -> u64 {
        self.work.get()
    }

    /// Everything.
    pub(super) fn everything(&self) -> Area {
        Area { sides: Vec::new(), hits: Bits::all(self.cells.len()) }
    }

    /// The number of the cell's value of a key.
    fn value(&self, cell: usize, key: usize) -> Option<u32> {
        Some(self.values[cell * self.keys.len() + key]).filter(|value| *value != LACKING)
    }

    /// The cells that have one of these values.
    fn side_hits(&self, key: usize, values: &[u32]) -> Bits {
        let mut hits = Bits::none(self.cells.len());
        values.iter().for_each(|value| hits.add(&self.keys[key].columns[*value as usize]));
        hits
    }

    /// The area that names every key of a cell, whatever its name's length.
    pub(super) fn exactly(&self, cell: usize) -> Area {
        let sides = (0..self.keys.len()).filter_map(|key| Some((key, vec![self.value(cell, key)?])));
        self.around(sides.collect())
    }

    /// How many keys a cell has.
    pub(super) fn keys_of(&self, cell: usize) -> usize {
        (0..self.keys.len()).filter(|key| self.value(cell, *key).is_some()).count()
    }

    fn around(&self, sides: Vec<(usize, Vec<u32>)>) -> Area {
        let mut hits = Bits::all(self.cells.len());
        sides.iter().for_each(|(key, values)| hits.keep(&self.side_hits(*key, values)));
        Area { sides, hits }
    }

    /// The area of a condition, without the values that no cell has; nothing where it holds for no cell. Its keys must
    /// be the grid's.
    pub(super) fn area(&self, condition: &Condition) -> Option<Area> {
        let side = |(key, values): (&String, &BTreeSet<String>)| {
            let number = self.keys.binary_search_by_key(&key.as_str(), |key| key.name).ok()?;
            let known = &self.keys[number].values;
            let values = values.iter().filter_map(|value| known.binary_search(&value.as_str()).ok());
            Some((number, values.filter_map(|value| u32::try_from(value).ok()).collect::<Vec<_>>()))
        };
        let area = self.around(condition.values().iter().map(side).collect::<Option<_>>()?);
        (!area.hits.is_empty()).then_some(area)
    }

    /// Whether a file name of these keys and values is not too long.
    pub(super) fn fits<'s>(&self, sides: impl Iterator<Item = (usize, &'s Vec<u32>)>) -> bool {
        let side = |(key, values): (usize, &Vec<u32>)| {
            let Key { length, lengths, .. } = &self.keys[key];
            // Each value is followed by a sign, and so is the key.
            values.iter().map(|value| lengths[*value as usize] + 1).sum::<usize>() + length + 1
        };
        sides.map(side).sum::<usize>() + SUFFIX.len() <= MAX_NAME + 1
    }

    /// Whether the file name of an area is not too long.
    pub(super) fn fits_area(&self, area: &Area) -> bool {
        self.fits(area.sides.iter().map(|(key, values)| (*key, values)))
    }

    /// What the area is called.
    pub(super) fn condition(&self, area: &Area) -> Condition {
        let values = area.sides.iter().map(|(key, values)| {
            let Key { name, values: known, .. } = &self.keys[*key];
            let values = values.iter().map(|value| known[*value as usize].to_owned());
            ((*name).to_owned(), values.collect::<BTreeSet<_>>())
        });
        Condition::new(values.collect())
    }

    /// The smallest box of more than `above` and less than `below` keys that holds all of these cells and that `allow`
    /// accepts: fewest keys, then fewest values, then first by key.
    pub(super) fn smallest(
        &self,
        cells: &Bits,
        above: usize,
        below: usize,
        allow: impl Fn(&Around<'_>) -> bool,
    ) -> Option<Area> {
        let mut best: Option<(Area, usize)> = None;
        self.boxes(cells, above, below, |found| {
            if best.as_ref().is_some_and(|(best, _)| best.size() < found.size()) {
                return ControlFlow::Break(());
            }
            let breadth = found.breadth();
            let better = best.as_ref().is_none_or(|(_, least)| breadth < *least);
            if better && allow(found) && self.fits(found.sides()) {
                best = Some((found.area(), breadth));
            }
            ControlFlow::Continue(())
        });
        best.map(|(area, _)| area)
    }

    /// Looks at the boxes around these cells in every set of keys that all of them have, small sets first.
    pub(super) fn boxes(
        &self,
        cells: &Bits,
        above: usize,
        below: usize,
        mut look: impl FnMut(&Around<'_>) -> ControlFlow<()>,
    ) {
        let sides: Vec<Option<Side>> = (0..self.keys.len()).map(|key| self.side(cells, key)).collect();
        let words = (self.cells.len() / 64 + 1) as u64;
        let mut smaller = vec![Some(Bits::all(self.cells.len()))];
        for sets in self.key_sets.levels.iter().take(below.saturating_sub(1)) {
            let mut level = Vec::with_capacity(sets.len());
            for KeySet { keys, rest } in sets {
                let last = keys.last().and_then(|key| sides[*key].as_ref());
                let hits = smaller[*rest].as_ref().zip(last).map(|(hits, side)| hits.and(&side.hits));
                self.work.set(self.work.get() + words);
                if let Some(hits) = hits.as_ref().filter(|_| keys.len() > above)
                    && look(&Around { keys, sides: &sides, hits }).is_break()
                {
                    return;
                }
                level.push(hits);
            }
            smaller = level;
        }
        let full = &self.key_sets.full;
        if full.len() > above && full.len() < below && sides.iter().all(Option::is_some) {
            let mut hits = Bits::all(self.cells.len());
            sides.iter().flatten().for_each(|side| hits.keep(&side.hits));
            // What comes after the last box is nobody's business.
            let _ = look(&Around { keys: full, sides: &sides, hits: &hits });
        }
    }

    /// `None` where one of the cells lacks the key.
    fn side(&self, cells: &Bits, key: usize) -> Option<Side> {
        let values: BTreeSet<u32> = cells.iter().map(|cell| self.value(cell, key)).collect::<Option<_>>()?;
        let values: Vec<u32> = values.into_iter().collect();
        let hits = self.side_hits(key, &values);
        Some(Side { values, hits })
    }

    /// Adds values to an area as long as that gains it cells of `rest` and only such as are in one of the two others.
    pub(super) fn grow(&self, mut area: Area, rest: &Bits, own: &Bits, excused: &Bits) -> Area {
        for side in 0..area.sides.len() {
            let key = area.sides[side].0;
            let mut others = Bits::all(self.cells.len());
            for (key, values) in area.sides.iter().enumerate().filter(|(i, _)| *i != side).map(|(_, other)| other) {
                others.keep(&self.side_hits(*key, values));
            }
            let wanted = rest.and(&others).without(&area.hits);
            self.work.set(self.work.get() + (area.sides.len() * self.cells.len() / 64) as u64);
            let values: BTreeSet<u32> = wanted.iter().filter_map(|cell| self.value(cell, key)).collect();
            for value in values {
                let gained = others.and(&self.keys[key].columns[value as usize]);
                if !gained.within(own, excused) {
                    continue;
                }
                let at = area.sides[side].1.partition_point(|known| *known < value);
                area.sides[side].1.insert(at, value);
                if self.fits_area(&area) {
                    area.hits.add(&gained);
                } else {
                    area.sides[side].1.remove(at);
                }
            }
        }
        area
    }
}

impl<'a> Key<'a> {
    fn new(name: &'a str, column: BTreeMap<&'a str, Bits>) -> Self {
        let (values, columns): (Vec<_>, Vec<_>) = column.into_iter().unzip();
        let lengths = values.iter().map(|value| encode(value).len()).collect();
        Self { name, length: encode(name).len(), lengths, values, columns }
    }
}

/// A set of keys, and the place, among those with one key less, of the one without its last key.
struct KeySet {
    keys: Vec<usize>,
    rest: usize,
}

/// Sets of keys, by their size and then in order.
struct KeySets {
    levels: Vec<Vec<KeySet>>,
    /// The set of all keys, where the levels end before it; else empty.
    full: Vec<usize>,
}

impl KeySets {
    /// Sets of `n` keys, up to [`KEY_SETS`].
    fn new(n: usize) -> Self {
        let mut levels: Vec<Vec<KeySet>> = Vec::new();
        let mut count = 0;
        for size in 0..n {
            let root = [KeySet { keys: Vec::new(), rest: 0 }];
            let smaller = if size == 0 { &root[..] } else { levels[size - 1].as_slice() };
            let level: Vec<KeySet> = smaller
                .iter()
                .enumerate()
                .flat_map(|(rest, set)| {
                    let from = set.keys.last().map_or(0, |key| key + 1);
                    (from..n).map(move |key| KeySet { keys: set.keys.iter().copied().chain([key]).collect(), rest })
                })
                .collect();
            count += level.len();
            if count > KEY_SETS {
                return Self { levels, full: (0..n).collect() };
            }
            levels.push(level);
        }
        Self { levels, full: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sets(n: usize) -> Vec<Vec<usize>> {
        KeySets::new(n).levels.into_iter().flatten().map(|set| set.keys).collect()
    }

    #[test]
    fn key_sets_come_small_first_and_are_bounded() {
        assert_eq!(sets(3), [vec![0], vec![1], vec![2], vec![0, 1], vec![0, 2], vec![1, 2], vec![0, 1, 2]]);
        assert_eq!(sets(0), Vec::<Vec<usize>>::new());
        assert_eq!((sets(12).len(), KeySets::new(12).full.len()), (4095, 0));
        assert!(sets(30).len() <= KEY_SETS);
        assert_eq!(KeySets::new(30).full.len(), 30);
        for level in KeySets::new(6).levels.windows(2) {
            assert!(level[1].iter().all(|set| set.keys[..set.keys.len() - 1] == level[0][set.rest].keys));
        }
    }

    #[test]
    fn lengths_are_those_of_names() {
        for length in MAX_NAME - 30..MAX_NAME {
            let cell = |a: &str, b: String| Coordinates::from([("ä".into(), a.into()), ("b".into(), b)]);
            let cells = [cell("x", "1,".into()), cell("x+", "y".repeat(length)), cell("z", "3".into())];
            let grid = Grid::new(&cells.iter().map(|cell| (cell, "text")).collect(), &BTreeSet::new());
            for around in [Bits::one(3, 0), Bits::one(3, 1), Bits::all(3)] {
                grid.boxes(&around, 0, usize::MAX, |found| {
                    let (area, condition) = (found.area(), grid.condition(&found.area()));
                    assert_eq!(grid.fits_area(&area), condition.file_name().len() <= MAX_NAME, "{condition}");
                    assert_eq!(grid.area(&condition), Some(area));
                    ControlFlow::Continue(())
                });
            }
        }
    }
}
