//! What differs between a case and its neighbour: the console where the boots differ, and the steps' outputs. Pure.

use std::collections::HashMap;

use indexmap::IndexMap;

use crate::compare::document::{Ran, outcome};
use crate::observe::normalise::Normaliser;
use crate::report::diff;

/// So many lines of a text are compared: what differs shows early, and a page of thousands of cases is to be made soon.
const COMPARED: usize = 400;
/// So many lines of a difference are kept.
const LINES: usize = 60;
/// So many differences between two cases are kept.
const DIFFS: usize = 3;
/// So many different differences are made; cases after that name their neighbours without one.
const MOST: usize = 3000;

/// What is compared of a case.
pub(super) struct Seen<'a> {
    boot: Option<String>,
    console: &'a str,
    outputs: IndexMap<&'a str, &'a str>,
}

impl<'a> Seen<'a> {
    pub(super) fn of(ran: &'a Ran) -> Self {
        let printed = ran.steps.iter().filter_map(|step| Some((step.name.as_str(), step.runs.last()?.stdout.as_str())));
        let mut outputs: IndexMap<&str, &str> = printed.collect();
        // What goldens compare has lost what differs between any two runs.
        outputs.extend(ran.observed.iter().map(|seen| (seen.key.folder.as_str(), seen.text.as_str())));
        let boot = ran.boot.as_ref();
        Self {
            boot: boot.map(|boot| outcome(&boot.outcome)),
            console: boot.map_or("", |boot| boot.console.as_str()),
            outputs,
        }
    }
}

/// Makes differences, each once.
pub(super) struct Differ {
    normaliser: Normaliser,
    normal: HashMap<String, String>,
    made: HashMap<[String; 4], Option<String>>,
}

impl Default for Differ {
    fn default() -> Self {
        Self { normaliser: Normaliser::builtin(), normal: HashMap::new(), made: HashMap::new() }
    }
}

impl Differ {
    /// What differs between two cases that are called so: its name, and the difference.
    pub(super) fn between(&mut self, own: (&str, &Seen<'_>), other: (&str, &Seen<'_>)) -> Vec<(String, String)> {
        let ((name, seen), (other_name, other)) = (own, other);
        let mut found = Vec::new();
        if seen.boot != other.boot {
            found.extend(self.one("console", (name, seen.console), (other_name, other.console)));
        }
        for (step, text) in &seen.outputs {
            let Some(other) = other.outputs.get(step).filter(|_| found.len() < DIFFS) else { continue };
            found.extend(self.one(&format!("step {step}"), (name, text), (other_name, other)));
        }
        found
    }

    fn one(&mut self, what: &str, a: (&str, &str), b: (&str, &str)) -> Option<(String, String)> {
        let texts = [self.normal(a.1), self.normal(b.1)];
        if texts[0] == texts[1] {
            return None;
        }
        let [one, other] = texts;
        let key = [a.0.to_owned(), one, b.0.to_owned(), other];
        if !self.made.contains_key(&key) && self.made.len() >= MOST {
            return None;
        }
        let made = self.made.entry(key).or_insert_with_key(|[a, one, b, other]| Some(text((a, one), (b, other))));
        made.clone().map(|text| (what.to_owned(), text))
    }

    fn normal(&mut self, text: &str) -> String {
        if let Some(known) = self.normal.get(text) {
            return known.clone();
        }
        let normal = super::words::log(&self.normaliser.apply(text).text);
        self.normal.insert(text.to_owned(), normal.clone());
        normal
    }
}

/// The difference of two texts, as lines that begin with their sign.
pub(super) fn text(a: (&str, &str), b: (&str, &str)) -> String {
    let head = |text: &str| text.split_inclusive('\n').take(COMPARED).collect::<String>();
    let lines = diff::between((a.0, &head(a.1)), (b.0, &head(b.1)), None);
    let more = lines.len().saturating_sub(LINES);
    let mut text =
        lines.iter().take(LINES).map(|line| format!("{}\n", anstream::adapter::strip_str(line))).collect::<String>();
    if more > 0 {
        text.push_str(&format!("… {more} more lines\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen<'a>(boot: &str, console: &'a str, out: &'a str) -> Seen<'a> {
        Seen { boot: Some(boot.into()), console, outputs: [("s", out)].into() }
    }

    #[test]
    fn the_console_is_told_where_the_boots_differ() {
        let (up, down) = (seen("running", "one\ntwo\n", "same\n"), seen("exited(255)", "one\n\x1b[1mno\n", "same\n"));
        let found = Differ::default().between(("ns=host", &up), ("ns=private", &down));
        assert_eq!(found.len(), 1);
        insta::assert_snapshot!(found[0].1, @r"
        --- ns=host
        +++ ns=private
        @@ -1,2 +1,2 @@
         one
        -two
        +no
        ");
        let same = seen("running", "elsewhere", "same\n");
        assert!(Differ::default().between(("a", &up), ("b", &same)).is_empty());
    }

    #[test]
    fn outputs_are_told_without_what_is_random() {
        let id = "0123456789abcdef".repeat(4);
        let (one, other) = (format!("/docker/{id}/x\n"), "/docker/x\n");
        let found = Differ::default().between(("a", &seen("running", "", &one)), ("b", &seen("running", "", other)));
        assert!(found[0].0 == "step s" && found[0].1.contains("<container>") && !found[0].1.contains(&id), "{found:?}");
    }

    #[test]
    fn a_long_difference_says_that_there_is_more() {
        let many = |word: &str| (0..300).map(|i| format!("{word} {i}\n")).collect::<String>();
        let found = text(("a", &many("x")), ("b", &many("y")));
        assert_eq!(found.lines().count(), LINES + 1);
        assert!(found.ends_with(" more lines\n"), "{found}");
    }
}
