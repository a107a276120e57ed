//! Normalising rules that a scenario names and that changed nothing: an older output's, or a slip.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{CaseResult, JudgementKind, Verdict};
use crate::plan::{LeftOut, WhyOut};
use crate::scenario::model::{NamedRule, Scenario};
use crate::source::{Place, Sources};

/// A rule that a scenario's own file names, and that changed nothing in any of the goldens' texts it is meant for. It
/// changes no verdict: what it is for may be seen on other hosts only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnusedRule {
    /// The scenario.
    pub scenario: String,
    /// The rule.
    pub rule: String,
    /// Where it is named.
    pub place: Place,
    /// How many cases had such a text.
    pub cases: usize,
    /// How many more could not run here.
    pub skipped: usize,
    /// The hosts.
    pub hosts: BTreeSet<String>,
}

/// The rules that changed nothing in a whole run, by place. Nothing is said of a scenario that did not run as a whole:
/// some cases were filtered out, or the texts of some were not seen. A run that was interrupted is not to be asked.
#[must_use]
pub fn unused_rules(
    scenarios: &[Scenario],
    sources: &Sources,
    results: &[CaseResult],
    left_out: &[LeftOut],
) -> Vec<UnusedRule> {
    let of = |scenario: &Scenario| {
        let results: Vec<&CaseResult> = results.iter().filter(|result| result.scenario == scenario.name).collect();
        let left: Vec<&WhyOut> =
            left_out.iter().filter(|out| *out.scenario == scenario.name).map(|out| &out.why).collect();
        let whole = results.iter().all(|result| seen_whole(result))
            && !left.iter().any(|why| matches!(why, WhyOut::Filtered(_)));
        let skipped = left.iter().filter(|why| matches!(why, WhyOut::Skipped(_))).count();
        let named = scenario.named_rules.iter().filter(|_| whole);
        named.filter_map(|named| unused(scenario, sources, named, &results, skipped)).collect::<Vec<_>>()
    };
    scenarios.iter().flat_map(of).collect()
}

fn unused(
    scenario: &Scenario,
    sources: &Sources,
    named: &NamedRule,
    results: &[&CaseResult],
    skipped: usize,
) -> Option<UnusedRule> {
    let meant = |result: &&&CaseResult| named.steps.iter().any(|step| result.rules.contains_key(step));
    let seen: Vec<_> = results.iter().filter(meant).collect();
    let used = |result: &CaseResult| {
        named.steps.iter().filter_map(|step| result.rules.get(step)).any(|rules| rules.contains(&named.name.value))
    };
    if seen.is_empty() || seen.iter().any(|result| used(result)) {
        return None;
    }
    Some(UnusedRule {
        scenario: scenario.name.clone(),
        rule: named.name.value.clone(),
        place: sources.place(&named.name.loc),
        cases: seen.len(),
        skipped,
        hosts: seen.iter().map(|result| result.host.clone()).collect(),
    })
}

/// Whether all texts of a case were seen that could be. A boot or a step that ended otherwise than it must leaves some out.
fn seen_whole(result: &CaseResult) -> bool {
    let ended_well = |kind| {
        !matches!(kind, JudgementKind::State | JudgementKind::Exit | JudgementKind::Timeout | JudgementKind::NotApplied)
    };
    !matches!(result.verdict, Verdict::Error(_) | Verdict::Flaky(..))
        && result.judgements.iter().filter(|judgement| !judgement.held).all(|judgement| ended_well(judgement.kind))
}

#[cfg(test)]
mod tests {
    use super::{UnusedRule, unused_rules};
    use crate::judge::testkit::{check, expect, golden, plan, printed, step};
    use crate::judge::{CaseResult, Judgement, JudgementKind, Subject, Verdict, judge_case};
    use crate::plan::{CaseId, LeftOut, WhyOut};
    use crate::scenario::model::{Ask, Level, NamedRule, Scenario, Stream};
    use crate::source::{FileId, Loc, Sources, Sp};

    const FILE: &str = "title = 'a'\nnormalise = ['pids', 'times']\n[[step]]\nnormalise = ['ids']\n";

    fn scenario() -> (Scenario, Sources) {
        let mut sources = Sources::default();
        let file = sources.add("scenarios/a.toml", FILE);
        let named = |name: &str, steps: &[&str]| {
            let start = FILE.find(&format!("'{name}'")).unwrap();
            let loc = Loc { file: FileId(file.0), span: start..start + name.len() + 2 };
            NamedRule { name: Sp::new(name.into(), loc), steps: steps.iter().map(ToString::to_string).collect() }
        };
        let mut scenario = crate::testing::scenario("a");
        scenario.named_rules = vec![named("pids", &["s", "t"]), named("times", &["s", "t"]), named("ids", &["u"])];
        (scenario, sources)
    }

    /// A case whose steps `s`, `t` and `u` printed that.
    fn case(texts: [&str; 3]) -> CaseResult {
        let steps = ["s", "t", "u"].map(|name| {
            let mut step = step(name, vec![expect(None, vec![check(Stream::Stdout, Ask::Golden(golden(name)))])]);
            step.normalise = if name == "u" { vec!["ids".into()] } else { vec!["pids".into(), "times".into()] };
            step
        });
        let plan = plan(steps.to_vec());
        let seen: Vec<_> = ["s", "t", "u"].iter().zip(texts).map(|(name, text)| printed(name, text)).collect();
        let boot = crate::judge::testkit::boot(crate::observe::BootOutcome::Running);
        let judged = judge_case(&plan, Some(&boot), &seen, &[].into());
        CaseResult {
            judgements: judged.judgements,
            rules: judged.rules,
            ..CaseResult::of_nothing(&plan, "docker-v1", judged.verdict)
        }
    }

    fn unused(results: &[CaseResult], left_out: &[LeftOut]) -> Vec<UnusedRule> {
        let (scenario, sources) = scenario();
        unused_rules(&[scenario], &sources, results, left_out)
    }

    fn names(results: &[CaseResult]) -> Vec<String> {
        unused(results, &[]).into_iter().map(|unused| format!("{}@{}", unused.rule, unused.place.line)).collect()
    }

    fn left(why: WhyOut) -> LeftOut {
        LeftOut { id: CaseId("a".into()), scenario: "a".into(), point: [].into(), why }
    }

    #[test]
    fn a_rule_is_unused_where_it_changed_nothing_in_any_case() {
        assert_eq!(names(&[case(["pid 7", "", "x"]), case(["", "", "x"])]), ["times@2", "ids@4"]);
        assert_eq!(names(&[case(["pid 7", "", "x"]), case(["", "took 5s", "602bcd6aba38"])]), [""; 0]);
        assert_eq!(
            names(&[case(["602bcd6aba38", "pid 7 took 5s", ""])]),
            ["ids@4"],
            "used by another step's list only"
        );
        assert_eq!(names(&[]), [""; 0], "nothing was seen");
    }

    #[test]
    fn where_it_is_named_and_what_was_not_seen() {
        let skipped = [left(WhyOut::Skipped("no".into())), left(WhyOut::NotApplicable("rule".into()))];
        let unused = unused(&[case(["pid 7", "5s", ""])], &skipped);
        assert_eq!(unused.len(), 1);
        let UnusedRule { scenario, rule, place, cases, skipped, hosts } = &unused[0];
        assert_eq!((scenario.as_str(), rule.as_str(), *cases, *skipped), ("a", "ids", 1, 1));
        assert_eq!(place.to_string(), "scenarios/a.toml:4");
        assert_eq!(hosts.iter().collect::<Vec<_>>(), ["docker-v1"]);
    }

    #[test]
    fn nothing_is_said_of_half_a_scenario() {
        let whole = case(["", "", ""]);
        assert_eq!(names(std::slice::from_ref(&whole)).len(), 3);
        assert_eq!(unused(std::slice::from_ref(&whole), &[left(WhyOut::Filtered("-k x".into()))]), []);
        for kind in [JudgementKind::State, JudgementKind::Exit, JudgementKind::Timeout] {
            let mut half = whole.clone();
            half.judgements.push(Judgement {
                subject: Subject::Step("t".into()),
                kind,
                held: false,
                level: Level::Warn,
                expected: String::new(),
                actual: String::new(),
                place: None,
            });
            assert_eq!(names(&[whole.clone(), half]), [""; 0]);
        }
        let error = CaseResult { verdict: Verdict::Error("gone".into()), ..whole.clone() };
        assert_eq!(names(&[whole, error]), [""; 0]);
    }
}
