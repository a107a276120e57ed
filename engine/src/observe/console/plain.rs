//! Console text as a person reads it.

use super::strip::Strip;

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

#[cfg(test)]
mod tests {
    use super::plain;
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
        fn ordinary_text_is_left_alone(text in "[ -~\n\t…äß]{0,60}") {
            prop_assert_eq!(plain(&text), text);
        }
    }
}
