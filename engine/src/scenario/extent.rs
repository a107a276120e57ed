//! How much code a text may have before it is compiled: a parser of expressions walks by recursion, so a file of a stranger's
//! could take its stack.

use super::TemplateError;

/// How much of one text may be expressions and statements, in bytes: what they become is as deep as their operators are
/// many, and is walked through by recursion. The text around them and strings in them don't count.
pub(super) const MOST_CODE: usize = 2048;

/// How many brackets may be open at a time, for the same reason: minijinja's own limit is not everywhere.
pub(super) const MOST_DEPTH: usize = 50;

/// Whether a text's code is short and flat enough to be compiled.
pub(super) fn bounded(text: &str, condition: bool) -> Result<(), TemplateError> {
    let Extent { code, depth } = extent(text, condition);
    let message = if code > MOST_CODE {
        format!("{code} bytes of expressions without their strings in one text, and {MOST_CODE} are the most")
    } else if depth > MOST_DEPTH {
        format!("brackets within brackets, {depth} of them, and {MOST_DEPTH} are the most")
    } else {
        return Ok(());
    };
    Err(TemplateError { message, range: None })
}

/// How much code a text has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Extent {
    /// In bytes.
    code: usize,
    /// The most brackets that are open at a time.
    depth: usize,
}

/// How many bytes of a template stand within delimiters (of a condition: all), strings and comments aside; more where
/// that is in doubt.
fn extent(text: &str, condition: bool) -> Extent {
    let bytes = text.as_bytes();
    let (mut at, mut open) = (0, 0_usize);
    let mut extent = Extent::default();
    let mut quote = None;
    let mut inside = condition;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let mut step = 1;
        if !inside {
            if rest.starts_with(b"${{#") {
                step = text[at..].find("#}}").map_or(rest.len(), |end| end + 3);
            } else if rest.starts_with(b"${{") || rest.starts_with(b"${%") {
                inside = true;
                step = 3;
            }
            at += step;
            continue;
        }
        match (quote, rest[0]) {
            (Some(_), b'\\') => step = 2,
            (Some(open), byte) if open == byte => quote = None,
            (None, byte @ (b'\'' | b'"')) => quote = Some(byte),
            (None, b'(' | b'[' | b'{') => open += 1,
            (None, _) if !condition && (rest.starts_with(b"}}") || rest.starts_with(b"%}")) => inside = false,
            (None, b')' | b']' | b'}') => open = open.saturating_sub(1),
            _ => {}
        }
        extent.depth = extent.depth.max(open);
        // Of a string its quotes count, for there may be many of them.
        extent.code += if quote.is_none() || rest[0] == b'"' || rest[0] == b'\'' { step } else { 0 };
        at += step;
    }
    extent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_counted_and_text_is_not() {
        let text = "x".repeat(9_999);
        assert_eq!(extent(&format!("{text}${{{{ a }}}}{text}${{{{# {text} #}}}}"), false).code, 4);
        assert_eq!(extent("${{ '}} \\' }}' ~ a }} b", false).code, 9);
        assert_eq!(extent("${{ é }} ${HOME} {{ x }}", false).code, 5);
        assert_eq!(extent("a == 'longer' }} b", true).code, 12);
    }
}
