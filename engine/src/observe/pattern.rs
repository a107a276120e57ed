//! How patterns become regular expressions: the built-in ones, and those that authors write. Pure.

use std::borrow::Cow;
use std::sync::{LazyLock, OnceLock};

use regex::{Captures, Regex, RegexBuilder, Replacer};

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

/// A built-in pattern for what most texts have nothing of. To compile it takes milliseconds, so it does when a text first has one
/// of the words that it can't do without.
#[derive(Debug)]
pub(crate) struct Sought {
    words: &'static [&'static str],
    pattern: LazyLock<Regex>,
}

impl Sought {
    /// `words`: whatever fits `pattern` has one of them.
    pub(crate) const fn new(words: &'static [&'static str], pattern: fn() -> Regex) -> Self {
        Self { words, pattern: LazyLock::new(pattern) }
    }

    fn for_text(&self, text: &str) -> Option<&Regex> {
        self.words.iter().any(|word| text.contains(word)).then(|| &*self.pattern)
    }

    /// As [`Regex::captures`].
    pub(crate) fn captures<'t>(&self, text: &'t str) -> Option<Captures<'t>> {
        self.for_text(text)?.captures(text)
    }

    /// As [`Regex::captures_iter`].
    pub(crate) fn captures_iter<'t>(&self, text: &'t str) -> impl Iterator<Item = Captures<'t>> {
        self.for_text(text).into_iter().flat_map(move |pattern| pattern.captures_iter(text))
    }

    /// As [`Regex::replace_all`].
    pub(crate) fn replace_all<'t>(&self, text: &'t str, by: impl Replacer) -> Cow<'t, str> {
        self.for_text(text).map_or(Cow::Borrowed(text), |pattern| pattern.replace_all(text, by))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::{Sought, author, builtin};

    #[test]
    fn a_text_without_the_words_compiles_nothing() {
        let sought = Sought::new(&["home/"], || builtin("/home/([a-z]+)"));
        assert!(sought.captures("/root").is_none() && sought.captures_iter("/root").next().is_none());
        assert_eq!(sought.replace_all("/root", "x"), "/root");
        assert!(LazyLock::get(&sought.pattern).is_none());
        assert_eq!(sought.captures_iter("/home/a /home/b").count(), 2);
        assert_eq!(sought.replace_all("in /home/a", "<$1>"), "in <a>");
        assert_eq!(sought.captures("/home/a").map(|found| found[1].len()), Some(1));
    }

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
