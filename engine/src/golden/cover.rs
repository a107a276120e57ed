//! Placing files until every cell is settled. Pure.
//!
//! Every text looks for the box with the fewest keys around its open cells that holds no other text, or only such as a
//! more specific file already settles. Where a text forms no box, it is either cut into several, or its box is taken
//! whole and what does not belong gets more specific files: whichever needs fewer.
//!
//! Work is bounded: beyond [`WORK`], open cells get files that name all their keys. That is still exact, and what is
//! needless is still dropped; only a smaller set might have been found.

use std::ops::ControlFlow;

use super::bits::Bits;
use super::grid::Area;
use super::layout::Layout;
use super::minimise::MinimiseError;

/// How many foreign texts a box may hold to be considered with exceptions.
const EXCEPTIONS: usize = 8;

/// How many sets of keys are grown from one cell when a text is cut.
const GROWN: usize = 16;

/// Of so many texts that form no box, one is cut before all others try again.
const AT_ONCE: usize = 64;

/// After how many words of bits the search for small sets ends: a few seconds.
pub(super) const WORK: u64 = 2_000_000_000;

/// Files to place.
type Plan = Vec<(usize, Area)>;

impl Layout<'_, '_> {
    /// Places files until every cell is settled: texts with few cells first, as they are what others may leave out.
    pub(super) fn cover(&mut self) -> Result<(), MinimiseError> {
        self.evict()?;
        let mut order: Vec<usize> = (0..self.grid.texts.len()).collect();
        order.sort_by_key(|text| self.grid.own[*text].count());
        loop {
            let mut progress = false;
            let mut stuck = Vec::new();
            for text in order.iter().copied() {
                let open = self.open(text);
                if open.is_empty() {
                    continue;
                }
                match self.whole(text, &open) {
                    Some(area) => {
                        self.place(text, area);
                        progress = true;
                    }
                    None => stuck.push(text),
                }
            }
            if stuck.is_empty() {
                return Ok(());
            }
            if !progress {
                for text in stuck.iter().take(stuck.len().div_ceil(AT_ONCE)) {
                    self.force(*text)?;
                }
            }
        }
    }

    /// Takes away files of another text that name every key of an open cell, as nothing can be more specific, and gives
    /// the cell its own.
    fn evict(&mut self) -> Result<(), MinimiseError> {
        let open = self.tally.open().iter();
        let stuck: Vec<usize> = open.filter(|c| self.tally.foreign(*c) == Some(self.grid.keys_of(*c))).collect();
        for cell in &stuck {
            let (keys, text) = (self.grid.keys_of(*cell), self.grid.text_of[*cell]);
            self.remove(|_, f| f.text != Some(text) && f.area.size() == keys && f.area.hits.has(*cell));
        }
        for cell in stuck {
            if self.tally.open().has(cell) {
                self.pin(cell)?;
            }
        }
        Ok(())
    }

    /// One box that settles all these cells of a text.
    fn whole(&self, text: usize, open: &Bits) -> Option<Area> {
        let floor = self.tally.floor(open).unwrap_or(0);
        self.grid.smallest(open, floor, usize::MAX, |found| self.allows(text, found.size(), found.hits))
    }

    /// Settles a text that forms no box.
    fn force(&mut self, text: usize) -> Result<(), MinimiseError> {
        let open = self.open(text);
        if self.grid.work() < WORK {
            let (cut, rest) = self.cut(text, &open);
            let cut = rest.is_empty().then_some(cut);
            let excepted = self.excepted(text, &open, cut.as_ref().map_or(usize::MAX, Vec::len));
            let cost = |plan: &Plan| (plan.len(), plan.iter().map(|(_, area)| area.size()).sum::<usize>());
            if let Some(plan) = [excepted, cut].into_iter().flatten().min_by_key(cost) {
                plan.into_iter().for_each(|(text, area)| self.place(text, area));
            }
        }
        for cell in open.iter() {
            if self.tally.open().has(cell) {
                self.pin(cell)?;
            }
        }
        Ok(())
    }

    /// One box for the text, and a more specific file for each text that does not belong in it: no more than `most`
    /// files.
    fn excepted(&self, text: usize, open: &Bits, most: usize) -> Option<Plan> {
        let mut best: Option<Plan> = None;
        let limit = self.grid.work() + WORK.saturating_sub(self.grid.work()) / 8;
        let floor = self.tally.floor(open).unwrap_or(0);
        self.grid.boxes(open, floor, self.grid.keys.len(), |found| {
            let size = found.size();
            let strangers = found.hits.without(&self.grid.own[text]).without(self.tally.excused(size));
            let mut texts: Vec<usize> = Vec::new();
            for cell in strangers.iter() {
                if let Err(at) = texts.binary_search(&self.grid.text_of[cell]) {
                    texts.insert(at, self.grid.text_of[cell]);
                }
                if texts.len() > EXCEPTIONS.min(most) {
                    return ControlFlow::Continue(());
                }
            }
            if self.grid.work() > limit {
                return ControlFlow::Break(());
            }
            let files = texts.len() + 1;
            let enough = files > most || best.as_ref().is_some_and(|plan| plan.len() <= files);
            let area = found.area();
            if enough || !self.grid.fits_area(&area) {
                return ControlFlow::Continue(());
            }
            let plan = texts.into_iter().map(|stranger| {
                let cells = strangers.and(&self.grid.own[stranger]);
                let above = self.tally.floor(&cells).unwrap_or(0).max(size);
                let allow = |hits: &Bits, size| self.allows(stranger, size, hits);
                let exception = self.grid.smallest(&cells, above, usize::MAX, |found| allow(found.hits, found.size()));
                Some((stranger, exception?))
            });
            if let Some(mut plan) = plan.collect::<Option<Vec<_>>>() {
                plan.push((text, area));
                best = Some(plan);
            }
            ControlFlow::Continue(())
        });
        best
    }

    /// Several boxes for the text, each grown from its first cell that none settles yet; and the cells that are left.
    fn cut(&self, text: usize, open: &Bits) -> (Plan, Bits) {
        let mut plan = Vec::new();
        let mut rest = open.clone();
        while self.grid.work() < WORK {
            let Some(grown) = rest.first().and_then(|seed| self.grown(text, seed, &rest)) else { break };
            rest = rest.without(&grown.hits.and(self.tally.reach(grown.size())));
            plan.push((text, grown));
        }
        (plan, rest)
    }

    /// Of the smallest boxes around a cell, the one that can be grown to hold most of `rest`.
    fn grown(&self, text: usize, seed: usize, rest: &Bits) -> Option<Area> {
        let seed = Bits::one(self.grid.cells.len(), seed);
        let floor = self.tally.floor(&seed).unwrap_or(0);
        let mut seeds: Vec<Area> = Vec::new();
        self.grid.boxes(&seed, floor, usize::MAX, |found| {
            if seeds.len() == GROWN || seeds.first().is_some_and(|first| first.size() < found.size()) {
                return ControlFlow::Break(());
            }
            if self.allows(text, found.size(), found.hits) {
                seeds.extend(Some(found.area()).filter(|area| self.grid.fits_area(area)));
            }
            ControlFlow::Continue(())
        });
        let grown = seeds.into_iter().map(|area| {
            let excused = self.tally.excused(area.size());
            self.grid.grow(area, rest, &self.grid.own[text], excused)
        });
        grown.min_by_key(|area| {
            let settled = area.hits.and(self.tally.reach(area.size()));
            (usize::MAX - settled.shared(rest), area.breadth())
        })
    }

    /// Settles a cell by a file that names all its keys, and likewise the cells with yet more keys that this would
    /// disturb.
    fn pin(&mut self, cell: usize) -> Result<(), MinimiseError> {
        let (mut area, text) = (self.grid.exactly(cell), self.grid.text_of[cell]);
        if !self.grid.fits_area(&area) {
            // No file may be named so; but a shorter name may do, once others no longer stand in its way.
            let cell = Bits::one(self.grid.cells.len(), cell);
            let too_long = || MinimiseError::TooLong { at: self.grid.condition(&area).to_string() };
            area = self.whole(text, &cell).ok_or_else(too_long)?;
        }
        let disturbed = area.hits.without(&self.grid.own[text]).without(self.tally.excused(area.size()));
        for other in disturbed.iter() {
            self.pin(other)?;
        }
        self.place(text, area);
        Ok(())
    }
}
