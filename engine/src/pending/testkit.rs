//! Small runs for the tests of this folder.

use super::{Entry, Item, Pending, Seen, collect};
use crate::facts::Facts;
use crate::golden::{Condition, RecordedHost};
use crate::judge::{CaseResult, GoldenKey, GoldenState, Observed, Varied, Verdict};
use crate::plan::CaseId;
use crate::scenario::model::Stream;

pub(super) fn key() -> GoldenKey {
    GoldenKey { scenario: "s".into(), folder: "g".into() }
}

/// One case that printed one text.
pub(super) struct Run {
    axes: String,
    text: String,
    golden: GoldenState,
    runs: u32,
    other: Option<String>,
    host: String,
    broken: Option<String>,
}

impl Run {
    pub(super) fn of(axes: &str, text: &str) -> Self {
        let (axes, text, host) = (axes.to_owned(), text.to_owned(), "lab".to_owned());
        Self { axes, text, golden: GoldenState::New, runs: 1, other: None, host, broken: None }
    }

    pub(super) fn recorded(mut self, text: &str) -> Self {
        self.golden = GoldenState::Recorded { file: "s/g/base.txt".into(), text: text.into() };
        self
    }

    pub(super) fn runs(mut self, runs: u32) -> Self {
        self.runs = runs;
        self
    }

    pub(super) fn varied(mut self, other: &str) -> Self {
        self.other = Some(other.into());
        self
    }

    pub(super) fn broken(mut self, why: &str) -> Self {
        self.broken = Some(why.into());
        self
    }

    pub(super) fn on(mut self, host: &str) -> Self {
        self.host = host.into();
        self
    }

    pub(super) fn into(self, pending: &mut Pending) {
        let facts = Facts { name: self.host, ..Facts::assumed() };
        let mut at = Condition::parse(&self.axes).unwrap().single().unwrap();
        at.extend(RecordedHost::of(&facts).coordinates());
        let result = CaseResult {
            id: CaseId(format!("s[{}]", self.axes)),
            scenario: "s".into(),
            title: "t".into(),
            point: [].into_iter().collect(),
            host: facts.name.clone(),
            verdict: Verdict::Fail,
            judgements: vec![],
            boot: None,
            steps: vec![],
            observed: vec![Observed { key: key(), stream: Stream::Stdout, raw: self.text.clone(), text: self.text }],
            rules: [].into(),
            took: std::time::Duration::ZERO,
            by_hand: "docker run x".into(),
            recipe: Default::default(),
            bundle: None,
        };
        let varied = self.other.map(|other| Varied { first: result.observed[0].clone(), other });
        let seen = Seen {
            result: &result,
            case: &result.id,
            at: &at,
            image: ("debian-12", "252"),
            facts: &facts,
            runs: self.runs,
            varied: varied.as_ref(),
            broken: self.broken.as_deref(),
        };
        collect(pending, [seen], |_, _, _| self.golden.clone(), "2026-01-01");
    }
}

/// The entries as items; `golden` says what is recorded by the value of the axis `a`.
pub(super) fn items(pending: &Pending, golden: impl Fn(&str) -> Option<String>) -> Vec<Item<'_>> {
    let item = |entry: &'_ Entry| golden(&entry.at["a"]).map(|text| ("s/g/base.txt".to_owned(), text));
    pending.entries.iter().map(|entry| Item { entry, text: entry.text.clone(), golden: item(entry) }).collect()
}
