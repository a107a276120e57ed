//! How patterns become regular expressions: the built-in ones, and those that authors write. Pure.

use std::sync::OnceLock;

use regex::{Regex, RegexBuilder};

/// How large a compiled pattern of an author may be, in bytes: enough for any real one, too little to exhaust a machine.
const SIZE_LIMIT: usize = 4 << 20;

/// Compiles a pattern that is part of this program.
#[expect(clippy::expect_used, reason = "the pattern is a constant, and each is compiled by a test")]
pub(crate) fn builtin(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a built-in pattern")
}

/// Compiles an author's pattern: `^` and `$` match at lines, whether they end in LF or CRLF.
///
/// # Errors
/// The regex crate's words, on one line.
pub(crate) fn author(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(pattern).multi_line(true).crlf(true).size_limit(SIZE_LIMIT).build().map_err(|error| match error {
        regex::Error::CompiledTooBig(limit) => format!("it is too large (more than {limit} bytes when compiled)"),
        other => other.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned(),
    })
}

/// An author's pattern, known to compile, that does so when it is first needed: there are many, and most runs need none.
#[derive(Debug, Clone)]
pub struct Lazy {
    text: String,
    compiled: OnceLock<Option<Regex>>,
}

impl Lazy {
    /// Takes a pattern that somebody has held to compile.
    pub(crate) const fn new(text: String) -> Self {
        Self { text, compiled: OnceLock::new() }
    }

    /// The compiled pattern; `None` where it does not compile after all.
    pub(crate) fn regex(&self) -> Option<&Regex> {
        self.compiled.get_or_init(|| author(&self.text).ok()).as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::author;

    #[test]
    fn an_authors_pattern_matches_at_lines() {
        let pattern = author("^b$").unwrap();
        assert!(pattern.is_match("a\nb\nc"));
        assert!(pattern.is_match("a\r\nb\r\nc"));
        assert!(!pattern.is_match("ab"));
    }

    #[test]
    fn a_bad_pattern_says_why_on_one_line() {
        assert_eq!(author("(").unwrap_err(), "unclosed group");
        assert!(author(r"(?:\pL{1000}){1000}").unwrap_err().starts_with("it is too large"));
    }
}
