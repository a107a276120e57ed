//! One case: its boot and its steps together.

use std::collections::{BTreeMap, BTreeSet};

use super::weigh::{Weighed, verdict};
use super::{GoldenKey, GoldenState, Judgement, JudgementKind, Observed, Verdict, boot, golden, step};
use crate::observe::{BootObservation, StepObservation};
use crate::plan::CasePlan;

/// What comes of judging a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The result.
    pub verdict: Verdict,
    /// Every judgement in the order of the scenario, those that held too.
    pub judgements: Vec<Judgement>,
    /// The normalised texts that goldens are about, but not those of a boot or step that ended otherwise than it must or
    /// whose output was cut: these are never to be recorded.
    pub observed: Vec<Observed>,
    /// For each step of which a golden's text was seen (recordable or not) the rules that changed something in it.
    pub rules: BTreeMap<String, BTreeSet<String>>,
}

/// The goldens that a case is compared with, each once: look them up, then judge.
#[must_use]
pub fn golden_keys(plan: &CasePlan) -> Vec<GoldenKey> {
    let of_boot = plan.boot_expect.iter().flat_map(|expectation| &expectation.checks);
    let mut keys: Vec<GoldenKey> = Vec::new();
    for key in of_boot
        .chain(plan.steps.iter().flat_map(|step| step::golden_checks(step)))
        .filter_map(|check| golden::key(plan, check))
    {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys
}

/// Judges a case: what was seen of its boot and steps, by what its plan expects. Observations belong to steps by name.
///
/// The verdict is the first that applies of `fail`, `timeout`, `new`, `warn`, `pass`:
/// - `fail`: an expectation of level `fail` broke, a flag was not applied, or a step did not run (unless the boot was not
///   to come up, and did not: then steps that found no container to run in are not
///   judged). What
///   only follows from a passed limit does not count beside it: the checks of a run or a boot that timed out, and steps
///   that did not run after it.
/// - `timeout`: the boot or a run of a step came to its limit, and nothing else broke.
/// - `new`: a golden was never recorded for the case. A key that is missing from `goldens` is taken as never recorded.
/// - `warn`: only expectations of level `warn` broke.
#[must_use]
pub fn judge_case(
    plan: &CasePlan,
    boot: Option<&BootObservation>,
    steps: &[StepObservation],
    goldens: &BTreeMap<GoldenKey, GoldenState>,
) -> Judged {
    let (mut weighed, mut observed) = match boot {
        Some(boot) => boot::judge(boot, plan, goldens),
        None => (vec![boot::unseen(plan)], Vec::new()),
    };
    let mut rules = BTreeMap::new();
    let mut cut_short = boot.is_some_and(|boot| boot::timed_out(boot, plan));
    let none_expected = boot.is_some_and(|boot| boot::must_not_come_up(boot, plan));
    for step in &plan.steps {
        let seen = steps.iter().find(|observation| observation.name == step.name);
        if none_expected && seen.is_none_or(step::had_no_container) {
            continue;
        }
        let seen = step::judge(step, seen, cut_short, plan, goldens);
        cut_short |= seen.judgements.iter().any(is_timeout);
        weighed.extend(seen.judgements);
        observed.extend(seen.observed);
        rules.extend(seen.rules.map(|rules| (step.name.clone(), rules)));
    }
    let verdict = verdict(&weighed);
    Judged { verdict, judgements: weighed.into_iter().map(|weighed| weighed.judgement).collect(), observed, rules }
}

fn is_timeout(weighed: &Weighed) -> bool {
    weighed.judgement.kind == JudgementKind::Timeout
}

#[cfg(test)]
mod tests {
    use super::{golden_keys, judge_case};
    use crate::judge::testkit::{
        self, boot, boots, broken, check, expect, judged, key, not_run, plan, printed, recorded, run, saw, step, warn,
    };
    use crate::judge::{Judged, JudgementKind, Verdict};
    use crate::observe::{BootOutcome, RunStatus, StepObservation};
    use crate::plan::{CasePlan, Check, StepPlan};
    use crate::scenario::model::{Ask, BootState, Compare, ExitSpec, Golden, Stream, TableForm};
    use std::collections::BTreeMap;
    use std::time::Duration;

    fn golden(stream: Stream, folder: &str) -> Check {
        check(stream, Ask::Golden(testkit::golden(folder)))
    }

    fn golden_step() -> StepPlan {
        step("s", vec![expect(None, vec![golden(Stream::Stdout, "s")])])
    }

    fn against(plan: &CasePlan, seen: &[StepObservation], text: &str) -> Judged {
        judge_case(plan, Some(&boot(BootOutcome::Running)), seen, &recorded("s", text))
    }

    #[test]
    fn keys_are_named_by_folder_and_stream_and_unique() {
        let checks = vec![golden(Stream::Stdout, "s"), golden(Stream::Stderr, "s"), golden(Stream::Console, "log")];
        let mut plan = plan(vec![step("s", vec![expect(None, checks)]), golden_step()]);
        plan.boot_expect[0].checks = vec![golden(Stream::Console, "boot")];
        assert_eq!(golden_keys(&plan), ["boot.console", "s", "s.stderr", "log.console"].map(key));
    }

    #[test]
    fn a_golden_is_compared_after_normalising() {
        let plan = plan(vec![golden_step()]);
        let seen = [printed("s", "0::/docker/602bcd6aba38/x  \r\n\n")];
        for same in ["0::/docker/<id>/x\n", "0::/docker/<id>/x\r\n", "0::/docker/<id>/x"] {
            let judged = against(&plan, &seen, same);
            assert_eq!(judged.verdict, Verdict::Pass);
            assert_eq!(judged.judgements.last().unwrap().expected, "stdout as recorded in a/s/base.txt");
            assert_eq!(judged.observed[0].text, "0::/docker/<id>/x\n");
            assert_eq!((judged.observed[0].key.clone(), judged.observed[0].stream), (key("s"), Stream::Stdout));
        }
        let judged = against(&plan, &seen, "0::/\n");
        assert_eq!(judged.verdict, Verdict::Fail);
        let broken = judged.judgements.last().unwrap();
        assert_eq!((broken.kind, broken.expected.as_str()), (JudgementKind::Golden, "0::/\n"));
        assert_eq!(broken.actual, "0::/docker/<id>/x\n");
    }

    #[test]
    fn what_counts_of_a_golden_is_compared_and_recorded() {
        let ask = |compare| {
            vec![expect(None, vec![check(Stream::Stdout, Ask::Golden(Golden { name: "s".into(), compare }))])]
        };
        let units = TableForm { columns: vec!["UNIT".into(), "ID".into()], sort_rows: true };
        let seen = "ID           UNIT\n602bcd6aba38 b\n             a\n";
        for (compare, text, recorded) in [
            (
                Compare::Unordered,
                "<id> b\n             a\nID           UNIT\n",
                "             a\n<id> b\nID           UNIT\n",
            ),
            (Compare::Table(units.clone()), "UNIT | ID\na |\nb | <id>\n", "UNIT | ID\na |\nb | <id>\n"),
        ] {
            let plan = plan(vec![step("s", ask(compare))]);
            let judged = against(&plan, &[printed("s", seen)], text);
            assert_eq!(judged.verdict, Verdict::Pass, "{:?}", broken(&judged));
            assert_eq!(judged.observed[0].text, recorded);
            assert_eq!(judged.rules["s"].iter().collect::<Vec<_>>(), ["ids"]);
            let judged = against(&plan, &[printed("s", &seen.replace('b', "c"))], text);
            assert_eq!(judged.verdict, Verdict::Fail);
        }
        let plan = plan(vec![step("s", ask(Compare::Table(units)))]);
        let judged = against(&plan, &[printed("s", "UNIT   ID\na      1\nlonger-than 2\n")], "");
        assert_eq!(judged.verdict, Verdict::Fail);
        assert_eq!(
            broken(&judged),
            [
                "s: stdout is a table, as recorded in `s`: no table: line 3 runs across the headings `UNIT` and `ID`, so the header \
              does not fit it:\nUNIT   ID\nlonger-than 2"
            ]
        );
        assert_eq!((judged.observed, judged.rules.len()), (vec![], 0), "nothing to record");
    }

    #[test]
    fn a_golden_that_was_never_recorded_is_new() {
        let result = judged(&plan(vec![golden_step()]), &[printed("s", "x")]);
        assert_eq!(result.verdict, Verdict::New);
        assert_eq!(result.judgements.last().unwrap().kind, JudgementKind::GoldenNew);
        assert_eq!(result.observed[0].text, "x\n");
        let mut step = golden_step();
        step.expect.push(expect(None, vec![check(Stream::Stdout, Ask::Regex("y".to_owned()))]));
        assert_eq!(judged(&plan(vec![step.clone()]), &[printed("s", "x")]).verdict, Verdict::Fail);
        step.expect[1] = warn(step.expect[1].clone());
        assert_eq!(judged(&plan(vec![step]), &[printed("s", "x")]).verdict, Verdict::New);
    }

    #[test]
    fn texts_of_runs_that_went_wrong_are_never_recorded() {
        let plan = plan(vec![golden_step()]);
        let mut cut = printed("s", "x");
        cut.runs[0].cut = vec![Stream::Stdout];
        let wrong = |status| saw("s", vec![run(status, "x")]);
        for seen in [wrong(RunStatus::Exited(1)), wrong(RunStatus::TimedOut), cut, not_run("s")] {
            assert_eq!(judged(&plan, &[seen]).observed, []);
        }
    }

    #[test]
    fn bad_rules_are_judged_not_lost() {
        let mut step = golden_step();
        step.normalise = vec!["nope".to_owned()];
        let result = judged(&plan(vec![step]), &[printed("s", "x")]);
        assert_eq!(result.verdict, Verdict::Fail);
        assert!(broken(&result)[0].contains("can't be judged: no normalising rule is called `nope`"));
    }

    #[test]
    fn steps_that_did_not_run_after_a_boot_that_timed_out_follow_from_it() {
        let plan = plan(vec![step("s", vec![expect(None, vec![])])]);
        let late = boot(BootOutcome::Timeout { after: Duration::from_secs(20) });
        let result = judge_case(&plan, Some(&late), &[not_run("s")], &BTreeMap::new());
        assert_eq!(result.verdict, Verdict::Timeout("boot after 20s".to_owned()));
        assert_eq!(broken(&result).len(), 2);
        let dead = boot(BootOutcome::Exited { code: 255 });
        assert_eq!(judge_case(&plan, Some(&dead), &[not_run("s")], &BTreeMap::new()).verdict, Verdict::Fail);
    }

    #[test]
    fn a_timeout_does_not_hide_another_steps_failure() {
        let plan = plan(vec![step("late", vec![expect(None, vec![])]), step("s", vec![expect(None, vec![])])]);
        let late = || saw("late", vec![run(RunStatus::TimedOut, "")]);
        assert_eq!(
            judged(&plan, &[late(), printed("s", "")]).verdict,
            Verdict::Timeout("step late after 5s".to_owned())
        );
        assert_eq!(judged(&plan, &[late(), saw("s", vec![run(RunStatus::Exited(1), "")])]).verdict, Verdict::Fail);
        let nothing_left = judged(&plan, &[late(), not_run("s")]);
        assert_eq!(nothing_left.verdict, Verdict::Timeout("step late after 5s".to_owned()));
        assert_eq!(
            judged(&plan, &[not_run("late"), saw("s", vec![run(RunStatus::TimedOut, "")])]).verdict,
            Verdict::Fail
        );
    }

    #[test]
    fn steps_of_a_case_that_must_not_boot_need_not_run() {
        let mut plan = plan(vec![step("s", vec![expect(Some(ExitSpec::Any), vec![])])]);
        plan.boot_expect = vec![boots(&[BootState::Exited])].into();
        let dead = boot(BootOutcome::Exited { code: 255 });
        let verdict = |outcome: &BootOutcome| {
            judge_case(&plan, Some(&boot(outcome.clone())), &[not_run("s")], &BTreeMap::new()).verdict
        };
        assert_eq!(verdict(&BootOutcome::Exited { code: 255 }), Verdict::Pass);
        assert_eq!(verdict(&BootOutcome::Frozen), Verdict::Fail, "it did not boot, but otherwise than expected");
        assert_eq!(verdict(&BootOutcome::Running), Verdict::Fail, "it booted, and nothing may hide that");
        assert_eq!(judge_case(&plan, Some(&dead), &[printed("s", "")], &BTreeMap::new()).verdict, Verdict::Pass);
    }
}
