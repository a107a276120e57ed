//! The same case, run several times.

use std::collections::{BTreeMap, BTreeSet};

use super::{CaseResult, Judgement, JudgementKind, Subject, Varied, Verdict};
use crate::scenario::model::Level;

/// Puts the repeated runs of one case together; `None` without any run.
///
/// - An environment that failed in any run makes an `error` of the whole: the runs say less than was asked.
/// - The same verdict in all runs is the verdict.
/// - Runs that held (`pass`, `warn`, `new`) and runs that did not make it `flaky`: how many held, of how many.
/// - Otherwise the worst: of runs that held `new`, `warn`, `pass`; of runs that did not `fail`, `timeout`.
/// - Goldens that are all new and whose texts differ between runs are `flaky` too: none of them is fit to be recorded.
///
/// The judgements, steps and texts are those of the first run with the combined verdict, or for `flaky` of the first
/// that did not hold. The time, and the normalising rules that were used, are those of all runs together.
#[must_use]
pub fn combine_repeats(runs: Vec<CaseResult>) -> Option<CaseResult> {
    let of = runs.len();
    let took = runs.iter().map(|run| run.took).sum();
    let (verdict, shown) = combined(&runs)?;
    let unstable = unstable(&runs);
    let mut rules: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (step, used) in runs.iter().flat_map(|run| &run.rules) {
        rules.entry(step.clone()).or_default().extend(used.iter().cloned());
    }
    let mut result = runs.into_iter().nth(shown)?;
    result.verdict = verdict;
    result.took = took;
    result.rules = rules;
    if result.verdict == Verdict::New
        && let Some((judgement, same)) = unstable
    {
        result.verdict = Verdict::Flaky(same, u32::try_from(of).unwrap_or(u32::MAX));
        result.judgements.push(judgement);
        result.observed.clear();
    }
    Some(result)
}

fn held(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Pass | Verdict::Warn | Verdict::New)
}

/// From the verdict that hides all others to the one that any other hides.
fn rank(verdict: &Verdict) -> u8 {
    match verdict {
        Verdict::Error(_) => 0,
        Verdict::Fail => 1,
        Verdict::Timeout(_) => 2,
        Verdict::Flaky(..) => 3,
        Verdict::New => 4,
        Verdict::Warn => 5,
        Verdict::Pass => 6,
        Verdict::Skipped(_) => 7,
        Verdict::NotApplicable(_) => 8,
        Verdict::Filtered(_) => 9,
    }
}

/// The verdict, and the number of the run whose evidence shows it.
fn combined(runs: &[CaseResult]) -> Option<(Verdict, usize)> {
    let (worst, result) = runs.iter().enumerate().min_by_key(|(at, run)| (rank(&run.verdict), *at))?;
    let ok = runs.iter().filter(|run| held(&run.verdict)).count();
    let verdict = match &result.verdict {
        Verdict::Error(words) if runs.len() > 1 => {
            Verdict::Error(format!("in run {} of {}: {words}", worst + 1, runs.len()))
        }
        Verdict::Fail | Verdict::Timeout(_) if ok > 0 => {
            let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
            Verdict::Flaky(number(ok), number(runs.len()))
        }
        same => same.clone(),
    };
    Some((verdict, worst))
}

/// A text of a golden that is not the same in every run: a judgement that says so, and in how many runs it was as in the
/// first.
fn unstable(runs: &[CaseResult]) -> Option<(Judgement, u32)> {
    let Varied { first, other } = varying(runs)?;
    let same = runs.iter().filter(|run| run.observed.iter().any(|seen| seen.agrees(&first))).count();
    let judgement = Judgement {
        subject: Subject::Step(first.key.folder.clone()),
        kind: JudgementKind::Golden,
        held: false,
        level: Level::Fail,
        expected: first.text,
        actual: other,
        place: None,
    };
    Some((judgement, u32::try_from(same).unwrap_or(u32::MAX)))
}

/// The first golden for which the runs of a case gave different texts, or not all of them one.
#[must_use]
pub fn varying(runs: &[CaseResult]) -> Option<Varied> {
    let all = runs.iter().flat_map(|run| &run.observed);
    all.clone().find_map(|first| {
        let differs = runs.iter().find(|run| !run.observed.iter().any(|seen| seen.agrees(first)))?;
        let other = differs.observed.iter().find(|other| other.key == first.key);
        Some(Varied { first: first.clone(), other: other.map(|other| other.text.clone()).unwrap_or_default() })
    })
}

#[cfg(test)]
mod tests {
    use super::combine_repeats;
    use crate::judge::{CaseResult, GoldenKey, Observed, Verdict};
    use crate::plan::CaseId;
    use crate::scenario::model::Stream;
    use proptest::prelude::{prop, prop_assert_eq, prop_oneof, proptest};
    use proptest::strategy::{Just, Strategy};
    use std::time::Duration;

    fn result(verdict: Verdict) -> CaseResult {
        CaseResult {
            id: CaseId("a".to_owned()),
            scenario: "a".to_owned(),
            title: String::new(),
            point: indexmap::IndexMap::new(),
            host: String::new(),
            verdict,
            judgements: Vec::new(),
            boot: None,
            steps: Vec::new(),
            observed: Vec::new(),
            rules: [].into(),
            took: Duration::from_secs(1),
            by_hand: String::new(),
            recipe: Default::default(),
            bundle: None,
        }
    }

    fn numbered(verdicts: Vec<Verdict>) -> CaseResult {
        let runs = verdicts.into_iter().enumerate();
        let runs = runs.map(|(at, verdict)| CaseResult { by_hand: at.to_string(), ..result(verdict) }).collect();
        combine_repeats(runs).unwrap()
    }

    fn late() -> Verdict {
        Verdict::Timeout("boot".to_owned())
    }

    #[test]
    fn verdicts_of_runs() {
        use Verdict::{Fail, Flaky, New, Pass, Warn};
        let error = |words: &str| Verdict::Error(words.to_owned());
        for (runs, verdict, shown) in [
            (vec![Pass, Pass, Pass], Pass, "0"),
            (vec![Fail, Fail], Fail, "0"),
            (vec![late(), late()], late(), "0"),
            (vec![Pass, Fail, Pass, Fail], Flaky(2, 4), "1"),
            (vec![Warn, Pass, late()], Flaky(2, 3), "2"),
            (vec![Pass, Warn], Warn, "1"),
            (vec![late(), Fail], Fail, "1"),
            (vec![New, Fail], Flaky(1, 2), "1"),
            (vec![Pass, error("no disk"), Fail], error("in run 2 of 3: no disk"), "1"),
            (vec![error("no disk")], error("no disk"), "0"),
        ] {
            let combined = numbered(runs.clone());
            assert_eq!((combined.verdict, combined.by_hand.as_str()), (verdict, shown), "{runs:?}");
            assert_eq!(combined.took, Duration::from_secs(runs.len() as u64));
        }
        assert_eq!(combine_repeats(vec![]), None);
    }

    #[test]
    fn new_texts_that_differ_between_runs_are_flaky() {
        let run = |text: &str| {
            let key = GoldenKey { scenario: "a".to_owned(), folder: "s".to_owned() };
            let observed = vec![Observed { key, stream: Stream::Stdout, raw: String::new(), text: text.to_owned() }];
            CaseResult { observed, ..result(Verdict::New) }
        };
        assert_eq!(combine_repeats(vec![run("x\n"), run("x\n")]).unwrap().verdict, Verdict::New);
        let unstable = combine_repeats(vec![run("x\n"), run("y\n"), run("x\n")]).unwrap();
        assert_eq!(unstable.verdict, Verdict::Flaky(2, 3));
        assert_eq!(unstable.observed, [], "nothing to record");
        let judgement = unstable.judgements.last().unwrap();
        assert_eq!((judgement.expected.as_str(), judgement.actual.as_str()), ("x\n", "y\n"));
    }

    proptest! {
        #[test]
        fn the_order_of_runs_does_not_matter(
            runs in prop::collection::vec(
                prop_oneof![Just(Verdict::Pass), Just(Verdict::Fail), Just(Verdict::Warn), Just(late()), Just(Verdict::New)],
                1..6,
            )
            .prop_flat_map(|runs| (Just(runs.clone()), Just(runs).prop_shuffle())),
        ) {
            let (runs, shuffled) = runs;
            prop_assert_eq!(numbered(runs).verdict, numbered(shuffled).verdict);
        }
    }
}
