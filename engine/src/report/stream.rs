//! The events of a run as they happen, for tools: a JSON object a line, written and flushed as a whole, so that whoever
//! follows the file sees whole lines, also of a run that is killed. What was cut off all the same has no line end.
//!
//! Each line has `schema_version` (of this shape: a field or an event may be added without a new one), `event`, and `at`,
//! the seconds since the first. The events, and what they have:
//!
//! | event | fields |
//! |---|---|
//! | `run_started` | `host`, `why_host`, `facts`, `cases`, `boots`, `jobs`; once for each host |
//! | `left_out` | a case that will not run: `id`, `scenario`, `verdict`, `detail` |
//! | `host_failed` | `host`, `reason`, `cases`: these end as errors |
//! | `notice` | `message` |
//! | `case_started` | `id`, `boot` (a number; `null` where it never came to one) |
//! | `phase` | `boot`, `cases` (ids), `phase`: create, boot, steps, remove |
//! | `evidence` | `cases` (ids) whose container was asked for `--bundle` |
//! | `case_finished` | `id`, `scenario`, `host`, `verdict`, `detail`, `took`, `outcome`, `deciding_line`, `broken` (judgements), `by_hand`, `bundle` |
//! | `boot_over` | `boot` |
//! | `rule_unused` | `rule` |
//! | `run_finished` | `outcome`, `exit_code`, `counts`, `boots`, `took`, `stopped_early`, `left_behind`; the last |
//!
//! Each case that was to run has one `case_started` before its one `case_finished`, but in a run that was interrupted.
//! Names and secrets are treated as in the JSON report.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::time::Instant;

use serde_json::{Value, json};

use crate::events::Event;
use crate::judge::CaseResult;
use crate::observe::escape;
use crate::plan::{CaseId, WhyOut};
use crate::redact::Redaction;

use super::Reporter;
use super::json::seconds;
use super::run::Run;

/// The version of the shape.
const SCHEMA_VERSION: u32 = 1;

/// Writes the lines.
pub struct Stream {
    out: Box<dyn Write + Send>,
    redaction: Redaction,
    first: Option<Instant>,
    run: Run,
    begun: BTreeSet<CaseId>,
    /// Texts with names: who was `<user-2>` in one line is so in all.
    named: Vec<String>,
    failed: Option<io::Error>,
}

impl Stream {
    /// Writes there.
    #[must_use]
    pub fn new(out: impl Write + Send + 'static, redaction: Redaction) -> Self {
        Self {
            out: Box::new(out),
            redaction,
            first: None,
            run: Run::default(),
            begun: BTreeSet::new(),
            named: Vec::new(),
            failed: None,
        }
    }

    fn write(&mut self, event: &str, fields: Value) {
        if self.failed.is_some() {
            return;
        }
        let at = self.first.get_or_insert_with(Instant::now).elapsed().as_secs_f64();
        let mut line = json!({ "schema_version": SCHEMA_VERSION, "event": event, "at": at });
        if let (Some(line), Value::Object(fields)) = (line.as_object_mut(), fields) {
            line.extend(fields);
        }
        seconds(&mut line);
        self.redact(&mut line);
        let text = escape::json(&line.to_string()) + "\n";
        self.failed = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush()).err();
    }

    fn redact(&mut self, line: &mut Value) {
        if !self.redaction.is_on() {
            return;
        }
        // Those of before come first, so that they keep their numbers.
        let mut document = json!([self.named, line]);
        let before = document.clone();
        self.redaction.value(&self.run.machines(), &mut document);
        texts(&before[1], &document[1], &mut self.named);
        *line = document[1].take();
    }

    fn begin(&mut self, cases: &[CaseId], boot: Option<usize>) {
        for id in cases {
            if self.begun.insert(id.clone()) {
                self.write("case_started", json!({ "id": id, "boot": boot }));
            }
        }
    }

    fn finished(&mut self, result: &CaseResult) {
        self.begin(std::slice::from_ref(&result.id), None);
        let broken: Vec<_> = result.judgements.iter().filter(|judgement| !judgement.held).collect();
        let boot = result.boot.as_ref();
        let mut fields = json!({
            "id": result.id,
            "scenario": result.scenario,
            "host": result.host,
            "took": result.took.as_secs_f64(),
            "outcome": boot.map(|boot| &boot.outcome),
            "deciding_line": boot.and_then(|boot| boot.deciding_line.as_ref()),
            "broken": broken,
            "by_hand": result.by_hand,
            "bundle": result.bundle,
        });
        if let (Some(fields), Ok(Value::Object(verdict))) =
            (fields.as_object_mut(), serde_json::to_value(&result.verdict))
        {
            fields.extend(verdict);
        }
        self.write("case_finished", fields);
    }
}

/// The texts of a value that are not as they were.
fn texts(before: &Value, after: &Value, into: &mut Vec<String>) {
    match (before, after) {
        (Value::String(before), Value::String(after)) if before != after && !into.contains(before) => {
            into.push(before.clone());
        }
        (Value::Array(before), Value::Array(after)) => {
            before.iter().zip(after).for_each(|(before, after)| texts(before, after, into));
        }
        (Value::Object(before), Value::Object(after)) => {
            before.values().zip(after.values()).for_each(|(before, after)| texts(before, after, into));
        }
        _ => {}
    }
}

impl Reporter for Stream {
    fn event(&mut self, event: &Event) {
        self.run.light(event);
        match event {
            Event::RunStarted { host, why_host, cases, boots, left_out, jobs, share } => {
                let (name, facts) = (&host.name, host);
                self.write(
                    "run_started",
                    json!({ "host": name, "why_host": why_host, "facts": facts, "cases": cases, "boots": boots, "jobs": jobs, "share": share }),
                );
                for out in left_out {
                    let (verdict, detail) = match &out.why {
                        WhyOut::NotApplicable(rule) => ("not_applicable", rule),
                        WhyOut::Filtered(filter) => ("filtered", filter),
                        WhyOut::Skipped(reason) => ("skipped", reason),
                    };
                    let fields =
                        json!({ "id": out.id, "scenario": out.scenario, "verdict": verdict, "detail": detail });
                    self.write("left_out", fields);
                }
            }
            Event::HostFailed { host, reason, cases, .. } => {
                self.write("host_failed", json!({ "host": host, "reason": reason, "cases": cases }));
            }
            Event::Notice { message } => self.write("notice", json!({ "message": message })),
            Event::Phase { boot, cases, phase, .. } => {
                self.begin(cases, Some(*boot));
                self.write("phase", json!({ "boot": boot, "cases": cases, "phase": phase }));
            }
            Event::Evidence { cases, .. } => {
                let ids: Vec<_> = cases.iter().map(|case| &case.id).collect();
                self.write("evidence", json!({ "cases": ids }));
            }
            Event::CaseFinished { result } => self.finished(result),
            Event::BootOver { boot } => self.write("boot_over", json!({ "boot": boot })),
            Event::RuleUnused { rule } => self.write("rule_unused", json!({ "rule": rule })),
            Event::RunFinished { summary } => {
                let outcome = self.run.outcome();
                let fields = json!({
                    "outcome": outcome,
                    "exit_code": outcome.exit_code(),
                    "counts": self.run.counts(),
                    "boots": summary.boots,
                    "took": summary.took.as_secs_f64(),
                    "stopped_early": summary.stopped_early,
                    "left_behind": summary.left_behind,
                });
                self.write("run_finished", fields);
            }
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        let told = |error: io::Error| io::Error::new(error.kind(), format!("--events: {error}"));
        self.failed.take().map_or(Ok(()), |error| Err(told(error)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::observe::escape::steers;
    use crate::redact::Known;
    use crate::report::sample;

    /// What is written, by write.
    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<Vec<u8>>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().push(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn lines(events: &[Event], redaction: Redaction) -> Vec<Value> {
        let out = Shared::default();
        let mut stream = Stream::new(out.clone(), redaction);
        events.iter().for_each(|event| stream.event(event));
        stream.finish().unwrap();
        let writes = out.0.lock().unwrap().clone();
        let line = |write: &Vec<u8>| {
            let text = String::from_utf8(write.clone()).unwrap();
            assert!(text.ends_with('\n') && !text.trim_end().contains(|c| steers(c) || c == '\n'), "{text:?}");
            serde_json::from_str(&text).unwrap()
        };
        writes.iter().map(line).collect()
    }

    #[test]
    fn each_line_is_written_as_a_whole_and_every_case_starts_before_it_ends() {
        let lines = lines(&sample::events(), Redaction::off());
        assert!(lines.iter().all(|line| line["schema_version"] == 1 && line["at"].is_f64()));
        let ids = |event: &str| -> Vec<(usize, String)> {
            let of = lines.iter().enumerate().filter(|(_, line)| line["event"] == event);
            let mut ids: Vec<_> = of.map(|(at, line)| (at, line["id"].as_str().unwrap().to_owned())).collect();
            ids.sort_by(|a, b| a.1.cmp(&b.1));
            ids
        };
        let (started, finished) = (ids("case_started"), ids("case_finished"));
        assert_eq!(finished.len(), sample::run().results.len());
        assert_eq!(started.len(), finished.len());
        for (started, finished) in started.iter().zip(&finished) {
            assert!(started.1 == finished.1 && started.0 < finished.0, "{started:?} {finished:?}");
        }
        let last = lines.last().unwrap();
        assert_eq!((&last["event"], &last["exit_code"]), (&"run_finished".into(), &1.into()));
        assert_eq!(ids("left_out").len(), 5);
        let fail = lines.iter().find(|line| line["event"] == "case_finished" && line["verdict"] == "fail").unwrap();
        assert!(fail["broken"][0]["place"]["line"].is_u64(), "{fail}");
    }

    #[test]
    fn a_case_that_came_to_no_boot_starts_too() {
        let events: Vec<_> =
            sample::events().into_iter().filter(|event| matches!(event, Event::CaseFinished { .. })).collect();
        let lines = lines(&events, Redaction::off());
        assert_eq!((&lines[0]["event"], &lines[0]["boot"]), (&"case_started".into(), &Value::Null));
        assert_eq!(lines[0]["id"], lines[1]["id"]);
    }

    #[test]
    fn a_name_has_one_placeholder_in_all_lines() {
        let notice = |message: &str| Event::Notice { message: message.into() };
        let events = [notice("/home/kim/x"), notice("/home/lee/y"), notice("/home/lee/z and /home/kim/z")];
        let lines = lines(&events, Redaction::on(Known::default()));
        let messages: Vec<_> = lines.iter().map(|line| line["message"].as_str().unwrap()).collect();
        let kim = messages[0].strip_suffix("/x").unwrap();
        let lee = messages[1].strip_suffix("/y").unwrap();
        assert!(kim.starts_with('<') && lee.starts_with('<') && kim != lee, "{messages:?}");
        assert_eq!(messages[2], format!("{lee}/z and {kim}/z"));
    }
}
