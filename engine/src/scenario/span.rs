//! From an offset inside a string's value to its place in the file: quotes and escapes stand between the two.

use std::ops::Range;

use crate::source::{Loc, Sources, Sp};

/// The place of a part of a string; the whole token where the two texts can't be matched.
pub(crate) fn within(sources: &Sources, text: &Sp<String>, part: Range<usize>) -> Loc {
    let file = &sources.get(text.loc.file).text;
    let mapped = file.get(text.loc.span.clone()).and_then(|raw| {
        let offsets = offsets(raw, &text.value)?;
        let start = *offsets.get(part.start)?;
        let end = if part.is_empty() { start } else { offsets.get(part.end - 1).map(|last| last + 1)? };
        Some(text.loc.span.start + start..text.loc.span.start + end.max(start))
    });
    match mapped {
        Some(span) if file.is_char_boundary(span.start) && file.is_char_boundary(span.end) => {
            Loc { file: text.loc.file, span }
        }
        _ => text.loc.clone(),
    }
}

/// For each byte of the value, and for its end, the offset in the token.
fn offsets(raw: &str, value: &str) -> Option<Vec<usize>> {
    let (quote, escapes) = [("\"\"\"", true), ("'''", false), ("\"", true), ("'", false)]
        .into_iter()
        .find(|(quote, _)| raw.len() >= 2 * quote.len() && raw.starts_with(quote) && raw.ends_with(quote))?;
    let mut at = quote.len();
    let end = raw.len() - quote.len();
    if quote.len() == 3 {
        at += ["\r\n", "\n"].iter().find(|line_end| raw[at..].starts_with(**line_end)).map_or(0, |l| l.len());
    }
    let mut decoded = String::with_capacity(value.len());
    let mut map = Vec::with_capacity(value.len() + 1);
    while at < end {
        let (character, taken) = match raw[at..].chars().next()? {
            '\\' if escapes => escape(&raw[at..end])?,
            character => (Some(character), character.len_utf8()),
        };
        if let Some(character) = character {
            let plain = taken == character.len_utf8();
            map.extend((0..character.len_utf8()).map(|byte| if plain { at + byte } else { at }));
            decoded.push(character);
        }
        at += taken;
    }
    map.push(end);
    (decoded == value).then_some(map)
}

/// What an escape sequence stands for (nothing for a line-ending backslash), and its length.
fn escape(raw: &str) -> Option<(Option<char>, usize)> {
    let code = |digits: usize| {
        let code = u32::from_str_radix(raw.get(2..2 + digits)?, 16).ok()?;
        Some((Some(char::from_u32(code)?), 2 + digits))
    };
    let character = match raw[1..].chars().next()? {
        'b' => '\u{8}',
        't' => '\t',
        'n' => '\n',
        'f' => '\u{c}',
        'r' => '\r',
        'e' => '\u{1b}',
        '"' => '"',
        '\\' => '\\',
        'x' => return code(2),
        'u' => return code(4),
        'U' => return code(8),
        blank if blank.is_whitespace() => return Some((None, raw.len() - raw[1..].trim_start().len())),
        _ => return None,
    };
    Some((Some(character), 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text of the file that a part of the value comes from.
    fn part(token: &str, value: &str, part: Range<usize>) -> String {
        let mut sources = Sources::default();
        let text = format!("a = {token}\n");
        let file = sources.add("a.toml", text.clone());
        let loc = Loc { file, span: 4..4 + token.len() };
        text[within(&sources, &Sp::new(value.to_string(), loc), part).span].to_string()
    }

    #[test]
    fn quotes_of_every_kind_are_skipped() {
        for token in ["'abc'", "\"abc\"", "'''abc'''", "\"\"\"\nabc\"\"\""] {
            assert_eq!(part(token, "abc", 1..2), "b", "{token}");
        }
    }

    #[test]
    fn escapes_shift_offsets() {
        assert_eq!(part(r#""\\d(x""#, r"\d(x", 2..3), "(");
        assert_eq!(part(r#""\u00e9(x""#, "é(x", 2..3), "(");
        assert_eq!(part("\"\"\"a \\\n   (x\"\"\"", "a (x", 2..3), "(");
    }

    #[test]
    fn the_end_is_a_place_too() {
        assert_eq!(part("'ab'", "ab", 2..2), "");
    }

    #[test]
    fn a_text_that_does_not_match_gives_the_whole_token() {
        assert_eq!(part("'ab'", "other", 1..2), "'ab'");
    }
}
