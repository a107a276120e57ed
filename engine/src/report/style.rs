//! The colours and symbols of verdicts. Text is always styled here and stripped by anstream at the writer, so nothing
//! else asks whether colours are wanted. Pure.

use anstyle::{AnsiColor, Style};

use crate::judge::Verdict;
use crate::plan::WhyOut;

pub(super) const PLAIN: Style = Style::new();
pub(super) const BOLD: Style = Style::new().bold();
pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
pub(super) const WARN: Style = AnsiColor::Yellow.on_default();
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(super) const ENVIRONMENT: Style = AnsiColor::Magenta.on_default().bold();
pub(super) const NEW: Style = AnsiColor::Cyan.on_default();
pub(super) const REMOVED: Style = AnsiColor::Red.on_default();
pub(super) const ADDED: Style = AnsiColor::Green.on_default();

/// A text in a style, or as it is where either is empty.
pub(super) fn paint(style: Style, text: &str) -> String {
    if text.is_empty() || style.is_plain() { text.to_owned() } else { format!("{style}{text}{style:#}") }
}

/// What a verdict looks like.
pub(super) const fn of(verdict: &Verdict) -> Style {
    mark(verdict).style()
}

/// What stands in a cell of the support table, from the reassuring to the alarming: the worst of a cell is its greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mark {
    /// No such case.
    Absent,
    /// The combination makes no sense.
    NotApplicable,
    /// The user's filters left it out.
    Filtered,
    /// This host can't run it.
    Skipped,
    /// Everything held.
    Pass,
    /// Only warnings.
    Warn,
    /// No golden yet.
    New,
    /// Held in some of the runs.
    Flaky,
    /// The environment failed.
    Error,
    /// A limit passed.
    Timeout,
    /// The subject differs.
    Fail,
}

impl Mark {
    /// All, in the order of a legend.
    pub const ALL: [Self; 10] = [
        Self::Pass,
        Self::Warn,
        Self::Fail,
        Self::Timeout,
        Self::Flaky,
        Self::New,
        Self::Error,
        Self::Skipped,
        Self::NotApplicable,
        Self::Filtered,
    ];

    /// One column wide.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Absent => " ",
            Self::NotApplicable => "–",
            Self::Filtered => "·",
            Self::Skipped => "s",
            Self::Pass => "✔",
            Self::Warn => "!",
            Self::New => "?",
            Self::Flaky => "~",
            Self::Error => "E",
            Self::Timeout => "T",
            Self::Fail => "✘",
        }
    }

    /// The word of a legend.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Absent => "no such case",
            Self::NotApplicable => "not applicable",
            Self::Filtered => "filtered",
            Self::Skipped => "skipped",
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::New => "new",
            Self::Flaky => "flaky",
            Self::Error => "error",
            Self::Timeout => "timeout",
            Self::Fail => "fail",
        }
    }

    pub(super) const fn style(self) -> Style {
        match self {
            Self::Absent | Self::NotApplicable | Self::Filtered | Self::Skipped => DIM,
            Self::Pass => GOOD,
            Self::Warn | Self::Flaky => WARN,
            Self::New => NEW,
            Self::Error => ENVIRONMENT,
            Self::Timeout | Self::Fail => BAD,
        }
    }
}

/// The mark of a verdict.
#[must_use]
pub(super) const fn mark(verdict: &Verdict) -> Mark {
    match verdict {
        Verdict::Pass => Mark::Pass,
        Verdict::Fail => Mark::Fail,
        Verdict::Warn => Mark::Warn,
        Verdict::Skipped(_) => Mark::Skipped,
        Verdict::NotApplicable(_) => Mark::NotApplicable,
        Verdict::Filtered(_) => Mark::Filtered,
        Verdict::Timeout(_) => Mark::Timeout,
        Verdict::Flaky(..) => Mark::Flaky,
        Verdict::Error(_) => Mark::Error,
        Verdict::New => Mark::New,
    }
}

/// The mark of a case that did not run.
#[must_use]
pub(super) const fn mark_left_out(why: &WhyOut) -> Mark {
    match why {
        WhyOut::NotApplicable(_) => Mark::NotApplicable,
        WhyOut::Filtered(_) => Mark::Filtered,
        WhyOut::Skipped(_) => Mark::Skipped,
    }
}
