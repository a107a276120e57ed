//! The runner on the fake host: every boot outcome, shared boots, every kind of step, and that nothing is left behind
//! whatever the end is. The clock stands still but for sleeps, so no test takes its time.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

mod boots;
mod endings;
mod faults;
mod kit;
mod leaks;
mod sharing;
mod steps;
