//! `sdc-engine update`: runs each case several times and records what was the same every time.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use super::args::UpdateArgs;
use super::exit::{Exit, Failure};
use super::host;
use super::session::{self, Asked, Planned, Ran};
use super::{check, print};
use crate::facts::Facts;
use crate::golden::record::{RecordedHost, Recording};
use crate::golden::update::{Batch, FolderUpdate, Recorded, update_all};
use crate::golden::{Coordinates, store};
use crate::judge::{CaseResult, GoldenKey, JudgementKind, Verdict};
use crate::plan::CaseId;
use crate::redact::{Redaction, Redactor};
use crate::report::Outcome;
use crate::scenario::model::Level;

/// Records goldens. Nothing is written of a run that was interrupted.
pub(super) async fn update(
    args: UpdateArgs,
    images: &Path,
    golden: &Path,
    redaction: &Redaction,
) -> Result<Exit, Failure> {
    let UpdateArgs { select, host: asked, run, reason, repeat } = &args;
    if reason.trim().is_empty() {
        return Err(Failure::input(miette::miette!(
            help = "say why the recorded truth changes: it is kept beside the goldens",
            "--reason is empty"
        )));
    }
    let hosts = host::each(asked, images)?;
    let redaction = &redaction.of_hosts(hosts.iter().filter_map(|ask| ask.name));
    let asked = Asked { select, hosts, run, repeat: *repeat, images, golden, silent: false, redaction };
    let ran = session::run(asked).await?;
    let said = ran.record.outcome();
    if ran.outcome.summary.stopped_early.is_some() {
        print("nothing is recorded: the run was stopped before its end\n")?;
        return Ok(check::exit(said));
    }
    let (recordable, refused) = part(&ran);
    // What is compared stays as it was seen; what stands beside it is for others.
    let redactor = redaction.redactor(&ran.record.machines(), [reason.as_str()]);
    let updates = compute(&ran, &recordable, &redactor, reason, *repeat)?;
    store::apply(golden, &updates).map_err(Failure::input)?;
    print(&summary(&updates, &refused))?;
    Ok(match (refused.is_empty(), said) {
        (false, _) => Exit::Differs,
        // What differed from the goldens, or had none, is recorded now.
        (true, Outcome::Differs | Outcome::Held) => Exit::Held,
        (true, said) => check::exit(said),
    })
}

/// The results that may be recorded, and those that may not, with the reason.
fn part(ran: &Ran) -> (Vec<&CaseResult>, Vec<(&CaseId, String)>) {
    let mut recordable = Vec::new();
    let mut refused = Vec::new();
    for result in ran.outcome.results.iter().filter(|result| goldens_of(ran, result)) {
        match refusal(ran, result) {
            None => recordable.push(result),
            Some(why) => refused.push((&result.id, why)),
        }
    }
    (recordable, refused)
}

fn goldens_of(ran: &Ran, result: &CaseResult) -> bool {
    !result.observed.is_empty() || ran.outcome.varied.contains_key(&result.id)
}

fn refusal(ran: &Ran, result: &CaseResult) -> Option<String> {
    if let Some(key) = ran.outcome.varied.get(&result.id) {
        return Some(format!("its runs gave different texts for {}/{}", key.scenario, key.folder));
    }
    match &result.verdict {
        Verdict::Error(words) => return Some(words.clone()),
        Verdict::Flaky(held, of) => return Some(format!("it held in {held} of {of} runs")),
        _ => {}
    }
    let about_goldens = |kind| matches!(kind, JudgementKind::Golden | JudgementKind::GoldenNew);
    let broken = result.judgements.iter().find(|j| !j.held && j.level == Level::Fail && !about_goldens(j.kind))?;
    Some(format!(
        "{}: expected {}, saw {}",
        broken.subject,
        broken.expected,
        broken.actual.lines().next().unwrap_or("")
    ))
}

/// The changes of all golden folders, as values.
fn compute(
    ran: &Ran,
    results: &[&CaseResult],
    redactor: &Redactor,
    reason: &str,
    runs: u32,
) -> Result<Vec<FolderUpdate>, Failure> {
    let mut folders: BTreeMap<&GoldenKey, BTreeMap<(usize, &str), Vec<Recorded>>> = BTreeMap::new();
    for result in results {
        let Some(Planned { case, image, at, host }) = ran.cases.get(&result.id) else { continue };
        for observed in &result.observed {
            let seen = recorded(case, at, &observed.text);
            folders.entry(&observed.key).or_default().entry((*host, image)).or_default().push(seen);
        }
    }
    let mut updates = Vec::new();
    for (key, by_source) in folders {
        let recordings: Vec<(Recording, Vec<Recorded>)> = by_source
            .into_iter()
            .filter_map(|((host, image), seen)| {
                let recording = recording(ran, ran.facts.get(host)?, image, reason, runs);
                Some((redacted(recording, redactor), seen))
            })
            .collect();
        let batches: Vec<Batch<'_>> = recordings.iter().map(|(recording, seen)| Batch { recording, seen }).collect();
        let update = update_all(&ran.store.folder(key), &batches).map_err(Failure::input)?;
        if !update.is_empty() {
            updates.push(update);
        }
    }
    Ok(updates)
}

fn recorded(case: &CaseId, at: &Coordinates, text: &str) -> Recorded {
    Recorded { case: case.clone(), coordinates: at.clone(), text: text.to_string() }
}

fn recording(ran: &Ran, facts: &Facts, image: &str, reason: &str, runs: u32) -> Recording {
    let systemd = ran.catalogue.images.get(image).map(|image| image.systemd.to_string()).unwrap_or_default();
    Recording {
        date: session::today(),
        host: RecordedHost::of(facts),
        image: image.to_string(),
        systemd,
        runs,
        reason: reason.trim().to_string(),
    }
}

/// A recording without the names of users and machines.
fn redacted(recording: Recording, redactor: &Redactor) -> Recording {
    let name = redactor.text(&recording.host.name);
    let reason = redactor.text(&recording.reason);
    Recording { host: RecordedHost { name, ..recording.host }, reason, ..recording }
}

fn summary(updates: &[FolderUpdate], refused: &[(&CaseId, String)]) -> String {
    let mut text = String::new();
    // Writing to a string can't fail.
    for update in updates {
        let folder = format!("golden/{}/{}", update.key.scenario, update.key.folder);
        for name in update.write.keys() {
            let _ok = writeln!(text, "wrote    {folder}/{name}");
        }
        for name in &update.delete {
            let _ok = writeln!(text, "removed  {folder}/{name}");
        }
    }
    for (case, why) in refused {
        let _ok = writeln!(text, "refused  {case}: {why}");
    }
    let cases: usize = updates.iter().map(|update| update.changed.len()).sum();
    let files: usize = updates.iter().map(|update| update.write.len()).sum();
    let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let _ok = match (cases, files, refused.len()) {
        (0, 0, 0) => writeln!(text, "the goldens are as they were"),
        (cases, files, refused) => writeln!(
            text,
            "recorded {} in {}; {} refused",
            count(cases, "text"),
            count(files, "file"),
            count(refused, "case")
        ),
    };
    text
}
