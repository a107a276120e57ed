//! From two sides to groups of differences and what explains each. Pure.

use std::collections::BTreeMap;

use super::model::{Comparison, Fact, Group, OneSided, Pair, TextPair};
use super::side::{Case, Side};
use crate::golden::{Condition, Coordinates, minimise};

/// Stands for a case that does not differ: before any other text, as among equally common texts the first is the base.
const SAME: &str = "";

/// How two results of a case differ.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Difference {
    verdict: Pair,
    boot: Option<Pair>,
    deciding_line: Option<Pair>,
    texts: Vec<TextPair>,
}

/// Compares the cases that ran on both sides.
#[must_use]
pub fn compare(a: &Side, b: &Side) -> Comparison {
    let mut found: BTreeMap<Difference, Vec<&str>> = BTreeMap::new();
    let mut errors = Reasons::default();
    let mut both: Vec<(&str, &Case)> = Vec::new();
    for (id, case) in &a.cases {
        let Some(other) = b.cases.get(id) else { continue };
        match [(a, case), (b, other)].iter().find(|(_, case)| case.verdict == "error") {
            Some((side, failed)) => errors.add(id, format!("error on {}: {}", side.name, failed.detail)),
            None => {
                both.push((id, case));
                if let Some(difference) = difference(case, other) {
                    found.entry(difference).or_default().push(id);
                }
            }
        }
    }
    let mut groups: Vec<(Difference, Vec<&str>)> = found.into_iter().collect();
    groups.sort_by(|(_, one), (_, other)| one.cmp(other));
    let conditions = explain(&both, &groups);
    let groups = groups.into_iter().zip(conditions).map(|((difference, ids), (conditions, except))| {
        let any = |list: &[Condition], at: &Coordinates| list.iter().any(|condition| condition.matches(at));
        let matches = |at: &Coordinates| any(&conditions, at) && !any(&except, at);
        let Difference { verdict, boot, deciding_line, texts } = difference;
        Group {
            matching: both.iter().filter(|(_, case)| matches(&case.at)).count(),
            when: conditions.iter().map(phrase).collect(),
            except: except.iter().map(phrase).collect(),
            cases: ids.into_iter().map(ToOwned::to_owned).collect(),
            verdict,
            boot,
            deciding_line,
            texts,
        }
    });
    Comparison {
        sides: Pair { a: a.name.clone(), b: b.name.clone() },
        facts: facts(a, b),
        compared: both.len(),
        groups: groups.collect(),
        only_a: only(a, b),
        only_b: only(b, a),
        errors: errors.list(),
    }
}

fn difference(a: &Case, b: &Case) -> Option<Difference> {
    let boots = (&a.boot, &a.deciding_line) != (&b.boot, &b.deciding_line);
    let pair = |a: &Option<String>, b: &Option<String>| {
        let word = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
        Pair { a: word(a), b: word(b) }
    };
    let same_boot = a.boot == b.boot;
    let steps: std::collections::BTreeSet<&String> = a.texts.keys().chain(b.texts.keys()).collect();
    let texts: Vec<TextPair> = steps
        .into_iter()
        .map(|step| TextPair { step: step.clone(), a: a.texts.get(step).cloned(), b: b.texts.get(step).cloned() })
        .filter(|text| text.a != text.b)
        // A boot that broke on one side has no steps there: its outcome says it all.
        .filter(|text| same_boot || (text.a.is_some() && text.b.is_some()))
        .collect();
    if a.verdict == b.verdict && !boots && texts.is_empty() {
        return None;
    }
    Some(Difference {
        verdict: Pair { a: a.verdict.clone(), b: b.verdict.clone() },
        boot: boots.then(|| pair(&a.boot, &b.boot)),
        deciding_line: boots.then(|| pair(&a.deciding_line, &b.deciding_line)),
        texts,
    })
}

/// The conditions of each group, and what is taken out of one that holds everywhere: those that the minimiser finds for texts that say how a case differs.
fn explain(both: &[(&str, &Case)], groups: &[(Difference, Vec<&str>)]) -> Vec<(Vec<Condition>, Vec<Condition>)> {
    let group_of: BTreeMap<&str, usize> =
        groups.iter().enumerate().flat_map(|(number, (_, ids))| ids.iter().map(move |id| (*id, number))).collect();
    // Numbers in the order of the cases and not the differences' own words: they are the same seen from either side.
    let text = |id: &str| group_of.get(id).map_or_else(|| SAME.to_owned(), |number| format!("{number:06}"));
    let seen: Vec<(Coordinates, String)> = both.iter().map(|(id, case)| (case.at.clone(), text(id))).collect();
    // Where no short condition is found the cases' names must do.
    let found = minimise(&seen).unwrap_or_default();
    let of = |number: usize| {
        let text = format!("{number:06}");
        let (own, others): (Vec<_>, Vec<_>) = found.iter().partition(|(_, seen)| **seen == text);
        let conditions =
            |list: Vec<(&Condition, &String)>| list.into_iter().map(|(c, _)| c.clone()).collect::<Vec<_>>();
        let own = conditions(own);
        let everywhere = own.iter().any(|condition| condition.specificity() == 0);
        (own, if everywhere { conditions(others) } else { Vec::new() })
    };
    (0..groups.len()).map(of).collect()
}

/// `axis=value, axis=value+value`, the scenario last; empty for the condition that holds everywhere.
fn phrase(condition: &Condition) -> String {
    let mut parts: Vec<(bool, String)> = condition
        .values()
        .iter()
        .map(|(axis, values)| {
            let values = values.iter().map(String::as_str).collect::<Vec<_>>().join("+");
            (axis == "scenario", format!("{axis}={values}"))
        })
        .collect();
    parts.sort();
    parts.into_iter().map(|(_, part)| part).collect::<Vec<_>>().join(", ")
}

fn facts(a: &Side, b: &Side) -> Vec<Fact> {
    let names: std::collections::BTreeSet<&String> = a.facts.keys().chain(b.facts.keys()).collect();
    let value = |side: &Side, name: &String| side.facts.get(name).cloned().unwrap_or_else(|| "unknown".to_owned());
    names
        .into_iter()
        .map(|name| Fact { name: name.clone(), values: Pair { a: value(a, name), b: value(b, name) } })
        .filter(|fact| fact.values.a != fact.values.b)
        .collect()
}

/// Cases by reason.
#[derive(Default)]
struct Reasons(BTreeMap<String, Vec<String>>);

impl Reasons {
    fn add(&mut self, id: &str, reason: String) {
        self.0.entry(reason).or_default().push(id.to_owned());
    }

    /// The most frequent first.
    fn list(self) -> Vec<OneSided> {
        let mut list: Vec<_> = self.0.into_iter().map(|(reason, cases)| OneSided { reason, cases }).collect();
        list.sort_by_key(|one| std::cmp::Reverse(one.cases.len()));
        list
    }
}

/// The cases that ran here and not there, by the reason that the other side gives.
fn only(here: &Side, there: &Side) -> Vec<OneSided> {
    let mut reasons = Reasons::default();
    for id in here.cases.keys().filter(|id| !there.cases.contains_key(*id)) {
        let reason = there.left_out.get(id).cloned().unwrap_or_else(|| "not among its cases".to_owned());
        reasons.add(id, reason);
    }
    reasons.list()
}

#[cfg(test)]
mod tests;
