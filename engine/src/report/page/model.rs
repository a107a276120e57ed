//! What a page shows, as values: each text, boot, step and judgement once, and cases that point to them by number. It is
//! the JSON that the page's script reads.

use std::collections::HashMap;
use std::hash::Hash;

use serde::Serialize;

/// All of a page.
#[derive(Debug, Clone, Serialize)]
pub struct Page {
    /// The version of the program that makes it.
    pub version: &'static str,
    /// The reports that it is made of.
    pub sources: Vec<String>,
    /// What a reader must know of how they were put together.
    pub notices: Vec<String>,
    /// The marks of verdicts; cases name them by number.
    pub marks: Vec<MarkView>,
    /// The hosts.
    pub hosts: Vec<HostView>,
    /// The axes, the host and the scenario among them.
    pub axes: Vec<AxisView>,
    /// The scenarios' questions, in the order of the axis `scenario`.
    pub titles: Vec<String>,
    /// All tags.
    pub tags: Vec<String>,
    /// All longer texts.
    pub texts: Vec<String>,
    /// All judgements.
    pub judgements: Vec<JudgementView>,
    /// All boots.
    pub boots: Vec<BootView>,
    /// All steps.
    pub steps: Vec<StepView>,
    /// All cases.
    pub cases: Vec<CaseView>,
}

/// What a verdict looks like.
#[derive(Debug, Clone, Serialize)]
pub struct MarkView {
    /// Its word.
    pub word: &'static str,
    /// Its symbol.
    pub symbol: &'static str,
    /// Whether a case with it has run.
    pub ran: bool,
    /// Whether it counts among what a cell is alarmed by.
    pub bad: bool,
    /// The worst mark of a cell is the one of the highest rank.
    pub rank: usize,
}

/// A host.
#[derive(Debug, Clone, Serialize)]
pub struct HostView {
    /// Its name.
    pub name: String,
    /// What it is, in a line.
    pub what: String,
    /// Why it was used, or could not be.
    pub why: String,
    /// Its facts.
    pub facts: Vec<(String, String)>,
}

/// An axis.
#[derive(Debug, Clone, Serialize)]
pub struct AxisView {
    /// Its name.
    pub name: String,
    /// Its values in the order of rows.
    pub values: Vec<String>,
}

/// What one expectation says. Texts by number.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct JudgementView {
    /// `boot`, or the step.
    pub subject: String,
    /// What was judged, in words.
    pub kind: String,
    /// Whether it held.
    pub held: bool,
    /// `fail` or `warn`.
    pub level: String,
    /// What was expected.
    pub expected: usize,
    /// What was seen.
    pub actual: usize,
    /// The difference, where a golden's text differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<usize>,
    /// Where the expectation was written.
    pub place: String,
}

/// A boot.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct BootView {
    /// What it came to.
    pub outcome: String,
    /// Whether systemd came up.
    pub up: bool,
    /// How long it took.
    pub took: String,
    /// The line that decided it.
    pub deciding: Option<String>,
    /// The console log.
    pub console: usize,
    /// The line of the console log that is the deciding one, counted from 0.
    pub marked: Option<usize>,
    /// Whether the console log was cut.
    pub cut: bool,
    /// The setup script's log.
    pub setup: Option<usize>,
    /// The line of the setup script's log that is the deciding one.
    pub setup_marked: Option<usize>,
    /// Flags that were not applied.
    pub not_applied: Vec<String>,
    /// The container's cgroup mounts: where they were seen, and the text.
    pub mounts: Vec<(String, usize)>,
}

/// A step.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct StepView {
    /// Its name.
    pub name: String,
    /// What it does.
    pub command: Option<usize>,
    /// How each run of it ended, or why there was none.
    pub ended: String,
    /// Standard output of the run that is shown.
    pub stdout: Option<usize>,
    /// Standard error of the run that is shown.
    pub stderr: Option<usize>,
    /// Whether any of them was cut.
    pub cut: bool,
}

/// A case.
#[derive(Debug, Clone, Serialize)]
pub struct CaseView {
    /// Its name.
    pub id: String,
    /// Its value of each axis, by number; `None` where it has no such axis.
    pub at: Vec<Option<usize>>,
    /// The verdict's mark.
    pub mark: usize,
    /// What the verdict says besides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<usize>,
    /// Its tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<usize>,
    /// Its boot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boot: Option<usize>,
    /// Its judgements.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub judgements: Vec<usize>,
    /// Its steps.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<usize>,
    /// The command line that repeats the boot, and that of the other engine's program.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub by_hand: Vec<usize>,
    /// The folder with its evidence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bundle: Option<String>,
    /// The cases next to it that came to something else.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub flips: Vec<FlipView>,
}

/// A case that differs in one axis, and in what came of it.
#[derive(Debug, Clone, Serialize)]
pub struct FlipView {
    /// The axis; a second one where it has to differ too.
    pub axes: Vec<usize>,
    /// The other case.
    pub to: usize,
    /// What differs: its name, and the text of the difference.
    pub diffs: Vec<(String, usize)>,
}

/// Values that are kept once each.
#[derive(Debug)]
pub(super) struct Pool<T> {
    values: Vec<T>,
    known: HashMap<T, usize>,
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self { values: Vec::new(), known: HashMap::new() }
    }
}

impl<T: Clone + Eq + Hash> Pool<T> {
    /// The value's number.
    pub(super) fn put(&mut self, value: T) -> usize {
        if let Some(number) = self.known.get(&value) {
            return *number;
        }
        let number = self.values.len();
        self.values.push(value.clone());
        self.known.insert(value, number);
        number
    }

    /// The value of a number.
    pub(super) fn get(&self, number: usize) -> Option<&T> {
        self.values.get(number)
    }

    pub(super) fn into_values(self) -> Vec<T> {
        self.values
    }
}
