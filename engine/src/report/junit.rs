//! JUnit for CI systems: a test suite for each scenario, a test case for each case. Skipped and not applicable cases are
//! skipped with their reason; filtered ones are left out, as the user asked. Warnings are no failures there: they stand
//! in `system-err`, and the property `verdict` says `warn`.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite, XmlString};
use serde_json::Value;

use crate::events::Event;
use crate::judge::{CaseResult, JudgementKind, Verdict};
use crate::plan::{LeftOut, WhyOut};
use crate::redact::Redaction;
use crate::scenario::model::Point;

use super::file::Target;
use super::groups::decisive;
use super::run::Run;
use super::{Reporter, details, plain_log};

/// Writes the report at the end of the run.
pub struct Junit {
    run: Run,
    target: Target,
    redaction: Redaction,
}

impl Junit {
    /// Will write there.
    #[must_use]
    pub fn new(target: Target, redaction: Redaction) -> Self {
        Self { run: Run::default(), target, redaction }
    }
}

impl Reporter for Junit {
    fn event(&mut self, event: &Event) {
        self.run.event(event);
    }

    fn finish(&mut self) -> io::Result<()> {
        self.target.write(text(&self.run, &self.redaction)?.as_bytes())
    }
}

/// The file of a run.
///
/// # Errors
/// What XML can't say.
pub fn text(run: &Run, redaction: &Redaction) -> io::Result<String> {
    let mut report = report(run);
    redact(&mut report, redaction, run);
    report.to_string().map_err(io::Error::other)
}

fn report(run: &Run) -> Report {
    let mut report = Report::new("sdc-engine");
    if let Some(summary) = &run.summary {
        report.set_time(summary.took);
    }
    let mut suites: BTreeMap<&str, (Vec<TestCase>, Duration)> = BTreeMap::new();
    for result in run.sorted() {
        let (cases, time) = suites.entry(&result.scenario).or_default();
        cases.push(test_case(result));
        *time += result.took;
    }
    for case in &run.left_out {
        if let Some(test_case) = left_out(case) {
            suites.entry(&case.scenario).or_default().0.push(test_case);
        }
    }
    for (scenario, (cases, time)) in suites {
        let mut suite = TestSuite::new(scenario);
        suite.set_time(time).add_properties(host_properties(run)).add_test_cases(cases);
        report.add_test_suite(suite);
    }
    report
}

/// Takes names out of the finished report; see [`texts`].
fn redact(report: &mut Report, redaction: &Redaction, run: &Run) {
    if redaction.is_on() {
        let seen: Vec<String> = texts(report).into_iter().map(|text| text.as_str().to_owned()).collect();
        let redactor = redaction.redactor(&run.machines(), seen.iter().map(String::as_str));
        for text in texts(report) {
            *text = redactor.text(text.as_str()).into();
        }
    }
}

/// Every text of a report that is not ours alone.
fn texts(report: &mut Report) -> Vec<&mut XmlString> {
    let mut all = Vec::new();
    for suite in &mut report.test_suites {
        all.push(&mut suite.name);
        all.extend(suite.properties.iter_mut().flat_map(|property| [&mut property.name, &mut property.value]));
        for case in &mut suite.test_cases {
            all.push(&mut case.name);
            all.extend(case.properties.iter_mut().flat_map(|property| [&mut property.name, &mut property.value]));
            all.extend([&mut case.classname, &mut case.system_out, &mut case.system_err].into_iter().flatten());
            if let TestCaseStatus::NonSuccess { message, description, .. }
            | TestCaseStatus::Skipped { message, description, .. } = &mut case.status
            {
                all.extend([message, description].into_iter().flatten());
            }
        }
    }
    all
}

/// Why each host and its facts; where there are several, their names stand in the properties' names.
fn host_properties(run: &Run) -> Vec<(String, String)> {
    let mut properties = Vec::new();
    for started in &run.started {
        let of = if run.only().is_some() { String::new() } else { format!("[{}]", plain_log(&started.host.name)) };
        properties.push((format!("why_host{of}"), plain_log(&started.why_host)));
        if let Ok(Value::Object(facts)) = serde_json::to_value(&started.host) {
            let facts = facts.into_iter().map(|(name, value)| (format!("host{of}.{name}"), plain_log(&words(&value))));
            properties.extend(facts);
        }
    }
    for leak in run.summary.iter().flat_map(|summary| &summary.leaks).filter(|leak| leak.lasting) {
        let told = format!("{} {}: {}", leak.host, leak.whose(), leak.words().join("; "));
        properties.push(("leaked".to_owned(), plain_log(&told)));
    }
    for host in &run.failed_hosts {
        properties.push((format!("host[{}].failed", plain_log(&host.name)), plain_log(&host.reason)));
    }
    properties
}

fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(words).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

fn test_case(result: &CaseResult) -> TestCase {
    let mut case = TestCase::new(plain_log(&result.id.0), status(result));
    case.set_classname(result.scenario.as_str()).set_time(result.took).set_assertions(result.judgements.len());
    case.add_properties(properties(&result.point, result.verdict.word()));
    if let Some(folder) = &result.bundle {
        case.add_properties([("bundle".to_owned(), plain_log(folder))]);
    }
    if result.verdict == Verdict::Warn {
        case.set_system_err(full_text(result));
    }
    if result.verdict != Verdict::Pass
        && let Some(boot) = &result.boot
    {
        case.set_system_out(plain_log(&boot.console));
    }
    case
}

fn status(result: &CaseResult) -> TestCaseStatus {
    let kind = match &result.verdict {
        Verdict::Pass | Verdict::Warn => return TestCaseStatus::success(),
        Verdict::Skipped(reason) | Verdict::NotApplicable(reason) | Verdict::Filtered(reason) => {
            return skipped(result.verdict.word(), reason);
        }
        Verdict::Error(_) => NonSuccessKind::Error,
        Verdict::Fail | Verdict::Timeout(_) | Verdict::Flaky(..) | Verdict::New => NonSuccessKind::Failure,
    };
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(result.verdict.word()).set_message(message(result)).set_description(full_text(result));
    status
}

fn skipped(word: &str, reason: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(plain_log(&format!("{word}: {reason}")));
    status
}

/// The first thing that broke, in one line.
pub(super) fn message(result: &CaseResult) -> String {
    let broken = decisive(result);
    let told = match (&result.verdict, broken.first()) {
        (Verdict::Error(words), _) => words.clone(),
        (Verdict::Timeout(phase), _) => format!("limit passed: {phase}"),
        (Verdict::Flaky(held, runs), _) => format!("held in {held} of {runs} runs"),
        (_, None) => result.verdict.word().to_owned(),
        (_, Some(j)) => match j.kind {
            JudgementKind::Golden => format!("{}: differs from its golden", j.subject),
            JudgementKind::GoldenNew => format!("{}: has no golden yet", j.subject),
            _ => format!("{}: expected {}; actual {}", j.subject, j.expected.trim(), j.actual.trim()),
        },
    };
    let more = match broken.len() {
        0 | 1 => String::new(),
        n => format!(" (and {} more)", n - 1),
    };
    plain_log(&told).lines().collect::<Vec<_>>().join(" ") + &more
}

fn full_text(result: &CaseResult) -> String {
    let lines = details::lines(result, details::Look { columns: None, full: true });
    anstream::adapter::strip_str(&lines.join("\n")).to_string()
}

fn properties(point: &Point, verdict: &str) -> Vec<(String, String)> {
    let axes = point.iter().map(|(axis, value)| (format!("axis.{axis}"), plain_log(&value.to_string())));
    axes.chain([("verdict".to_owned(), verdict.to_owned())]).collect()
}

fn left_out(case: &LeftOut) -> Option<TestCase> {
    let (word, reason) = match &case.why {
        WhyOut::Skipped(reason) => ("skipped", reason),
        WhyOut::NotApplicable(rule) => ("not applicable", rule),
        WhyOut::Filtered(_) => return None,
    };
    let mut test_case = TestCase::new(plain_log(&case.id.0), skipped(word, reason));
    test_case.set_classname(case.scenario.as_str()).add_properties(properties(&case.point, word));
    Some(test_case)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::Known;
    use crate::report::sample;

    #[test]
    fn the_report() {
        insta::assert_snapshot!(report(&sample::run()).to_string().unwrap());
    }

    #[test]
    fn no_name_is_left() {
        let (run, names) = sample::named_run();
        let written = |redaction: &Redaction| {
            let mut report = report(&run);
            redact(&mut report, redaction, &run);
            report.to_string().unwrap()
        };
        let (plain, text) = (written(&Redaction::off()), written(&Redaction::on(Known::default())));
        assert!(names.iter().all(|name| plain.contains(name) && !text.contains(name)), "{text}");
        assert!(text.contains("host=ssh://&lt;user&gt;@&lt;machine-1&gt;:22]"), "{text}");
        assert_eq!(Report::deserialize_from_str(&text).unwrap().tests, report(&run).tests);
    }

    #[test]
    fn the_file_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("junit.xml");
        let mut junit = Junit::new(Target::File(path.clone()), Redaction::off());
        sample::events().iter().for_each(|event| junit.event(event));
        junit.finish().unwrap();
        let report = Report::deserialize_from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        assert_eq!((report.failures, report.errors), (6, 1));
        assert!(report.test_suites.iter().all(|suite| suite.test_cases.iter().all(|c| !c.name.contains("filtered"))));
    }
}
