//! How fast a run goes: which boots take much longer than others, and how long the rest may take. Pure: times are given,
//! counted from any one moment.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::events::{BootPhase, Event};
use crate::plan::CaseId;

use crate::report::details::took;

/// So many boots are needed to say what is usual.
const FEW: usize = 3;
/// A boot is slow that takes so many times what is usual, ...
const FACTOR: u32 = 3;
/// ... and at least so much longer.
const MARGIN: Duration = Duration::from_secs(3);

/// What was seen so far, on the host at hand.
#[derive(Debug, Default)]
pub(super) struct Pace {
    started: Duration,
    planned: usize,
    over: usize,
    running: BTreeMap<usize, Running>,
    /// How long boots took, in order.
    boots: Vec<Duration>,
}

#[derive(Debug)]
struct Running {
    case: CaseId,
    limit: Duration,
    /// Since when systemd boots; `None` before and after.
    boots_since: Option<Duration>,
    told: bool,
}

impl Pace {
    pub(super) fn event(&mut self, event: &Event, now: Duration) {
        match event {
            Event::RunStarted { boots, .. } => *self = Self { started: now, planned: *boots, ..Self::default() },
            Event::Phase { boot, cases, limit, phase } => {
                let Some(case) = cases.first() else { return };
                let running = self.running.entry(*boot).or_insert_with(|| Running {
                    case: case.clone(),
                    limit: *limit,
                    boots_since: None,
                    told: false,
                });
                let booted = running.boots_since.take();
                running.boots_since = (*phase == BootPhase::Boot).then_some(now);
                self.booted(booted, now);
            }
            Event::BootOver { boot } => {
                let booted = self.running.remove(boot).and_then(|running| running.boots_since);
                self.booted(booted, now);
                self.over += 1;
            }
            _ => {}
        }
    }

    fn booted(&mut self, since: Option<Duration>, now: Duration) {
        if let Some(since) = since {
            let took = now.saturating_sub(since);
            self.boots.insert(self.boots.partition_point(|other| *other < took), took);
        }
    }

    /// What is usual: the median; `None` of too few.
    fn usual(&self) -> Option<Duration> {
        (self.boots.len() >= FEW).then(|| self.boots[self.boots.len() / 2])
    }

    /// The boots that have become slow since this was asked last, in words: each is told once.
    pub(super) fn slow(&mut self, now: Duration) -> Vec<String> {
        let usual = self.usual();
        let mut told = Vec::new();
        for running in self.running.values_mut().filter(|running| !running.told) {
            let Some(since) = running.boots_since else { continue };
            let so_far = now.saturating_sub(since);
            let behind = usual.is_some_and(|usual| so_far > usual * FACTOR && so_far > usual + MARGIN);
            if behind || so_far > running.limit / 2 {
                running.told = true;
                let others = usual.map_or_else(String::new, |usual| format!("others took {}; ", took(usual)));
                let (so_far, limit) = (took(so_far), humantime::format_duration(running.limit));
                told.push(format!(
                    "slow: {} has been booting for {so_far} ({others}its limit is {limit})",
                    running.case
                ));
            }
        }
        told
    }

    /// How long the rest may take, by what was done so far; `None` where that says too little.
    pub(super) fn left(&self, now: Duration) -> Option<Duration> {
        if self.over < FEW || self.over >= self.planned {
            return None;
        }
        // Of a boot under way half is done, on average.
        let under_way = self.running.len().min(self.planned - self.over) as f64 / 2.0;
        let done = self.over as f64 + under_way;
        let rest = (self.planned as f64 - done).max(0.0);
        Some(now.saturating_sub(self.started).mul_f64(rest / done))
    }
}

/// `about 40s left`, `about 3 min left`.
pub(super) fn about(left: Duration) -> String {
    match left.as_secs() {
        secs @ 0..=90 => format!("about {}s left", (secs / 5 + 1) * 5),
        secs => format!("about {} min left", (secs + 30) / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn phase(boot: usize, phase: BootPhase) -> Event {
        Event::Phase { boot, cases: vec![CaseId(format!("case-{boot}"))], limit: at(60), phase }
    }

    fn started(planned: usize) -> Pace {
        let mut pace = Pace::default();
        for event in sample::events() {
            if let Event::RunStarted { host, why_host, left_out, cases, jobs, .. } = event {
                let event = Event::RunStarted { host, why_host, left_out, cases, jobs, boots: planned, share: None };
                pace.event(&event, at(100));
            }
        }
        pace
    }

    /// Boots from one moment to another.
    fn boots(pace: &mut Pace, boot: usize, from: u64, to: u64) {
        pace.event(&phase(boot, BootPhase::Create), at(from));
        pace.event(&phase(boot, BootPhase::Boot), at(from));
        pace.event(&phase(boot, BootPhase::Steps), at(to));
        pace.event(&Event::BootOver { boot }, at(to));
    }

    #[test]
    fn a_boot_that_falls_behind_its_fellows_is_named_once() {
        let mut pace = started(9);
        (0..3).for_each(|boot| boots(&mut pace, boot, 100, 102));
        pace.event(&phase(7, BootPhase::Boot), at(102));
        assert_eq!(pace.slow(at(108)), Vec::<String>::new());
        assert_eq!(
            pace.slow(at(109)),
            ["slow: case-7 has been booting for 7.00s (others took 2.00s; its limit is 1m)"]
        );
        assert_eq!(pace.slow(at(150)), Vec::<String>::new());
    }

    #[test]
    fn half_of_its_limit_is_slow_whatever_others_do_and_steps_are_no_boot() {
        let mut pace = started(9);
        pace.event(&phase(0, BootPhase::Boot), at(100));
        pace.event(&phase(1, BootPhase::Boot), at(100));
        pace.event(&phase(1, BootPhase::Steps), at(101));
        assert_eq!(pace.slow(at(130)), Vec::<String>::new());
        assert_eq!(pace.slow(at(131)), ["slow: case-0 has been booting for 31.00s (its limit is 1m)"]);
    }

    #[test]
    fn the_rest_is_what_was_done_so_far_carried_on() {
        let mut pace = started(10);
        boots(&mut pace, 0, 100, 110);
        boots(&mut pace, 1, 110, 120);
        assert_eq!(pace.left(at(120)), None);
        boots(&mut pace, 2, 120, 130);
        assert_eq!(pace.left(at(130)), Some(at(70)));
        // Two under way count for one that is done.
        pace.event(&phase(3, BootPhase::Boot), at(130));
        pace.event(&phase(4, BootPhase::Boot), at(130));
        assert_eq!(pace.left(at(140)), Some(at(60)));
        (3..10).for_each(|boot| boots(&mut pace, boot, 140, 150));
        assert_eq!(pace.left(at(150)), None);
    }

    #[test]
    fn an_estimate_is_no_measurement() {
        let told = [0, 38, 40, 90, 91, 200].map(|secs| about(at(secs)));
        let words = ["5s", "40s", "45s", "95s", "2 min", "3 min"].map(|what| format!("about {what} left"));
        assert_eq!(told, words);
    }
}
