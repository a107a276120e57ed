//! How specifically each cell is settled by the files that hold there, kept up to date as files come and go. Pure.
//!
//! A file that holds in a cell is *own* when it has the cell's text, else *foreign*. A cell is settled when its most
//! specific own file has more keys than any foreign one.

use super::bits::Bits;

/// Numbers of keys that files may have in a cell; none where no file holds.
type Most = Option<usize>;

/// The counts of all cells.
#[derive(Debug, Clone)]
pub(super) struct Tally {
    /// For each cell, how many own files there are of each number of keys; then likewise foreign ones.
    counts: [Vec<u32>; 2],
    /// For each cell the most keys of an own file, and of a foreign one.
    most: [Vec<Most>; 2],
    /// For each number of keys, the cells whose own files have more.
    excused: Vec<Bits>,
    /// For each number of keys, the cells that a file with as many would settle: no foreign one has as many.
    reach: Vec<Bits>,
    /// Cells that are not settled.
    open: Bits,
}

const OWN: usize = 0;
const FOREIGN: usize = 1;

impl Tally {
    /// No files in this many cells; files will have up to `size` keys.
    pub(super) fn new(cells: usize, size: usize) -> Self {
        let counts = || vec![0; cells * (size + 1)];
        Self {
            counts: [counts(), counts()],
            most: [vec![None; cells], vec![None; cells]],
            excused: vec![Bits::none(cells); size + 1],
            reach: vec![Bits::all(cells); size + 1],
            open: Bits::all(cells),
        }
    }

    /// The cells whose own files have more keys.
    pub(super) fn excused(&self, size: usize) -> &Bits {
        &self.excused[size]
    }

    /// The cells that an own file of so many keys settles.
    pub(super) fn reach(&self, size: usize) -> &Bits {
        &self.reach[size]
    }

    /// The cells that are not settled.
    pub(super) const fn open(&self) -> &Bits {
        &self.open
    }

    /// The most keys of any foreign file in a cell.
    pub(super) fn foreign(&self, cell: usize) -> Option<usize> {
        self.most[FOREIGN][cell]
    }

    /// The most keys of any foreign file in these cells.
    pub(super) fn floor(&self, cells: &Bits) -> Most {
        cells.iter().filter_map(|cell| self.most[FOREIGN][cell]).max()
    }

    /// A file of so many keys holds in these cells, and `own` are those of its text.
    pub(super) fn add(&mut self, hits: &Bits, own: &Bits, size: usize) {
        for cell in hits.iter() {
            let side = if own.has(cell) { OWN } else { FOREIGN };
            *self.count(side, cell, size) += 1;
            let most = self.most[side][cell];
            if most < Some(size) {
                self.set(side, cell, Some(size));
            }
        }
    }

    /// Such a file is gone.
    pub(super) fn remove(&mut self, hits: &Bits, own: &Bits, size: usize) {
        for cell in hits.iter() {
            let side = if own.has(cell) { OWN } else { FOREIGN };
            *self.count(side, cell, size) -= 1;
            if self.most[side][cell] == Some(size) {
                let most = self.below(side, cell, size + 1);
                self.set(side, cell, most);
            }
        }
    }

    /// Whether every cell stays as settled as it is without an own file of so many keys.
    pub(super) fn spares(&self, cells: &Bits, size: usize) -> bool {
        cells.iter().all(|cell| !self.leans(cell, size))
    }

    /// Those of the cells that are settled by an own file of so many keys and by nothing else.
    pub(super) fn leaning(&self, cells: &Bits, size: usize) -> Bits {
        let mut leaning = Bits::none(self.most[OWN].len());
        cells.iter().filter(|cell| self.leans(*cell, size)).for_each(|cell| leaning.insert(cell));
        leaning
    }

    fn leans(&self, cell: usize, size: usize) -> bool {
        let last = self.most[OWN][cell] == Some(size) && self.counts[OWN][self.place(cell, size)] == 1;
        last && !self.open.has(cell) && self.below(OWN, cell, size) <= self.most[FOREIGN][cell]
    }

    /// The most keys, less than so many, that a file has.
    fn below(&self, side: usize, cell: usize, size: usize) -> Most {
        (0..size).rev().find(|size| self.counts[side][self.place(cell, *size)] > 0)
    }

    const fn place(&self, cell: usize, size: usize) -> usize {
        cell * self.excused.len() + size
    }

    fn count(&mut self, side: usize, cell: usize, size: usize) -> &mut u32 {
        let place = self.place(cell, size);
        &mut self.counts[side][place]
    }

    fn set(&mut self, side: usize, cell: usize, most: Most) {
        self.most[side][cell] = most;
        let (more, sets) = if side == OWN { (true, &mut self.excused) } else { (false, &mut self.reach) };
        for (size, set) in sets.iter_mut().enumerate() {
            let holds = if more { most > Some(size) } else { most < Some(size) };
            if holds { set.insert(cell) } else { set.remove(cell) }
        }
        if self.most[OWN][cell] > self.most[FOREIGN][cell] { self.open.remove(cell) } else { self.open.insert(cell) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_settled_by_more_keys_than_any_foreign_file() {
        let (own, all) = (Bits::one(2, 0), Bits::all(2));
        let mut tally = Tally::new(2, 3);
        assert_eq!(tally.open().count(), 2);
        tally.add(&all, &own, 0);
        assert_eq!(tally.open().iter().collect::<Vec<_>>(), [1], "cell 1 has another text");
        assert!(tally.reach(1).has(1) && !tally.reach(0).has(1));
        tally.add(&all, &Bits::one(2, 1), 1);
        assert_eq!(tally.open().iter().collect::<Vec<_>>(), [0], "now the foreign file has more keys");
        assert_eq!(tally.floor(&all), Some(1));
        tally.add(&own, &own, 2);
        assert!(tally.open().is_empty() && tally.excused(1).has(0) && !tally.excused(2).has(0));
        assert!(!tally.spares(&own, 2) && tally.spares(&own, 0));
        assert_eq!(tally.leaning(&all, 1), Bits::one(2, 1));
        tally.add(&own, &own, 2);
        assert!(tally.spares(&own, 2), "there are two of them");
        tally.remove(&own, &own, 2);
        tally.remove(&own, &own, 2);
        tally.remove(&all, &Bits::one(2, 1), 1);
        assert_eq!(tally.open().iter().collect::<Vec<_>>(), [1]);
        assert!(!tally.excused(1).has(0) && tally.reach(1).has(0));
    }
}
