//! The user's filters: `--setup-mode a,b`, `--axis name=value`, `-k words`, `--tag name`.

use std::collections::BTreeSet;

use indexmap::IndexMap;

use super::cover::Select;
use crate::plan::Partition;
use crate::scenario::model::{Point, Scenario};

/// How many names a reason spells out.
const MOST_NAMES: usize = 8;

/// What the user asked to see; everything else is `filtered`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filters {
    /// Axis name to the values that stay. A scenario without the axis is left out.
    pub axes: IndexMap<String, Vec<String>>,
    /// Each entry is a line of words; a case stays where all words of one entry are in its id (`!word`: is not).
    pub names: Vec<String>,
    /// A scenario stays where it has one of these tags.
    pub tags: Vec<String>,
    /// How many of the cases that stay run.
    pub select: Select,
    /// Only these cases, by their ids.
    pub ids: Option<BTreeSet<String>>,
    /// Which share of what runs is this run's.
    pub partition: Option<Partition>,
}

/// A filter that no case could ever meet: the user's typing, not a selection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FilterError {
    /// What is wrong, in one line.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl Filters {
    /// Why a case is filtered, or `None` where it stays.
    #[must_use]
    pub fn leaves_out(&self, scenario: &Scenario, id: &str, point: &Point) -> Option<String> {
        if self.ids.as_ref().is_some_and(|ids| !ids.contains(id)) {
            return Some("rerun: not one of the cases to run again".to_owned());
        }
        if !self.tags.is_empty() && !self.tags.iter().any(|tag| scenario.tags.contains(tag)) {
            return Some(format!("--tag {}", self.tags.join(",")));
        }
        for (axis, wanted) in &self.axes {
            let stays = point.get(axis.as_str()).is_some_and(|value| wanted.contains(&value.to_string()));
            if !stays {
                return Some(format!("--axis {axis}={}", wanted.join(",")));
            }
        }
        let named = |line: &String| {
            line.split_whitespace().all(|word| match word.strip_prefix('!') {
                Some(word) => !id.contains(word),
                None => id.contains(word),
            })
        };
        if !self.names.is_empty() && !self.names.iter().any(named) {
            return Some(self.names_in_words());
        }
        None
    }

    /// `-k 'a' -k 'b'`: the first few of them, for a script may give very many.
    fn names_in_words(&self) -> String {
        let (shown, more) = self.names.split_at(self.names.len().min(MOST_NAMES));
        let shown = format!("-k '{}'", shown.join("' -k '"));
        if more.is_empty() { shown } else { format!("{shown} and {} more", more.len()) }
    }

    /// Checks that every axis, value and tag is one that some scenario has.
    ///
    /// # Errors
    /// The first that none has, with what there is.
    pub fn check(&self, scenarios: &[Scenario]) -> Result<(), FilterError> {
        for (axis, wanted) in &self.axes {
            let known: BTreeSet<String> = scenarios
                .iter()
                .filter_map(|s| s.matrix.axes.get(axis.as_str()))
                .flatten()
                .map(|entry| entry.value.to_string())
                .chain(
                    scenarios
                        .iter()
                        .flat_map(|s| &s.matrix.include)
                        .filter_map(|p| Some(p.get(axis.as_str())?.to_string())),
                )
                .collect();
            if known.is_empty() {
                let axes: BTreeSet<&str> =
                    scenarios.iter().flat_map(|s| s.matrix.axes.keys().map(|axis| axis.as_str())).collect();
                return Err(unknown("axis", axis, &axes));
            }
            for value in wanted {
                if !known.contains(value) {
                    let known = known.iter().map(String::as_str).collect();
                    return Err(unknown(&format!("value of the axis {axis}"), value, &known));
                }
            }
        }
        let tags: BTreeSet<&str> = scenarios.iter().flat_map(|s| s.tags.iter().map(String::as_str)).collect();
        match self.tags.iter().find(|tag| !tags.contains(tag.as_str())) {
            Some(tag) => Err(unknown("tag", tag, &tags)),
            None => Ok(()),
        }
    }
}

fn unknown(what: &str, name: &str, known: &BTreeSet<&str>) -> FilterError {
    let near = known.iter().map(|k| (strsim::jaro_winkler(name, k), *k)).max_by(|a, b| a.0.total_cmp(&b.0));
    let list = known.iter().copied().collect::<Vec<_>>().join(", ");
    FilterError {
        message: format!("no scenario has the {what} '{name}'"),
        help: match near {
            Some((likeness, near)) if likeness > 0.8 => format!("did you mean '{near}'? There are: {list}"),
            _ if known.is_empty() => "the scenarios given have none at all".into(),
            _ => format!("there are: {list}"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_names_are_counted() {
        let words = |count: usize| {
            let names = (1..=count).map(|n| format!("n{n}")).collect();
            Filters { names, ..Filters::default() }.names_in_words()
        };
        assert_eq!(words(2), "-k 'n1' -k 'n2'");
        assert!(words(8).ends_with(" -k 'n8'"));
        assert!(words(10).ends_with(" -k 'n8' and 2 more"));
    }
}
