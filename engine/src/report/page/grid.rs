//! The support table as it stands without a script: setup modes by hosts and cgroup namespaces. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::build::{HOST, SCENARIO};
use super::model::{CaseView, Page};
use crate::report::support::{ROWS, UNBOOTED};

/// The axes of the columns, where there are such.
const COLUMNS: [&str; 2] = [HOST, "cgroupns"];
const NONE: &str = "(none)";

/// A table.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Table {
    /// The axis of the rows.
    pub rows_axis: String,
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Row>,
}

/// A row.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Row {
    /// Its name.
    pub name: String,
    /// Its cells.
    pub cells: Vec<Cell>,
}

/// Cases that fall into one cell.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Cell {
    /// Cases by mark.
    #[serde(skip)]
    counts: BTreeMap<usize, usize>,
    /// Cases that hold although the container did not come up, as they must.
    #[serde(skip)]
    unbooted: usize,
    /// `✔ 9`, `✘ 2/9`.
    pub text: String,
    /// The worst verdict's word.
    pub word: &'static str,
}

impl Cell {
    fn add(&mut self, page: &Page, case: &CaseView) {
        *self.counts.entry(case.mark).or_default() += 1;
        let up = case.boot.and_then(|boot| page.boots.get(boot)).is_none_or(|boot| boot.up);
        let holds = matches!(page.marks[case.mark].word, "pass" | "warn");
        self.unbooted += usize::from(holds && !up);
    }

    fn tell(&mut self, page: &Page) {
        let count = |wanted: &dyn Fn(usize) -> bool| -> usize {
            self.counts.iter().filter(|(mark, _)| wanted(**mark)).map(|(_, n)| n).sum()
        };
        let Some(worst) = self.counts.keys().copied().max_by_key(|mark| page.marks[*mark].rank) else { return };
        let mark = &page.marks[worst];
        let (ran, bad) = (count(&|mark| page.marks[mark].ran), count(&|mark| page.marks[mark].bad));
        let unbooted = if self.unbooted > 0 { UNBOOTED } else { "" };
        self.word = mark.word;
        self.text = match mark.word {
            _ if !mark.ran => mark.symbol.to_owned(),
            "pass" => format!("{} {ran}{unbooted}", mark.symbol),
            "warn" => format!("{} {}/{ran}{unbooted}", mark.symbol, self.counts.get(&worst).unwrap_or(&0)),
            _ => format!("{} {bad}/{ran}{unbooted}", mark.symbol),
        };
    }
}

/// The table of a page; columns and rows in which nothing ran or was skipped are left out.
pub(super) fn table(page: &Page) -> Table {
    let position = |name: &str| page.axes.iter().position(|axis| axis.name == name);
    let rows_axis = position(ROWS).or(position(SCENARIO)).unwrap_or_default();
    let column_axes: Vec<usize> = COLUMNS.iter().filter_map(|name| position(name)).collect();
    let mut cells: BTreeMap<(Option<usize>, Vec<Option<usize>>), Cell> = BTreeMap::new();
    let told = |case: &&CaseView| !matches!(page.marks[case.mark].word, "not applicable" | "filtered");
    let place = |case: &CaseView| {
        let column: Vec<_> = column_axes.iter().map(|axis| case.at[*axis]).collect();
        (case.at[rows_axis], column)
    };
    // What says nothing is put only where something else does.
    let (rows, columns): (BTreeSet<_>, BTreeSet<_>) = page.cases.iter().filter(told).map(place).unzip();
    for case in &page.cases {
        let (row, column) = place(case);
        if rows.contains(&row) && columns.contains(&column) {
            cells.entry((row, column)).or_default().add(page, case);
        }
    }
    cells.values_mut().for_each(|cell| cell.tell(page));
    // A case without the axis stands last.
    let last = |value: &Option<usize>| (value.is_none(), *value);
    let mut rows: Vec<_> = cells.keys().map(|(row, _)| *row).collect();
    let mut columns: Vec<_> = cells.keys().map(|(_, column)| column.clone()).collect();
    rows.sort_by_key(last);
    rows.dedup();
    columns.sort_by_key(|column| column.iter().map(last).collect::<Vec<_>>());
    columns.dedup();
    let name = |axis: usize, value: Option<usize>| {
        value.and_then(|value| page.axes[axis].values.get(value)).cloned().unwrap_or_else(|| NONE.to_owned())
    };
    let column_name = |column: &Vec<Option<usize>>| {
        let values = column_axes.iter().zip(column).map(|(axis, value)| match page.axes[*axis].name.as_str() {
            HOST => name(*axis, *value),
            axis_name => format!("{axis_name}={}", name(*axis, *value)),
        });
        values.collect::<Vec<_>>().join(" ")
    };
    Table {
        rows_axis: page.axes.get(rows_axis).map(|axis| axis.name.clone()).unwrap_or_default(),
        columns: columns.iter().map(column_name).collect(),
        rows: rows
            .iter()
            .map(|row| Row {
                name: name(rows_axis, *row),
                cells: columns
                    .iter()
                    .map(|column| cells.get(&(*row, column.clone())).cloned().unwrap_or_default())
                    .collect(),
            })
            .collect(),
    }
}
