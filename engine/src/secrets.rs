//! Values that are shown to nobody: found in texts, bytes and streams, and replaced by `<secret>`. Pure.
//!
//! A scenario names the variable that holds such a value, never the value. So a plan has none, nor has anything that is
//! made of one; the values are put in and taken out at the host ([`crate::host::Masked`]), and out of the log.
//!
//! A value is found as it stands, as JSON would write it, and as a log would write that JSON. What a container makes of it
//! otherwise (base64, a digest, one letter a line) is not.

use std::borrow::Cow;

use serde_json::Value;

/// What is shown instead.
pub const SHOWN: &str = "<secret>";

/// A shorter value would be found where nobody meant it.
const SHORTEST: usize = 8;

/// How often a value may be written into a text that is written into another: a library's log shows a request's JSON as
/// Rust would write it.
const NESTED: usize = 3;

/// The values that are replaced.
#[derive(Clone, Default)]
pub struct Mask(Vec<Vec<u8>>);

impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mask({} values)", self.0.len())
    }
}

/// Why a value can't be kept secret, in words that don't tell it; `None` where it can.
#[must_use]
pub fn unfit(value: &str) -> Option<String> {
    if value.len() < SHORTEST {
        Some(format!("is shorter than {SHORTEST} bytes, so it can't be told from other text"))
    } else if value.chars().any(char::is_control) {
        Some("has a line end or another control character, so it can't be found in what is printed".to_owned())
    } else {
        None
    }
}

impl Mask {
    /// A mask for these values.
    #[must_use]
    pub fn new<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        let mut mask = Self::none();
        mask.add(values);
        mask
    }

    /// A mask that hides nothing.
    #[must_use]
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Hides these values too.
    pub fn add<'a>(&mut self, values: impl IntoIterator<Item = &'a str>) {
        let Self(all) = self;
        for value in values.into_iter().filter(|value| !value.is_empty()) {
            let mut written = value.to_owned();
            for _ in 0..=NESTED {
                all.push(written.as_bytes().to_vec());
                let quoted = Value::from(written).to_string();
                written = quoted[1..quoted.len() - 1].to_owned();
            }
        }
        all.sort_unstable_by(|a, b| (b.len(), b).cmp(&(a.len(), a)));
        all.dedup();
    }

    /// Whether there is nothing to hide.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The bytes without the values.
    #[must_use]
    pub fn bytes(&self, bytes: &[u8]) -> Vec<u8> {
        let mut shown = Vec::with_capacity(bytes.len());
        let mut at = 0;
        while at < bytes.len() {
            match self.0.iter().find(|value| bytes[at..].starts_with(value)) {
                Some(value) => {
                    shown.extend_from_slice(SHOWN.as_bytes());
                    at += value.len();
                }
                None => {
                    shown.push(bytes[at]);
                    at += 1;
                }
            }
        }
        shown
    }

    /// The text without the values.
    #[must_use]
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.is_empty() {
            return Cow::Borrowed(text);
        }
        // Values are whole characters, so what is left is text.
        Cow::Owned(String::from_utf8_lossy(&self.bytes(text.as_bytes())).into_owned())
    }

    /// Takes the values out of every text of a document, its keys too.
    pub fn value(&self, value: &mut Value) {
        match value {
            _ if self.is_empty() => {}
            Value::String(text) => *text = self.text(text).into_owned(),
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Object(fields) => {
                let whole = std::mem::take(fields);
                for (key, mut field) in whole {
                    self.value(&mut field);
                    fields.insert(self.text(&key).into_owned(), field);
                }
            }
            _ => {}
        }
    }

    /// A mask for a stream that comes in pieces.
    #[must_use]
    pub fn stream(&self) -> MaskedStream {
        MaskedStream { mask: self.clone(), held: Vec::new() }
    }

    /// How many bytes at the end may be the start of a value.
    fn open_end(&self, bytes: &[u8]) -> usize {
        let longest = self.0.first().map_or(0, Vec::len).saturating_sub(1).min(bytes.len());
        let starts = |length: &usize| self.0.iter().any(|value| value.starts_with(&bytes[bytes.len() - length..]));
        (1..=longest).rev().find(starts).unwrap_or(0)
    }
}

/// A stream under way. Bytes are held back only while they may be the start of a value.
#[derive(Debug, Clone)]
pub struct MaskedStream {
    mask: Mask,
    held: Vec<u8>,
}

impl MaskedStream {
    /// Takes the next piece, and gives what can be shown by now.
    #[must_use]
    pub fn feed(&mut self, piece: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(piece);
        let mut shown = self.mask.bytes(&self.held);
        let open = self.mask.open_end(&shown);
        self.held = shown.split_off(shown.len() - open);
        shown
    }

    /// The rest, at the end.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.held
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};

    use super::*;

    #[test]
    fn values_are_found_as_they_stand_and_as_json() {
        let mask = Mask::new(["hunter2-hunter2", "quote\"back\\slash", "hunter2-hunter2-longer"]);
        assert_eq!(mask.text("a hunter2-hunter2-longer, hunter2-hunter2."), "a <secret>, <secret>.");
        assert_eq!(mask.text(r#"{"x":"quote\"back\\slash"} quote"back\slash"#), r#"{"x":"<secret>"} <secret>"#);
        assert_eq!(mask.bytes(b"\xffhunter2-hunter2\xfe"), b"\xff<secret>\xfe");
        let mut document = serde_json::json!({ "Env": ["T=hunter2-hunter2"], "hunter2-hunter2": [1, null] });
        mask.value(&mut document);
        assert_eq!(document, serde_json::json!({ "Env": ["T=<secret>"], "<secret>": [1, null] }));
        assert_eq!(format!("{mask:?}"), "Mask(6 values)");
    }

    #[test]
    fn what_cant_be_hidden_is_unfit() {
        assert!(unfit("short").is_some_and(|why| why.contains("shorter") && !why.contains("short,")));
        assert!(unfit("two lines\nof text").is_some());
        assert_eq!(unfit("long enough"), None);
    }

    #[test]
    fn a_line_is_not_held_back() {
        let mut stream = Mask::new(["hunter2-hunter2"]).stream();
        assert_eq!(stream.feed(b"Reached target multi-user.target.\r\n"), b"Reached target multi-user.target.\r\n");
        assert_eq!(stream.feed(b"pass hunter2"), b"pass ");
        assert_eq!(stream.feed(b"-hunter2 hunt"), b"<secret> ");
        assert_eq!(stream.finish(), b"hunt");
    }

    proptest! {
        #[test]
        fn a_stream_says_the_same_however_it_is_cut(
            pieces in prop::collection::vec(prop::sample::select(vec!["aab", "aaab", "a", "b", "secretive", "secret", "\n"]), 0..20),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        ) {
            let mask = Mask::new(["aabaaab", "secretive"]);
            let whole = pieces.concat().into_bytes();
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(whole.len() + 1)).collect();
            cuts.extend([0, whole.len()]);
            cuts.sort_unstable();
            let mut stream = mask.stream();
            let mut shown: Vec<u8> = cuts.windows(2).flat_map(|cut| stream.feed(&whole[cut[0]..cut[1]])).collect();
            shown.extend(stream.finish());
            prop_assert_eq!(&shown, &mask.bytes(&whole));
            let shown = String::from_utf8(shown).unwrap();
            prop_assert!(!shown.contains("aabaaab") && !shown.contains("secretive"), "{}", shown);
        }
    }
}
