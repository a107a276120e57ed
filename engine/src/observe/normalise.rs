//! Takes out of a text what differs from one run to the next without meaning anything, by named rules. Pure.
//!
//! A built-in rule puts a placeholder (`<id>`, `<pid>`, …) where something volatile stood, and only there: what a text
//! says (PID 1, the namespaces that a host starts with) stays. No rule matches a placeholder, and every match takes a digit
//! or a slash away, so applying the rules again changes nothing; the tests keep both.
//!
//! [`Form`] makes a golden's text: the rules, then what comparing demands (sorted lines, a table without its padding).
//! Every change is a value (what stood where, and what stands there now), so that [`Form::trace`] tells which rule did
//! what by the very way on which the text was made.

use regex::Regex;
use thiserror::Error;

use super::edit::{Edit, applied};
use super::{escape, pattern};
use crate::scenario::model::NormaliseRule;

mod form;
mod origin;
mod rules;
mod table;
mod tidy;
mod trace;

pub use form::Form;
pub use rules::{RULES, Rule, is_builtin};
pub use table::TableError;
pub(crate) use tidy::tidy;
pub use trace::{Cause, Change, Trace, TraceRow};

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
    /// The text: its lines end in LF and in nothing else that is white, and so does the text unless it is empty. It has no
    /// control character but line ends and tabs.
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
        let mut used = vec![false; self.steps.len()];
        let text = self.run(text, &mut |by, _| used_by(&mut used, by));
        Normalised { text, used: self.names(&used) }
    }

    /// Normalises a text and tells every change on the way.
    fn run(&self, text: &str, tell: &mut dyn FnMut(By, &[Edit])) -> String {
        let mut text = Changing { text: text.to_owned(), tell };
        text.replace(By::LineEnds, tidy::line_ends);
        for pass in 0..PASSES {
            let mut changed = false;
            for (at, (_, step)) in self.steps.iter().enumerate() {
                changed |= match step {
                    Step::Builtin(rule) => rule.run(By::Rule(at), &mut text),
                    Step::Own(pattern, by) if pass == 0 => {
                        text.replace(By::Rule(at), |text| own_edits(pattern, by, text))
                    }
                    Step::Own(..) => false,
                };
            }
            if !changed {
                break;
            }
        }
        text.replace(By::LineEnds, tidy::line_ends);
        text.replace(By::Unprintable, escape::steering);
        text.text
    }

    /// Takes terminal sequences out, if a rule here does: their width is none, so what looks at columns comes after it.
    fn run_ansi(&self, text: &str, tell: &mut dyn FnMut(By, &[Edit])) -> String {
        let mut text = Changing { text: text.to_owned(), tell };
        text.replace(By::LineEnds, tidy::line_ends);
        for (at, (_, step)) in self.steps.iter().enumerate() {
            if let Step::Builtin(rule) = step
                && rule.is_ansi()
            {
                rule.run(By::Rule(at), &mut text);
            }
        }
        text.replace(By::LineEnds, tidy::line_ends);
        text.text
    }

    /// The names of the rules that were used, in their order.
    fn names(&self, used: &[bool]) -> Vec<String> {
        self.steps.iter().zip(used).filter(|(_, used)| **used).map(|((name, _), _)| name.clone()).collect()
    }

    fn cause(&self, by: By) -> Cause {
        match by {
            By::LineEnds => Cause::LineEnds,
            By::Unprintable => Cause::Unprintable,
            By::Rule(at) => Cause::Rule(self.steps.get(at).map_or_else(String::new, |(name, _)| name.clone())),
        }
    }
}

/// What changes a text; rules by their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum By {
    LineEnds,
    Rule(usize),
    Unprintable,
}

fn used_by(used: &mut [bool], by: By) {
    if let By::Rule(at) = by
        && let Some(used) = used.get_mut(at)
    {
        *used = true;
    }
}

/// A text under way, and who is told of each of its changes.
struct Changing<'t> {
    text: String,
    tell: &'t mut dyn FnMut(By, &[Edit]),
}

impl Changing<'_> {
    /// Replaces the parts that were found; whether that changed anything.
    fn replace(&mut self, by: By, find: impl FnOnce(&str) -> Vec<Edit>) -> bool {
        let edits: Vec<Edit> = find(&self.text).into_iter().filter_map(|edit| edit.trimmed(&self.text)).collect();
        if edits.is_empty() {
            return false;
        }
        (self.tell)(by, &edits);
        self.text = applied(&self.text, &edits);
        true
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

fn own_edits(pattern: &Regex, by: &str, text: &str) -> Vec<Edit> {
    let edit = |groups: regex::Captures<'_>| {
        let mut written = String::new();
        groups.expand(by, &mut written);
        groups.get(0).map(|whole| Edit { at: whole.range(), by: written })
    };
    pattern.captures_iter(text).filter_map(edit).collect()
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
                "\u{0}",
                "\u{9b}",
                "\u{200b}",
                "\\",
                "x",
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
