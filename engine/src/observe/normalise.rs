//! Takes out of a text what differs from one run to the next without meaning anything, by named rules. Pure.
//!
//! A built-in rule puts a placeholder (`<id>`, `<pid>`, …) where something volatile stood, and only there: what a text
//! says (PID 1, the namespaces that a host starts with) stays. No rule matches a placeholder, and every match takes a digit
//! or a slash away, so applying the rules again changes nothing; the tests keep both.

use std::borrow::Cow;

use regex::Regex;
use thiserror::Error;

use super::pattern;
use crate::scenario::model::NormaliseRule;

mod rules;

pub use rules::{RULES, Rule, is_builtin};

/// Passes of the built-in rules over one text: each takes something away, and what one leaves another may still match.
const PASSES: usize = 16;

/// Why rules can't be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NormaliseError {
    /// A rule that there is not.
    #[error("no normalising rule is called `{name}`; there are: {}", .known.join(", "))]
    Unknown {
        /// The name.
        name: String,
        /// All names that there are.
        known: Vec<String>,
    },
    /// A pattern that is none.
    #[error("the pattern of the normalising rule `{name}` can't be used: {reason}")]
    Pattern {
        /// The rule.
        name: String,
        /// Why.
        reason: String,
    },
}

/// A text after normalising.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Normalised {
    /// The text: its lines end in LF and in nothing else that is white, and so does the text unless it is empty.
    pub text: String,
    /// The rules that changed something, in the order in which they were named.
    pub used: Vec<String>,
}

/// Rules, ready to use.
#[derive(Debug, Clone)]
pub struct Normaliser {
    steps: Vec<(String, Step)>,
}

#[derive(Debug, Clone)]
enum Step {
    Builtin(&'static Rule),
    Own(Regex, String),
}

impl Normaliser {
    /// The rules of these names, in this order: a scenario's own, or else built-in ones.
    ///
    /// # Errors
    /// A name that neither has, or a pattern that can't be used.
    pub fn new(names: &[String], own: &[NormaliseRule]) -> Result<Self, NormaliseError> {
        let step = |name: &String| {
            if let Some(rule) = own.iter().find(|rule| rule.name == *name) {
                return Ok((name.clone(), own_step(rule)?));
            }
            let rule = RULES.iter().find(|rule| rule.name == name).ok_or_else(|| NormaliseError::Unknown {
                name: name.clone(),
                known: RULES
                    .iter()
                    .map(|rule| rule.name.to_owned())
                    .chain(own.iter().map(|r| r.name.clone()))
                    .collect(),
            })?;
            Ok((name.clone(), Step::Builtin(rule)))
        };
        Ok(Self { steps: names.iter().map(step).collect::<Result<_, _>>()? })
    }

    /// Every built-in rule.
    #[must_use]
    pub fn builtin() -> Self {
        Self { steps: RULES.iter().map(|rule| (rule.name.to_owned(), Step::Builtin(rule))).collect() }
    }

    /// Normalises a text. With built-in rules alone, doing so twice is doing so once; an own rule is applied once.
    #[must_use]
    pub fn apply(&self, text: &str) -> Normalised {
        let mut text = tidy(text);
        let mut used = vec![false; self.steps.len()];
        for pass in 0..PASSES {
            let mut changed = false;
            for (at, (_, step)) in self.steps.iter().enumerate() {
                let after = match step {
                    Step::Builtin(rule) => rule.apply(&text),
                    Step::Own(pattern, by) if pass == 0 => pattern.replace_all(&text, by.as_str()),
                    Step::Own(..) => continue,
                };
                if let Cow::Owned(after) = after
                    && after != text
                {
                    text = after;
                    used[at] = true;
                    changed = true;
                }
            }
            if !changed {
                break;
            }
        }
        let used = self.steps.iter().zip(used).filter(|(_, used)| *used).map(|((name, _), _)| name.clone()).collect();
        Normalised { text: tidy(&text), used }
    }
}

fn own_step(rule: &NormaliseRule) -> Result<Step, NormaliseError> {
    let refused = |reason: String| NormaliseError::Pattern { name: rule.name.clone(), reason };
    let pattern = pattern::author(&rule.regex).map_err(refused)?;
    if pattern.is_match("") {
        return Err(refused("it matches the empty text".to_owned()));
    }
    Ok(Step::Own(pattern, rule.replace.clone()))
}

/// Line ends are LF, no line ends in white space, and the text ends in one line end unless it is empty.
pub(crate) fn tidy(text: &str) -> String {
    let mut tidy = String::with_capacity(text.len() + 1);
    for part in text.split('\n').flat_map(|line| line.trim_end().split('\r')) {
        tidy.push_str(part.trim_end());
        tidy.push('\n');
    }
    let end = tidy.trim_end().len();
    tidy.truncate(end);
    if end > 0 {
        tidy.push('\n');
    }
    tidy
}

#[cfg(test)]
mod tests {
    use super::{NormaliseError, Normaliser, RULES};
    use crate::scenario::model::NormaliseRule;
    use proptest::prelude::{prop, prop_assert_eq, prop_oneof, proptest};
    use proptest::strategy::{Just, Strategy};

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn own(name: &str, regex: &str, replace: &str) -> NormaliseRule {
        NormaliseRule { name: name.to_owned(), regex: regex.to_owned(), replace: replace.to_owned() }
    }

    #[test]
    fn rules_say_whether_they_were_used() {
        let normaliser = Normaliser::new(&names(&["ids", "pids", "times"]), &[]).unwrap();
        let normalised = normaliser.apply("pid 42\nwaited 3s\n");
        assert_eq!(normalised.text, "pid <pid>\nwaited <time>\n");
        assert_eq!(normalised.used, ["pids", "times"]);
        assert_eq!(normaliser.apply("plain").used, [""; 0]);
    }

    #[test]
    fn own_rules_come_in_their_place_and_once() {
        let rules = [own("ids", "x", "xx"), own("scope", r"^session-\d+$", "session-N")];
        let normaliser = Normaliser::new(&names(&["scope", "ids", "pids"]), &rules).unwrap();
        let normalised = normaliser.apply("session-12\nx pid 5");
        assert_eq!(normalised.text, "session-N\nxx pid <pid>\n", "an own rule replaces the built-in one of its name");
        assert_eq!(normalised.used, ["scope", "ids", "pids"]);
    }

    #[test]
    fn bad_rules_are_refused() {
        let error = Normaliser::new(&names(&["id"]), &[own("mine", "a", "b")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "no normalising rule is called `id`; there are: ansi, cgroup, ids, pids, times, sizes, paths, mine"
        );
        for (regex, reason) in [("(", "unclosed group"), ("a*", "it matches the empty text")] {
            let error = Normaliser::new(&names(&["mine"]), &[own("mine", regex, "b")]).unwrap_err();
            assert_eq!(error, NormaliseError::Pattern { name: "mine".to_owned(), reason: reason.to_owned() });
        }
    }

    #[test]
    fn text_is_tidied_without_any_rule() {
        let normaliser = Normaliser::new(&[], &[]).unwrap();
        for (text, tidy) in
            [("", ""), (" \n\r\n", ""), ("a", "a\n"), ("  a \t\r\r\nb\rc\n\n\n", "  a\nb\nc\n"), ("\na", "\na\n")]
        {
            assert_eq!(normaliser.apply(text).text, tidy, "{text:?}");
        }
    }

    fn text() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            "[0-9a-f]{12}",
            "[0-9a-f]{32}",
            "[0-9a-f]{64}",
            "[0-9]{1,13}",
            "[a-z:/\\[\\]=<>. ,-]{1,4}",
            "[0-9.]{1,4}(s|ms|min|h|K|kB| kB|MiB|B| seconds)",
            "[0-9]{2}:[0-9]{2}:[0-9]{2}",
            prop::sample::select(vec![
                "<id>",
                "<pid>",
                "<time>",
                "<size>",
                "<path>",
                "pid",
                "PID ",
                "MainPID=",
                "/proc/",
                "\u{1b}[0;1m",
                "\u{1b}[",
                "\r",
                "\n",
                " ",
                "\t",
                "/var/lib/docker/",
                "upperdir=",
                "size=",
                "cgroup:[",
                "]",
                "systemd[",
                "]:",
                "2026-08-01",
                "T",
                "Z",
                "Aug  1 ",
                "/overlay2/",
                "systemd-private-",
                "é",
            ])
            .prop_map(str::to_owned),
        ];
        prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn twice_is_once(
            text in text(),
            rules in prop_oneof![Just(RULES.len()), 0..=RULES.len()].prop_flat_map(|n| prop::sample::subsequence((0..RULES.len()).collect::<Vec<_>>(), n)).prop_shuffle(),
        ) {
            let rules: Vec<_> = rules.iter().map(|at| RULES[*at].name.to_owned()).collect();
            let normaliser = Normaliser::new(&rules, &[]).unwrap();
            let once = normaliser.apply(&text);
            let twice = normaliser.apply(&once.text);
            prop_assert_eq!(&twice.text, &once.text);
            prop_assert_eq!(twice.used, [""; 0]);
        }

        #[test]
        fn text_without_anything_volatile_stays(text in "([a-z]{1,9}[ :=/.-]){0,9}[a-z]") {
            prop_assert_eq!(Normaliser::builtin().apply(&text).text, format!("{text}\n"));
        }
    }
}
