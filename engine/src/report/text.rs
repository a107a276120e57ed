//! Untrusted text made fit to print: what a container wrote must not steer the reader's terminal. Pure.

use anstyle::Style;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::style::paint;
use crate::observe::escape::steers;

/// The columns that a text without escapes takes.
pub(super) fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// The text with each character that would steer a terminal replaced by a visible one, so that nothing is lost from
/// view. Line ends stay; escape sequences become visible, as a diff needs it.
#[must_use]
pub fn clean(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' => '\n',
            '\u{7f}' => '\u{2421}',
            c if c.is_ascii_control() => char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}'),
            c if steers(c) => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// A log for reading: escape sequences taken out, line ends made plain, tabs as spaces, and the rest as in [`clean`].
#[must_use]
pub fn plain_log(text: &str) -> String {
    let text = anstream::adapter::strip_str(text).to_string();
    clean(&text.replace("\r\n", "\n").replace("\r", "\n").replace('\t', "    "))
}

/// The last lines of a log that say something, and how many such lines it has.
pub(super) fn tail(text: &str, lines: usize) -> (Vec<String>, usize) {
    let text = plain_log(text);
    let all: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let from = all.len().saturating_sub(lines);
    (all[from..].iter().map(|line| line.trim_end().to_owned()).collect(), all.len())
}

/// Cuts a text to a number of columns, with `…` where something is missing.
pub(super) fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 0;
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide + 1 > columns {
            break;
        }
        used += wide;
        kept.push(c);
    }
    if columns > 0 {
        kept.push('…');
    }
    kept
}

/// Breaks styled pieces of one line anywhere into lines of at most so many columns, so that no character is lost;
/// `None` never breaks.
pub(super) fn wrap(pieces: &[(Style, &str)], columns: Option<usize>) -> Vec<String> {
    broken(pieces, columns, false)
}

/// Breaks styled pieces of one line between words where there are any, for prose.
pub(super) fn wrap_words(pieces: &[(Style, &str)], columns: Option<usize>) -> Vec<String> {
    broken(pieces, columns, true)
}

fn broken(pieces: &[(Style, &str)], columns: Option<usize>, words: bool) -> Vec<String> {
    let columns = columns.map_or(usize::MAX, |columns| columns.max(8));
    let mut lines = Vec::new();
    let mut line: Vec<(Style, char)> = Vec::new();
    let mut used = 0;
    for (style, c) in pieces.iter().flat_map(|(style, piece)| piece.chars().map(move |c| (*style, c))) {
        let wide = c.width().unwrap_or(0);
        if used + wide > columns {
            let rest = if words && c != ' ' { last_word(&mut line) } else { Vec::new() };
            lines.push(emit(&line, words));
            line = rest;
            used = line.iter().map(|(_, c)| c.width().unwrap_or(0)).sum();
        }
        if !(words && c == ' ' && line.is_empty() && !lines.is_empty()) {
            used += wide;
            line.push((style, c));
        }
    }
    lines.push(emit(&line, false));
    lines
}

/// Takes the last word off a line, unless most of the line would go with it.
fn last_word(line: &mut Vec<(Style, char)>) -> Vec<(Style, char)> {
    match line.iter().rposition(|(_, c)| *c == ' ') {
        Some(at) if at > line.len() / 3 => line.split_off(at + 1),
        _ => Vec::new(),
    }
}

fn emit(mut line: &[(Style, char)], trimmed: bool) -> String {
    while let (true, Some(((_, ' '), rest))) = (trimmed, line.split_last()) {
        line = rest;
    }
    line.chunk_by(|a, b| a.0 == b.0)
        .map(|run| paint(run[0].0, &run.iter().map(|(_, c)| *c).collect::<String>()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_steers_a_terminal_is_left() {
        let hostile = "a\x1b[2Jb\x1b]0;title\x07c\rd\u{9b}31me\u{202e}f\x08g\u{200b}\t\u{0}";
        for text in [clean(hostile), plain_log(hostile)] {
            assert!(!text.chars().any(|c| c != '\n' && steers(c)), "{text:?}");
        }
        assert_eq!(clean("a\x1b[1mb\tc\r\n"), "a␛[1mb␉c␍\n");
    }

    #[test]
    fn a_log_loses_its_colours_and_keeps_its_lines() {
        let log = "\x1b[?25l\x1b]3008;start=1\x1b\\[  \x1b[0;32mOK\x1b[0m  ] Reached\ttarget\r\n\r\nnext\r\n";
        assert_eq!(plain_log(log), "[  OK  ] Reached    target\n\nnext\n");
        assert_eq!(tail(log, 1), (vec!["next".to_owned()], 2));
    }

    #[test]
    fn cutting_and_wrapping_count_columns() {
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("abc", 3), "abc");
        let plain = Style::new();
        assert_eq!(wrap(&[(plain, "0123456789"), (plain, "日本")], Some(8)), ["01234567", "89日本"]);
        assert_eq!(wrap(&[(plain, "")], None), [""]);
        assert_eq!(wrap_words(&[(plain, "one "), (plain, "two three")], Some(8)), ["one two", "three"]);
        assert_eq!(wrap_words(&[(plain, "a 0123456789")], Some(8)), ["a 012345", "6789"]);
    }
}
