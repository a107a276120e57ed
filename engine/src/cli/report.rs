//! `sdc-engine report`: the support table as a page, from reports.

use std::collections::BTreeMap;
use std::path::Path;

use super::args::ReportArgs;
use super::exit::{Exit, Failure};
use super::reports::{hosts, label, read, write, wrong};
use crate::compare::Document;
use crate::redact::Redaction;
use crate::report::page::{Question, Source, findings, html, markdown, page};
use crate::scenario::model::Scenario;

const COMMAND: &str = "report";

/// Makes the pages.
pub(super) fn report(args: &ReportArgs, images: &Path, redaction: &Redaction) -> Result<Exit, Failure> {
    let streams = [&args.html, &args.markdown, &args.findings]
        .into_iter()
        .flatten()
        .filter(|path| path.as_path() == Path::new("-"));
    if streams.count() > 1 {
        return Err(Failure::input(miette::miette!("only one of --html, --markdown and --findings can go to stdout")));
    }
    // All files are read before any is written.
    let mut sources = Vec::new();
    for path in &args.reports {
        let mut value = read(path, COMMAND)?;
        let names = hosts(&value);
        redaction.of_hosts(names.iter().map(String::as_str)).value(&[], &mut value);
        let document = Document::read(value).map_err(|error| wrong(path, COMMAND, &error.to_string()))?;
        sources.push(Source { name: label(path), document });
    }
    let page = page(&sources).map_err(|error| Failure::input(miette::miette!("{error}")))?;
    for notice in &page.notices {
        super::say(notice);
    }
    if let Some(path) = &args.html {
        write(path, &html(&page).map_err(Failure::environment)?)?;
    }
    if let Some(path) = &args.markdown {
        write(path, &markdown(&page))?;
    }
    if let Some(path) = &args.findings {
        write(path, &findings(&page, &questions(&args.scenarios, images)?))?;
    }
    Ok(Exit::Held)
}

/// What each scenario asks, by its name.
fn questions(scenarios: &Path, images: &Path) -> Result<BTreeMap<String, Question>, Failure> {
    let loaded = crate::scenario::load(&[scenarios.to_path_buf()], images).map_err(Failure::input)?;
    let question = |one: Scenario| (one.name, Question { title: one.title, description: one.description });
    Ok(loaded.scenarios.into_iter().map(question).collect())
}
