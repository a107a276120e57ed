//! Progress while it runs: how far, with which verdicts, and what each running boot does and since when. It draws on the
//! target that it was given and on nothing else, and leaves no line behind.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::events::{BootPhase, Event};

use crate::report::clean;
use crate::report::counts::Counts;
use crate::report::style::{Mark, paint};

/// So many running boots have a line of their own; the others are only counted.
const SHOWN: usize = 8;
const TICK: Duration = Duration::from_millis(200);

/// The live lines.
pub(super) struct Live {
    bars: MultiProgress,
    total: ProgressBar,
    boots: BTreeMap<usize, Option<ProgressBar>>,
    counts: Counts,
    colour: bool,
    /// How long the rest may take.
    left: Option<String>,
}

impl Live {
    pub(super) fn new(target: ProgressDrawTarget, colour: bool) -> Self {
        let bars = MultiProgress::with_draw_target(target);
        let total = bars.add(ProgressBar::new(0));
        total.set_style(style("{bar:20} {pos}/{len}  {wide_msg} {elapsed}"));
        Self { bars, total, boots: BTreeMap::new(), counts: Counts::default(), colour, left: None }
    }

    /// Runs something that writes to the same terminal.
    pub(super) fn suspend<R>(&self, write: impl FnOnce() -> R) -> R {
        self.bars.suspend(write)
    }

    pub(super) fn event(&mut self, event: &Event) {
        match event {
            Event::RunStarted { cases, .. } | Event::HostFailed { cases, .. } => {
                // One of several hosts: what ran on those before it stays counted.
                if self.total.length().unwrap_or(0) == 0 {
                    self.total.reset_elapsed();
                }
                self.total.inc_length(*cases as u64);
                self.total.enable_steady_tick(TICK);
            }
            Event::Phase { boot, cases, phase, .. } => {
                self.phase(*boot, cases.first().map_or("", |case| case.0.as_str()), cases.len(), *phase);
            }
            Event::BootOver { boot } => {
                if let Some(Some(bar)) = self.boots.remove(boot) {
                    bar.finish_and_clear();
                    self.bars.remove(&bar);
                }
                self.tell();
            }
            Event::CaseFinished { result } => {
                self.counts.add(&result.verdict);
                self.total.inc(1);
                self.tell();
            }
            Event::RunFinished { .. } => self.clear(),
            Event::Evidence { .. } | Event::Notice { .. } | Event::RuleUnused { .. } => {}
        }
    }

    fn phase(&mut self, boot: usize, case: &str, cases: usize, phase: BootPhase) {
        let shown = self.boots.values().flatten().count();
        let more = if cases > 1 { format!("+{} ", cases - 1) } else { String::new() };
        let message = format!("{more}{}", clean(case));
        let phase = match phase {
            BootPhase::Create => "create",
            BootPhase::Boot => "boot",
            BootPhase::Steps => "steps",
            BootPhase::Remove => "remove",
        };
        match self.boots.get(&boot) {
            Some(Some(bar)) => {
                bar.set_prefix(phase);
                bar.set_message(message);
            }
            Some(None) => {}
            None => {
                let bar = (shown < SHOWN).then(|| {
                    let bar = ProgressBar::new_spinner().with_prefix(phase).with_message(message);
                    bar.set_style(style("  {prefix:6} {wide_msg} {elapsed}"));
                    let bar = self.bars.add(bar);
                    bar.enable_steady_tick(TICK);
                    bar
                });
                self.boots.insert(boot, bar);
            }
        }
        self.tell();
    }

    fn tell(&self) {
        let counted = |mark: Mark, n: usize| {
            let told = format!("{n} {}", mark.word());
            (n > 0).then(|| if self.colour { paint(mark.style(), &told) } else { told })
        };
        let c = &self.counts;
        let mut told: Vec<String> = [
            counted(Mark::Pass, c.pass),
            counted(Mark::Warn, c.warn),
            counted(Mark::Fail, c.fail),
            counted(Mark::Timeout, c.timeout),
            counted(Mark::Flaky, c.flaky),
            counted(Mark::New, c.new),
            counted(Mark::Error, c.error),
        ]
        .into_iter()
        .flatten()
        .collect();
        let hidden = self.boots.values().filter(|bar| bar.is_none()).count();
        if hidden > 0 {
            told.push(format!("{hidden} more running"));
        }
        told.extend(self.left.clone());
        self.total.set_message(told.join(", "));
    }

    /// Shows how long the rest may take.
    pub(super) fn left(&mut self, left: Option<String>) {
        if self.left != left {
            self.left = left;
            self.tell();
        }
    }

    fn clear(&mut self) {
        for bar in std::mem::take(&mut self.boots).into_values().flatten() {
            bar.finish_and_clear();
        }
        self.total.finish_and_clear();
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.clear();
    }
}

/// The templates are literals of this file; a wrong one falls back to indicatif's own.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
