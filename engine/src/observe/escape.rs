//! Bytes as text and back. Pure.
//!
//! What a command prints need not be text. A byte that is no part of UTF-8 becomes an escape (`\xff`), and so does, in a
//! golden, a character that would steer a terminal (`\x1b`). A backslash that was printed stays one, unless it would be
//! read as such an escape: then it is the escape of itself (`\x5cxff`). So two different outputs never have one text, and
//! ordinary text (`dev-disk-by\x2dlabel` of systemd too) is left alone.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::edit::{Edit, applied};

/// Bytes as text: what is no UTF-8 is escaped, and a backslash where it would be read as an escape. Control characters
/// stay, for whoever looks for terminal sequences; [`visible`] escapes them.
#[must_use]
pub fn text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        push_literal(&mut text, chunk.valid());
        chunk.invalid().iter().for_each(|byte| push_escape(&mut text, *byte));
    }
    text
}

/// The bytes that a text of [`text`], [`visible`] or both stands for.
#[must_use]
pub fn bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        match escaped(&rest[at..]) {
            Some(byte) => {
                bytes.push(byte);
                rest = &rest[at + ESCAPE..];
            }
            None => {
                bytes.push(b'\\');
                rest = &rest[at + 1..];
            }
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

/// JSON that means the same, and in which nothing steers a terminal: people look into files. Line ends stay, which JSON has
/// outside of texts only, and `##[`, which commands a service that runs it, is written as another text that means it.
#[must_use]
pub fn json(text: &str) -> String {
    // Most have nothing of the kind, and long ones are not to be walked through twice.
    let commands = "##[";
    if !text.contains(commands) && !text.chars().any(|c| steers(c) && c != '\n') {
        return text.to_owned();
    }
    let written = |c: char| match c {
        '\n' => c.to_string(),
        c if steers(c) => format!("\\u{:04x}", u32::from(c)),
        c => c.to_string(),
    };
    text.replace(commands, "\\u0023#[").chars().map(written).collect()
}

/// The text with every character escaped that would steer a terminal or hide what stands beside it; line ends and tabs
/// stay.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    let edits = steering(text);
    if edits.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(applied(text, &edits)) }
}

/// How many characters [`visible`] makes of one.
pub(crate) fn visible_width(c: char) -> usize {
    if steers(c) && c != '\n' && c != '\t' { c.len_utf8() * ESCAPE } else { 1 }
}

/// What [`visible`] replaces.
pub(super) fn steering(text: &str) -> Vec<Edit> {
    let steers = text.char_indices().filter(|(_, c)| steers(*c) && *c != '\n' && *c != '\t');
    steers
        .map(|(at, c)| {
            let end = at + c.len_utf8();
            let mut by = String::new();
            text.as_bytes()[at..end].iter().for_each(|byte| push_escape(&mut by, *byte));
            Edit { at: at..end, by }
        })
        .collect()
}

/// Whether a character would move the cursor, hide text or turn its direction.
#[must_use]
pub(crate) const fn steers(c: char) -> bool {
    matches!(c,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        | '\u{fffe}' | '\u{ffff}')
}

/// How long an escape is.
const ESCAPE: usize = r"\xff".len();

fn push_escape(text: &mut String, byte: u8) {
    // Writing to a string can't fail.
    let _ok = write!(text, r"\x{byte:02x}");
}

/// The byte of the escape that a text starts with. Only bytes that this module escapes have one, the bar between the
/// cells of a table included; so `\x2d`, which systemd writes, is no escape.
fn escaped(text: &str) -> Option<u8> {
    let digits = text.strip_prefix(r"\x")?.get(..2)?;
    if digits.bytes().any(|digit| !matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    let byte = u8::from_str_radix(digits, 16).ok()?;
    matches!(byte, 0..=8 | 0x0b..=0x1f | b'\\' | b'|' | 0x7f..).then_some(byte)
}

/// Valid text, its backslashes escaped where they would be read as escapes.
fn push_literal(text: &mut String, mut valid: &str) {
    while let Some(at) = valid.find('\\') {
        text.push_str(&valid[..at]);
        match escaped(&valid[at..]) {
            Some(_) => push_escape(text, b'\\'),
            None => text.push('\\'),
        }
        valid = &valid[at + 1..];
    }
    text.push_str(valid);
}

#[cfg(test)]
mod tests {
    use super::{bytes, steers, text, visible};
    use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};
    use proptest::strategy::{Just, Strategy};

    #[test]
    fn what_is_text_stays() {
        for plain in ["", "a\tb\nc", r"dev-disk-by\x2dlabel", r"a\b \x \xf \xFF \x09", "é…日本", "\u{fffd}"] {
            assert_eq!(text(plain.as_bytes()), plain);
            assert_eq!(visible(plain), plain);
        }
        assert_eq!(text(b"\x1b[1mx"), "\x1b[1mx", "for those who take sequences out");
    }

    #[test]
    fn what_is_none_is_escaped_and_told_apart() {
        for (raw, shown) in [
            (&b"a\xffb"[..], r"a\xffb"),
            (b"caf\xe9\n", "caf\\xe9\n"),
            (br"a\xffb", r"a\x5cxffb"),
            (br"a\\xffb", r"a\\x5cxffb"),
            (br"\x5c", r"\x5cx5c"),
            (b"\\\xff", r"\\xff"),
            (b"\x00\x01\x7f", r"\x00\x01\x7f"),
            ("\u{9b}31m\u{202e}".as_bytes(), r"\xc2\x9b31m\xe2\x80\xae"),
            (b"\xe2\x80", r"\xe2\x80"),
        ] {
            assert_eq!(visible(&text(raw)), shown);
            assert_eq!(bytes(shown), raw, "{shown}");
        }
    }

    fn output() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            prop::collection::vec(any::<u8>(), 0..4),
            prop_oneof![
                Just("\\"),
                Just("x"),
                Just("\\x"),
                Just("5c"),
                Just("ff"),
                Just("\u{9b}"),
                Just("…"),
                Just("\n")
            ]
            .prop_map(|text| text.as_bytes().to_vec()),
        ];
        prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn every_output_comes_back(raw in output()) {
            let text = text(&raw);
            prop_assert_eq!(&bytes(&text), &raw);
            let shown = visible(&text);
            prop_assert_eq!(bytes(&shown), raw);
            prop_assert!(!shown.chars().any(|c| steers(c) && c != '\n' && c != '\t'), "{:?}", shown);
            prop_assert_eq!(visible(&shown), shown.as_ref());
        }
    }
}
