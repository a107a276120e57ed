//! What a step's expectations say of its runs.

mod exits;

use std::collections::{BTreeMap, BTreeSet};

use self::exits::exits;
use super::golden::{self, Asked};
use super::weigh::Weighed;
use super::{GoldenKey, GoldenState, Judgement, JudgementKind, Observed, Subject, check, phrase};
use crate::observe::captures::{capture, substitute_regex};
use crate::observe::{RunStatus, StepObservation};
use crate::plan::{CasePlan, StepPlan};
use crate::scenario::model::{Ask, Level, Stream};

/// Whether what was seen of a step is all that its expectations ask, for `wait`. Goldens do not count: a text that was
/// never recorded would be waited for in vain.
#[must_use]
pub fn step_holds(step: &StepPlan, observation: &StepObservation) -> bool {
    observation.not_run.is_none()
        && !observation.runs.is_empty()
        && exits(step, observation).iter().all(|weighed| weighed.judgement.held)
        && captures(step, observation).iter().all(|judgement| judgement.held)
        && step.expect.iter().flat_map(|expectation| &expectation.checks).all(|asked| {
            if matches!(asked.ask, Ask::Golden(_)) {
                return true;
            }
            let text = text_of(observation, asked.stream);
            let cut = cut(observation, asked.stream);
            check::ask(&asked.ask, phrase::stream(asked.stream), &text, cut, &observation.captured).held
        })
}

/// What comes of judging a step.
pub(super) struct Seen {
    pub(super) judgements: Vec<Weighed>,
    pub(super) observed: Vec<Observed>,
    /// The rules that changed something in texts of goldens; none where no such text was seen.
    pub(super) rules: Option<BTreeSet<String>>,
}

/// Judges one step. `cut_short` says that a limit passed before, so that a step that did not run may follow from it.
pub(super) fn judge(
    step: &StepPlan,
    observation: Option<&StepObservation>,
    cut_short: bool,
    plan: &CasePlan,
    goldens: &BTreeMap<GoldenKey, GoldenState>,
) -> Seen {
    let observation = match ran(observation) {
        Ok(observation) => observation,
        Err(reason) => {
            let judgement = Judgement {
                subject: subject(step),
                kind: JudgementKind::Exit,
                held: false,
                level: own_level(step),
                expected: "the step runs".to_owned(),
                actual: format!("did not run: {reason}"),
                place: step.expect.first().map(|expectation| expectation.place.clone()),
            };
            let judgements = vec![Weighed { judgement, follows: cut_short, limit: None }];
            return Seen { judgements, observed: Vec::new(), rules: None };
        }
    };
    let mut judgements = exits(step, observation);
    let timed_out = observation.runs.iter().any(|run| run.status == RunStatus::TimedOut);
    let recordable = judgements.iter().all(|weighed| weighed.judgement.held)
        && observation.runs.iter().all(|run| run.cut.is_empty());
    let (mut observed, mut rules) = (Vec::new(), None);
    let mut checks = captures(step, observation);
    for expectation in &step.expect {
        for asked in &expectation.checks {
            let text = text_of(observation, asked.stream);
            let cut = cut(observation, asked.stream);
            if let Some(key) = golden::key(plan, asked).filter(|_| !cut) {
                let (subject, level, form) = (subject(step), expectation.level, golden::form(plan, Some(step), asked));
                let compared = golden::judge(Asked { subject, level, check: asked, key, text: &text, form }, goldens);
                checks.push(compared.judgement);
                if compared.observed.is_some() {
                    rules.get_or_insert_with(BTreeSet::new).extend(compared.used);
                }
                observed.extend(compared.observed.filter(|_| recordable));
                continue;
            }
            let answer = check::ask(&asked.ask, phrase::stream(asked.stream), &text, cut, &observation.captured);
            checks.push(Judgement {
                subject: subject(step),
                kind: JudgementKind::Check,
                held: answer.held,
                level: expectation.level,
                expected: within(step, answer.expected),
                actual: answer.actual,
                place: Some(asked.place.clone()),
            });
        }
    }
    judgements.extend(checks.into_iter().map(|judgement| Weighed { judgement, follows: timed_out, limit: None }));
    Seen { judgements, observed, rules }
}

/// Whether the step did not run, or the engine would not start its command because the container had ended by then.
pub(super) fn had_no_container(observation: &StepObservation) -> bool {
    observation.not_run.is_some() || observation.runs.iter().any(|run| matches!(run.status, RunStatus::Refused(_)))
}

/// The observation of a step that ran, or why it did not.
fn ran(observation: Option<&StepObservation>) -> Result<&StepObservation, &str> {
    match observation {
        None => Err("nothing was seen of it"),
        Some(StepObservation { not_run: Some(reason), .. }) => Err(reason),
        Some(observation) if observation.runs.is_empty() => Err("no run of it was seen"),
        Some(observation) => Ok(observation),
    }
}

fn subject(step: &StepPlan) -> Subject {
    Subject::Step(step.name.clone())
}

/// What the step does to its case where no single expectation says it: a step that only warns never fails it.
fn own_level(step: &StepPlan) -> Level {
    let warns = !step.expect.is_empty() && step.expect.iter().all(|expectation| expectation.level == Level::Warn);
    if warns { Level::Warn } else { Level::Fail }
}

/// Values that later steps need must be there; one judgement for each.
fn captures(step: &StepPlan, observation: &StepObservation) -> Vec<Judgement> {
    let stdout = text_of(observation, Stream::Stdout);
    let judge = |(name, pattern): &(String, String)| {
        let found = substitute_regex(pattern, &observation.captured)
            .map_err(|unknown| format!("`{unknown}` was not captured by any step"))
            .and_then(|pattern| capture(&pattern, &stdout));
        let (held, actual) = match found {
            Ok(Some(value)) => (true, phrase::shorten(&value)),
            Ok(None) => (false, phrase::excerpt(&stdout)),
            Err(reason) => (false, format!("can't be captured: {reason}")),
        };
        Judgement {
            subject: subject(step),
            kind: JudgementKind::Check,
            held,
            level: Level::Fail,
            expected: within(step, format!("stdout has `{name}` to capture, by /{pattern}/")),
            actual,
            place: step.expect.first().map(|expectation| expectation.place.clone()),
        }
    };
    step.capture.iter().map(judge).collect()
}

/// The limit of `wait` is part of what is expected.
fn within(step: &StepPlan, expected: String) -> String {
    match step.wait {
        Some(wait) => format!("{expected} within {}", humantime::format_duration(wait.limit)),
        None => expected,
    }
}

/// Whether something of that text is not there, because it was longer than what is kept.
fn cut(observation: &StepObservation, stream: Stream) -> bool {
    match stream {
        Stream::Console => observation.console_cut,
        Stream::Stdout | Stream::Stderr => observation.runs.iter().any(|run| run.cut.contains(&stream)),
    }
}

/// A stream of all runs, one after another; a run starts on a line of its own.
pub(super) fn text_of(observation: &StepObservation, stream: Stream) -> String {
    let of_run = match stream {
        Stream::Stdout => |run: &crate::observe::RunOutput| run.stdout.clone(),
        Stream::Stderr => |run: &crate::observe::RunOutput| run.stderr.clone(),
        Stream::Console => return observation.console.clone(),
    };
    let mut all = String::new();
    for text in observation.runs.iter().map(of_run) {
        if !all.is_empty() && !all.ends_with('\n') && !text.is_empty() {
            all.push('\n');
        }
        all.push_str(&text);
    }
    all
}

/// Whether a check of a step is about a golden; for the keys that are looked up before judging.
pub(super) fn golden_checks(step: &StepPlan) -> impl Iterator<Item = &crate::plan::Check> {
    step.expect.iter().flat_map(|expectation| &expectation.checks).filter(|check| matches!(check.ask, Ask::Golden(_)))
}

#[cfg(test)]
mod tests {
    use super::step_holds;
    use crate::judge::testkit::{broken, check, expect, judged, not_run, plan, printed, run, saw, step, warn};
    use crate::judge::{JudgementKind, Verdict};
    use crate::observe::RunStatus::{Background, Exited, Refused, TimedOut};
    use crate::observe::{RunStatus, StepObservation};
    use crate::plan::StepPlan;
    use crate::scenario::model::{Ask, ExitSpec, Stream, Wait};
    use std::time::Duration;

    fn regex(pattern: &str) -> crate::plan::Check {
        check(Stream::Stdout, Ask::Regex(pattern.to_owned()))
    }

    fn verdict(step: &StepPlan, seen: StepObservation) -> Verdict {
        judged(&plan(vec![step.clone()]), &[seen]).verdict
    }

    #[test]
    fn exit_codes() {
        let refused = || Refused("gone".to_owned());
        let table: Vec<(Option<ExitSpec>, RunStatus, bool)> = vec![
            (None, Exited(0), true),
            (None, Exited(1), false),
            (None, refused(), false),
            (None, Background, true),
            (Some(ExitSpec::Any), Exited(3), true),
            (Some(ExitSpec::Any), refused(), true),
            (Some(ExitSpec::NonZero), Exited(3), true),
            (Some(ExitSpec::NonZero), Exited(0), false),
            (Some(ExitSpec::NonZero), refused(), false),
            (Some(ExitSpec::OneOf(vec![1, 3])), Exited(3), true),
            (Some(ExitSpec::OneOf(vec![1, 3])), Exited(0), false),
        ];
        for (spec, status, holds) in table {
            let step = step("s", vec![expect(spec.clone(), vec![])]);
            let seen = saw("s", vec![run(status.clone(), "")]);
            assert_eq!(step_holds(&step, &seen), holds, "{spec:?} {status:?}");
            assert_eq!(verdict(&step, seen), if holds { Verdict::Pass } else { Verdict::Fail }, "{spec:?} {status:?}");
        }
    }

    #[test]
    fn a_timed_out_run_never_holds() {
        for spec in [None, Some(ExitSpec::Any), Some(ExitSpec::NonZero)] {
            let step = step("s", vec![expect(spec, vec![regex("x")])]);
            let seen = saw("s", vec![run(TimedOut, "partial")]);
            assert!(!step_holds(&step, &seen));
            assert_eq!(
                verdict(&step, seen),
                Verdict::Timeout("step s after 5s".to_owned()),
                "its checks follow from it"
            );
        }
        let step = step("s", vec![warn(expect(None, vec![]))]);
        assert_eq!(verdict(&step, saw("s", vec![run(TimedOut, "")])), Verdict::Warn);
    }

    #[test]
    fn exit_0_is_demanded_once_and_not_where_a_code_is_named() {
        let kinds = |step: StepPlan| {
            let judged = judged(&plan(vec![step]), &[printed("s", "x")]);
            judged.judgements.iter().filter(|judgement| judgement.kind == JudgementKind::Exit).count()
        };
        assert_eq!(kinds(step("s", vec![expect(None, vec![regex("x")]), expect(None, vec![])])), 1);
        let named = step("s", vec![expect(None, vec![regex("x")]), expect(Some(ExitSpec::OneOf(vec![4])), vec![])]);
        assert_eq!(verdict(&named, saw("s", vec![run(Exited(4), "x")])), Verdict::Pass);
    }

    #[test]
    fn a_step_that_only_warns_never_fails() {
        let step = step("s", vec![warn(expect(None, vec![regex("x")]))]);
        assert_eq!(verdict(&step, saw("s", vec![run(Exited(1), "y")])), Verdict::Warn);
        assert_eq!(verdict(&step, not_run("s")), Verdict::Warn);
    }

    #[test]
    fn every_run_must_end_well_and_streams_are_joined() {
        let one_line_each = check(Stream::Stdout, Ask::Lines(3, Some(3)));
        let step = step("s", vec![expect(None, vec![one_line_each])]);
        let mut runs = vec![run(Exited(0), "a"), run(Exited(0), "b\n"), run(Exited(0), "c")];
        assert_eq!(verdict(&step, saw("s", runs.clone())), Verdict::Pass);
        runs[1].status = Exited(7);
        runs[1].stderr = "oh no\n".to_owned();
        let judged = judged(&plan(vec![step]), &[saw("s", runs)]);
        assert_eq!(broken(&judged), ["s: exit code 0: exit code 7 in run 2 of 3; stderr:\noh no"]);
    }

    #[test]
    fn streams_are_told_apart() {
        let has = |stream, text: &str| check(stream, Ask::Contains(text.to_owned()));
        let checks = vec![has(Stream::Stdout, "o"), has(Stream::Stderr, "e"), has(Stream::Console, "c")];
        let step = step("s", vec![expect(None, checks)]);
        let mut seen = printed("s", "o");
        seen.runs[0].stderr = "e".to_owned();
        seen.console = "c".to_owned();
        assert!(step_holds(&step, &seen));
        for swap in [("e", "o", "c"), ("o", "c", "e"), ("", "e", "c"), ("o", "", "c"), ("o", "e", "")] {
            (seen.runs[0].stdout, seen.runs[0].stderr, seen.console) = (swap.0.into(), swap.1.into(), swap.2.into());
            assert!(!step_holds(&step, &seen), "{swap:?}");
        }
    }

    #[test]
    fn no_expectation_stops_another() {
        let step = step("s", vec![expect(None, vec![regex("a"), regex("b")]), warn(expect(None, vec![regex("c")]))]);
        let judged = judged(&plan(vec![step]), &[saw("s", vec![run(Exited(1), "x")])]);
        assert_eq!(
            broken(&judged),
            [
                "s: exit code 0: exit code 1",
                "s: stdout matches /a/: x",
                "s: stdout matches /b/: x",
                "s: stdout matches /c/: x",
            ]
        );
    }

    #[test]
    fn captured_values_are_used_and_must_be_there() {
        let mut step = step("s", vec![expect(None, vec![regex("^@{scope}$")])]);
        step.capture = vec![("pid".to_owned(), r"pid (\d+) of @{scope}".to_owned())];
        let mut seen = printed("s", "a.b\npid 7 of a.b\n");
        seen.captured.insert("scope".to_owned(), "a.b".to_owned());
        assert!(step_holds(&step, &seen));
        seen.runs[0].stdout = "a.b\npid 7 of axb\n".to_owned();
        assert!(!step_holds(&step, &seen), "a value is no pattern");
        let judged = judged(&plan(vec![step]), &[seen]);
        assert_eq!(
            broken(&judged),
            [r"s: stdout has `pid` to capture, by /pid (\d+) of @{scope}/: a.b
pid 7 of axb"]
        );
    }

    #[test]
    fn a_wait_says_how_long() {
        let mut step = step("s", vec![expect(None, vec![regex("up")])]);
        step.wait = Some(Wait { limit: Duration::from_secs(3), every: Duration::from_millis(100) });
        let judged = judged(&plan(vec![step]), &[printed("s", "down")]);
        assert_eq!(broken(&judged), ["s: stdout matches /up/ within 3s: down"]);
        assert_eq!(judged.verdict, Verdict::Fail);
    }

    #[test]
    fn what_did_not_run_did_not_hold() {
        let step = step("s", vec![expect(Some(ExitSpec::Any), vec![])]);
        let plan = plan(vec![step.clone()]);
        for (seen, reason) in [
            (vec![], "nothing was seen of it"),
            (vec![not_run("s")], "the boot failed"),
            (vec![saw("s", vec![])], "no run of it was seen"),
            (vec![printed("other", "")], "nothing was seen of it"),
        ] {
            let judged = judged(&plan, &seen);
            assert_eq!(broken(&judged), [format!("s: the step runs: did not run: {reason}")]);
            assert_eq!(judged.verdict, Verdict::Fail);
            assert!(seen.iter().all(|seen| seen.name != "s" || !step_holds(&step, seen)));
        }
    }
}
