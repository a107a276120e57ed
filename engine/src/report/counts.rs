//! How many cases came to which verdict, and what that means for the exit code. Pure.

use serde::Serialize;

use crate::events::Summary;
use crate::judge::{CaseResult, Verdict};
use crate::plan::{LeftOut, WhyOut};

/// Cases by verdict. Never conflated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Default)]
pub struct Counts {
    /// Everything held.
    pub pass: usize,
    /// Only warnings.
    pub warn: usize,
    /// The subject differs.
    pub fail: usize,
    /// A limit passed.
    pub timeout: usize,
    /// Held in some of the runs.
    pub flaky: usize,
    /// The environment failed.
    pub error: usize,
    /// No golden yet.
    pub new: usize,
    /// This host can't run it.
    pub skipped: usize,
    /// The combination makes no sense.
    pub not_applicable: usize,
    /// The user's filters.
    pub filtered: usize,
}

impl Counts {
    /// Counts results and the cases that did not run.
    pub fn of<'a>(
        results: impl IntoIterator<Item = &'a CaseResult>,
        left_out: impl IntoIterator<Item = &'a LeftOut>,
    ) -> Self {
        let mut counts = Self::default();
        for result in results {
            counts.add(&result.verdict);
        }
        for case in left_out {
            counts.add_left_out(&case.why);
        }
        counts
    }

    /// Counts one verdict.
    pub const fn add(&mut self, verdict: &Verdict) {
        let counter = match verdict {
            Verdict::Pass => &mut self.pass,
            Verdict::Fail => &mut self.fail,
            Verdict::Warn => &mut self.warn,
            Verdict::Skipped(_) => &mut self.skipped,
            Verdict::NotApplicable(_) => &mut self.not_applicable,
            Verdict::Filtered(_) => &mut self.filtered,
            Verdict::Timeout(_) => &mut self.timeout,
            Verdict::Flaky(..) => &mut self.flaky,
            Verdict::Error(_) => &mut self.error,
            Verdict::New => &mut self.new,
        };
        *counter += 1;
    }

    /// Counts one case that did not run.
    pub const fn add_left_out(&mut self, why: &WhyOut) {
        let counter = match why {
            WhyOut::NotApplicable(_) => &mut self.not_applicable,
            WhyOut::Filtered(_) => &mut self.filtered,
            WhyOut::Skipped(_) => &mut self.skipped,
        };
        *counter += 1;
    }

    /// Cases that were run, whatever came of it.
    #[must_use]
    pub const fn ran(&self) -> usize {
        self.pass + self.warn + self.fail + self.timeout + self.flaky + self.error + self.new
    }

    /// Cases whose subject differs from what was expected, or can't be compared yet.
    #[must_use]
    pub const fn differ(&self) -> usize {
        self.fail + self.timeout + self.flaky + self.new
    }

    /// The verdicts that ran with their words, the reassuring first; zeros included.
    #[must_use]
    pub const fn by_word(&self) -> [(&'static str, usize); 7] {
        [
            ("pass", self.pass),
            ("warn", self.warn),
            ("fail", self.fail),
            ("timeout", self.timeout),
            ("flaky", self.flaky),
            ("new", self.new),
            ("error", self.error),
        ]
    }

    /// `152 cases: 146 pass, 4 warn, 2 fail; 128 skipped; 296 not applicable; 0 filtered`.
    #[must_use]
    pub fn line(&self) -> String {
        let ran = self.ran();
        let words: Vec<_> =
            self.by_word().iter().filter(|(_, n)| *n > 0).map(|(word, n)| format!("{n} {word}")).collect();
        let words = if words.is_empty() { String::new() } else { format!(": {}", words.join(", ")) };
        format!(
            "{ran} case{}{words}; {} skipped; {} not applicable; {} filtered",
            if ran == 1 { "" } else { "s" },
            self.skipped,
            self.not_applicable,
            self.filtered
        )
    }
}

/// What a run as a whole says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Something ran, all of it to its end, and everything held (warnings do not count against it).
    Held,
    /// The subject differs somewhere, or has no golden yet.
    Differs,
    /// Nothing differs, but the environment failed for some case, or something could not be removed.
    Environment,
    /// Nothing differs in what ran, and the run was stopped before all of it had run.
    Incomplete,
    /// Nothing ran: no host fact allowed any of the selected cases.
    AllSkipped,
    /// Nothing ran, and nothing had to: nothing differs since the cases passed.
    Unchanged,
    /// Nothing ran: filters and rules left no case.
    NothingSelected,
    /// Nothing ran: all cases are in other shares.
    EmptyShare,
}

impl Outcome {
    /// What a difference proves outranks what the environment did to other cases.
    #[must_use]
    pub fn of(counts: &Counts, summary: &Summary) -> Self {
        if counts.differ() > 0 {
            Self::Differs
        } else if counts.error > 0 || !summary.left_behind.is_empty() {
            Self::Environment
        } else if summary.stopped_early.is_some() {
            Self::Incomplete
        } else if counts.ran() > 0 {
            Self::Held
        } else if counts.skipped > 0 {
            Self::AllSkipped
        } else {
            Self::NothingSelected
        }
    }

    /// 0 only when something ran and held, or what did is as it was; 1 the subject differs; 2 what the user asked for selects nothing; 3 the
    /// environment; 130 interrupted, as shells say it.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Held | Self::Unchanged => 0,
            Self::Differs => 1,
            Self::NothingSelected | Self::EmptyShare => 2,
            Self::Environment | Self::AllSkipped => 3,
            Self::Incomplete => 130,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exit(counts: Counts, summary: &Summary) -> u8 {
        Outcome::of(&counts, summary).exit_code()
    }

    #[test]
    fn zero_only_when_something_ran_and_held() {
        let calm = Summary::default();
        let one = |f: fn(&mut Counts)| {
            let mut counts = Counts { pass: 3, ..Counts::default() };
            f(&mut counts);
            counts
        };
        assert_eq!(exit(one(|_| {}), &calm), 0);
        assert_eq!(exit(one(|c| c.warn = 1), &calm), 0);
        assert_eq!(exit(one(|c| c.skipped = 1), &calm), 0);
        assert_eq!(exit(one(|c| c.fail = 1), &calm), 1);
        assert_eq!(exit(one(|c| c.timeout = 1), &calm), 1);
        assert_eq!(exit(one(|c| c.flaky = 1), &calm), 1);
        assert_eq!(exit(one(|c| c.new = 1), &calm), 1);
        assert_eq!(exit(one(|c| c.error = 1), &calm), 3);
        assert_eq!(exit(one(|c| (c.error, c.fail) = (1, 1)), &calm), 1);
        assert_eq!(exit(Counts { skipped: 4, filtered: 2, ..Counts::default() }, &calm), 3);
        assert_eq!(exit(Counts { filtered: 2, not_applicable: 1, ..Counts::default() }, &calm), 2);
        assert_eq!(exit(Counts::default(), &calm), 2);
    }

    #[test]
    fn a_run_that_stopped_or_left_something_has_not_held() {
        let pass = Counts { pass: 3, ..Counts::default() };
        assert_eq!(exit(pass, &Summary { stopped_early: Some("interrupted".into()), ..Summary::default() }), 130);
        assert_eq!(exit(pass, &Summary { left_behind: vec!["container abc".into()], ..Summary::default() }), 3);
    }

    #[test]
    fn the_line_names_each_verdict() {
        let counts = Counts { pass: 146, warn: 4, fail: 2, skipped: 128, not_applicable: 296, ..Counts::default() };
        assert_eq!(counts.line(), "152 cases: 146 pass, 4 warn, 2 fail; 128 skipped; 296 not applicable; 0 filtered");
        assert_eq!(Counts::default().line(), "0 cases; 0 skipped; 0 not applicable; 0 filtered");
    }
}
