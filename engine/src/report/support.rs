//! Which setup works: verdicts by setup mode, cgroup namespace and cgroup mode, as a value. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::judge::{CaseResult, Verdict};
use crate::scenario::model::{BootState, Point};

use super::counts::Counts;
use super::run::Run;
use super::style::{DIM, Mark, mark, mark_left_out};
use super::table::{Cell, Grid};

/// The axis whose values are the rows.
pub const ROWS: &str = "setup_mode";
/// The axes whose combinations are the columns.
pub const COLUMNS: [&str; 3] = ["host", "cgroupns", "cgroup_mode"];
const ANY: &str = "any";
/// Marks a cell in which a case passed because its container must not boot.
pub const UNBOOTED: &str = "°";

/// The verdicts of the cases that fall into one cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// The counts.
    pub counts: Counts,
    /// Cases that passed although the container did not come up: they must not boot, and did not.
    pub unbooted: usize,
    /// The worst of the cell.
    worst: Option<Mark>,
}

impl Tally {
    fn add(&mut self, result: &CaseResult) {
        self.counts.add(&result.verdict);
        self.worst = self.worst.max(Some(mark(&result.verdict)));
        let up = result
            .boot
            .as_ref()
            .is_none_or(|boot| matches!(boot.outcome.state(), BootState::Running | BootState::Degraded));
        if !up && matches!(result.verdict, Verdict::Pass | Verdict::Warn) {
            self.unbooted += 1;
        }
    }

    /// The worst verdict.
    #[must_use]
    pub fn worst(&self) -> Mark {
        self.worst.unwrap_or(Mark::Absent)
    }

    /// `✔ 9`, `✘ 2/9`, `–`.
    #[must_use]
    pub fn text(&self) -> String {
        let (worst, ran) = (self.worst(), self.counts.ran());
        let symbol = worst.symbol();
        let unbooted = if self.unbooted > 0 { UNBOOTED } else { "" };
        match worst {
            Mark::Absent => String::new(),
            Mark::NotApplicable | Mark::Filtered | Mark::Skipped => symbol.to_owned(),
            Mark::Pass => format!("{symbol} {ran}{unbooted}"),
            Mark::Warn => format!("{symbol} {}/{ran}{unbooted}", self.counts.warn),
            _ => format!("{symbol} {}/{ran}{unbooted}", self.counts.differ() + self.counts.error),
        }
    }

    fn cell(&self) -> Cell {
        Cell::new(self.text(), self.worst().style())
    }

    fn says_something(&self) -> bool {
        self.worst() >= Mark::Skipped
    }
}

/// The tables of a run.
#[derive(Debug, Clone, Default)]
pub struct Support {
    cells: BTreeMap<(Row, Vec<String>), Tally>,
    scenarios: BTreeMap<String, (String, Tally)>,
}

/// A row's name; `default` comes first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Row(bool, String);

impl Support {
    /// From everything that is known of a run.
    #[must_use]
    pub fn of(run: &Run) -> Self {
        let mut support = Self::default();
        for result in &run.results {
            if let Some(tally) = support.cell(&result.point) {
                tally.add(result);
            }
            let (title, tally) = support.scenarios.entry(result.scenario.clone()).or_default();
            title.clone_from(&result.title);
            tally.add(result);
        }
        for case in &run.left_out {
            let count = |tally: &mut Tally| {
                tally.counts.add_left_out(&case.why);
                tally.worst = tally.worst.max(Some(mark_left_out(&case.why)));
            };
            if let Some(tally) = support.cell(&case.point) {
                count(tally);
            }
            count(&mut support.scenarios.entry(String::clone(&case.scenario)).or_default().1);
        }
        support
    }

    fn cell(&mut self, point: &Point) -> Option<&mut Tally> {
        let row = point.get(ROWS)?.to_string();
        let column = COLUMNS.iter().map(|axis| point.get(*axis).map_or_else(|| ANY.to_owned(), ToString::to_string));
        Some(self.cells.entry((Row(row != "default", row), column.collect())).or_default())
    }

    /// The rows and columns in which something ran or was skipped.
    fn shown(&self) -> (BTreeSet<&Row>, BTreeSet<&Vec<String>>) {
        self.cells.iter().filter(|(_, tally)| tally.says_something()).map(|((row, column), _)| (row, column)).unzip()
    }

    fn tally(&self, row: &Row, column: &[String]) -> Tally {
        self.cells.get(&(row.clone(), column.to_vec())).copied().unwrap_or_default()
    }

    /// Setup modes by combinations of the other axes, over all scenarios that have a setup mode. Rows and columns in
    /// which nothing ran or was skipped are left out. `None` where nothing is left.
    #[must_use]
    pub fn grid(&self) -> Option<Grid> {
        let (rows, columns) = self.shown();
        if rows.is_empty() {
            return None;
        }
        let mut header = Vec::new();
        for (i, axis) in COLUMNS.iter().enumerate() {
            if columns.iter().any(|column| column[i] != ANY) {
                let names = columns.iter().map(|column| Cell::from(column[i].clone()));
                header.push(std::iter::once(Cell::new(*axis, DIM)).chain(names).collect());
            }
        }
        if header.is_empty() {
            header.push(vec![Cell::new(ROWS, DIM), "cases".into()]);
        }
        let line = |row: &Row| {
            let cells = columns.iter().map(|column| self.tally(row, column).cell());
            std::iter::once(Cell::from(row.1.clone())).chain(cells).collect()
        };
        Some(Grid { header, rows: rows.into_iter().map(line).collect() })
    }

    /// The marks that the tables show, for a legend, and whether they show [`UNBOOTED`].
    #[must_use]
    pub fn legend(&self) -> (Vec<Mark>, bool) {
        let (rows, columns) = self.shown();
        let cells = rows.iter().flat_map(|row| columns.iter().map(|column| self.tally(row, column)));
        let scenarios = self.scenarios.values().map(|(_, tally)| *tally).filter(Tally::says_something);
        let shown: Vec<Tally> = cells.chain(scenarios).collect();
        let marks = Mark::ALL.into_iter().filter(|mark| shown.iter().any(|tally| tally.worst() == *mark)).collect();
        (marks, shown.iter().any(|tally| tally.unbooted > 0))
    }

    /// Each scenario with its tally and its question; those of which nothing was selected are left out.
    #[must_use]
    pub fn scenarios(&self) -> Grid {
        let shown: Vec<_> = self.scenarios.iter().filter(|(_, (_, tally))| tally.says_something()).collect();
        let skips = shown.iter().any(|(_, (_, tally))| tally.counts.skipped > 0);
        let row = |(name, (title, tally)): (&String, &(String, Tally))| {
            let mut row = vec![tally.cell(), Cell::from(name.clone())];
            if skips {
                let skipped = tally.counts.skipped;
                let told = if skipped > 0 { format!("{skipped} skipped") } else { String::new() };
                row.push(Cell::new(told, DIM));
            }
            row.push(Cell::new(super::clean(title).replace('\n', " "), DIM));
            row
        };
        Grid { header: Vec::new(), rows: shown.into_iter().map(row).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn plain(grid: &Grid, columns: Option<usize>) -> String {
        anstream::adapter::strip_str(&grid.render(columns).join("\n")).to_string()
    }

    #[test]
    fn a_cell_tells_its_worst_verdict_and_how_many() {
        let support = Support::of(&sample::run());
        insta::assert_snapshot!(plain(&support.grid().unwrap(), None));
        insta::assert_snapshot!(plain(&support.scenarios(), None));
    }

    #[test]
    fn a_run_without_setup_modes_has_no_grid() {
        assert!(Support::of(&Run::default()).grid().is_none());
        assert!(Support::of(&Run::default()).scenarios().rows.is_empty());
    }
}
