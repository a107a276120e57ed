//! One question asked of one text.

use std::collections::{BTreeMap, BTreeSet};

use super::phrase::{count, excerpt, shorten, stream};
use crate::observe::captures::{substitute, substitute_regex};
use crate::observe::pattern;
use crate::plan::Check;
use crate::scenario::model::{Ask, SetRelation};

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) held: bool,
    /// What was expected of the stream, as a phrase.
    pub(super) expected: String,
    /// What was seen.
    pub(super) actual: String,
}

/// What a check expects, as a phrase: `stdout matches /^tmpfs$/`.
#[must_use]
pub fn check_phrase(check: &Check) -> String {
    let stream = stream(check.stream);
    match &check.ask {
        Ask::Golden(golden) => format!("{stream} is as recorded in the golden `{}`", golden.name),
        Ask::Set(relation, words) => format!("{stream} {} {}", relation_phrase(*relation), words.join(" ")),
        question => ask(question, stream, "", false, &BTreeMap::new()).expected,
    }
}

/// Asks a text. A question that can't be asked (a value that was not captured, a pattern that its value breaks) is
/// answered with why, and does not hold. Goldens are not asked here, and hold, but of a text that was cut, which no golden can be.
///
/// Of a text that was `cut`, only that is known which the rest could not change: what it lacks may be in the rest.
pub(super) fn ask(
    ask: &Ask<String>,
    stream: &str,
    text: &str,
    cut: bool,
    captured: &BTreeMap<String, String>,
) -> Answer {
    let answer = of_whole(ask, stream, text, captured);
    if !cut || settled(ask, answer.held) {
        return answer;
    }
    let actual = format!("can't be known: {stream} was longer than what is kept of it, which is\n{}", excerpt(text));
    Answer { held: false, actual, ..answer }
}

/// Whether no more text could change an answer.
fn settled(ask: &Ask<String>, held: bool) -> bool {
    match ask {
        Ask::Regex(_) | Ask::Contains(_) | Ask::Set(SetRelation::AtLeast, _) | Ask::Lines(_, None) => held,
        Ask::NotRegex(_) | Ask::NotContains(_) | Ask::Equals(_) | Ask::Lines(_, Some(_)) => !held,
        Ask::Set(SetRelation::NoneOf | SetRelation::AtMost | SetRelation::Equal, _) => !held,
        Ask::Empty(_) => true,
        Ask::Golden(_) => false,
    }
}

fn of_whole(ask: &Ask<String>, stream: &str, text: &str, captured: &BTreeMap<String, String>) -> Answer {
    match ask {
        Ask::Regex(wanted) => matches(wanted, true, stream, text, captured),
        Ask::NotRegex(unwanted) => matches(unwanted, false, stream, text, captured),
        Ask::Contains(wanted) => contains(wanted, true, stream, text, captured),
        Ask::NotContains(unwanted) => contains(unwanted, false, stream, text, captured),
        Ask::Equals(wanted) => {
            let expected = |wanted: &str| format!("{stream} is {}", quoted(wanted.trim()));
            with(substitute(wanted, captured), expected(wanted), |wanted| Answer {
                held: text.trim() == wanted.trim(),
                expected: expected(&wanted),
                actual: excerpt(text),
            })
        }
        Ask::Empty(wanted) => Answer {
            held: text.trim().is_empty() == *wanted,
            expected: format!("{stream} is {}empty", if *wanted { "" } else { "not " }),
            actual: excerpt(text),
        },
        Ask::Lines(least, most) => lines(*least, *most, stream, text),
        Ask::Set(relation, words) => {
            let words: Result<Vec<String>, String> = words.iter().map(|word| substitute(word, captured)).collect();
            with(words, format!("{stream} {}", relation_phrase(*relation)), |words| {
                set(*relation, &words, stream, text)
            })
        }
        Ask::Golden(golden) => {
            let expected = format!("{stream} as recorded in `{}`", golden.name);
            Answer { held: true, expected, actual: String::new() }
        }
    }
}

/// The answer to a question with its values in it, or that one of them is not there.
fn with<T>(filled_in: Result<T, String>, expected: String, answer: impl FnOnce(T) -> Answer) -> Answer {
    match filled_in {
        Ok(wanted) => answer(wanted),
        Err(name) => {
            Answer { held: false, expected, actual: format!("can't be judged: `{name}` was not captured by any step") }
        }
    }
}

fn matches(wanted: &str, should: bool, stream: &str, text: &str, captured: &BTreeMap<String, String>) -> Answer {
    let expected = |wanted: &str| format!("{stream} {} /{wanted}/", if should { "matches" } else { "does not match" });
    with(substitute_regex(wanted, captured), expected(wanted), |wanted| match pattern::author(&wanted) {
        Err(reason) => Answer {
            held: false,
            expected: expected(&wanted),
            actual: format!("can't be judged: the pattern: {reason}"),
        },
        Ok(regex) => {
            let found = regex.find(text);
            let actual = match found {
                Some(found) => line_at(text, found.start()),
                None => excerpt(text),
            };
            Answer { held: found.is_some() == should, expected: expected(&wanted), actual }
        }
    })
}

fn contains(wanted: &str, should: bool, stream: &str, text: &str, captured: &BTreeMap<String, String>) -> Answer {
    let expected =
        |wanted: &str| format!("{stream} {} {}", if should { "contains" } else { "does not contain" }, quoted(wanted));
    with(substitute(wanted, captured), expected(wanted), |wanted| {
        let found = text.find(&wanted);
        let actual = found.map_or_else(|| excerpt(text), |at| line_at(text, at));
        Answer { held: found.is_some() == should, expected: expected(&wanted), actual }
    })
}

fn lines(least: usize, most: Option<usize>, stream: &str, text: &str) -> Answer {
    let text = text.trim_end();
    let n = text.lines().count();
    let expected = match most {
        Some(most) if most == least => count(least, "line"),
        Some(most) if least == 0 => format!("at most {}", count(most, "line")),
        Some(most) => format!("{least} to {}", count(most, "line")),
        None => format!("at least {}", count(least, "line")),
    };
    Answer {
        held: n >= least && most.is_none_or(|most| n <= most),
        expected: format!("{stream} has {expected}"),
        actual: if n == 0 { "0 lines".to_owned() } else { format!("{}:\n{}", count(n, "line"), excerpt(text)) },
    }
}

fn set(relation: SetRelation, words: &[String], stream: &str, text: &str) -> Answer {
    let wanted: BTreeSet<&str> = words.iter().flat_map(|word| word.split_whitespace()).collect();
    let seen: BTreeSet<&str> = text.split_whitespace().collect();
    let missing: Vec<&str> = wanted.difference(&seen).copied().collect();
    let extra: Vec<&str> = seen.difference(&wanted).copied().collect();
    let unwanted: Vec<&str> = seen.intersection(&wanted).copied().collect();
    let (held, why) = match relation {
        SetRelation::AtLeast => (missing.is_empty(), difference(&missing, &[])),
        SetRelation::Equal => (missing.is_empty() && extra.is_empty(), difference(&missing, &extra)),
        SetRelation::AtMost => (extra.is_empty(), difference(&[], &extra)),
        SetRelation::NoneOf => (unwanted.is_empty(), difference(&[], &unwanted)),
    };
    let seen = braces(&seen.iter().copied().collect::<Vec<_>>());
    Answer {
        held,
        expected: format!("{stream} {} {}", relation_phrase(relation), braces(&wanted.into_iter().collect::<Vec<_>>())),
        actual: if held { seen } else { format!("{why} in {seen}") },
    }
}

fn relation_phrase(relation: SetRelation) -> &'static str {
    match relation {
        SetRelation::AtLeast => "holds at least",
        SetRelation::Equal => "holds exactly",
        SetRelation::AtMost => "holds at most",
        SetRelation::NoneOf => "holds none of",
    }
}

fn difference(missing: &[&str], extra: &[&str]) -> String {
    let part =
        |what: &str, words: &[&str]| (!words.is_empty()).then(|| format!("{what} {}", shorten(&words.join(", "))));
    [part("missing", missing), part("extra", extra)].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn braces(words: &[&str]) -> String {
    shorten(&format!("{{{}}}", words.join(", ")))
}

fn quoted(text: &str) -> String {
    format!("`{}`", excerpt(text))
}

/// The line of a text with its number, where it has more than one.
fn line_at(text: &str, at: usize) -> String {
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let line = shorten(text[start..].lines().next().unwrap_or_default());
    if text.trim_end().contains('\n') {
        format!("line {}: {line}", text[..start].matches('\n').count() + 1)
    } else {
        line
    }
}

#[cfg(test)]
mod tests {
    use super::{Answer, ask};
    use crate::scenario::model::{Ask, SetRelation};
    use proptest::prelude::{prop, prop_assert, prop_assert_eq, proptest};

    fn asked(question: &Ask<String>, text: &str) -> Answer {
        ask(question, "stdout", text, false, &[("scope".to_owned(), "a.b".to_owned())].into())
    }

    fn s(text: &str) -> String {
        text.to_owned()
    }

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| s(word)).collect()
    }

    #[test]
    fn every_question() {
        let set = |relation, items: &[&str]| Ask::Set(relation, words(items));
        for (question, holds, breaks, expected, actual) in [
            (Ask::Regex(s("^tmpfs$")), "a\ntmpfs\n", "cgroup2fs\n", "stdout matches /^tmpfs$/", "cgroup2fs"),
            (Ask::Regex(s("^@{scope}$")), "a.b", "axb", r"stdout matches /^a\.b$/", "axb"),
            (Ask::NotRegex(s("[0-9]")), "a", "a\nb1\n", "stdout does not match /[0-9]/", "line 2: b1"),
            (Ask::Contains(s("@{scope}")), "xa.by", "axb", "stdout contains `a.b`", "axb"),
            (Ask::NotContains(s("b")), "", "abc", "stdout does not contain `b`", "abc"),
            (Ask::Equals(s("a b")), "\na b \n", "a  b", "stdout is `a b`", "a  b"),
            (Ask::Empty(true), " \n", "x", "stdout is empty", "x"),
            (Ask::Empty(false), "x", "\n", "stdout is not empty", "nothing"),
            (Ask::Lines(2, Some(2)), "a\nb\n", "a\n", "stdout has 2 lines", "1 line:\na"),
            (Ask::Lines(1, None), "a", "\n", "stdout has at least 1 line", "0 lines"),
            (Ask::Lines(0, Some(1)), "", "a\nb", "stdout has at most 1 line", "2 lines:\na\nb"),
            (Ask::Lines(1, Some(2)), "a\nb", "", "stdout has 1 to 2 lines", "0 lines"),
            (
                set(SetRelation::AtLeast, &["memory", "pids"]),
                "pids cpu memory",
                "cpu\nio",
                "stdout holds at least {memory, pids}",
                "missing memory, pids in {cpu, io}",
            ),
            (
                set(SetRelation::Equal, &["a b", ""]),
                "b a a",
                "b c",
                "stdout holds exactly {a, b}",
                "missing a; extra c in {b, c}",
            ),
            (set(SetRelation::AtMost, &["a"]), "", "a c", "stdout holds at most {a}", "extra c in {a, c}"),
            (
                set(SetRelation::NoneOf, &["a", "@{scope}"]),
                "b",
                "a.b",
                "stdout holds none of {a, a.b}",
                "extra a.b in {a.b}",
            ),
        ] {
            assert!(asked(&question, holds).held, "{question:?}");
            let broken = Answer { held: false, expected: s(expected), actual: s(actual) };
            assert_eq!(asked(&question, breaks), broken, "{question:?}");
        }
    }

    #[test]
    fn of_a_text_that_was_cut_only_that_is_known_which_more_text_would_not_change() {
        let words = || vec![s("a")];
        for (question, held) in [
            (Ask::Contains(s("a")), true),
            (Ask::Regex(s("a")), true),
            (Ask::Set(SetRelation::AtLeast, words()), true),
            (Ask::Lines(1, None), true),
            (Ask::Empty(false), true),
            (Ask::NotContains(s("b")), false),
            (Ask::NotRegex(s("b")), false),
            (Ask::Lines(1, Some(1)), false),
            (Ask::Equals(s("a")), false),
            (Ask::Golden(crate::judge::testkit::golden("s")), false),
            (Ask::Set(SetRelation::AtMost, words()), false),
            (Ask::Contains(s("b")), false),
        ] {
            let answer = ask(&question, "stdout", "a", true, &[].into());
            assert_eq!(answer.held, held, "{question:?}");
            assert_eq!(!held, answer.actual.starts_with("can't be known: stdout was longer"), "{question:?}");
        }
        let broke = ask(&Ask::NotContains(s("a")), "stdout", "a", true, &[].into());
        assert_eq!((broke.held, broke.actual.as_str()), (false, "a"));
    }

    #[test]
    fn what_cannot_be_asked_does_not_hold() {
        for question in [Ask::NotRegex(s("@{who}")), Ask::NotContains(s("@{who}")), Ask::Equals(s("@{who}"))] {
            let answer = asked(&question, "x");
            assert!(!answer.held);
            assert_eq!(answer.actual, "can't be judged: `who` was not captured by any step");
        }
        assert!(!asked(&Ask::Set(SetRelation::NoneOf, words(&["@{who}"])), "").held);
        assert_eq!(asked(&Ask::NotRegex(s("(")), "x").actual, "can't be judged: the pattern: unclosed group");
        assert!(!asked(&Ask::NotRegex(s("(")), "x").held);
    }

    proptest! {
        #[test]
        fn opposites_are_opposite(text in "[ab\n]{0,8}", wanted in "[ab]{1,3}") {
            let held = |question: &Ask<String>| asked(question, &text).held;
            prop_assert_eq!(held(&Ask::Contains(wanted.clone())), !held(&Ask::NotContains(wanted.clone())));
            prop_assert_eq!(held(&Ask::Regex(wanted.clone())), !held(&Ask::NotRegex(wanted.clone())));
            prop_assert_eq!(held(&Ask::Contains(wanted.clone())), held(&Ask::Regex(wanted)));
        }

        #[test]
        fn a_set_equals_what_is_at_least_and_at_most(
            text in "([a-d] ){0,5}",
            items in prop::collection::vec("[a-d]", 0..5),
        ) {
            let held = |relation| asked(&Ask::Set(relation, items.clone()), &text).held;
            prop_assert_eq!(held(SetRelation::Equal), held(SetRelation::AtLeast) && held(SetRelation::AtMost));
            let none = items.iter().all(|item| !text.contains(item.as_str()));
            prop_assert_eq!(held(SetRelation::NoneOf), none);
            prop_assert!(!items.is_empty() || held(SetRelation::AtLeast));
        }
    }
}
