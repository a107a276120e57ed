//! The same case, run several times.

use super::{CaseResult, Judgement, JudgementKind, Subject, Verdict};
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
/// that did not hold. The time is that of all runs together.
#[must_use]
pub fn combine_repeats(runs: Vec<CaseResult>) -> Option<CaseResult> {
    let of = runs.len();
    let took = runs.iter().map(|run| run.took).sum();
    let (verdict, shown) = combined(&runs)?;
    let unstable = unstable(&runs);
    let mut result = runs.into_iter().nth(shown)?;
    result.verdict = verdict;
    result.took = took;
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
    let first = runs.first()?;
    first.observed.iter().find_map(|text| {
        let same = |run: &&CaseResult| run.observed.contains(text);
        let other = runs.iter().find(|run| !same(run))?;
        let actual = other.observed.iter().find(|other| other.key == text.key).map(|other| other.text.clone());
        let judgement = Judgement {
            subject: Subject::Step(text.key.folder.clone()),
            kind: JudgementKind::Golden,
            held: false,
            level: Level::Fail,
            expected: text.text.clone(),
            actual: actual.unwrap_or_default(),
            place: None,
        };
        Some((judgement, u32::try_from(runs.iter().filter(same).count()).unwrap_or(u32::MAX)))
    })
}
