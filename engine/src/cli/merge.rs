//! `sdc-engine merge`: several reports as one.

use std::path::Path;

use serde_json::json;

use super::args::MergeArgs;
use super::check::exit;
use super::exit::{Exit, Failure};
use super::reports::{hosts, label, read, write, wrong};
use crate::redact::Redaction;
use crate::report::merge::{self, Merged};
use crate::report::{Outcome, document, json_text, junit_text};

const COMMAND: &str = "merge";

/// Joins reports, and ends as the run would have that they are parts of.
pub(super) fn merge(args: &MergeArgs, redaction: &Redaction) -> Result<Exit, Failure> {
    let streams =
        [Some(&args.json), args.junit.as_ref()].into_iter().flatten().filter(|path| path.as_path() == Path::new("-"));
    if streams.count() > 1 {
        return Err(Failure::input(miette::miette!("--json and --junit can't both go to stdout")));
    }
    // All files are read before any is written.
    let mut documents = Vec::new();
    for path in &args.reports {
        documents.push((path, read(path, COMMAND)?));
    }
    // A machine has one number in all of them.
    let names: Vec<String> = documents.iter().flat_map(|(_, value)| hosts(value)).collect();
    let redaction = redaction.of_hosts(names.iter().map(String::as_str));
    let mut parts = Vec::new();
    for (path, mut value) in documents {
        redaction.value(&[], &mut value);
        // Text that was there before is text still.
        if redaction.is_on() && value.get("redacted").is_some() {
            value["redacted"] = true.into();
        }
        parts.push(merge::read(&label(path), value).map_err(|error| wrong(path, COMMAND, &error.to_string()))?);
    }
    let (version, redacted) = parts.first().map_or_else(Default::default, |part| (part.version.clone(), part.redacted));
    let reports: Vec<String> = parts.iter().map(|part| part.name.clone()).collect();
    let Merged { run, notices, missing } = merge::merge(parts).map_err(|error| {
        let help = "merge joins parts of one run; `sdc-engine report` shows any reports side by side";
        Failure::input(miette::miette!(help = help, "these are no parts of one run:\n{error}"))
    })?;
    if !missing.is_empty() && !args.allow_missing {
        let help = "give these reports too, or --allow-missing";
        return Err(Failure::input(miette::miette!(help = help, "missing: {}", missing.join("\nmissing: "))));
    }
    for notice in notices.iter().cloned().chain(missing.iter().map(|what| format!("missing: {what}"))) {
        super::say(&notice);
    }
    // The redaction is done, so that nothing is to be taken out again.
    let mut value = document(&run, &Redaction::off()).map_err(Failure::environment)?;
    value["redacted"] = redacted.into();
    value["sdc_engine_version"] = version.into();
    value["merged"] = json!({ "reports": reports, "missing": missing });
    write(&args.json, &json_text(&value).map_err(Failure::environment)?)?;
    if let Some(path) = &args.junit {
        write(path, &junit_text(&run, &Redaction::off()).map_err(Failure::environment)?)?;
    }
    let outcome = run.outcome();
    if args.json != Path::new("-") && args.junit.as_deref() != Some(Path::new("-")) {
        super::print(&format!("merged {} reports: {}\n", reports.len(), run.counts().line()))?;
    }
    // What is missing was allowed to be.
    Ok(if outcome == Outcome::Incomplete { Exit::Held } else { exit(outcome) })
}
