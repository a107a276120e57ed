//! What a case came of when it passed, and what of it differs now. Pure.

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::{Deserialize, Serialize};

use crate::facts::Facts;
use crate::images::Catalogue;
use crate::judge::Verdict;
use crate::plan::{CaseId, CasePlan, digest, sha256};

/// The version of the file's shape.
pub const VERSION: u32 = 1;

/// What begins the reason of a case that is left out because nothing of it differs.
const REASON: &str = "--changed: nothing differs since it passed on ";

/// All that a verdict depends on, each part as the first 16 digits of a SHA-256: enough to see that it differs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parts {
    /// The case as it is rendered: container, boot, steps and expectations.
    pub scenario: String,
    /// The texts that are recorded for it.
    pub goldens: String,
    /// The setup mode's script and what all of them share.
    pub setup_mode: String,
    /// The image as the host has it.
    pub image: String,
    /// The facts of the host.
    pub host: String,
    /// The program itself.
    pub program: String,
}

/// What all cases of a host have in common.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// The host's facts.
    pub facts: &'a Facts,
    /// The images and setup modes.
    pub catalogue: &'a Catalogue,
    /// The engine's ids of images, by name.
    pub images: &'a BTreeMap<String, String>,
    /// The program's own digest.
    pub program: &'a str,
}

impl Parts {
    /// The parts that a case has of its own, whatever host it runs on.
    #[must_use]
    pub fn of_case(case: &CasePlan, goldens: &impl Debug) -> Self {
        // How a value is shown may change between programs, which is a difference of its own.
        Self { scenario: short(&digest(case)), goldens: of(goldens), ..Self::default() }
    }

    /// With what the case has of its host.
    #[must_use]
    pub fn on(self, case: &CasePlan, origin: Origin<'_>) -> Self {
        let Origin { facts, catalogue, images, program } = origin;
        let image = &case.container.image;
        Self {
            setup_mode: of(&(catalogue.setup_modes.get(&case.container.setup_mode), &catalogue.setup_lib)),
            image: of(&(catalogue.images.get(image).map(|image| &image.content), images.get(image))),
            host: of(facts),
            program: short(program),
            ..self
        }
    }

    /// What differs from an earlier time, in words.
    #[must_use]
    pub fn differ_from(&self, before: &Self) -> Vec<&'static str> {
        [
            ("the scenario", &self.scenario, &before.scenario),
            ("a golden", &self.goldens, &before.goldens),
            ("the setup mode", &self.setup_mode, &before.setup_mode),
            ("the image", &self.image, &before.image),
            ("the host", &self.host, &before.host),
            ("sdc-engine itself", &self.program, &before.program),
        ]
        .into_iter()
        .filter_map(|(word, now, before)| (now != before).then_some(word))
        .collect()
    }
}

fn of(value: &impl Debug) -> String {
    short(&sha256(&format!("{value:?}")))
}

fn short(digits: &str) -> String {
    digits.chars().take(16).collect()
}

/// A case that passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passed {
    /// The day, in UTC.
    pub day: String,
    /// What it came of.
    #[serde(flatten)]
    pub parts: Parts,
}

/// The cases that passed when they last ran, by host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Green {
    pub(super) version: u32,
    hosts: BTreeMap<String, BTreeMap<CaseId, Passed>>,
}

impl Default for Green {
    fn default() -> Self {
        Self { version: VERSION, hosts: BTreeMap::new() }
    }
}

impl Green {
    /// Why a case is to be left out, or else why it is to run.
    ///
    /// # Errors
    /// What differs, in words; `never passed` where nothing is known of it.
    pub fn leave_out(&self, host: &str, id: &CaseId, case: &CasePlan, parts: &Parts) -> Result<String, String> {
        if !case.container.secrets.is_empty() {
            return Err("a secret may differ".into());
        }
        let Some(before) = self.hosts.get(host).and_then(|cases| cases.get(id)) else {
            return Err("not known to pass".into());
        };
        match parts.differ_from(&before.parts).as_slice() {
            [] => Ok(format!("{REASON}{}", before.day)),
            [one] => Err(format!("{one} differs")),
            several => Err(format!("{} differ", several.join(" and "))),
        }
    }

    /// Takes note of what came of a case. What the environment did to it says nothing of it.
    pub fn note(&mut self, host: &str, id: &CaseId, verdict: &Verdict, passed: Passed) {
        let cases = self.hosts.entry(host.to_owned()).or_default();
        match verdict {
            Verdict::Pass => drop(cases.insert(id.clone(), passed)),
            Verdict::Error(_) => {}
            _ => drop(cases.remove(id)),
        }
    }
}

/// Whether a case was left out because nothing of it differs, by the reason of its `filtered`.
#[must_use]
pub fn is_unchanged(reason: &str) -> bool {
    reason.starts_with(REASON)
}

/// `3 whose scenario differs`-like words: how many cases run for which reason, the most frequent first.
#[must_use]
pub fn counted(reasons: &BTreeMap<String, usize>) -> String {
    let mut reasons: Vec<_> = reasons.iter().collect();
    reasons.sort_by_key(|(_, number)| std::cmp::Reverse(**number));
    let words: Vec<_> = reasons.iter().map(|(why, number)| format!("{number}: {why}")).collect();
    words.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    type Change = fn(&mut CasePlan, &mut Facts, &mut Catalogue, &mut BTreeMap<String, String>, &mut String);

    fn parts(change: Change) -> (CasePlan, Parts) {
        let mut case = testing::case("s[n=1]");
        let (mut facts, mut catalogue) = (Facts::assumed(), Catalogue::default());
        let (mut images, mut program) = (BTreeMap::from([(case.container.image.clone(), "id".into())]), "p".to_owned());
        change(&mut case, &mut facts, &mut catalogue, &mut images, &mut program);
        let origin = Origin { facts: &facts, catalogue: &catalogue, images: &images, program: &program };
        let parts = Parts::of_case(&case, &"golden").on(&case, origin);
        (case, parts)
    }

    fn green(verdict: &Verdict) -> Green {
        let (case, parts) = parts(|_, _, _, _, _| {});
        let mut green = Green::default();
        let passed = Passed { day: "2026-11-28".into(), parts };
        green.note("lab", &case.id, &Verdict::Pass, passed.clone());
        green.note("lab", &case.id, verdict, passed);
        green
    }

    fn said(change: Change) -> Result<String, String> {
        let (case, parts) = parts(change);
        green(&Verdict::Pass).leave_out("lab", &case.id, &case, &parts)
    }

    #[test]
    fn what_passed_is_left_out_until_something_differs() {
        let kept = said(|_, _, _, _, _| {}).unwrap();
        assert_eq!(kept, "--changed: nothing differs since it passed on 2026-11-28");
        assert!(is_unchanged(&kept) && !is_unchanged("--tag x"));
        let cases: [(Change, &str); 7] = [
            (|case, _, _, _, _| case.boot_expect[0].exit = vec![1], "the scenario differs"),
            (|_, facts, _, _, _| facts.kernel.push('1'), "the host differs"),
            (|_, _, catalogue, _, _| catalogue.setup_lib.push('#'), "the setup mode differs"),
            (|_, _, _, images, _| images.values_mut().for_each(|id| id.push('2')), "the image differs"),
            (|_, _, _, _, program| program.push('2'), "sdc-engine itself differs"),
            (
                |_, facts, _, _, program| {
                    facts.kernel.push('1');
                    program.push('2');
                },
                "the host and sdc-engine itself differ",
            ),
            (|case, _, _, _, _| drop(case.container.secrets.insert("A".into(), "B".into())), "a secret may differ"),
        ];
        for (change, why) in cases {
            assert_eq!(said(change), Err(why.to_owned()));
        }
        let (case, other) = parts(|_, _, _, _, _| {});
        let golden = Parts { goldens: "other".into(), ..other.clone() };
        let green = green(&Verdict::Pass);
        assert_eq!(green.leave_out("lab", &case.id, &case, &golden), Err("a golden differs".into()));
        assert_eq!(green.leave_out("elsewhere", &case.id, &case, &other), Err("not known to pass".into()));
    }

    #[test]
    fn what_did_not_pass_is_forgotten_and_an_error_says_nothing() {
        let (case, parts) = parts(|_, _, _, _, _| {});
        let known = |verdict| green(&verdict).leave_out("lab", &case.id, &case, &parts).is_ok();
        assert!(known(Verdict::Pass) && known(Verdict::Error("no disk".into())));
        assert!(!known(Verdict::Fail) && !known(Verdict::Warn) && !known(Verdict::New) && !known(Verdict::Flaky(1, 2)));
    }

    #[test]
    fn reasons_are_counted() {
        let reasons = BTreeMap::from([("a".to_owned(), 1), ("b".to_owned(), 3)]);
        assert_eq!(counted(&reasons), "3: b; 1: a");
    }
}
