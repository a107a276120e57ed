//! Small readings of a report's texts: what a log says in the page, which line of it decided, what was mounted. Pure.

use crate::report::style::Mark;
use crate::report::text::plain_log;

/// A log as the page shows it: nothing that steers, no colours, no empty lines.
pub(super) fn log(text: &str) -> String {
    let text = plain_log(text);
    text.lines().map(str::trim_end).filter(|line| !line.is_empty()).map(|line| format!("{line}\n")).collect()
}

/// The line of a log, already as [`log`] makes it, that is the deciding one: the last that has its words.
pub(super) fn marked(log: &str, deciding: Option<&str>) -> Option<usize> {
    let words = plain_log(deciding?);
    let words = words.lines().map(str::trim).find(|line| !line.is_empty())?;
    let lines: Vec<&str> = log.lines().collect();
    lines.iter().rposition(|line| line.contains(words))
}

/// The sections of a setup script's log that tell cgroup mounts: title and lines.
pub(super) fn setup_mounts(log: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut inside = false;
    for line in log.lines() {
        if line.starts_with("cgroup mounts") {
            found.push((line.trim_end_matches(':').to_owned(), String::new()));
            inside = true;
        } else if inside && line.starts_with("  ") {
            if let Some((_, text)) = found.last_mut() {
                text.push_str(line.trim_start());
                text.push('\n');
            }
        } else {
            inside = false;
        }
    }
    for (_, text) in &mut found {
        if text.is_empty() {
            text.push_str("none\n");
        }
    }
    found
}

/// Whether a step's output tells cgroup mounts.
pub(super) fn tells_mounts(text: &str) -> bool {
    text.lines().any(|line| {
        line.contains("/sys/fs/cgroup") && line.split_whitespace().any(|word| matches!(word, "cgroup" | "cgroup2"))
    })
}

/// The mark of a verdict's word as a report has it.
pub(super) fn mark(verdict: &str) -> Option<usize> {
    let word = verdict.replace('_', " ");
    Mark::ALL.iter().position(|mark| mark.word() == word)
}

/// A judgement's kind in words.
pub(super) fn kind(kind: &str) -> String {
    match kind {
        "state" => "end of the boot",
        "not_applied" => "flags applied",
        "unknown_lines" => "console lines",
        "exit" => "end of the step",
        "golden" | "golden_new" => "golden",
        "timeout" => "limit",
        other => other,
    }
    .to_owned()
}

/// `0.98 s`, `2 min 05 s`.
pub(super) fn took(seconds: f64) -> String {
    if seconds < 60.0 {
        format!("{seconds:.2} s")
    } else {
        format!("{:.0} min {:02.0} s", (seconds / 60.0).floor(), seconds % 60.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deciding_line_is_found_in_the_log_as_it_is_shown() {
        let log = log("one\r\r\n\x1b[1mFailed: no\x1b[0m\r\r\nFailed: no\x07\r\nlast\u{202e}\n");
        assert_eq!(log, "one\nFailed: no\nFailed: no\nlast\u{fffd}\n");
        assert_eq!(marked(&log, Some("Failed: no\x1b[2J\n")), Some(2));
        assert_eq!(marked(&log, Some("elsewhere")), None);
        assert_eq!(marked(&log, Some("\n")), None);
        assert_eq!(marked(&log, None), None);
    }

    #[test]
    fn mounts_are_found_where_they_are_told() {
        let log = "mode x\ncgroup mounts before (target type):\n  /sys/fs/cgroup cgroup2\n+ umount\ncgroup mounts after:\nEND\n";
        let found = setup_mounts(log);
        assert_eq!(found[0], ("cgroup mounts before (target type)".into(), "/sys/fs/cgroup cgroup2\n".into()));
        assert_eq!(found[1], ("cgroup mounts after".into(), "none\n".into()));
        assert!(tells_mounts("/sys/fs/cgroup/pids cgroup[/x] cgroup rw\n"));
        assert!(!tells_mounts("/sys/fs/cgroup/init.scope\n") && !tells_mounts(""));
    }

    #[test]
    fn every_mark_is_known_by_its_word() {
        assert!(Mark::ALL.iter().all(|known| mark(&known.word().replace(' ', "_")).is_some()));
        assert_eq!(mark("splendid"), None);
        assert_eq!((took(1.234), took(125.0)), ("1.23 s".to_owned(), "2 min 05 s".to_owned()));
    }
}
