//! Phrases for people: what was expected and what was seen, in few words.

use crate::observe::RunStatus;
use crate::observe::escape::{visible, visible_width};
use crate::scenario::model::{ExitSpec, Stream};

/// Lines of an excerpt.
const LINES: usize = 5;
/// Characters of a line of an excerpt.
const WIDTH: usize = 200;

pub(super) fn stream(stream: Stream) -> &'static str {
    match stream {
        Stream::Stdout => "stdout",
        Stream::Stderr => "stderr",
        Stream::Console => "console",
    }
}

/// The first lines of a text, and how many more there are; nothing in them steers a terminal.
pub(super) fn excerpt(text: &str) -> String {
    let lines: Vec<&str> = text.trim().lines().collect();
    if lines.is_empty() {
        return "nothing".to_owned();
    }
    let more = lines.len().saturating_sub(LINES);
    // One line more takes no more room than saying so.
    let shown = if more == 1 { lines.len() } else { LINES };
    let mut shown: Vec<String> = lines.iter().take(shown).map(|line| shorten(line)).collect();
    if more > 1 {
        shown.push(format!("… and {}", count(more, "more line")));
    }
    shown.join("\n")
}

/// The start of a line, and how much more there is; nothing in it steers a terminal.
pub(super) fn shorten(line: &str) -> String {
    let line = line.trim_end();
    // What is not shown is counted only: a line may be as long as an output may be.
    let start = line.char_indices().nth(WIDTH + 1).map_or(line, |(end, _)| &line[..end]);
    let shown = visible(start);
    match shown.char_indices().nth(WIDTH) {
        Some((end, _)) => {
            let all: usize = line.chars().map(visible_width).sum();
            format!("{}… ({})", &shown[..end], count(all - WIDTH, "more character"))
        }
        None => shown.into_owned(),
    }
}

/// `1 line`, `2 lines`.
pub(super) fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// `a`, `a or b`, `a, b or c`.
pub(super) fn either(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

/// What is expected of an exit code.
#[must_use]
pub fn exit(spec: &ExitSpec) -> String {
    match spec {
        ExitSpec::Any => "any exit code, or not started".to_owned(),
        ExitSpec::NonZero => "a non-zero exit code".to_owned(),
        ExitSpec::OneOf(codes) => {
            format!("exit code {}", either(&codes.iter().map(i64::to_string).collect::<Vec<_>>()))
        }
    }
}

/// How runs ended: the one, or for repeated ones those that broke.
pub(super) fn runs<'r>(statuses: impl ExactSizeIterator<Item = &'r RunStatus>, broke: &[usize]) -> String {
    let of = statuses.len();
    let statuses: Vec<&RunStatus> = statuses.collect();
    match (of, broke) {
        (1, _) => statuses[0].to_string(),
        (_, []) if statuses.iter().all(|status| *status == statuses[0]) => format!("{} in all {of} runs", statuses[0]),
        (_, []) => format!("as expected in all {of} runs"),
        (_, [at]) => format!("{} in run {} of {of}", statuses[*at], at + 1),
        (_, [at, ..]) => {
            format!("{} in run {} of {of}, and {} of them broke it", statuses[*at], at + 1, broke.len())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{either, excerpt, exit, runs};
    use crate::observe::RunStatus;
    use crate::scenario::model::ExitSpec;

    #[test]
    fn excerpts_are_short() {
        assert_eq!(excerpt(" \n"), "nothing");
        assert_eq!(excerpt("\n a\nb\n\n"), "a\nb");
        assert_eq!(excerpt("1\n2\n3\n4\n5\n6\n"), "1\n2\n3\n4\n5\n6");
        assert_eq!(excerpt("1\n2\n3\n4\n5\n6\n7"), "1\n2\n3\n4\n5\n… and 2 more lines");
        assert_eq!(excerpt("a\u{1b}[2J\r\nb\0\n"), "a\\x1b[2J\nb\\x00");
        let escaped = "\\x00".repeat(50);
        assert_eq!(excerpt(&format!("{}é", "\0".repeat(300))), format!("{escaped}… (1001 more characters)"));
        assert_eq!(excerpt(&"é".repeat(201)), format!("{}… (1 more character)", "é".repeat(200)));
    }

    #[test]
    fn alternatives() {
        assert_eq!(either(&["a", "b", "c"].map(str::to_owned)), "a, b or c");
        assert_eq!(exit(&ExitSpec::OneOf(vec![0, 3])), "exit code 0 or 3");
    }

    #[test]
    fn runs_name_the_first_that_broke() {
        let statuses = [0, 1, 0, 2].map(RunStatus::Exited);
        assert_eq!(runs(statuses.iter(), &[1, 3]), "exit code 1 in run 2 of 4, and 2 of them broke it");
        assert_eq!(runs(statuses[..2].iter(), &[1]), "exit code 1 in run 2 of 2");
        assert_eq!(runs([0, 0].map(RunStatus::Exited).iter(), &[]), "exit code 0 in all 2 runs");
        assert_eq!(runs(statuses[..1].iter(), &[0]), "exit code 0");
    }
}
