//! A table without its padding: columns by their headings, a line a row. Pure.
//!
//! What is blank in the header and in every row parts the columns, so that a cell may be empty or stand to the right. The
//! form of one table told in two widths is the same, and so is the form of a form.

use thiserror::Error;

use super::form::Lines;
use crate::scenario::model::TableForm;

mod aligned;

/// Between the cells of a row.
const BAR: &str = " | ";
/// A bar in a cell that could pass for one between cells, as [`crate::observe::escape`] escapes it.
const BAR_IN_CELL: &str = r"\x7c";

/// Why a text is no table.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TableError {
    /// There is nothing.
    #[error("there is no text, and so no header")]
    Empty,
    /// The first line is one heading.
    #[error("`{heading}` is the only heading, so no columns can be told apart")]
    OneHeading {
        /// It.
        heading: String,
    },
    /// No blank parts two headings that stand apart.
    #[error("line {line} runs across the headings `{left}` and `{right}`, so the header does not fit it")]
    Across {
        /// The line, from 1.
        line: usize,
        /// A heading.
        left: String,
        /// The next one.
        right: String,
    },
    /// Cells that are told apart by bars, and not as many as there are headings.
    #[error("line {line} has {cells} cells, and the header has {headings}")]
    Cells {
        /// The line, from 1.
        line: usize,
        /// Its cells.
        cells: usize,
        /// The headings.
        headings: usize,
    },
    /// A column that was asked for.
    #[error("no column is headed `{name}`; the headings are {}", .known.join(", "))]
    NoColumn {
        /// Its name.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
}

/// A column: its heading, and a cell for each row.
struct Column {
    name: String,
    cells: Vec<String>,
}

/// The table's lines in their canonical form. It ends at the first blank line; what follows (a legend) is left as it is.
pub(super) fn canonical(text: &str, form: &TableForm) -> Result<Lines, TableError> {
    let all: Vec<&str> = text.lines().collect();
    let blank = |line: &&str| line.trim().is_empty();
    let start = all.iter().position(|line| !blank(line)).ok_or(TableError::Empty)?;
    let end = all[start..].iter().position(blank).map_or(all.len(), |length| start + length);
    let lines = &all[start..end];
    let columns = chosen(columns(lines, start, &form.columns)?, &form.columns)?;
    let mut rows: Lines = (1..lines.len())
        .map(|at| (start + at, row(columns.iter().map(|column| column.cells[at - 1].as_str()))))
        .collect();
    if form.sort_rows {
        rows.sort_by(|(_, a), (_, b)| a.cmp(b));
    }
    let header = (start, row(columns.iter().map(|column| column.name.as_str())));
    let rest = (end..all.len()).map(|at| (at, all[at].to_owned()));
    Ok(std::iter::once(header).chain(rows).chain(rest).collect())
}

/// The columns that are asked for, in that order; all of them by name where none is.
fn chosen(mut columns: Vec<Column>, wanted: &[String]) -> Result<Vec<Column>, TableError> {
    if wanted.is_empty() {
        columns.sort_by(|a, b| a.name.cmp(&b.name));
        return Ok(columns);
    }
    let mut chosen = Vec::with_capacity(wanted.len());
    for name in wanted {
        let Some(at) = columns.iter().position(|column| column.name == *name) else {
            let known = columns.iter().chain(&chosen).map(|column| format!("`{}`", column.name)).collect();
            return Err(TableError::NoColumn { name: name.clone(), known });
        };
        chosen.push(columns.remove(at));
    }
    Ok(chosen)
}

/// One line of the form. A table of one column has a bar at the end of each line, so that it is never read as another.
fn row<'c>(cells: impl ExactSizeIterator<Item = &'c str>) -> String {
    let alone = cells.len() == 1;
    let line = cells.map(escaped).collect::<Vec<_>>().join(BAR);
    if alone { format!("{line} |") } else { line.trim_end().to_owned() }
}

/// A cell without bars that have blanks, or an end of it, around them: what is left to the left of a cell is no doubt.
fn escaped(cell: &str) -> String {
    let mut escaped = String::with_capacity(cell.len());
    for (at, c) in cell.char_indices() {
        let (before, after) = (&cell[..at], &cell[at + c.len_utf8()..]);
        if c == '|' && before.ends_with(' ') && (after.is_empty() || after.starts_with(' ')) {
            escaped.push_str(BAR_IN_CELL);
        } else {
            escaped.push(c);
        }
    }
    escaped
}

fn columns(lines: &[&str], start: usize, wanted: &[String]) -> Result<Vec<Column>, TableError> {
    let header = lines[0];
    let tabs = |line: &str| line.matches('\t').count();
    // Two in a row are there to reach a column of the screen. A row may lack some: blanks at its end are not there any more.
    let by_tabs = tabs(header) > 0 && !header.contains("\t\t");
    if format!("{header} ").contains(BAR) {
        parted(lines, start, BAR)
    } else if by_tabs && lines.iter().all(|line| tabs(line) <= tabs(header)) {
        parted(lines, start, "\t")
    } else {
        match aligned::columns(lines, start, wanted) {
            Ok(aligned) if !aligned.joined => Ok(aligned.columns),
            other => by_words(lines).map_or_else(|| other.map(|aligned| aligned.columns), Ok),
        }
    }
}

/// Cells with one blank between them, the last of which may have more in it, below headings in capitals; `None` where
/// they are not so.
fn by_words(lines: &[&str]) -> Option<Vec<Column>> {
    let names: Vec<&str> = lines[0].split(' ').collect();
    let full = |cells: &[&str]| cells.len() == names.len() && cells.iter().all(|cell| !cell.trim().is_empty());
    let rows: Vec<Vec<&str>> = lines[1..].iter().map(|line| line.splitn(names.len(), ' ').collect()).collect();
    if names.len() < 2
        || lines[0].contains(char::is_lowercase)
        // A tab is a blank, and more than one.
        || names.iter().any(|name| name.contains(char::is_whitespace))
        || !full(&names)
        || !rows.iter().all(|cells| full(cells))
    {
        return None;
    }
    let column = |(at, name): (usize, &&str)| Column {
        name: (*name).to_owned(),
        cells: rows.iter().map(|cells| squeezed(cells[at])).collect(),
    };
    Some(names.iter().enumerate().map(column).collect())
}

/// Cells with something of their own between them.
fn parted(lines: &[&str], start: usize, between: &str) -> Result<Vec<Column>, TableError> {
    // At the end of a line the blank of a bar is not there any more.
    let split = |line: &str| format!("{line} ").split(between).map(squeezed).collect::<Vec<_>>();
    let mut columns: Vec<Column> = split(lines[0]).into_iter().map(|name| Column { name, cells: Vec::new() }).collect();
    for (at, line) in lines.iter().enumerate().skip(1) {
        let mut cells = split(line);
        if between == "\t" {
            cells.resize(columns.len(), String::new());
        }
        if cells.len() != columns.len() {
            let (cells, headings) = (cells.len(), columns.len());
            return Err(TableError::Cells { line: start + at + 1, cells, headings });
        }
        columns.iter_mut().zip(cells).for_each(|(column, cell)| column.cells.push(cell));
    }
    // A bar at the end.
    columns.retain(|column| !column.name.is_empty() || column.cells.iter().any(|cell| !cell.is_empty()));
    if columns.is_empty() { Err(TableError::Empty) } else { Ok(columns) }
}

/// A text without white space around it, and with one blank in place of any inside.
fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::{TableError, canonical};
    use crate::scenario::model::TableForm;
    use proptest::prelude::{any, prop, prop_assert_eq, proptest};
    use proptest::strategy::{Just, Strategy};

    fn form(columns: &[&str], sort_rows: bool) -> TableForm {
        TableForm { columns: columns.iter().map(ToString::to_string).collect(), sort_rows }
    }

    fn text(table: &str, form: &TableForm) -> Result<String, TableError> {
        Ok(canonical(table, form)?.into_iter().flat_map(|(_, line)| [line, "\n".to_owned()]).collect())
    }

    fn all(table: &str) -> String {
        let once = text(table, &TableForm::default()).unwrap();
        assert_eq!(text(&once, &TableForm::default()).unwrap(), once, "canonical already");
        once
    }

    const UNITS: &str = "  UNIT                     LOAD   ACTIVE SUB     DESCRIPTION
  -.mount                  loaded active mounted Root Mount
● systemd-sysctl.service   loaded failed failed  Apply Kernel Variables
  systemd-journald.service loaded active running Journal Service

LOAD   = Reflects whether the unit definition was properly loaded.
3 loaded units listed.
";

    #[test]
    fn units_with_a_mark_and_a_legend() {
        assert_eq!(
            all(UNITS),
            "ACTIVE | DESCRIPTION | LOAD | SUB | UNIT\n\
             active | Root Mount | loaded | mounted | -.mount\n\
             failed | Apply Kernel Variables | loaded | failed | ● systemd-sysctl.service\n\
             active | Journal Service | loaded | running | systemd-journald.service\n\
             \n\
             LOAD   = Reflects whether the unit definition was properly loaded.\n\
             3 loaded units listed.\n"
        );
        let lines = canonical(UNITS, &form(&["UNIT", "ACTIVE"], true)).unwrap();
        let (from, lines): (Vec<usize>, Vec<String>) = lines.into_iter().take(4).unzip();
        assert_eq!(
            lines,
            [
                "UNIT | ACTIVE",
                "-.mount | active",
                "systemd-journald.service | active",
                "● systemd-sysctl.service | failed"
            ]
        );
        assert_eq!(from, [0, 1, 3, 2], "where each came from");
    }

    #[test]
    fn numbers_to_the_right_and_a_heading_of_two_words() {
        let df = "Filesystem     1K-blocks     Used Available Use% Mounted on\n\
                  overlay        263174212 18253180  77013212  20% /\n\
                  tmpfs              65536        0     65536   0% /dev\n\
                  shm                65536        0     65536   0% /dev/shm\n";
        let table = "Filesystem | Mounted on\noverlay | /\ntmpfs | /dev\nshm | /dev/shm\n";
        let wanted = form(&["Filesystem", "Mounted on"], false);
        assert_eq!(text(df, &wanted).unwrap(), table);
        let short: String = df.lines().take(3).flat_map(|line| [line, "\n"]).collect();
        assert_eq!(text(&short, &wanted).unwrap(), table.replace("shm | /dev/shm\n", ""), "no row is below `on`");
        assert!(all(&short).starts_with("1K-blocks | Available | Filesystem | Mounted on | Use% | Used\n"));
    }

    #[test]
    fn empty_cells_tabs_trees_and_bars() {
        let findmnt = "TARGET       LABEL FSTYPE OPTIONS\n/                  ext4   rw\n├─/sys             sysfs  ro\n└─/a|b         \tx     \n";
        assert_eq!(
            text(findmnt, &form(&["TARGET", "LABEL", "FSTYPE"], false)).unwrap(),
            "TARGET | LABEL | FSTYPE\n/ |  | ext4\n├─/sys |  | sysfs\n└─/a|b | x |\n"
        );
        assert_eq!(
            all("UID\tPID\tCMD\nroot\t1\t/sbin/init splash\nverylongname\t\t\nx\n"),
            "CMD | PID | UID\n/sbin/init splash | 1 | root\n |  | verylongname\n |  | x\n"
        );
        assert_eq!(all("A\t\tB\nlongname\tx\n"), "A | B\nlongname | x\n");
        assert_eq!(all("  a  | b |  c\n   1 |   |  3"), "a | b | c\n1 |  | 3\n", "a table with bars");
        let tree = "TARGET      N\n|-/a        1\n| |-/b      2\n| | `-/c    3\n|           4\nx |         5\n";
        assert_eq!(all(tree), "N | TARGET\n1 | |-/a\n2 | | |-/b\n3 | | \\x7c `-/c\n4 | |\n5 | x \\x7c\n");
        assert_eq!(all("日本  X\n語    1\n"), "X | 日本\n1 | 語\n");
        assert_eq!(all("\n      total used\nMem:     9    1\n"), " | total | used\nMem: | 9 | 1\n");
        assert_eq!(all("Mounted on |\n/ |\n |\n"), "Mounted on |\n/ |\n |\n", "one column");
    }

    #[test]
    fn words_with_one_blank_between_them() {
        let top = "UID PID CMD\nroot 92 /sbin/init\nmessage+ 152 /usr/bin/dbus-daemon --system  --nofork\n";
        let form_of =
            "CMD | PID | UID\n/sbin/init | 92 | root\n/usr/bin/dbus-daemon --system --nofork | 152 | message+\n";
        assert_eq!(all(top), form_of);
        let first: String = top.lines().take(2).flat_map(|line| [line, "\n"]).collect();
        assert!(form_of.starts_with(&all(&first)), "{}", all(&first));
        assert_eq!(all("NAME X\na bc 1\n"), "NAME | X\na bc | 1\n", "aligned");
        assert_eq!(
            all("CONTAINER ID   N\n602bcd6aba38   1\n602bcd6aba39   2\n").lines().next(),
            Some("CONTAINER ID | N")
        );
    }

    #[test]
    fn what_is_no_table_says_why() {
        let error = |table: &str, columns: &[&str]| text(table, &form(columns, false)).unwrap_err().to_string();
        assert_eq!(error("\n", &[]), "there is no text, and so no header");
        assert_eq!(
            error("\nNAME   STATE\na      up\nlonger-than-that up\n", &[]),
            "line 4 runs across the headings `NAME` and `STATE`, so the header does not fit it"
        );
        assert_eq!(
            error(
                "  UNIT LOAD ACTIVE SUB DESCRIPTION\n0 loaded units listed. Pass --all to see\nTo show all units, pass\n",
                &[]
            ),
            "line 2 runs across the headings `LOAD` and `ACTIVE`, so the header does not fit it"
        );
        assert_eq!(
            error("NAME   SIZE\na       100\nb    123456\nlonger    1\n", &[]),
            "line 4 runs across the headings `NAME` and `SIZE`, so the header does not fit it"
        );
        let one = "`total 56` is the only heading, so no columns can be told apart";
        assert_eq!(
            error("total 56\nlrwxrwxrwx   1 root root    7 bin\ndrwxr-xr-x   2 root root 4096 boot\n", &[]),
            one
        );
        assert_eq!(error("a | b\n1 | 2\n3\n", &[]), "line 3 has 1 cells, and the header has 2");
        assert_eq!(error("A B\n1 2\n", &["B", "C"]), "no column is headed `C`; the headings are `A`, `B`");
    }

    /// A table, and how wide it is told.
    #[derive(Debug, Clone)]
    struct Told {
        names: Vec<String>,
        rows: Vec<Vec<String>>,
    }

    impl Told {
        /// Each column with its own alignment and more room than it needs.
        fn padded(&self, order: &[usize], right: &[bool], room: &[usize]) -> String {
            let lines = std::iter::once(&self.names).chain(&self.rows);
            let width =
                |column: usize| lines.clone().map(|cells| cells[column].len()).max().unwrap_or(0) + room[column];
            let line = |cells: &Vec<String>| {
                let cells = order.iter().map(|column| {
                    let (cell, width) = (&cells[*column], width(*column));
                    if right[*column] { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
                });
                cells.collect::<Vec<_>>().join(" ").trim_end().to_owned() + "\n"
            };
            lines.clone().map(line).collect()
        }
    }

    fn told() -> impl Strategy<Value = (Told, Vec<usize>)> {
        let names =
            prop::collection::hash_set("[A-Z]{1,5}", 2..5).prop_map(|names| names.into_iter().collect::<Vec<_>>());
        names.prop_flat_map(|names| {
            let row = prop::collection::vec("[a-z0-9|]{0,6}", names.len());
            let rows = prop::collection::vec(row, 1..6)
                .prop_map(|rows| rows.into_iter().filter(|row| row.iter().any(|cell| !cell.is_empty())).collect());
            let order = Just((0..names.len()).collect::<Vec<_>>()).prop_shuffle();
            (rows, order, Just(names)).prop_map(|(rows, order, names)| (Told { names, rows }, order))
        })
    }

    #[test]
    fn a_tab_parts_no_words() {
        for table in ["\tA B\n\t|x\t |", "\t● ●\n\t|●\t |"] {
            let once = text(table, &TableForm::default());
            assert_eq!(once.clone().and_then(|once| text(&once, &TableForm::default())), once);
        }
    }

    proptest! {
        #[test]
        fn widths_alignment_and_the_order_of_columns_do_not_matter(
            (table, order) in told(),
            right in prop::collection::vec(any::<bool>(), 5),
            room in prop::collection::vec(0..4_usize, 10),
            sort_rows in any::<bool>(),
        ) {
            let form = form(&[], sort_rows);
            let plain: Vec<usize> = (0..table.names.len()).collect();
            let one = text(&table.padded(&plain, &[false; 5], &room[..5]), &form).unwrap();
            prop_assert_eq!(&text(&table.padded(&order, &right, &room[5..]), &form).unwrap(), &one);
            prop_assert_eq!(&text(&one, &form).unwrap(), &one, "canonical already");
            prop_assert_eq!(one.lines().count(), table.rows.len() + 1);
        }

        #[test]
        fn chosen_columns_and_sorted_rows_do_not_depend_on_the_rest(
            (table, order) in told(),
            seed in prop::collection::vec(any::<u8>(), 6),
        ) {
            let wanted = form(&[&table.names[0]], true);
            let room = [2; 5];
            let one = text(&table.padded(&order, &[false; 5], &room), &wanted).unwrap();
            let mut shuffled = table.clone();
            let mut order_of_rows: Vec<usize> = (0..table.rows.len()).collect();
            order_of_rows.sort_by_key(|at| seed[*at]);
            shuffled.rows = order_of_rows.iter().map(|at| table.rows[*at].clone()).collect();
            let other = text(&shuffled.padded(&order, &[true; 5], &room), &wanted).unwrap();
            prop_assert_eq!(&other, &one);
            prop_assert_eq!(&text(&one, &wanted).unwrap(), &one, "canonical already");
        }

        #[test]
        fn any_text_is_a_table_or_says_why(table in "[ab|\t ●\n]{0,40}", columns in prop::collection::vec("[ab]{1,2}", 0..3)) {
            let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
            for form in [form(&columns, false), form(&columns, true)] {
                if let Ok(once) = text(&table, &form) {
                    prop_assert_eq!(text(&once, &form), Ok(once));
                }
            }
        }
    }
}
