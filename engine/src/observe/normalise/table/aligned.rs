//! Cells that stand below their headings. Pure.

use std::ops::Range;

use unicode_width::UnicodeWidthChar;

use super::{Column, TableError};

/// How far a tab goes.
const TAB: usize = 8;

/// Columns, and how sure they are.
pub(super) struct Aligned {
    pub(super) columns: Vec<Column>,
    /// Whether words of the header were put together to one heading.
    pub(super) joined: bool,
}

/// The characters of a line with the columns of the screen that they stand in; blanks are left out.
type Placed = Vec<(Range<usize>, char)>;

/// What has no width belongs to what is before it.
fn placed(line: &str) -> Placed {
    let mut placed = Vec::with_capacity(line.len());
    let mut at: usize = 0;
    for c in line.chars() {
        match c {
            '\t' => at = (at / TAB + 1) * TAB,
            ' ' => at += 1,
            c => {
                let wide = c.width().unwrap_or(0);
                let from = if wide == 0 { at.saturating_sub(1) } else { at };
                placed.push((from..at + wide, c));
                at += wide;
            }
        }
    }
    placed
}

/// Where a column stands, and its heading.
struct Place {
    at: Range<usize>,
    name: String,
    /// Where the heading's own words stand.
    heading: Range<usize>,
    /// Whether any row has something there.
    filled: bool,
}

/// The columns of a table whose first line is its header, the first of all lines being `start`.
pub(super) fn columns(lines: &[&str], start: usize, wanted: &[String]) -> Result<Aligned, TableError> {
    let lines: Vec<Placed> = lines.iter().map(|line| placed(line)).collect();
    let (header, rows) = (&lines[0], &lines[1..]);
    let filled = regions(rows.iter().flatten().map(|(at, _)| at));
    let mut places: Vec<Place> = Vec::new();
    for region in regions(lines.iter().flatten().map(|(at, _)| at)) {
        let words = words(header, &region);
        together(&words, rows, &region, start, wanted)?;
        let filled = filled.iter().any(|at| at.start < region.end && region.start < at.end);
        let heading = words.first().map_or(region.start, |w| w.0.start)..words.last().map_or(region.start, |w| w.0.end);
        let name = words.into_iter().map(|(_, word)| word).collect::<Vec<_>>().join(" ");
        match places.as_mut_slice() {
            // Words of a cell, to the right of its heading.
            [.., last] if name.is_empty() => last.at.end = region.end,
            // A mark such as `●` before the first column.
            [only] if only.name.is_empty() && only.at.len() == 1 => {
                *only = Place { at: only.at.start..region.end, name, heading, filled: true };
            }
            _ => places.push(Place { at: region, name, heading, filled }),
        }
    }
    let places = named(places, wanted);
    if let [Place { name: heading, .. }] = places.as_slice() {
        return Err(TableError::OneHeading { heading: heading.clone() });
    }
    let cells = |place: &Place| rows.iter().map(|row| cell(row, &place.at)).collect();
    let joined = places.iter().any(|place| place.name.contains(' '));
    let columns = places.iter().map(|place| Column { name: place.name.clone(), cells: cells(place) }).collect();
    Ok(Aligned { columns, joined })
}

/// The stretches of the screen in which something stands, from left to right.
fn regions<'r>(places: impl Iterator<Item = &'r Range<usize>>) -> Vec<Range<usize>> {
    let mut taken: Vec<bool> = Vec::new();
    for at in places {
        if at.end > taken.len() {
            taken.resize(at.end, false);
        }
        taken[at.clone()].fill(true);
    }
    let mut regions: Vec<Range<usize>> = Vec::new();
    for (at, _) in taken.iter().enumerate().filter(|(_, taken)| **taken) {
        match regions.last_mut() {
            Some(last) if last.end == at => last.end = at + 1,
            _ => regions.push(at..at + 1),
        }
    }
    regions
}

/// The words of a line in a stretch of the screen.
fn words(line: &Placed, region: &Range<usize>) -> Vec<(Range<usize>, String)> {
    let mut words: Vec<(Range<usize>, String)> = Vec::new();
    for (at, c) in inside(line, region) {
        match words.last_mut() {
            Some((word, text)) if word.end >= at.start => {
                word.end = at.end;
                text.push(*c);
            }
            _ => words.push((at.clone(), c.to_string())),
        }
    }
    words
}

fn inside<'l>(line: &'l Placed, region: &Range<usize>) -> &'l [(Range<usize>, char)] {
    let from = line.partition_point(|(at, _)| at.start < region.start);
    let upto = line.partition_point(|(at, _)| at.start < region.end);
    &line[from..upto.max(from)]
}

fn cell(row: &Placed, region: &Range<usize>) -> String {
    words(row, region).into_iter().map(|(_, word)| word).collect::<Vec<_>>().join(" ")
}

/// Headings that no blank parts are one name if one blank is between them, and they look so: "Mounted on", those that are
/// asked for, and those across which every row goes (`CONTAINER ID`). Otherwise they are two, and a row does not fit them.
fn together(
    words: &[(Range<usize>, String)],
    rows: &[Placed],
    region: &Range<usize>,
    start: usize,
    wanted: &[String],
) -> Result<(), TableError> {
    for pair in words.windows(2) {
        let [(left, left_word), (right, right_word)] = pair else { continue };
        let stands_at = |row: &Placed, at: usize| row.iter().any(|(taken, _)| taken.contains(&at));
        let goes_across = |row: &Placed| stands_at(row, left.end);
        let one_name = || {
            let name = format!("{left_word} {right_word}");
            left_word.contains(char::is_lowercase)
                || wanted.iter().any(|wanted| wanted.contains(&name))
                || rows.iter().all(|row| goes_across(row) || inside(row, region).is_empty())
        };
        if right.start - left.end == 1 && one_name() {
            continue;
        }
        // The fewest rows are in the way where the blank would be.
        let blank = (left.end..right.start).min_by_key(|at| rows.iter().filter(|row| stands_at(row, *at)).count());
        let row = blank.and_then(|at| rows.iter().position(|row| stands_at(row, at)));
        let line = start + row.unwrap_or(0) + 2;
        return Err(TableError::Across { line, left: left_word.clone(), right: right_word.clone() });
    }
    Ok(())
}

/// Puts headings of several words together where nothing stands below the later ones: those that are asked for so, and
/// "Mounted on" (but not `UUID LABEL`, where one column is empty).
fn named(places: Vec<Place>, wanted: &[String]) -> Vec<Place> {
    let mut named: Vec<Place> = Vec::with_capacity(places.len());
    for place in places {
        let Some(last) = named.last_mut().filter(|last| last.heading.end + 1 == place.heading.start) else {
            named.push(place);
            continue;
        };
        let name = format!("{} {}", last.name, place.name);
        let asked = wanted.iter().any(|wanted| *wanted == name || wanted.starts_with(&format!("{name} ")));
        let apart = wanted.iter().any(|wanted| *wanted == last.name || *wanted == place.name);
        if asked || !apart && !place.filled && last.name.contains(char::is_lowercase) {
            *last = Place {
                at: last.at.start..place.at.end,
                name,
                heading: last.heading.start..place.heading.end,
                filled: last.filled || place.filled,
            };
        } else {
            named.push(place);
        }
    }
    named
}
