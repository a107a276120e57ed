//! What an image needs to boot systemd, in words: for `sdc-engine advise`. Pure.

use crate::advise::{Advice, Attempt, Ended, Needed, Verdict};

use super::details::Look;
use super::style::{BAD, BOLD, DIM, GOOD, PLAIN, paint};
use super::text::{clean, plain_log, wrap_words};
use super::why;

/// What is told.
#[derive(Debug, Clone)]
pub struct Advised<'a> {
    /// The image, as it was named.
    pub image: &'a str,
    /// The host, in words.
    pub host: String,
    /// The tries.
    pub advice: &'a Advice,
    /// How to run it: what by, and the text. Empty where nothing works.
    pub recipes: Vec<(String, String)>,
}

/// The text of the advice.
#[must_use]
pub fn advised(told: &Advised<'_>, columns: Option<usize>) -> String {
    let look = Look { columns, full: true };
    let boots = told.advice.attempts.iter().filter(|attempt| matches!(attempt.ended, Ended::Booted { .. })).count();
    let tried = if boots == 1 { "1 boot".to_owned() } else { format!("{boots} boots") };
    let mut out = vec![paint(BOLD, &clean(&format!("{} on {}", told.image, told.host)))];
    match told.advice.verdict() {
        Verdict::Least { needed, ended } => {
            let less = if needed.is_empty() { "it needs nothing that is granted" } else { "the least that it needs" };
            out.extend(words(GOOD, &format!("{}: {less}, found in {tried}", how(&ended)), look));
            needed.iter().for_each(|one| out.extend(grant(one, look)));
        }
        Verdict::Nothing { blocks, hopeless } => {
            let why = if hopeless { "no grant can help" } else { "nothing that was tried boots it" };
            out.extend(words(BAD, &format!("{why}: {tried}"), look));
            for found in blocks.iter().flat_map(Ended::diagnoses) {
                out.extend(why::lines(std::slice::from_ref(found), None, 2, look));
            }
        }
    }
    for (by, text) in &told.recipes {
        out.push(String::new());
        out.push(paint(BOLD, by));
        out.extend(text.lines().map(|line| format!("  {}", clean(line))));
    }
    out.extend(tries(&told.advice.attempts, look));
    out.join("\n") + "\n"
}

fn words(style: anstyle::Style, text: &str, look: Look) -> Vec<String> {
    wrap_words(&[(style, &clean(text))], look.columns)
}

fn grant(needed: &Needed, look: Look) -> Vec<String> {
    let grant = &needed.grant;
    let mut out = vec![String::new(), paint(BOLD, &clean(&grant.name))];
    for (name, text) in [("exposes", &grant.exposes), ("source", &grant.source), ("without", &how(&needed.without))] {
        out.extend(why::field(2, name, text, look));
    }
    out
}

/// How a try ended, on one line.
fn how(ended: &Ended) -> String {
    match ended {
        Ended::NotStarted { why } => format!("can't run here: {why}"),
        Ended::Booted { outcome, line, took_ms, .. } => {
            // A refusal's words are its deciding line.
            let line = line.as_deref().filter(|line| !outcome.contains(*line));
            let line = line.map_or_else(String::new, |line| format!(": {}", plain_log(line)));
            format!("{outcome} after {:.1}s{line}", std::time::Duration::from_millis(*took_ms as u64).as_secs_f64())
        }
    }
}

/// Every try, in order; those that could not run, by their reasons.
fn tries(attempts: &[Attempt], look: Look) -> Vec<String> {
    let mut out = vec![String::new(), paint(BOLD, "tried, in this order")];
    let mut not_started: Vec<(&str, usize)> = Vec::new();
    for attempt in attempts {
        if let Ended::NotStarted { why } = &attempt.ended {
            match not_started.iter_mut().find(|(known, _)| known == why) {
                Some((_, count)) => *count += 1,
                None => not_started.push((why, 1)),
            }
            continue;
        }
        let (mark, style) = if attempt.ended.works() { ("✔", GOOD) } else { ("✘", BAD) };
        let what = if attempt.grants.is_empty() { "nothing".to_owned() } else { attempt.grants.join(" ") };
        let text = [
            (style, mark),
            (PLAIN, " "),
            (PLAIN, &clean(&what)),
            (DIM, " → "),
            (DIM, &clean(&how(&attempt.ended).replace('\n', " "))),
        ];
        out.extend(indented(&wrap_words(&text, look.columns.map(|columns| columns.saturating_sub(4)))));
    }
    if !not_started.is_empty() {
        out.extend([String::new(), paint(BOLD, "not tried")]);
        for (why, count) in not_started {
            let sets = if count == 1 { "1 set of grants".to_owned() } else { format!("{count} sets of grants") };
            out.extend(indented(&words(PLAIN, &format!("{sets}: {why}"), look)));
        }
    }
    out
}

/// What does not fit stands deeper.
fn indented(lines: &[String]) -> Vec<String> {
    lines.iter().enumerate().map(|(i, line)| format!("{}{line}", if i == 0 { "  " } else { "    " })).collect()
}
