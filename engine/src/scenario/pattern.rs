//! Small languages inside strings: templates, conditions, regular expressions, durations, `@{…}`. Errors point inside.

use std::ops::Range;
use std::time::Duration;

use regex_syntax::hir::Hir;

use super::cursor::Cx;
use super::diagnostic::{Code, Diagnostic};
use super::model::{Condition, Template};
use super::span::within;
use super::{TemplateError, Templates};
use crate::source::Sp;

/// How large a compiled pattern may be, in bytes: the limit that judging has.
const SIZE_LIMIT: usize = 4 << 20;

/// How long anything may take.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Checks that a template compiles.
pub(crate) fn template(cx: Cx<'_>, text: Sp<String>) -> Option<Template> {
    if !Templates::is_plain(&text.value)
        && let Err(error) = cx.sink.templates.names(&text.value)
    {
        let help = "a template is ${{ expression }} or ${% if … %}…${% endif %}; inside it strings stand in 'quotes'";
        cx.sink.push(point(cx, &text, error, Code::BadTemplate, "this template does not compile", help));
        return None;
    }
    if !Templates::is_plain(&text.value) {
        operators(cx, &text, Code::BadTemplate);
    }
    Some(Template(text))
}

/// Reports filters and tests that do not exist: rendering alone would notice.
fn operators(cx: Cx<'_>, text: &Sp<String>, code: Code) {
    for (kind, range) in cx.sink.templates.unknown_operators(&text.value) {
        let message = format!("there is no {kind} `{}`", &text.value[range.clone()]);
        let help = "those of minijinja exist, such as `| join(',')`, `| replace('a', 'b')`, `| default('x')`, and \
                    `is defined`, `is divisibleby(2)`";
        cx.sink.push(Diagnostic::new(code, message, &within(cx.sink.sources, text, range), "here").help(help));
    }
}

/// Checks that a condition compiles.
pub(crate) fn condition(cx: Cx<'_>, text: Sp<String>) -> Option<Condition> {
    if !Templates::is_plain(&text.value) {
        let start = text.value.find("${").unwrap_or(0);
        let at = within(cx.sink.sources, &text, start..start + 3);
        cx.sink.push(
            Diagnostic::new(Code::BadCondition, "a condition is a bare expression", &at, "no template here")
                .help("leave out the ${{ }}: \"host.cgroups == 'v2'\""),
        );
        return None;
    }
    match cx.sink.templates.condition_names(&text.value) {
        Ok(_) => {
            operators(cx, &text, Code::BadCondition);
            Some(Condition(text))
        }
        Err(error) => {
            let help = "such as \"host.cgroups == 'v2' and setup_mode in ['remount', 'rebind']\": `==`, `!=`, `in`, \
                        `and`, `or`, `not`";
            cx.sink.push(point(cx, &text, error, Code::BadCondition, "this condition does not compile", help));
            None
        }
    }
}

fn point(cx: Cx<'_>, text: &Sp<String>, error: TemplateError, code: Code, message: &str, help: &str) -> Diagnostic {
    let at = match error.range {
        Some(range) => within(cx.sink.sources, text, range),
        None => text.loc.clone(),
    };
    Diagnostic::new(code, format!("{message}: {}", error.message), &at, "here").help(help)
}

/// Checks a regular expression, where nothing in it is left to render.
pub(crate) fn regex(cx: Cx<'_>, text: Sp<String>) -> Option<Template> {
    let text = template(cx, text)?.0;
    if Templates::is_plain(&text.value) {
        parse(cx, &text)?;
    }
    Some(Template(text))
}

/// Parses a pattern as judging will: `^` and `$` match at lines.
pub(crate) fn parse(cx: Cx<'_>, text: &Sp<String>) -> Option<Hir> {
    let pattern = without_captures(&text.value);
    let report = |message: String, range: Option<Range<usize>>| {
        let at = range.map_or_else(|| text.loc.clone(), |range| within(cx.sink.sources, text, range));
        let help = "a text to be found as it stands needs no pattern: use `contains`; in 'single quotes' a backslash is \
                    a backslash";
        cx.sink.push(Diagnostic::new(Code::BadRegex, message, &at, "here").help(help));
    };
    let hir = match regex_syntax::ParserBuilder::new().multi_line(true).crlf(true).build().parse(&pattern) {
        Ok(hir) => hir,
        Err(error) => {
            let (kind, span) = match &error {
                regex_syntax::Error::Parse(error) => (error.kind().to_string(), Some(error.span())),
                regex_syntax::Error::Translate(error) => (error.kind().to_string(), Some(error.span())),
                _ => (error.to_string(), None),
            };
            let range = span.map(|span| span.start.offset..span.end.offset);
            report(format!("this is no regular expression: {kind}"), range);
            return None;
        }
    };
    if let Err(error) = regex::RegexBuilder::new(&pattern).multi_line(true).crlf(true).size_limit(SIZE_LIMIT).build() {
        report(format!("this regular expression can't be used: {error}"), None);
        return None;
    }
    Some(hir)
}

/// Checks that every `$group` of a replacement is a group of its pattern: one that is none would be replaced by nothing.
pub(crate) fn replacement(cx: Cx<'_>, pattern: &str, replace: &Sp<String>) {
    let Ok(regex) = regex::Regex::new(pattern) else { return };
    let known = |name: &str| match name.parse::<usize>() {
        Ok(number) => number < regex.captures_len(),
        Err(_) => regex.capture_names().flatten().any(|known| known == name),
    };
    let text = replace.value.as_str();
    let mut from = 0;
    while let Some(at) = text[from..].find('$').map(|found| from + found) {
        let after = &text[at + 1..];
        let word = |text: &str| text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
        let (name, length) = match after.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
            Some((name, _)) => (name, name.len() + 3),
            None => (&after[..word(after)], word(after) + 1),
        };
        from = at + if after.starts_with('$') { 2 } else { length };
        if name.is_empty() || known(name) {
            continue;
        }
        let message = format!("the pattern has no group `{name}`, so nothing would be written here");
        let at = within(cx.sink.sources, replace, at..at + length);
        let help =
            "a group is written `$1` or `${1}` (before a letter, a digit or `_` with the braces), and a dollar `$$`";
        cx.sink.push(Diagnostic::new(Code::BadValue, message, &at, "no group").help(help));
    }
}

/// Whether a pattern is found in every text.
pub(crate) fn always_matches(hir: &Hir) -> bool {
    hir.properties().minimum_len() == Some(0) && hir.properties().look_set().is_empty()
}

/// The `@{name}` of a text: each name and its place in it.
pub(crate) fn captures(text: &str) -> Vec<(String, Range<usize>)> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = text[from..].find("@{").map(|at| from + at) {
        let Some(length) = text[start..].find('}') else { break };
        let name = &text[start + 2..start + length];
        if name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
        {
            found.push((name.to_string(), start..start + length + 1));
        }
        from = start + 2;
    }
    found
}

/// The pattern with every `@{name}` as ordinary letters of the same length, so that offsets stay.
fn without_captures(pattern: &str) -> String {
    let mut pattern = pattern.to_string();
    for (_, range) in captures(&pattern) {
        let letters = "x".repeat(range.len());
        pattern.replace_range(range, &letters);
    }
    pattern
}

/// Why a text is no duration, and where.
fn no_duration(error: &humantime::DurationError) -> (String, Option<Range<usize>>) {
    use humantime::DurationError;
    let (why, range) = match error {
        DurationError::InvalidCharacter(at) => ("this character has no meaning in it", Some(*at..at + 1)),
        DurationError::NumberExpected(at) => ("a number is missing", Some(*at..at + 1)),
        DurationError::UnknownUnit { unit, .. } if unit.is_empty() => ("the unit is missing", None),
        DurationError::UnknownUnit { start, end, .. } => ("there is no such unit of time", Some(*start..*end)),
        DurationError::NumberOverflow => ("the number is too large", None),
        DurationError::Empty => ("it is empty", None),
    };
    (format!("this is no duration: {why}"), range)
}

/// Reads a duration that is neither zero nor absurd.
pub(crate) fn duration(cx: Cx<'_>, text: &Sp<String>) -> Option<Duration> {
    let (message, range) = match humantime::parse_duration(&text.value) {
        Ok(duration) if duration.is_zero() => ("this duration is zero".to_string(), None),
        Ok(duration) if duration > LONGEST => ("this duration is longer than a day".to_string(), None),
        Ok(duration) => return Some(duration),
        Err(error) => no_duration(&error),
    };
    let at = range
        .filter(|range| range.end <= text.value.len())
        .map_or_else(|| text.loc.clone(), |range| within(cx.sink.sources, text, range));
    cx.sink.push(
        Diagnostic::new(Code::BadDuration, message, &at, "here")
            .help("a number and a unit, such as \"500ms\", \"20s\" or \"1m 30s\""),
    );
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captured_values_are_found_and_shell_arrays_are_left_alone() {
        let found = captures("kill @{pid} ${a[@]} @{} @{b_1}");
        assert_eq!(found, [("pid".to_string(), 5..11), ("b_1".to_string(), 24..30)]);
        assert_eq!(without_captures("^@{pid}$"), "^xxxxxx$");
    }

    #[test]
    fn a_pattern_that_holds_everywhere_is_known() {
        let holds = |pattern: &str| {
            always_matches(&regex_syntax::ParserBuilder::new().multi_line(true).build().parse(pattern).unwrap())
        };
        assert!(holds("") && holds(".*") && holds("a?|b"));
        assert!(!holds("^$") && !holds("a+") && !holds("^"));
    }
}
