//! Files to be, on a grid of cells, and which of them are needed. Pure.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::bits::Bits;
use super::grid::{Area, Grid};
use super::name::Condition;
use super::tally::Tally;

/// A file to be.
#[derive(Debug, Clone)]
pub(super) struct File<'a> {
    pub(super) area: Rc<Area>,
    /// The number of its text; none where no cell has that text.
    pub(super) text: Option<usize>,
    /// The condition that it has already, which may hold values that no cell has.
    pub(super) kept: Option<&'a Condition>,
}

/// Files so far, and how each cell is settled by them.
#[derive(Clone)]
pub(super) struct Layout<'a, 'g> {
    pub(super) grid: &'g Grid<'a>,
    pub(super) files: Vec<File<'a>>,
    pub(super) tally: Tally,
    /// The cells of no text.
    nowhere: Rc<Bits>,
}

impl<'a, 'g> Layout<'a, 'g> {
    /// No files.
    pub(super) fn empty(grid: &'g Grid<'a>) -> Self {
        let cells = grid.cells.len();
        let tally = Tally::new(cells, grid.keys.len());
        Self { grid, files: Vec::new(), tally, nowhere: Rc::new(Bits::none(cells)) }
    }

    /// The files that hold for some cell.
    pub(super) fn of(grid: &'g Grid<'a>, files: &'a BTreeMap<Condition, String>) -> Self {
        let mut layout = Self::empty(grid);
        for (condition, text) in files {
            if let Some(area) = grid.area(condition) {
                let text = grid.texts.binary_search(&text.as_str()).ok();
                layout.put(File { area: Rc::new(area), text, kept: Some(condition) });
            }
        }
        layout
    }

    /// The files by condition.
    pub(super) fn named(&self) -> BTreeMap<Condition, &'a str> {
        let named = self.files.iter().filter_map(|file| {
            let condition = file.kept.cloned().unwrap_or_else(|| self.grid.condition(&file.area));
            Some((condition, self.grid.texts[file.text?]))
        });
        named.collect()
    }

    /// The cells of a text.
    pub(super) fn own(&self, text: Option<usize>) -> &Bits {
        text.map_or(&self.nowhere, |text| &self.grid.own[text])
    }

    /// Adds a file as it is.
    pub(super) fn put(&mut self, file: File<'a>) {
        let own = file.text.map_or(&*self.nowhere, |text| &self.grid.own[text]);
        self.tally.add(&file.area.hits, own, file.area.size());
        self.files.push(file);
    }

    /// Adds a new file.
    pub(super) fn place(&mut self, text: usize, area: Area) {
        self.put(File { area: Rc::new(area), text: Some(text), kept: None });
    }

    /// Removes the files that are told so, in order; nothing is looked at between two of them.
    pub(super) fn remove(&mut self, gone: impl Fn(usize, &File<'a>) -> bool) {
        for (_, file) in self.files.iter().enumerate().filter(|(i, file)| gone(*i, file)) {
            let own = file.text.map_or(&*self.nowhere, |text| &self.grid.own[text]);
            self.tally.remove(&file.area.hits, own, file.area.size());
        }
        let mut number = 0..;
        self.files.retain(|file| !number.next().is_some_and(|i| gone(i, file)));
    }

    /// Gives a file another text.
    pub(super) fn rewrite(&mut self, i: usize, text: usize) {
        let old = self.files[i].text.map_or(&*self.nowhere, |text| &self.grid.own[text]);
        let Area { hits, sides } = &*self.files[i].area;
        self.tally.remove(hits, old, sides.len());
        self.tally.add(hits, &self.grid.own[text], sides.len());
        self.files[i].text = Some(text);
    }

    /// Whether a file of that text may have so many keys and hold in these cells.
    pub(super) fn allows(&self, text: usize, size: usize, hits: &Bits) -> bool {
        hits.within(&self.grid.own[text], self.tally.excused(size))
    }

    /// The cells of a text that are not settled.
    pub(super) fn open(&self, text: usize) -> Bits {
        self.tally.open().and(&self.grid.own[text])
    }

    /// The cells of its own text that a file holds.
    fn cells(&self, file: &File<'_>) -> Bits {
        file.area.hits.and(self.own(file.text))
    }

    /// Drops files without which every cell stays settled, those with fewest cells first, until none is needless.
    pub(super) fn drop_needless(&mut self) -> bool {
        let before = self.files.len();
        loop {
            let mut order: Vec<usize> = (0..self.files.len()).collect();
            order.sort_by_cached_key(|i| (self.cells(&self.files[*i]).count(), self.files[*i].area.sides.clone()));
            let mut gone = vec![false; self.files.len()];
            for i in order {
                let file = &self.files[i];
                let (own, size) = (file.text.map_or(&*self.nowhere, |text| &self.grid.own[text]), file.area.size());
                if self.tally.spares(&file.area.hits.and(own), size) {
                    self.tally.remove(&file.area.hits, own, size);
                    gone[i] = true;
                }
            }
            if !gone.contains(&true) {
                return self.files.len() < before;
            }
            let mut gone = gone.into_iter();
            self.files.retain(|_| gone.next() != Some(true));
        }
    }

    /// Gives files conditions with fewer keys, those with most cells first.
    pub(super) fn shorten(&mut self) -> bool {
        let mut order: Vec<usize> = (0..self.files.len()).collect();
        order.sort_by_cached_key(|i| {
            (usize::MAX - self.cells(&self.files[*i]).count(), self.files[*i].area.sides.clone())
        });
        let mut any = false;
        for i in order {
            let File { area, text: Some(text), .. } = self.files[i].clone() else { continue };
            let own = &self.grid.own[text];
            let cells = area.hits.and(own);
            let floor = self.tally.floor(&self.tally.leaning(&cells, area.size())).unwrap_or(0);
            let allow = |size: usize, hits: &Bits| self.allows(text, size, hits);
            let shorter = self.grid.smallest(&cells, floor, area.size(), |found| allow(found.size(), found.hits));
            if let Some(shorter) = shorter {
                self.tally.remove(&area.hits, own, area.size());
                self.tally.add(&shorter.hits, own, shorter.size());
                self.files[i] = File { area: Rc::new(shorter), text: Some(text), kept: None };
                any = true;
            }
        }
        any
    }
}
