//! The smallest set of files that we find for recorded texts. Pure and deterministic: the order of the input is nothing.
//!
//! The most common text is the base. Every other text looks for the box with the fewest keys around its cases that
//! holds no other text, or only such as a more specific file already settles. Where a text forms no box, it is either
//! cut into several, or its box is taken whole and what does not belong gets more specific files: whichever needs
//! fewer. Then conditions lose the keys that have become superfluous, and files that nothing needs are dropped.
//! What keeps it right is one rule: in every cell, the most specific file of its own text is strictly more specific
//! than any file of another text that matches it. (Where exceptions hold every case of the most common text, no base is
//! left: it would be redundant.)

use std::collections::{BTreeMap, BTreeSet};

use miette::Diagnostic;
use thiserror::Error;

use super::Coordinates;
use super::bits::Bits;
use super::grid::{Area, Grid};
use super::name::{Condition, MAX_NAME};

/// How many foreign texts a box may hold to be considered with exceptions.
const EXCEPTIONS: usize = 8;

/// How many sets of keys are grown from one cell when a text is cut.
const GROWN: usize = 16;

/// With more files than this, conditions are not shortened any more: nobody reads so many names.
const SHORTENED: usize = 512;

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
    if all.is_empty() {
        return Ok(BTreeMap::new());
    }
    let grid = Grid::new(&all);
    let mut layout = Layout::new(&grid);
    layout.cover()?;
    layout.tidy();
    Ok(layout.files.iter().map(|f| (grid.condition(&f.area), grid.texts[f.text].to_owned())).collect())
}

/// A file to be.
#[derive(Debug, Clone)]
struct File<'a> {
    area: Area<'a>,
    text: usize,
}

/// Files so far, and how specifically each cell is settled by them.
struct Layout<'a, 'g> {
    grid: &'g Grid<'a>,
    files: Vec<File<'a>>,
    /// For each cell the number of keys of the most specific file of its own text.
    settled: Vec<Option<usize>>,
    /// For each number of keys, the cells that are settled by more.
    excused: Vec<Bits>,
}

impl<'a, 'g> Layout<'a, 'g> {
    fn new(grid: &'g Grid<'a>) -> Self {
        let cells = grid.cells.len();
        let mut layout = Self {
            grid,
            files: Vec::new(),
            settled: vec![None; cells],
            excused: vec![Bits::none(cells); grid.keys.len() + 1],
        };
        layout.place(File { area: grid.everything(), text: base(grid) });
        layout
    }

    fn place(&mut self, file: File<'a>) {
        let cells = file.area.hits.and(&self.grid.own[file.text]);
        self.files.push(file);
        self.settle(&cells);
    }

    /// Looks anew at how these cells are settled.
    fn settle(&mut self, cells: &Bits) {
        for cell in cells.iter() {
            let size = self.files.iter().filter(|f| f.text == self.grid.text_of[cell] && f.area.hits.has(cell));
            self.settled[cell] = size.map(|f| f.area.size()).max();
        }
        for (size, excused) in self.excused.iter_mut().enumerate() {
            *excused = excused.without(cells);
            cells.iter().filter(|c| self.settled[*c] > Some(size)).for_each(|c| excused.insert(c));
        }
    }

    /// Whether a file of that text may have this area.
    fn allows(&self, text: usize, area: &Area<'a>) -> bool {
        area.hits.within(&self.grid.own[text], &self.excused[area.size()])
    }

    /// Cells of a text that no file settles.
    fn open(&self, text: usize) -> Bits {
        let mut open = Bits::none(self.grid.cells.len());
        self.grid.own[text].iter().filter(|cell| self.settled[*cell].is_none()).for_each(|cell| open.insert(cell));
        open
    }

    /// Places files until every cell is settled: texts with few cells first, as they are what others may leave out.
    fn cover(&mut self) -> Result<(), MinimiseError> {
        let mut order: Vec<usize> = (0..self.grid.texts.len()).collect();
        order.sort_by_key(|text| self.grid.own[*text].count());
        loop {
            let mut progress = false;
            let mut stuck = None;
            for text in order.iter().copied() {
                let open = self.open(text);
                if open.is_empty() {
                    continue;
                }
                let whole = self.grid.smallest(&open, 0, usize::MAX, &|area| self.allows(text, area));
                match whole {
                    Some(area) => {
                        self.place(File { area, text });
                        progress = true;
                    }
                    None => stuck = stuck.or(Some((text, open))),
                }
            }
            match stuck {
                None => return Ok(()),
                Some(_) if progress => {}
                Some((text, open)) => self.force(text, &open)?,
            }
        }
    }

    /// Settles a text that forms no box.
    fn force(&mut self, text: usize, open: &Bits) -> Result<(), MinimiseError> {
        let cost = |plan: &Vec<File<'a>>| (plan.len(), plan.iter().map(|f| f.area.size()).sum::<usize>());
        let plans = [self.excepted(text, open), self.cut(text, open)];
        match plans.into_iter().flatten().min_by_key(cost) {
            Some(plan) => plan.into_iter().for_each(|file| self.place(file)),
            None => {
                for cell in open.iter() {
                    self.pin(cell)?;
                }
            }
        }
        Ok(())
    }

    /// One box for the text, and a more specific file for each text that does not belong in it.
    fn excepted(&self, text: usize, open: &Bits) -> Option<Vec<File<'a>>> {
        let mut best: Option<Vec<File<'a>>> = None;
        for area in self.grid.boxes(open, 0, self.grid.keys.len()) {
            let size = area.size();
            let strangers = area.hits.without(&self.grid.own[text]).without(&self.excused[size]);
            let mut texts: Vec<usize> = strangers.iter().map(|cell| self.grid.text_of[cell]).collect();
            texts.sort_unstable();
            texts.dedup();
            let enough = best.as_ref().is_some_and(|plan| plan.len() <= texts.len() + 1);
            if enough || texts.len() > EXCEPTIONS || !self.grid.fits(&area) {
                continue;
            }
            let plan = texts.into_iter().map(|stranger| {
                let cells = strangers.and(&self.grid.own[stranger]);
                let allow = |area: &Area<'a>| self.allows(stranger, area);
                Some(File { area: self.grid.smallest(&cells, size, usize::MAX, &allow)?, text: stranger })
            });
            if let Some(mut plan) = plan.collect::<Option<Vec<_>>>() {
                plan.push(File { area, text });
                best = Some(plan);
            }
        }
        best
    }

    /// Several boxes for the text, each grown from its first cell that none holds yet.
    fn cut(&self, text: usize, open: &Bits) -> Option<Vec<File<'a>>> {
        let mut plan = Vec::new();
        let mut rest = open.clone();
        while let Some(seed) = rest.first() {
            let mut start = Bits::none(self.grid.cells.len());
            start.insert(seed);
            let smallest = self.grid.smallest(&start, 0, usize::MAX, &|area| self.allows(text, area))?;
            let size = smallest.size();
            let seeds = self.grid.boxes(&start, size - 1, size + 1);
            let grown = seeds
                .filter(|area| self.allows(text, area) && self.grid.fits(area))
                .take(GROWN)
                .map(|area| self.grow(area, text, &rest))
                .min_by_key(|area| (usize::MAX - area.hits.and(&rest).count(), area.breadth()))?;
            rest = rest.without(&grown.hits);
            plan.push(File { area: grown, text });
        }
        Some(plan)
    }

    /// Adds values to a box as long as it holds more of `rest` and nothing that it may not.
    fn grow(&self, mut area: Area<'a>, text: usize, rest: &Bits) -> Area<'a> {
        for key in area.values.keys().copied().collect::<Vec<_>>() {
            let values: BTreeSet<&str> = rest.iter().filter_map(|cell| self.grid.value(cell, key)).collect();
            for value in values {
                let mut wider = area.values.clone();
                if !wider.entry(key).or_default().insert(value) {
                    continue;
                }
                if let Some(wider) = self.grid.area(wider)
                    && self.allows(text, &wider)
                    && wider.hits.without(&area.hits).meets(rest)
                {
                    area = wider;
                }
            }
        }
        area
    }

    /// Settles a cell by a file that names all its keys, and likewise the cells with yet more keys that this would
    /// disturb. Only cells with differing sets of keys come to this.
    fn pin(&mut self, cell: usize) -> Result<(), MinimiseError> {
        let (area, text) = (self.grid.exactly(cell), self.grid.text_of[cell]);
        if !self.grid.fits(&area) {
            return Err(MinimiseError::TooLong { at: self.grid.condition(&area).to_string() });
        }
        let disturbed = area.hits.without(&self.grid.own[text]).without(&self.excused[area.size()]);
        for other in disturbed.iter() {
            self.pin(other)?;
        }
        self.place(File { area, text });
        Ok(())
    }

    /// Shortens and drops until neither finds anything.
    fn tidy(&mut self) {
        while self.files.len() <= SHORTENED && self.shorten() | self.drop_needless() {}
        while self.drop_needless() {}
    }

    /// Whether every one of these cells of the text keeps it when file `gone` gets another area, or none.
    fn holds(&self, cells: &Bits, gone: usize, instead: Option<&Area<'a>>) -> bool {
        let gone_text = self.files[gone].text;
        let others = || self.files.iter().enumerate().filter(|(i, _)| *i != gone).map(|(_, f)| (&f.area, f.text));
        cells.iter().all(|cell| {
            let (mut own, mut foreign) = (None, None);
            let all = others().chain(instead.map(|area| (area, gone_text)));
            for (area, text) in all.filter(|(area, _)| area.hits.has(cell)) {
                let most = if text == self.grid.text_of[cell] { &mut own } else { &mut foreign };
                *most = (*most).max(Some(area.size()));
            }
            own > foreign
        })
    }

    /// Gives files conditions with fewer keys, those with most cells first.
    fn shorten(&mut self) -> bool {
        let mut order: Vec<usize> = (0..self.files.len()).collect();
        order.sort_by_key(|i| (usize::MAX - self.cells(*i).count(), self.grid.condition(&self.files[*i].area)));
        let mut any = false;
        for i in order {
            let File { area, text } = self.files[i].clone();
            let cells = self.cells(i);
            let allow = |shorter: &Area<'a>| self.allows(text, shorter) && self.holds(&cells, i, Some(shorter));
            if let Some(shorter) = self.grid.smallest(&cells, 0, area.size(), &allow) {
                let mut touched = area.hits;
                touched.add(&shorter.hits);
                self.files[i].area = shorter;
                self.settle(&touched);
                any = true;
            }
        }
        any
    }

    /// Drops files without which every cell keeps its text, those with fewest cells first.
    fn drop_needless(&mut self) -> bool {
        let mut order: Vec<usize> = (0..self.files.len()).collect();
        order.sort_by_key(|i| (self.cells(*i).count(), self.grid.condition(&self.files[*i].area)));
        let mut any = false;
        for i in order {
            let cells = self.cells(i);
            if self.holds(&cells, i, None) {
                // An area of nothing stands in until the end, so that numbers stay.
                self.files[i].area.hits = Bits::none(self.grid.cells.len());
                self.settle(&cells);
                any = true;
            }
        }
        self.files.retain(|f| !f.area.hits.is_empty());
        any
    }

    /// The cells of its own text that a file holds.
    fn cells(&self, file: usize) -> Bits {
        self.files[file].area.hits.and(&self.grid.own[self.files[file].text])
    }
}

/// The most common text, the first of those that are equally common. A case without coordinates can only be the base.
fn base(grid: &Grid<'_>) -> usize {
    let bare = grid.cells.iter().position(|cell| cell.is_empty()).map(|cell| grid.text_of[cell]);
    let common = (0..grid.texts.len()).min_by_key(|text| usize::MAX - grid.own[*text].count());
    bare.or(common).unwrap_or_default()
}
