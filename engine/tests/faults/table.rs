//! The table of faults and what came of each, as a file in the tree: rendered from what was observed, and compared.

use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

/// One fault and what came of it.
#[derive(Clone)]
pub(crate) struct Row {
    pub(crate) fault: String,
    pub(crate) place: String,
    pub(crate) verdict: String,
    pub(crate) code: String,
    pub(crate) said: String,
}

impl Row {
    /// As a line of the table.
    pub(crate) fn line(&self) -> String {
        let Self { fault, place, verdict, code, said } = self;
        format!("| {fault} | {place} | {verdict} | {code} | {said} |")
    }
}

/// Characters of what is said.
const WIDTH: usize = 300;

static RULES: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (r"\x1b\[[0-9;]*m", ""),
        (r"\d{4}-\d\d-\d\dT\S+Z\s+", ""),
        // An engine that dies is met by either, and by no socket where that went with it.
        (r"(connection error: )?Connection (refused|reset by peer) \(os error \d+\)", "<connection refused or reset>"),
        (
            r"does not answer: No such file or directory \(os error 2\)",
            "does not answer: <connection refused or reset>",
        ),
        (r"/tmp/\.tmp\w+", "<folder>"),
        (r"\.tmp\w+", "<file>"),
        (r"/var/lib/sdc-engine/engines/[\w-]+", "<data>"),
        // Which of its files it can't write first.
        (r"<data>/\S+:", "<data>/…:"),
        (r"/run/sdc-engine/[\w-]+", "<run>"),
        (r"sdc-\d+-\d+-\d+-\d+", "<name>"),
        (r"\b[0-9a-f]{12,64}\b", "<id>"),
        (r"\.sdc-report\w+", "<file>"),
        (r"\s+", " "),
    ]
    .map(|(pattern, by)| (Regex::new(pattern).unwrap(), by))
    .into()
});

/// Words without what differs from run to run.
pub(crate) fn stable(words: &str) -> String {
    let words =
        RULES.iter().fold(words.trim().to_owned(), |words, (rule, by)| rule.replace_all(&words, *by).into_owned());
    let words = words.replace('|', "\\|");
    match words.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("{}…", &words[..end]),
        None => words,
    }
}

/// What a report says of a case: its verdict, and the words that decide it.
pub(crate) fn of_case(report: &Value, id: &str) -> (String, String) {
    let cases = report["cases"].as_array().unwrap();
    let case = cases.iter().find(|case| case["id"] == id).unwrap_or_else(|| panic!("{id} is not in {report:#}"));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let verdict = text(&case["verdict"]);
    let mut words: Vec<String> = vec![text(&case["detail"])];
    let broken = case["judgements"].as_array().unwrap().iter().filter(|judgement| judgement["held"] == false);
    for judgement in broken {
        let lines = |key: &str| text(&judgement[key]).replace('\n', " / ");
        words.push(format!("expected: {}; actual: {}", lines("expected"), lines("actual")));
    }
    let deciding = text(&case["boot"]["deciding_line"]);
    if verdict != "pass" && !deciding.is_empty() {
        words.push(deciding);
    }
    let mut runs = case["steps"].as_array().unwrap().iter().flat_map(|step| step["runs"].as_array().unwrap());
    if runs.any(|run| run["cut"] == true) {
        words.push("(an output was cut)".to_owned());
    }
    if case["boot"]["console_cut"] == true {
        words.push("(the console log was cut)".to_owned());
    }
    if words.iter().all(String::is_empty) {
        words.push("nothing".to_owned());
    }
    (verdict, stable(&words.into_iter().filter(|words| !words.is_empty()).collect::<Vec<_>>().join("; ")))
}

/// Compares the rows with the file, or writes it where `SDC_ENGINE_WRITE` is set.
pub(crate) fn compare(rows: &[Row]) {
    let mut text =
        "<!-- Made by `SDC_ENGINE_WRITE=1 cargo test --test faults`; the test fails where this differs. -->\n\n\
        | fault | where it is injected | verdict | exit code | what is said |\n|---|---|---|---|---|\n"
            .to_owned();
    for row in rows {
        text.push_str(&row.line());
        text.push('\n');
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults/table.md");
    if std::env::var_os("SDC_ENGINE_WRITE").is_some() {
        std::fs::write(&file, &text).unwrap();
    }
    let recorded = std::fs::read_to_string(&file).unwrap_or_default();
    let differs = |(old, new): &(&str, &str)| old != new;
    let first = recorded.lines().zip(text.lines()).find(differs);
    assert!(recorded == text, "{} differs, first in\n{first:?}\nobserved:\n{text}", file.display());
}
