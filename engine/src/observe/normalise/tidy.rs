//! Line ends and what stands before them. Pure.

use crate::observe::edit::{Edit, applied};

/// Line ends are LF, no line ends in white space, and the text ends in one line end unless it is empty.
pub(crate) fn tidy(text: &str) -> String {
    applied(text, &line_ends(text))
}

/// What [`tidy`] replaces.
pub(super) fn line_ends(text: &str) -> Vec<Edit> {
    let kept = text.trim_end().len();
    let mut edits = Vec::new();
    if kept == 0 {
        edits.extend((!text.is_empty()).then(|| Edit { at: 0..text.len(), by: String::new() }));
        return edits;
    }
    let mut start = 0;
    for line in text[..kept].split('\n') {
        inside(line, start, &mut edits);
        start += line.len() + 1;
    }
    // The first line end after all text stays, and what stands around it goes.
    let rest = &text[kept..];
    let (before, after) = rest.split_once('\n').map_or((rest, None), |(before, after)| (before, Some(after)));
    let end = if after.is_none() { "\n" } else { "" };
    let at = kept..kept + before.len();
    if !(at.is_empty() && end.is_empty()) {
        edits.push(Edit { at, by: end.to_owned() });
    }
    if let Some(after) = after.filter(|after| !after.is_empty()) {
        edits.push(Edit { at: text.len() - after.len()..text.len(), by: String::new() });
    }
    edits
}

/// White space at the end of a line goes; a CR inside of one ends it.
fn inside(line: &str, start: usize, edits: &mut Vec<Edit>) {
    let kept = line.trim_end().len();
    let mut from = 0;
    for (at, _) in line[..kept].match_indices('\r') {
        let before = from + line[from..at].trim_end().len();
        edits.push(Edit { at: start + before..start + at + 1, by: "\n".to_owned() });
        from = at + 1;
    }
    if kept < line.len() {
        edits.push(Edit { at: start + kept..start + line.len(), by: String::new() });
    }
}

#[cfg(test)]
mod tests {
    use super::tidy;
    use proptest::prelude::{prop_assert_eq, proptest};

    /// The same in other words: line by line.
    fn by_lines(text: &str) -> String {
        let lines = text.split('\n').flat_map(|line| line.trim_end().split('\r')).map(str::trim_end);
        let text = lines.collect::<Vec<_>>().join("\n");
        let text = text.trim_end();
        if text.is_empty() { String::new() } else { format!("{text}\n") }
    }

    #[test]
    fn line_ends_and_blanks_before_them() {
        for (text, tidied) in [
            ("", ""),
            (" \n\r\n", ""),
            ("a", "a\n"),
            ("  a \t\r\r\nb\rc\n\n\n", "  a\nb\nc\n"),
            ("\na", "\na\n"),
            ("a \r", "a\n"),
        ] {
            assert_eq!(tidy(text), tidied, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_tidied(text in "[ab \t\r\n\u{a0}]{0,24}") {
            let tidied = tidy(&text);
            prop_assert_eq!(&tidied, &by_lines(&text));
            prop_assert_eq!(tidy(&tidied), tidied);
        }
    }
}
