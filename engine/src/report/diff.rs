//! What differs between a golden and what was seen, as lines to print. Pure but for the limit on its time.

use std::time::{Duration, Instant};

use anstyle::Style;
use similar::{Algorithm, ChangeTag, TextDiffConfig};

use super::style::{ADDED, DIM, NEW, PLAIN, REMOVED, paint};
use super::text::{clean, wrap};

/// After this the diff is no longer the smallest one; it stays a right one.
const LIMIT: Duration = Duration::from_millis(500);

/// A unified diff: expected `-`, actual `+`, the parts of a changed line that differ in reverse video.
pub(super) fn unified(expected: &str, actual: &str, columns: Option<usize>) -> Vec<String> {
    between(("expected", expected), ("actual", actual), columns)
}

/// A unified diff of two texts with names.
pub(super) fn between(
    (old_name, expected): (&str, &str),
    (new_name, actual): (&str, &str),
    columns: Option<usize>,
) -> Vec<String> {
    let (mut old, mut new) = (clean(expected), clean(actual));
    if old == new && expected != actual {
        (old, new) = (escaped(expected), escaped(actual));
    }
    let deadline = Instant::now() + LIMIT;
    let diff = TextDiffConfig::default()
        .algorithm(Algorithm::Patience)
        .deadline(deadline)
        .diff_lines(old.as_str(), new.as_str());
    let names = [(REMOVED, "--- ", old_name), (ADDED, "+++ ", new_name)];
    let mut lines: Vec<String> =
        names.map(|(style, sign, name)| paint(style, &format!("{sign}{}", clean(name)))).into();
    for hunk in diff.unified_diff().context_radius(3).iter_hunks() {
        lines.push(paint(NEW, hunk.header().to_string().trim_end()));
        for op in hunk.ops() {
            for change in diff.iter_inline_changes_deadline(op, Some(deadline)) {
                let (sign, style) = match change.tag() {
                    ChangeTag::Equal => (" ", PLAIN),
                    ChangeTag::Delete => ("-", REMOVED),
                    ChangeTag::Insert => ("+", ADDED),
                };
                let mut pieces: Vec<(Style, &str)> = vec![(style, sign)];
                for (differs, piece) in change.values() {
                    let piece = piece.strip_suffix('\n').unwrap_or(piece);
                    pieces.push((if *differs { style.invert() } else { style }, piece));
                }
                lines.extend(wrap(&pieces, columns));
                if change.missing_newline() {
                    lines.push(paint(DIM, "\\ no line end"));
                }
            }
        }
    }
    lines
}

/// For texts that differ only in characters that [`clean`] shows alike.
fn escaped(text: &str) -> String {
    text.split_inclusive('\n')
        .map(|line| {
            let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
            format!("{}{end}", line.escape_unicode())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(expected: &str, actual: &str) -> String {
        anstream::adapter::strip_str(&unified(expected, actual, None).join("\n")).to_string()
    }

    #[test]
    fn lines_and_the_words_in_them() {
        insta::assert_snapshot!(plain("a\ntmpfs ro\nc\n", "a\ntmpfs rw\nc\nd"), @r"
        --- expected
        +++ actual
        @@ -1,3 +1,4 @@
         a
        -tmpfs ro
        +tmpfs rw
         c
        +d
        \ no line end
        ");
        let styled = unified("tmpfs ro\n", "tmpfs rw\n", None).join("\n");
        assert!(styled.contains(&paint(REMOVED.invert(), "ro")), "{styled:?}");
        assert!(styled.contains(&paint(ADDED.invert(), "rw")), "{styled:?}");
    }

    #[test]
    fn escapes_are_shown_and_never_sent() {
        insta::assert_snapshot!(plain("a\n", "\x1b[2Ja\x07\n"), @r"
        --- expected
        +++ actual
        @@ -1 +1 @@
        -a
        +␛[2Ja␇
        ");
    }

    #[test]
    fn what_looks_alike_is_told_apart() {
        let text = plain("a\u{200b}\n", "a\u{200c}\n");
        assert!(text.contains("u{200b}") && text.contains("u{200c}"), "{text}");
    }

    #[test]
    fn huge_texts_are_told_without_the_smallest_difference() {
        let many = |k: usize| (0..100_000).map(|i| format!("{}\n", i * k % 9973)).collect::<String>();
        assert!(!unified(&many(7), &many(11), None).is_empty());
    }
}
