//! `sdc-engine compare`: what differs between two hosts, or between reports.

use std::path::Path;

use serde_json::{Value, json};

use super::args::{CompareArgs, RunArgs};
use super::exit::{Exit, Failure};
use super::host::{Ask, known, labs};
use super::session::{self, Asked};
use super::{columns, json as to_json, print, reports};
use crate::compare::{Comparison, Side, SideError, across, compare as differences};
use crate::host::Labs;
use crate::redact::Redaction;
use crate::report::compare::lines;
use crate::report::document;

const COMMAND: &str = "compare";

/// One side, as it was named.
enum Named<'a> {
    /// A report, and which of its hosts.
    Report {
        path: &'a Path,
        host: Option<&'a str>,
    },
    Host(&'a str),
}

impl<'a> Named<'a> {
    /// A path that exists is a report; all else must be a host.
    fn read(text: &'a str, labs: &Labs) -> Result<Self, Failure> {
        if Path::new(text).exists() {
            return Ok(Self::Report { path: Path::new(text), host: None });
        }
        if let Some((path, host)) = text.rsplit_once('#')
            && Path::new(path).exists()
        {
            return Ok(Self::Report { path: Path::new(path), host: Some(host) });
        }
        if text.ends_with(".json") {
            let help = "write one by `sdc-engine check --json FILE`";
            return Err(Failure::input(miette::miette!(help = help, "there is no report {text}")));
        }
        known(text, labs)?;
        Ok(Self::Host(text))
    }
}

/// A report that was read, and how to find its side of the comparison in it.
struct Report {
    document: Value,
    host: Option<String>,
}

impl Report {
    fn is_redacted(&self) -> bool {
        self.document.get("redacted") == Some(&Value::Bool(true))
    }

    /// Takes the names out, as in the other side: else the same thing would have two names.
    fn redact(&mut self, redaction: &Redaction) {
        let hosts = reports::hosts(&self.document);
        let redaction = redaction.of_hosts(hosts.iter().map(String::as_str));
        redaction.value(&[], &mut self.document);
        let redactor = redaction.redactor(&[], []);
        self.host = self.host.as_deref().map(|host| redactor.text(host));
    }

    fn side(&self, name: &str) -> Result<Side, SideError> {
        Side::read(name, self.document.clone(), self.host.as_deref())
    }
}

/// Compares two sides.
pub(super) async fn compare(
    args: CompareArgs,
    images: &Path,
    golden: &Path,
    redaction: &Redaction,
) -> Result<Exit, Failure> {
    let labs = labs(images)?;
    let named = [Named::read(&args.a, &labs)?, Named::read(&args.b, &labs)?];
    if named.iter().all(|side| matches!(side, Named::Report { .. })) && args.select.is_some_selection() {
        return Err(Failure::input(miette::miette!(
            help = "give the filters to the `sdc-engine check` that writes the reports",
            "paths and filters choose what runs, and both sides are reports"
        )));
    }
    // What is wrong with a report is known before anything runs.
    let mut reports = Vec::new();
    for side in &named {
        reports.push(match side {
            Named::Report { path, host } => Some(report(path, *host)?),
            Named::Host(_) => None,
        });
    }
    let alike = if reports.iter().flatten().any(Report::is_redacted) { redaction } else { &Redaction::off() };
    let full = label(&args.a) == label(&args.b);
    let mut sides = Vec::new();
    for ((side, report), text) in named.iter().zip(reports).zip([&args.a, &args.b]) {
        match (report, side) {
            (Some(mut report), _) => {
                report.redact(alike);
                let label = if full { text } else { label(text) };
                sides.push(report.side(label).map_err(Failure::environment)?);
            }
            (None, Named::Host(name)) => match ran(&args, name, images, golden, alike).await? {
                Ok(side) => sides.push(side),
                Err(exit) => return Ok(exit),
            },
            (None, Named::Report { .. }) => {}
        }
    }
    let Ok([mut a, mut b]) = <[Side; 2]>::try_from(sides) else {
        return Err(Failure::environment("a side is missing"));
    };
    if a.name == b.name {
        a.name.push_str(" (A)");
        b.name.push_str(" (B)");
    }
    for axis in &args.across {
        if ![&a, &b].iter().any(|side| side.cases.values().any(|case| case.at.contains_key(axis))) {
            let help = "name an axis of the cases that ran, such as cgroup_mode";
            return Err(Failure::input(miette::miette!(help = help, "--across: no case has the axis '{axis}'")));
        }
        (a, b) = across(&a, &b, axis);
    }
    let found = differences(&a, &b);
    print(&if args.json { to_json(&told(&found, redaction))? } else { text(&found) })?;
    Ok(exit(&found))
}

/// A path without its folders.
fn label(text: &str) -> &str {
    let end = text.find('#').unwrap_or(text.len());
    &text[text[..end].rfind('/').map_or(0, |at| at + 1)..]
}

const fn exit(found: &Comparison) -> Exit {
    if !found.groups.is_empty() {
        Exit::Differs
    } else if found.compared == 0 || !found.errors.is_empty() {
        Exit::Environment
    } else {
        Exit::Held
    }
}

fn told(found: &Comparison, redaction: &Redaction) -> Value {
    let mut value = json!({
        "schema_version": 1,
        "redacted": redaction.is_on(),
        "exit_code": exit(found).code(),
        "differing": found.differing(),
        "comparison": found,
    });
    redaction.of_hosts([found.sides.a.as_str(), found.sides.b.as_str()]).value(&[], &mut value);
    value
}

fn text(found: &Comparison) -> String {
    lines(found, columns()).into_iter().map(|line| line + "\n").collect()
}

fn report(path: &Path, host: Option<&str>) -> Result<Report, Failure> {
    let document = reports::read(path, COMMAND)?;
    let report = Report { document, host: host.map(ToOwned::to_owned) };
    report.side("").map_err(|error| reports::wrong(path, COMMAND, &error.to_string()))?;
    Ok(report)
}

/// Runs the scenarios on a host; an exit where the run was stopped.
async fn ran(
    args: &CompareArgs,
    name: &str,
    images: &Path,
    golden: &Path,
    redaction: &Redaction,
) -> Result<Result<Side, Exit>, Failure> {
    let run = RunArgs { jobs: args.jobs, allow_host_risk: args.allow_host_risk, ..RunArgs::default() };
    let hosts = vec![Ask { name: Some(name), engine: args.container_exe }];
    let (select, repeat) = (&args.select, args.repeat);
    let asked = Asked { select, hosts, run: &run, repeat, images, golden, earlier: None, silent: true, redaction };
    let ran = session::run(asked).await?;
    if let Some(why) = &ran.outcome.summary.stopped_early {
        print(&format!("nothing is compared: the run on {name} was stopped: {why}\n"))?;
        return Ok(Err(Exit::Interrupted));
    }
    if !ran.outcome.summary.left_behind.is_empty() {
        let left = ran.outcome.summary.left_behind.join("; ");
        return Err(Failure::environment(format!("left behind on {name}, not removed: {left}")));
    }
    let value = document(&ran.record, &redaction.of_hosts([name])).map_err(Failure::environment)?;
    Ok(Ok(Side::read(name, value, None).map_err(Failure::environment)?))
}
