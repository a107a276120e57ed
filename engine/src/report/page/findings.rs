//! The findings: for each question that scenarios ask, what was seen by host and by version of systemd. Markdown. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::LazyLock;

use indexmap::IndexMap;
use regex::Regex;

use super::build::{HOST, SCENARIO};
use super::markdown::{code, line, text};
use super::model::{CaseView, Page};
use crate::observe::console::systemd_version;
use crate::observe::pattern;
use crate::report::style::Mark;

/// So many cases of one answer are named.
const NAMED: usize = 3;

/// Names of containers and of private engines' cgroups: another one in each run.
static IDS: LazyLock<Regex> = LazyLock::new(|| pattern::builtin(r"\b[0-9a-f]{64}\b|sdc-engine-[\w-]+-\d+\b"));

/// What a scenario asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The question.
    pub title: String,
    /// The answer in words, as far as it is known, and links.
    pub description: String,
}

/// The findings of a page; `questions` by the scenarios' names. A scenario of which no case ran is told as such, with its reasons.
#[must_use]
pub fn findings(page: &Page, questions: &BTreeMap<String, Question>) -> String {
    let mut out = String::from("# What is true of systemd in containers\n\n");
    let (Some(hosts), Some(scenarios)) = (axis(page, HOST), axis(page, SCENARIO)) else { return out };
    let versions = Versions::of(page);
    line(
        &mut out,
        "Made by `sdc-engine report --findings` of real runs; nothing here is written by hand but the descriptions, which are the scenarios' own. A \
         cell says what the cases of that host and systemd came to: ✔ as the scenario expects, and after it how the boot ended, where that was \
         not `running`, and the log line that shows why.\n",
    );
    for host in &page.hosts {
        line(&mut out, &format!("- **{}**: {}", text(&host.name), text(&host.what)));
    }
    let mut folder = None;
    for (number, name) in page.axes[scenarios].values.iter().enumerate() {
        let of = name.split_once('/').map_or("", |(folder, _)| folder);
        if folder != Some(of) {
            line(&mut out, &format!("\n## {}", text(of)));
            folder = Some(of);
        }
        let cases: Vec<&CaseView> = page.cases.iter().filter(|case| case.at[scenarios] == Some(number)).collect();
        let title = questions.get(name).map_or(page.titles[number].as_str(), |question| &question.title);
        let title = if title.is_empty() { name } else { title };
        line(&mut out, &format!("\n### {}\n", text(title)));
        if let Some(question) = questions.get(name).filter(|question| !question.description.trim().is_empty()) {
            for paragraph in question.description.trim().split("\n\n") {
                line(&mut out, &format!("{}\n", text(paragraph)));
            }
        }
        line(&mut out, &format!("`scenarios/{name}.toml`: `sdc-engine check -k {name}`\n"));
        table(&mut out, page, &cases, hosts, &versions);
    }
    out
}

fn axis(page: &Page, name: &str) -> Option<usize> {
    page.axes.iter().position(|axis| axis.name == name)
}

/// The systemd of each case, by the major version: as its own console says, or that of other cases with its image. A
/// scenario without an axis of images has one image, so its other cases tell for those that end before systemd starts.
struct Versions {
    axes: Vec<usize>,
    by_value: BTreeMap<(usize, usize), BTreeSet<String>>,
}

impl Versions {
    fn of(page: &Page) -> Self {
        let axes: Vec<usize> = ["image", SCENARIO].into_iter().filter_map(|name| axis(page, name)).collect();
        let mut by_value: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
        for case in &page.cases {
            if let (Some(value), Some(version)) = (valued(&axes, case), of_console(page, case)) {
                by_value.entry(value).or_default().insert(version);
            }
        }
        Self { axes, by_value }
    }

    fn of_case(&self, page: &Page, case: &CaseView) -> String {
        let of_others = || {
            let versions = self.by_value.get(&valued(&self.axes, case)?)?;
            versions.first().filter(|_| versions.len() == 1).cloned()
        };
        of_console(page, case).or_else(of_others).unwrap_or_else(|| "?".to_owned())
    }
}

/// The first of the axes on which a case has a value, and the value.
fn valued(axes: &[usize], case: &CaseView) -> Option<(usize, usize)> {
    axes.iter().find_map(|axis| Some((*axis, case.at[*axis]?)))
}

fn of_console(page: &Page, case: &CaseView) -> Option<String> {
    let version = systemd_version(&page.texts[page.boots[case.boot?].console])?;
    Some(version.chars().take_while(char::is_ascii_digit).collect())
}

fn table(out: &mut String, page: &Page, cases: &[&CaseView], hosts: usize, versions: &Versions) {
    let ran: Vec<(&CaseView, String)> = cases
        .iter()
        .filter(|case| page.marks[case.mark].ran)
        .map(|case| (*case, versions.of_case(page, case)))
        .collect();
    if ran.is_empty() {
        // A host that can't run it says more than a rule by which a combination makes no sense.
        let skipped = |case: &&&CaseView| page.marks[case.mark].word == Mark::Skipped.word();
        let some = cases.iter().any(|case| skipped(&case));
        let mut reasons: IndexMap<&str, usize> = IndexMap::new();
        for case in cases.iter().filter(|case| !some || skipped(case)) {
            *reasons
                .entry(case.detail.map_or(page.marks[case.mark].word, |detail| &page.texts[detail]))
                .or_default() += 1;
        }
        let told: Vec<_> = reasons.iter().map(|(reason, n)| format!("{} ({n})", text(reason))).collect();
        return line(out, &format!("No case ran on these hosts: {}.", told.join("; ")));
    }
    let mut columns: Vec<&str> = ran.iter().map(|(_, version)| version.as_str()).collect();
    columns.sort_unstable();
    columns.dedup();
    let heads: Vec<_> = columns.iter().map(|version| format!("systemd {version}")).collect();
    line(out, &format!("| host | {} |\n|---|{}", heads.join(" | "), "---|".repeat(columns.len())));
    for (number, name) in page.axes[hosts].values.iter().enumerate() {
        let here = || ran.iter().filter(|(case, _)| case.at[hosts] == Some(number));
        if here().next().is_none() {
            continue;
        }
        let cell = |column: &&str| {
            let of: Vec<&CaseView> = here().filter(|(_, version)| version == column).map(|(case, _)| *case).collect();
            cell(page, &of)
        };
        let cells: Vec<String> = columns.iter().map(cell).collect();
        line(out, &format!("| {} | {} |", text(name), cells.join(" | ")));
    }
}

/// What cases that share a cell came to: each answer once, with the cases that gave it where there are several.
fn cell(page: &Page, cases: &[&CaseView]) -> String {
    let mut answers: IndexMap<String, Vec<&CaseView>> = IndexMap::new();
    for case in cases {
        answers.entry(answer(page, case)).or_default().push(case);
    }
    let several = answers.len() > 1;
    let told = answers
        .iter()
        .map(|(answer, of)| if several { format!("{answer} ({})", which(page, of, cases)) } else { answer.clone() });
    told.collect::<Vec<_>>().join("<br>")
}

fn answer(page: &Page, case: &CaseView) -> String {
    let mark = &page.marks[case.mark];
    let mut out = if mark.bad { format!("{} {}", mark.symbol, mark.word) } else { mark.symbol.to_owned() };
    let Some(boot) = case.boot.map(|boot| &page.boots[boot]).filter(|boot| boot.outcome != "running") else {
        return out;
    };
    let _infallible = write!(out, " {}", text(&boot.outcome));
    if let Some(deciding) = &boot.deciding {
        let _infallible = write!(out, ": {}", code(&IDS.replace_all(deciding, "<id>")).replace('|', "\\|"));
    }
    out
}

/// The cases of one answer by the axes in which those of the cell differ.
fn which(page: &Page, of: &[&CaseView], all: &[&CaseView]) -> String {
    let varies = |axis: &usize| {
        !matches!(page.axes[*axis].name.as_str(), HOST | SCENARIO | "image")
            && all.iter().any(|case| case.at[*axis] != all[0].at[*axis])
    };
    let axes: Vec<usize> = (0..page.axes.len()).filter(varies).collect();
    let name = |case: &&CaseView| {
        let values = axes.iter().filter_map(|axis| page.axes[*axis].values.get(case.at[*axis]?));
        text(&values.cloned().collect::<Vec<_>>().join(", "))
    };
    let told: Vec<String> = of.iter().take(NAMED).map(name).collect();
    let more = if of.len() > NAMED { format!("; {} more", of.len() - NAMED) } else { String::new() };
    format!("{}{more}", told.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::Document;
    use crate::redact::Redaction;
    use crate::report::page::{Source, page};
    use crate::report::{document, sample};

    #[test]
    fn ids_are_taken_out_of_lines() {
        let line = format!("Failed to create /sdc-engine-docker-v1-28920/{}/init.scope", "0a".repeat(32));
        assert_eq!(IDS.replace_all(&line, "<id>"), "Failed to create /<id>/<id>/init.scope");
    }

    #[test]
    fn the_findings_of_the_sample() {
        let document = Document::read(document(&sample::run(), &Redaction::off()).unwrap()).unwrap();
        let page = page(&[Source { name: "run.json".into(), document }]).unwrap();
        let question = Question { title: "Is it *so*?".into(), description: "Yes.".into() };
        let questions = page.axes[axis(&page, SCENARIO).unwrap()].values.iter().take(1);
        let questions = questions.map(|name| (name.clone(), question.clone())).collect();
        insta::assert_snapshot!(findings(&page, &questions));
    }
    #[test]
    fn others_tell_the_systemd_of_a_boot_that_ended_before_it() {
        let heads = |consoles: [&str; 2]| {
            let mut run = sample::run();
            let mut cases: Vec<_> = run.results.drain(..).filter(|case| case.boot.is_some()).take(1).collect();
            cases.push(cases[0].clone());
            for ((case, console), n) in cases.iter_mut().zip(consoles).zip(0..) {
                case.point.shift_remove("image");
                case.point.insert("n".into(), crate::scenario::model::AxisValue::Int(n));
                case.id = crate::plan::CaseId(format!("one[n={n}]"));
                case.boot.as_mut().unwrap().console = console.into();
            }
            run.results = cases;
            let document = Document::read(document(&run, &Redaction::off()).unwrap()).unwrap();
            let page = page(&[Source { name: "run.json".into(), document }]).unwrap();
            let found = findings(&page, &BTreeMap::new().into_iter().collect());
            found.lines().find(|line| line.starts_with("| host |")).unwrap().to_owned()
        };
        let says = "systemd 252.39-1 running in system mode (+PAM)";
        assert_eq!(heads([says, "mount failed"]), "| host | systemd 252 |");
        assert_eq!(heads(["mount failed", "mount failed"]), "| host | systemd ? |");
    }
}
