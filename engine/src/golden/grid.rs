//! Recorded cells as bit sets, and the boxes around them: the geometry that [`super::minimise()`] searches in. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::Coordinates;
use super::bits::Bits;
use super::name::{Condition, MAX_NAME};

/// How many sets of keys are tried before only the full one is left: all of those of twelve keys.
const KEY_SETS: usize = 4096;

/// Every cell, sorted, with its text.
pub(super) struct Grid<'a> {
    pub(super) cells: Vec<&'a Coordinates>,
    /// The number of each cell's text.
    pub(super) text_of: Vec<usize>,
    /// The texts, sorted.
    pub(super) texts: Vec<&'a str>,
    /// The cells of each text.
    pub(super) own: Vec<Bits>,
    /// The keys that can tell cells apart.
    pub(super) keys: Vec<&'a str>,
    /// For each key and value the cells that have it.
    columns: Vec<BTreeMap<&'a str, Bits>>,
    /// Sets of keys, small ones first.
    pub(super) key_sets: Vec<Vec<usize>>,
}

/// Values by key, and the cells that lie within.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Area<'a> {
    pub(super) values: BTreeMap<usize, BTreeSet<&'a str>>,
    pub(super) hits: Bits,
}

impl Area<'_> {
    /// The number of keys.
    pub(super) fn size(&self) -> usize {
        self.values.len()
    }

    /// The number of values: what a reader has to read.
    pub(super) fn breadth(&self) -> usize {
        self.values.values().map(BTreeSet::len).sum()
    }
}

/// The values that some cells have for one key, and all cells that have one of them.
struct Side<'a> {
    values: BTreeSet<&'a str>,
    hits: Bits,
}

impl<'a> Grid<'a> {
    /// Builds the grid of cells whose coordinates are known to be distinct.
    pub(super) fn new(all: &BTreeMap<&'a Coordinates, &'a str>) -> Self {
        let cells: Vec<&Coordinates> = all.keys().copied().collect();
        let texts: Vec<&str> = all.values().copied().collect::<BTreeSet<_>>().into_iter().collect();
        let text_of: Vec<usize> = all.values().map(|text| texts.partition_point(|t| t < text)).collect();
        let mut own = vec![Bits::none(cells.len()); texts.len()];
        text_of.iter().enumerate().for_each(|(cell, text)| own[*text].insert(cell));

        let mut by_key: BTreeMap<&str, BTreeMap<&str, Bits>> = BTreeMap::new();
        for (i, cell) in cells.iter().enumerate() {
            for (key, value) in *cell {
                let column = by_key.entry(key).or_default();
                column.entry(value).or_insert_with(|| Bits::none(cells.len())).insert(i);
            }
        }
        // A key that has one value everywhere tells nothing apart, unless some cells lack other keys: then it may be
        // all that a cell has.
        let same_keys = cells.windows(2).all(|pair| pair[0].keys().eq(pair[1].keys()));
        by_key.retain(|_, column| !same_keys || column.len() > 1);
        let (keys, columns): (Vec<_>, Vec<_>) = by_key.into_iter().unzip();
        let key_sets = key_sets(keys.len());
        Self { cells, text_of, texts, own, keys, columns, key_sets }
    }

    /// Everything.
    pub(super) fn everything(&self) -> Area<'a> {
        Area { values: BTreeMap::new(), hits: Bits::all(self.cells.len()) }
    }

    /// The cell's value of a key.
    pub(super) fn value(&self, cell: usize, key: usize) -> Option<&'a str> {
        self.cells[cell].get(self.keys[key]).map(String::as_str)
    }

    /// The cells that have one of these values.
    fn side_hits(&self, key: usize, values: &BTreeSet<&'a str>) -> Bits {
        let mut hits = Bits::none(self.cells.len());
        values.iter().filter_map(|value| self.columns[key].get(value)).for_each(|bits| hits.add(bits));
        hits
    }

    /// The area of these values, if its file name is not too long.
    pub(super) fn area(&self, values: BTreeMap<usize, BTreeSet<&'a str>>) -> Option<Area<'a>> {
        let mut hits = Bits::all(self.cells.len());
        for (key, values) in &values {
            hits = hits.and(&self.side_hits(*key, values));
        }
        let area = Area { values, hits };
        self.fits(&area).then_some(area)
    }

    /// The area that names every key of a cell, whatever its name's length.
    pub(super) fn exactly(&self, cell: usize) -> Area<'a> {
        let mut area = self.everything();
        for key in 0..self.keys.len() {
            if let Some(value) = self.value(cell, key) {
                let values = BTreeSet::from([value]);
                area.hits = area.hits.and(&self.side_hits(key, &values));
                area.values.insert(key, values);
            }
        }
        area
    }

    /// Whether the file name of an area is not too long.
    pub(super) fn fits(&self, area: &Area<'a>) -> bool {
        self.condition(area).file_name().len() <= MAX_NAME
    }

    /// What the area is called.
    pub(super) fn condition(&self, area: &Area<'a>) -> Condition {
        let values = area.values.iter().map(|(key, values)| {
            (self.keys[*key].to_owned(), values.iter().map(|value| (*value).to_owned()).collect::<BTreeSet<_>>())
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
        allow: &dyn Fn(&Area<'a>) -> bool,
    ) -> Option<Area<'a>> {
        let mut best: Option<Area<'a>> = None;
        for area in self.boxes(cells, above, below) {
            if best.as_ref().is_some_and(|found| found.size() < area.size()) {
                break;
            }
            let better = best.as_ref().is_none_or(|found| area.breadth() < found.breadth());
            if better && allow(&area) && self.fits(&area) {
                best = Some(area);
            }
        }
        best
    }

    /// The boxes around these cells in every set of keys that all of them have, small sets first.
    pub(super) fn boxes(&self, cells: &Bits, above: usize, below: usize) -> impl Iterator<Item = Area<'a>> + '_ {
        let sides: Vec<Option<Side<'a>>> = (0..self.keys.len()).map(|key| self.side(cells, key)).collect();
        let len = self.cells.len();
        self.key_sets.iter().filter(move |keys| keys.len() > above && keys.len() < below).filter_map(move |keys| {
            let mut area = Area { values: BTreeMap::new(), hits: Bits::all(len) };
            for key in keys {
                let side = sides[*key].as_ref()?;
                area.hits = area.hits.and(&side.hits);
                area.values.insert(*key, side.values.clone());
            }
            Some(area)
        })
    }

    /// `None` where one of the cells lacks the key.
    fn side(&self, cells: &Bits, key: usize) -> Option<Side<'a>> {
        let met = self.columns[key].iter().filter(|(_, bits)| bits.meets(cells));
        let values: BTreeSet<&str> = met.map(|(value, _)| *value).collect();
        let hits = self.side_hits(key, &values);
        cells.within(&hits, &hits).then_some(Side { values, hits })
    }
}

/// Sets of `n` numbers by size and then order, up to [`KEY_SETS`]; beyond that, the full set comes last.
fn key_sets(n: usize) -> Vec<Vec<usize>> {
    let mut all: Vec<Vec<usize>> = Vec::new();
    let mut last: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in 0..n {
        last = last
            .iter()
            .flat_map(|set| {
                let from = set.last().map_or(0, |key| key + 1);
                (from..n).map(|key| set.iter().copied().chain([key]).collect::<Vec<_>>())
            })
            .collect();
        if all.len() + last.len() > KEY_SETS {
            all.push((0..n).collect());
            break;
        }
        all.extend(last.iter().cloned());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_sets_come_small_first_and_are_bounded() {
        assert_eq!(key_sets(3), [vec![0], vec![1], vec![2], vec![0, 1], vec![0, 2], vec![1, 2], vec![0, 1, 2]]);
        assert_eq!(key_sets(0), Vec::<Vec<usize>>::new());
        assert_eq!(key_sets(12).len(), 4095);
        let many = key_sets(30);
        assert!(many.len() <= KEY_SETS + 1);
        assert_eq!(many.last().map(Vec::len), Some(30));
    }
}
