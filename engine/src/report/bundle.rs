//! A folder for each case that failed, with all that was seen of it and that its container could still show: for whoever
//! looks into it later, or elsewhere. Texts steer no terminal, have a limit, and are without names of users and machines;
//! what could not be had stands in its file. Folders are their owner's alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::events::{Event, EvidenceFile};
use crate::golden::name;
use crate::judge::CaseResult;
use crate::observe::escape;
use crate::plan::{CaseId, CasePlan};
use crate::redact::{Machine, Redaction};

use super::text::plain_log;
use super::{Reporter, json};

/// The most bytes of one file.
const LARGEST: usize = 2 << 20;

/// The folder of a case, in the folder of all of them.
fn folder(root: &Path, case: &CaseId) -> PathBuf {
    root.join(name::folder(&case.0))
}

/// Writes the folders while the run goes on, each as soon as its case is known to have failed.
pub struct Bundle {
    root: PathBuf,
    redaction: Redaction,
    /// Names of hosts and of their machines.
    machines: Vec<(String, String)>,
    facts: BTreeMap<String, Value>,
    /// Cases whose container was asked.
    asked: BTreeSet<CaseId>,
    failed: Option<io::Error>,
}

/// A file's name and its text, or why there is none.
type Page = (String, Result<String, String>);

impl Bundle {
    /// Will write below that folder, which is made.
    #[must_use]
    pub fn new(root: PathBuf, redaction: Redaction) -> Self {
        let (machines, facts, asked) = (Vec::new(), BTreeMap::new(), BTreeSet::new());
        Self { root, redaction, machines, facts, asked, failed: None }
    }

    /// What the container showed. Of several runs of a case the first that failed is kept.
    fn evidence(&mut self, case: &CasePlan, files: &[EvidenceFile]) {
        if !self.asked.insert(case.id.clone()) {
            return;
        }
        let mut pages: Vec<Page> = files
            .iter()
            .map(|file| {
                let told = |(text, cut): &(String, bool)| {
                    let cut = if *cut { "\n(cut: this is what is kept of a command's output)\n" } else { "" };
                    format!("{}{cut}", plain_log(text))
                };
                (file.name.clone(), file.content.as_ref().map(told).map_err(Clone::clone))
            })
            .collect();
        pages.push(("plan.json".to_owned(), pretty(serde_json::to_value(case))));
        self.write(&case.id, pages);
    }

    fn verdict(&mut self, result: &CaseResult) {
        let mut pages: Vec<Page> = vec![
            ("verdict.json".to_owned(), pretty(json::one(result))),
            ("by-hand.txt".to_owned(), Ok(by_hand(result))),
            (
                "host.json".to_owned(),
                self.facts
                    .get(&result.host)
                    .ok_or_else(|| "the host is not known".to_owned())
                    .and_then(|facts| pretty(Ok(facts.clone()))),
            ),
        ];
        let boot = result.boot.as_ref();
        if let Some(log) = boot.and_then(|boot| boot.setup_log.as_ref()) {
            pages.push(("setup-script.log".to_owned(), Ok(plain_log(log))));
        }
        if !self.asked.contains(&result.id) {
            let why = "the container was never made, or was gone before it could be asked".to_owned();
            pages.push(("container.txt".to_owned(), Err(why)));
            let console = boot.map(|boot| plain_log(&boot.console));
            pages.push(("console.log".to_owned(), console.ok_or_else(|| "there was no boot".to_owned())));
        }
        self.write(&result.id, pages);
    }

    fn write(&mut self, case: &CaseId, pages: Vec<Page>) {
        if self.failed.is_some() {
            return;
        }
        let machines: Vec<Machine<'_>> =
            self.machines.iter().map(|(name, machine)| (name.as_str(), machine.as_str())).collect();
        let texts = pages.iter().map(|(_, text)| text.as_ref().unwrap_or_else(|why| why).as_str());
        let redactor = self.redaction.redactor(&machines, texts);
        let folder = folder(&self.root, case);
        let write = || {
            own_folder(&self.root)?;
            own_folder(&folder)?;
            for (name, text) in &pages {
                let text = match text {
                    Ok(text) => redactor.text(text),
                    Err(why) => format!("could not be had: {}\n", plain_log(&redactor.text(why))),
                };
                write_file(&folder.join(name), limited(&text).as_bytes())?;
            }
            Ok::<(), io::Error>(())
        };
        self.failed = write().err().map(|error| io::Error::new(error.kind(), format!("{}: {error}", folder.display())));
    }
}

impl Reporter for Bundle {
    fn event(&mut self, event: &Event) {
        match event {
            Event::RunStarted { host, .. } => {
                self.machines.push((host.name.clone(), host.machine.clone()));
                self.facts.extend(serde_json::to_value(host).ok().map(|facts| (host.name.clone(), facts)));
            }
            Event::HostFailed { host, .. } => self.machines.push((host.clone(), String::new())),
            Event::Evidence { cases, evidence } => {
                cases.iter().for_each(|case| self.evidence(case, &evidence.files));
            }
            Event::CaseFinished { result } if result.bundle.is_some() => self.verdict(result),
            _ => {}
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        self.failed.take().map_or(Ok(()), Err)
    }
}

fn by_hand(result: &CaseResult) -> String {
    let mut text = result.by_hand.clone();
    if !result.recipe.elsewhere.is_empty() {
        text.push_str(&format!("\n\n# by the other engine, which must have the image:\n{}", result.recipe.elsewhere));
    }
    for (step, command) in &result.recipe.commands {
        text.push_str(&format!("\n\n# step {step}, inside:\n{command}"));
    }
    plain_log(&text) + "\n"
}

fn pretty(value: serde_json::Result<Value>) -> Result<String, String> {
    let text = value.and_then(|value| serde_json::to_string_pretty(&value)).map_err(|error| error.to_string())?;
    Ok(escape::json(&text) + "\n")
}

fn limited(text: &str) -> String {
    if text.len() <= LARGEST {
        return text.to_owned();
    }
    let end = (0..=LARGEST).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    format!("{}\n(cut: only the first {LARGEST} bytes of {} are kept)\n", &text[..end], text.len())
}

/// Makes a folder that others can't look into. One that is there stays as it is, but a link is followed nowhere.
fn own_folder(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(_) => Err(io::Error::new(io::ErrorKind::NotADirectory, "it is there, and no folder")),
        Err(_) => DirBuilder::new().recursive(true).mode(0o700).create(path),
    }
}

/// Writes a file in the place of one of the same name.
fn write_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    file.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::Evidence;
    use crate::judge::Verdict;
    use crate::judge::testkit::plan;
    use crate::redact::Known;
    use crate::report::sample;

    fn read(folder: &Path, name: &str) -> String {
        fs::read_to_string(folder.join(name)).unwrap()
    }

    fn written(root: &Path, evidence: Option<Evidence>) -> PathBuf {
        let mut plan = plan(vec![]);
        plan.id = CaseId("a/b[c=1]".into());
        plan.title = "Is /home/kim there?".into();
        let mut bundle = Bundle::new(root.to_owned(), Redaction::on(Known::default()));
        if let Some(evidence) = evidence {
            bundle.event(&Event::Evidence { cases: vec![plan.clone()], evidence: Box::new(evidence) });
        }
        let boot = sample::case("a", &[], Verdict::Fail).boot;
        let mut result = CaseResult { boot, ..CaseResult::of_nothing(&plan, "h", Verdict::Fail) };
        result.by_hand = "docker run x".into();
        let folder = folder(root, &plan.id);
        result.bundle = Some(folder.display().to_string());
        bundle.event(&Event::CaseFinished { result: Box::new(result) });
        bundle.finish().unwrap();
        folder
    }

    #[test]
    fn what_was_seen_is_there_without_names_and_escapes_and_what_was_not_had_says_so() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().join("bundle");
        let file = |name: &str, content| EvidenceFile { name: name.into(), content };
        let files = vec![
            file("journal.txt", Ok(("\u{1b}[31mred\u{1b}[0m\u{7} /home/kim/x\n".to_owned(), true))),
            file("status.txt", Err("the container had ended\u{1b}[2J".to_owned())),
        ];
        let folder = written(&root, Some(Evidence { files }));
        assert_eq!(folder.file_name().unwrap().to_str(), Some("a%2Fb%5Bc=1%5D"));
        for path in [&root, &folder] {
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o700, "{}", path.display());
        }
        assert!(read(&folder, "journal.txt").starts_with("red <home>/x\n\n(cut"), "{}", read(&folder, "journal.txt"));
        assert_eq!(read(&folder, "status.txt"), "could not be had: the container had ended\n");
        assert_eq!(read(&folder, "by-hand.txt").lines().next(), Some("docker run x"));
        assert!(read(&folder, "host.json").starts_with("could not be had"));
        let verdict: Value = serde_json::from_str(&read(&folder, "verdict.json")).unwrap();
        assert_eq!((&verdict["verdict"], &verdict["title"]), (&"fail".into(), &"Is <home> there?".into()));
        assert!(!folder.join("container.txt").exists());
    }

    #[test]
    fn a_container_that_was_never_asked_is_told() {
        let root = tempfile::tempdir().unwrap();
        let folder = written(root.path(), None);
        assert!(read(&folder, "container.txt").starts_with("could not be had: the container was never made"));
        assert!(read(&folder, "console.log").contains("[  OK  ] Reached target"));
    }

    #[test]
    fn nothing_is_written_through_a_link() {
        let root = tempfile::tempdir().unwrap();
        let (elsewhere, path) = (root.path().join("elsewhere"), root.path().join("bundle"));
        fs::create_dir(&elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
        let mut bundle = Bundle::new(path, Redaction::off());
        let mut result = sample::case("a", &[], Verdict::Fail);
        result.bundle = Some(String::new());
        bundle.event(&Event::CaseFinished { result: Box::new(result) });
        assert!(bundle.finish().unwrap_err().to_string().contains("no folder"));
        assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
    }

    #[test]
    fn a_long_text_is_cut() {
        let text = limited(&"é".repeat(LARGEST));
        assert!(text.len() < LARGEST + 100 && text.ends_with("bytes of 4194304 are kept)\n"));
    }
}
