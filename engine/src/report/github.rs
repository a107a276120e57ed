//! What a run in GitHub Actions says to it: workflow commands, which become annotations of files, and a summary of the
//! job. And what it must not say: a runner follows commands in whatever a step prints, so that what containers and files
//! of others wrote must not look like one.
//!
//! How a runner reads them is in the sources of actions/runner, `src/Runner.Common/ActionCommand.cs`: a line that begins,
//! after white space, with `::`, and `##[` anywhere in a line.

use std::borrow::Cow;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::LazyLock;

use regex::Regex;

use crate::compare::Document;
use crate::events::Event;
use crate::judge::{CaseResult, Verdict};
use crate::observe::pattern;
use crate::redact::Redaction;

use super::groups::{decisive, group};
use super::junit::message;
use super::page::{Source, markdown, page};
use super::run::Run;
use super::{Reporter, document, plain_log};

/// The most bytes of a summary: a runner takes 1 MiB of each step.
const SUMMARY: usize = 1_000_000;

/// Whether this is a step of a workflow.
#[must_use]
pub fn is_here() -> bool {
    std::env::var("GITHUB_ACTIONS").is_ok_and(|value| value == "true")
}

static COMMAND: LazyLock<Regex> = LazyLock::new(|| pattern::builtin(r"(?m)^((?:\s|\x1b\[[0-9;]*m)*):(:)|#(#\[)"));

/// A text in which no line is a workflow command: what would make it one is written as the escapes of bytes are.
#[must_use]
pub fn harmless(text: &str) -> Cow<'_, str> {
    COMMAND.replace_all(text, |found: &regex::Captures<'_>| match found.get(3) {
        Some(rest) => format!("\\x23{}", rest.as_str()),
        None => format!("{}\\x3a:", &found[1]),
    })
}

/// A text as it may be printed where this runs.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    if is_here() { harmless(text) } else { Cow::Borrowed(text) }
}

/// Tells a workflow at the end of a run.
pub struct Github {
    run: Run,
    out: Box<dyn Write + Send>,
    /// The file that is shown as the job's summary.
    summary: Option<PathBuf>,
    redaction: Redaction,
}

impl Github {
    /// Will write commands there, and append to that file.
    #[must_use]
    pub fn new(out: impl Write + Send + 'static, summary: Option<PathBuf>, redaction: Redaction) -> Self {
        Self { run: Run::default(), out: Box::new(out), summary, redaction }
    }
}

impl Reporter for Github {
    fn event(&mut self, event: &Event) {
        self.run.event(event);
    }

    fn finish(&mut self) -> io::Result<()> {
        let lines = annotations(&self.run);
        self.out.write_all(lines.as_bytes())?;
        self.out.flush()?;
        let Some(path) = &self.summary else { return Ok(()) };
        let text = summary(&self.run, &self.redaction)?;
        let append = || OpenOptions::new().create(true).append(true).open(path)?.write_all(text.as_bytes());
        append()
            .map_err(|error| io::Error::new(error.kind(), format!("GITHUB_STEP_SUMMARY, {}: {error}", path.display())))
    }
}

/// A command for each way in which cases differ, with its place in a scenario; those that only warned first.
fn annotations(run: &Run) -> String {
    let sorted = run.sorted();
    let told = |warned: bool| {
        let of = sorted.iter().copied().filter(move |case| case.verdict != Verdict::Pass);
        of.filter(move |case| (case.verdict == Verdict::Warn) == warned)
    };
    let groups = group(told(true)).into_iter().chain(group(told(false)));
    groups.filter_map(|group| group.cases.first().map(|first| annotation(first, group.cases.len() - 1))).collect()
}

fn annotation(first: &CaseResult, others: usize) -> String {
    let command = if first.verdict == Verdict::Warn { "warning" } else { "error" };
    let place = decisive(first).iter().find_map(|judgement| judgement.place.clone());
    let at = place.map_or_else(String::new, |place| format!("file={},line={},", property(&place.file), place.line));
    let title = format!("{}: {}", first.verdict.word(), first.id);
    let more = match others {
        0 => String::new(),
        1 => "\nand 1 more case".to_owned(),
        n => format!("\nand {n} more cases"),
    };
    let line = first.boot.as_ref().and_then(|boot| boot.deciding_line.as_ref());
    let line = line.map_or_else(String::new, |line| format!("\n{}", plain_log(line)));
    format!("::{command} {at}title={}::{}\n", property(&title), data(&format!("{}{line}{more}", message(first))))
}

/// What comes after `::`; no part of it is another command.
fn data(text: &str) -> String {
    harmless(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property.
fn property(text: &str) -> String {
    data(&plain_log(text)).replace(':', "%3A").replace(',', "%2C")
}

/// The support table and what does not hold, as Markdown.
fn summary(run: &Run, redaction: &Redaction) -> io::Result<String> {
    let document = Document::read(document(run, redaction)?).map_err(io::Error::other)?;
    let page = page(&[Source { name: "this run".to_owned(), document }]).map_err(io::Error::other)?;
    Ok(limited(markdown(&page) + "\n", SUMMARY))
}

/// A summary of at most so many bytes: what is told last of what does not hold is left out, and that is said.
fn limited(text: String, most: usize) -> String {
    if text.len() <= most {
        return text;
    }
    let end = (0..=most).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    // Where a part begins no block of code is open.
    let end = text[..end].rfind("\n### ").unwrap_or_default();
    format!("{}\n\nThe rest is too long for a summary; `check --json` has all of it.\n", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::{JudgementKind, Subject};
    use crate::report::sample;

    #[test]
    fn no_line_of_others_is_a_command() {
        for (text, shown) in [
            ("::stop-commands::x", "\\x3a:stop-commands::x"),
            ("a\n \t ::error::b\n", "a\n \t \\x3a:error::b\n"),
            ("\u{1b}[1m::add-mask::x\u{1b}[0m", "\u{1b}[1m\\x3a:add-mask::x\u{1b}[0m"),
            ("  │ a ##[add-mask]x ##[error]", "  │ a \\x23#[add-mask]x \\x23#[error]"),
            ("###[error]x", "#\\x23#[error]x"),
            ("::::", "\\x3a:::"),
        ] {
            assert_eq!(harmless(text), shown);
            assert!(!harmless(text).lines().any(|line| line.trim_start().starts_with("::") || line.contains("##[")));
        }
        let fine = "a::b [::1] ## [x] #[y]\n| ::x";
        assert_eq!(harmless(fine), fine);
    }

    #[test]
    fn what_differs_is_annotated_where_it_is_written() {
        let mut fail = sample::case("a", &[("n", "1,2:3")], Verdict::Fail);
        let kind = JudgementKind::Check;
        fail.judgements = vec![sample::broken(Subject::Step("say".into()), kind, "50%\nof it", "::error::\u{1b}[2Jx")];
        let mut warn = fail.clone();
        warn.verdict = Verdict::Warn;
        warn.judgements[0].level = crate::scenario::model::Level::Warn;
        let mut other = fail.clone();
        other.id = crate::plan::CaseId("b".into());
        let pass = sample::case("c", &[], Verdict::Pass);
        let run = Run { results: vec![fail, warn, other, pass], ..Run::default() };
        assert_eq!(
            annotations(&run),
            "::warning file=scenarios/cgroups.toml,line=31,title=warn%3A a[n=1%2C2%3A3]::\
             say: expected 50%25 of it; actual ::error::x\n\
             ::error file=scenarios/cgroups.toml,line=31,title=fail%3A a[n=1%2C2%3A3]::\
             say: expected 50%25 of it; actual ::error::x%0Aand 1 more case\n"
        );
    }

    #[test]
    fn the_summary_is_appended_and_has_table_line_and_command() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("summary.md");
        std::fs::write(&path, "before\n").unwrap();
        let mut github = Github::new(Vec::new(), Some(path.clone()), Redaction::off());
        sample::events().iter().for_each(|event| github.event(event));
        github.finish().unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.starts_with("before\n# systemd in containers"), "{text}");
        for words in ["## Support\n", "decided by `", "docker run -d -t --cap-add SYS_ADMIN"] {
            assert!(text.contains(words), "{words}: {text}");
        }
    }

    #[test]
    fn a_long_summary_ends_where_a_part_ends() {
        let text = limited(format!("# a\n\n### one\n```\n{}```\n\n### two\n{}", "x\n".repeat(9), "q".repeat(99)), 60);
        assert!(
            text.starts_with("# a\n\n### one\n```\nx") && text.contains("```\n\n\nThe rest") && !text.contains('q'),
            "{text}"
        );
    }
}
