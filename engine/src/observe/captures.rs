//! `@{name}`: values captured from one step's output and used in later texts. Pure; a value is never looked into for
//! names again.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use super::{escape, pattern};

static NAME: LazyLock<Regex> = LazyLock::new(|| pattern::builtin(r"@\{([A-Za-z_][A-Za-z0-9_-]*)\}"));

/// Replaces every `@{name}` by its captured value.
///
/// # Errors
/// The first name that was not captured.
pub fn substitute(text: &str, captured: &BTreeMap<String, String>) -> Result<String, String> {
    replace(text, captured, |value| Cow::Borrowed(value))
}

/// As [`substitute`], for a word of a command: it gets what was printed, where that is text, and no escapes of it.
///
/// # Errors
/// The first name that was not captured.
pub fn substitute_word(word: &str, captured: &BTreeMap<String, String>) -> Result<String, String> {
    replace(word, captured, |value| match String::from_utf8(escape::bytes(value)) {
        Ok(printed) => Cow::Owned(printed),
        Err(_) => Cow::Borrowed(value),
    })
}

/// As [`substitute`], for the text of a regular expression: a value stands for itself, whatever is in it.
///
/// # Errors
/// The first name that was not captured.
pub fn substitute_regex(text: &str, captured: &BTreeMap<String, String>) -> Result<String, String> {
    replace(text, captured, |value| Cow::Owned(regex::escape(value)))
}

/// Reads a value out of a command's output: the pattern's first group, or the whole match where it has none or the group
/// took no part; `None` where the pattern is not found.
///
/// # Errors
/// Why the pattern is none.
pub fn capture(pattern: &str, stdout: &str) -> Result<Option<String>, String> {
    let found = pattern::author(pattern)?.captures(stdout).and_then(|groups| groups.get(1).or_else(|| groups.get(0)));
    Ok(found.map(|value| value.as_str().to_owned()))
}

fn replace(
    text: &str,
    captured: &BTreeMap<String, String>,
    write: impl for<'v> Fn(&'v str) -> Cow<'v, str>,
) -> Result<String, String> {
    let mut done = String::with_capacity(text.len());
    let mut end = 0;
    for groups in NAME.captures_iter(text) {
        let (Some(whole), Some(name)) = (groups.get(0), groups.get(1)) else { continue };
        let value = captured.get(name.as_str()).ok_or_else(|| name.as_str().to_owned())?;
        done.push_str(&text[end..whole.start()]);
        done.push_str(&write(value));
        end = whole.end();
    }
    done.push_str(&text[end..]);
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::{capture, substitute, substitute_regex, substitute_word};
    use std::collections::BTreeMap;

    fn captured() -> BTreeMap<String, String> {
        [("scope", "a.b+c"), ("nested", "@{scope}")].map(|(k, v)| (k.to_owned(), v.to_owned())).into()
    }

    #[test]
    fn names_are_replaced_once() {
        assert_eq!(substitute("x @{scope} @{nested} y", &captured()).unwrap(), "x a.b+c @{scope} y");
    }

    #[test]
    fn what_is_no_name_stays() {
        for text in ["user@{", "${a[@]}", "@{}", "@{1}", "a@{b c}"] {
            assert_eq!(substitute(text, &captured()).unwrap(), text);
        }
    }

    #[test]
    fn an_unknown_name_is_named() {
        assert_eq!(substitute("@{scope} @{who} @{else}", &captured()).unwrap_err(), "who");
    }

    #[test]
    fn a_value_in_a_pattern_stands_for_itself() {
        assert_eq!(substitute_regex("^@{scope}$", &captured()).unwrap(), r"^a\.b\+c$");
    }

    #[test]
    fn capture_prefers_the_group() {
        assert_eq!(capture(r"^0::(\S+)$", "1:cpu:/a\n0::/init.scope\n").unwrap().as_deref(), Some("/init.scope"));
        assert_eq!(capture(r"\d+", "pid 42").unwrap().as_deref(), Some("42"));
        assert_eq!(capture("(a)?b", "b").unwrap().as_deref(), Some("b"));
        assert_eq!(capture("x", "y").unwrap(), None);
        assert_eq!(capture("(", "y").unwrap_err(), "unclosed group");
    }

    #[test]
    fn a_command_is_given_what_was_printed() {
        let stdout = crate::observe::escape::text(b"dev-a\\x2db\\xe2\\x80 caf\xe9");
        let captured: BTreeMap<String, String> = [("unit", r"^(\S+)"), ("odd", r"(\S+)$")]
            .map(|(name, pattern)| (name.to_owned(), capture(pattern, &stdout).unwrap().unwrap()))
            .into();
        assert_eq!(substitute("@{unit} @{odd}", &captured).unwrap(), stdout, "as outputs show it");
        assert_eq!(substitute_word("@{unit}", &captured).unwrap(), r"dev-a\x2db\xe2\x80");
        assert_eq!(substitute_word("@{odd}", &captured).unwrap(), r"caf\xe9", "that is no text");
    }
}
