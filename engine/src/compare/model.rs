//! What a comparison comes to. Plain values.

use serde::Serialize;

/// The same thing on both sides.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Pair {
    /// On the first side.
    pub a: String,
    /// On the second.
    pub b: String,
}

impl Pair {
    /// The same seen from the other side.
    #[must_use]
    pub fn mirrored(&self) -> Self {
        Self { a: self.b.clone(), b: self.a.clone() }
    }
}

/// A fact of the hosts that differs, and so may explain the rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// Its name.
    pub name: String,
    /// Its values.
    #[serde(flatten)]
    pub values: Pair,
}

/// A normalised text that differs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct TextPair {
    /// The step, with `.stderr` or `.console` for those streams.
    pub step: String,
    /// The text on the first side; `None` where it was not seen.
    pub a: Option<String>,
    /// The text on the second.
    pub b: Option<String>,
}

/// Cases that differ in one and the same way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    /// The conditions under which cases differ so, each as `axis=value, axis=value`; of several any holds. The empty
    /// one holds everywhere. Empty where no short condition tells these cases from others.
    pub when: Vec<String>,
    /// Conditions that are taken out of one that holds everywhere.
    pub except: Vec<String>,
    /// Cases that ran on both sides and for which one of the conditions holds, and no exception.
    pub matching: usize,
    /// The cases, sorted: at least one.
    pub cases: Vec<String>,
    /// The verdicts, the same on both sides or not.
    pub verdict: Pair,
    /// What the boots came to, where that differs.
    pub boot: Option<Pair>,
    /// The lines that decided the boots, where these or the outcomes differ.
    pub deciding_line: Option<Pair>,
    /// The texts that differ.
    pub texts: Vec<TextPair>,
}

/// Cases that have a result on one side only, for the same reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OneSided {
    /// Why the other side has none.
    pub reason: String,
    /// The cases, sorted.
    pub cases: Vec<String>,
}

/// Everything that a comparison found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// The names of the sides.
    pub sides: Pair,
    /// The facts that differ.
    pub facts: Vec<Fact>,
    /// Cases that ran on both sides.
    pub compared: usize,
    /// The differences, by the first case of each.
    pub groups: Vec<Group>,
    /// Cases that ran on the first side only.
    pub only_a: Vec<OneSided>,
    /// Cases that ran on the second side only.
    pub only_b: Vec<OneSided>,
    /// Cases that say nothing, as the environment failed on a side.
    pub errors: Vec<OneSided>,
}

impl Comparison {
    /// How many cases differ.
    #[must_use]
    pub fn differing(&self) -> usize {
        self.groups.iter().map(|group| group.cases.len()).sum()
    }

    /// How many cases of a list there are.
    #[must_use]
    pub fn count(list: &[OneSided]) -> usize {
        list.iter().map(|one| one.cases.len()).sum()
    }
}
