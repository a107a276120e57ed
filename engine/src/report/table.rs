//! A grid of short texts and its rendering in a number of columns. Pure.

use anstyle::Style;

use super::style::{DIM, paint};
use super::text::{cut, width};

/// One text of a grid.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cell {
    /// Its text: one line, safe to print.
    pub text: String,
    /// Its style.
    pub style: Style,
}

impl Cell {
    /// A text in a style.
    pub fn new(text: impl Into<String>, style: Style) -> Self {
        Self { text: text.into(), style }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::new(text, Style::new())
    }
}

/// Rows under a header of one or more lines; the first column names the row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grid {
    /// Lines of the header.
    pub header: Vec<Vec<Cell>>,
    /// The rows; a short one is filled with empty cells.
    pub rows: Vec<Vec<Cell>>,
}

const GAP: usize = 2;
const LEAST: usize = 12;

impl Grid {
    /// The lines of the grid. Where the columns do not fit, they are spread over several grids one below the other,
    /// each with the first column again; what still does not fit is cut.
    #[must_use]
    pub fn render(&self, columns: Option<usize>) -> Vec<String> {
        let widths = self.widths();
        let Some((&name, rest)) = widths.split_first() else { return Vec::new() };
        let available = columns.unwrap_or(usize::MAX);
        let name = name.min(available);
        let mut lines = Vec::new();
        let mut from = 1;
        loop {
            let mut upto = from;
            let mut used = name;
            while upto <= rest.len() && (upto == from || used + GAP + widths[upto] <= available) {
                used = used.saturating_add(GAP + widths[upto]);
                upto += 1;
            }
            if !lines.is_empty() {
                lines.push(String::new());
            }
            self.chunk(&mut lines, name, from..upto, &widths, available);
            from = upto;
            if from > rest.len() {
                return lines;
            }
        }
    }

    /// The same grid with its last column cut to the columns that are left, or taken out where it would be too short to
    /// say anything.
    #[must_use]
    pub fn with_last_cut(mut self, columns: Option<usize>) -> Self {
        let widths = self.widths();
        let (Some(available), Some((_, before))) = (columns, widths.split_last()) else { return self };
        let used: usize = before.iter().map(|width| width + GAP).sum();
        let room = available.saturating_sub(used);
        for row in self.header.iter_mut().chain(&mut self.rows) {
            if row.len() == widths.len() {
                match row.last_mut() {
                    Some(cell) if room >= LEAST => cell.text = cut(&cell.text, room),
                    _ => row.truncate(before.len()),
                }
            }
        }
        self
    }

    fn chunk(
        &self,
        lines: &mut Vec<String>,
        name: usize,
        shown: std::ops::Range<usize>,
        widths: &[usize],
        available: usize,
    ) {
        let line = |row: &[Cell]| {
            let empty = Cell::default();
            let first = row.first().unwrap_or(&empty);
            let mut text = String::new();
            let mut missing = pad(&mut text, first, name, 0);
            let mut used = name;
            for column in shown.clone() {
                let room = widths[column].min(available.saturating_sub(used + GAP));
                used += GAP + room;
                missing = pad(&mut text, row.get(column).unwrap_or(&empty), room, missing + GAP);
            }
            text
        };
        lines.extend(self.header.iter().map(|row| line(row)));
        if !self.header.is_empty() {
            let total = shown.clone().fold(name, |sum, column| sum.saturating_add(GAP + widths[column]));
            lines.push(paint(DIM, &"─".repeat(total.min(available))));
        }
        lines.extend(self.rows.iter().map(|row| line(row)));
    }

    fn widths(&self) -> Vec<usize> {
        let all = || self.header.iter().chain(&self.rows);
        let columns = all().map(Vec::len).max().unwrap_or(0);
        (0..columns)
            .map(|i| all().filter_map(|row| row.get(i)).map(|cell| width(&cell.text)).max().unwrap_or(0))
            .collect()
    }
}

/// Appends a cell after `before` spaces and gives the spaces still due, so that no line ends in any.
fn pad(line: &mut String, cell: &Cell, room: usize, before: usize) -> usize {
    let text = cut(&cell.text, room);
    if text.is_empty() {
        return before + room;
    }
    line.push_str(&" ".repeat(before));
    line.push_str(&paint(cell.style, &text));
    room - width(&text).min(room)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid() -> Grid {
        let row = |cells: &[&str]| cells.iter().map(|text| Cell::from(*text)).collect();
        Grid {
            header: vec![row(&["", "host", "host", "private"]), row(&["mode", "hybrid", "legacy", "hybrid"])],
            rows: vec![row(&["default", "✔ 9", "✘ 2/9", "–"]), row(&["日本", "✔ 9", "", "✔ 9"]), row(&["short"])],
        }
    }

    fn plain(columns: Option<usize>) -> String {
        anstream::adapter::strip_str(&grid().render(columns).join("\n")).to_string()
    }

    #[test]
    fn columns_line_up_by_display_width() {
        insta::assert_snapshot!(plain(None), @r"
                 host    host    private
        mode     hybrid  legacy  hybrid
        ────────────────────────────────
        default  ✔ 9     ✘ 2/9   –
        日本     ✔ 9             ✔ 9
        short
        ");
    }

    #[test]
    fn narrow_screens_get_several_grids() {
        insta::assert_snapshot!(plain(Some(24)), @r"
                 host    host
        mode     hybrid  legacy
        ───────────────────────
        default  ✔ 9     ✘ 2/9
        日本     ✔ 9
        short

                 private
        mode     hybrid
        ────────────────
        default  –
        日本     ✔ 9
        short
        ");
        for columns in 1..40 {
            for line in grid().render(Some(columns)) {
                let line = anstream::adapter::strip_str(&line).to_string();
                assert!(width(&line) <= columns, "{columns}: {line:?}");
            }
        }
        assert!(Grid::default().render(Some(10)).is_empty());
    }

    #[test]
    fn a_last_column_of_prose_gives_way() {
        let grid = |columns| {
            let row = |name: &str, prose: &str| vec![Cell::from(name), Cell::from(prose)];
            let rows = vec![row("name", "a question about cgroups"), row("n", "why?")];
            Grid { header: Vec::new(), rows }.with_last_cut(Some(columns)).render(Some(columns))
        };
        assert_eq!(grid(20), ["name  a question ab…", "n     why?"]);
        assert_eq!(grid(12), ["name", "n"]);
    }
}
