//! Console text as a person reads it.

use super::strip::Strip;
use crate::observe::edit::Edit;

/// The text without terminal sequences and control characters other than tab, its lines ending in LF.
#[must_use]
pub fn plain(text: &str) -> String {
    plain_bytes(text.as_bytes())
}

pub(super) fn plain_bytes(bytes: &[u8]) -> String {
    let (mut strip, mut out) = (Strip::default(), Vec::with_capacity(bytes.len()));
    for byte in bytes {
        strip.push(*byte, |b| out.push(b));
    }
    decode(&out)
}

/// Stripped bytes as text; of the control characters, which may be beyond ASCII, only LF and tab are left.
pub(super) fn decode(stripped: &[u8]) -> String {
    let text = String::from_utf8_lossy(stripped);
    if text.chars().any(unwanted) { text.chars().filter(|c| !unwanted(*c)).collect() } else { text.into_owned() }
}

fn unwanted(c: char) -> bool {
    c.is_control() && c != '\n' && c != '\t'
}

/// The first half of what [`plain`] does, as changes: terminal sequences go, and every line ends in one LF.
pub(crate) fn sequences(text: &str) -> Vec<Edit> {
    let mut strip = Strip::default();
    let mut edits: Vec<Edit> = Vec::new();
    for (at, byte) in text.bytes().enumerate() {
        let (mut count, mut last) = (0, None);
        strip.push(byte, |b| (count, last) = (count + 1, Some(b)));
        // Bytes beyond ASCII are kept or taken out by whole characters, and all that is put in is line ends.
        let kept = last == Some(byte);
        let put_in = if kept { count - 1 } else { count };
        let end = if kept { at } else { at + 1 };
        if put_in == 0 && end == at {
            continue;
        }
        match edits.last_mut() {
            Some(last) if last.at.end == at => {
                last.at.end = end;
                last.by.push_str(&"\n".repeat(put_in));
            }
            _ => edits.push(Edit { at: at..end, by: "\n".repeat(put_in) }),
        }
    }
    edits
}

/// The second half: control characters beyond ASCII go.
pub(crate) fn controls(text: &str) -> Vec<Edit> {
    let unwanted = text.char_indices().filter(|(_, c)| unwanted(*c));
    unwanted.map(|(at, c)| Edit { at: at..at + c.len_utf8(), by: String::new() }).collect()
}

#[cfg(test)]
mod tests {
    use super::{controls, plain, sequences};
    use crate::observe::edit::applied;
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    #[test]
    fn control_characters_beyond_ascii_go() {
        assert_eq!(plain("a\u{9b}31mb\u{85}c"), "a31mbc");
    }

    proptest! {
        #[test]
        fn no_text_keeps_a_control_character(text in "[\\x00-\\x1f\\[\\]a-z0-9;\\\\\u{80}-\u{a0}…]{0,60}") {
            let once = plain(&text);
            prop_assert!(once.chars().all(|c| !c.is_control() || c == '\n' || c == '\t'), "{:?}", once);
            prop_assert_eq!(plain(&once), once);
        }

        #[test]
        fn changes_say_what_plain_does(text in "[\\x00-\\x1f\\[\\]a-z0-9;\\\\\u{80}-\u{a0}…]{0,60}") {
            let stripped = applied(&text, &sequences(&text));
            prop_assert_eq!(applied(&stripped, &controls(&stripped)), plain(&text));
        }

        #[test]
        fn ordinary_text_is_left_alone(text in "[ -~\n\t…äß]{0,60}") {
            prop_assert_eq!(plain(&text), text);
        }
    }
}
