//! How long goldens of many cases take: `cargo bench --bench golden [-- RUNS [NAME]]`. Prints medians; asserts no time.
//!
//! Structured outputs depend on two or three of five axes, as real ones do. Random ones depend on nothing: no set of
//! files is small, and the question is what it costs to find that out.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench prints, and stops where something is wrong")]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use sdc_engine::facts::Facts;
use sdc_engine::golden::{Coordinates, FolderUpdate, GoldenFolder, Recorded, RecordedHost, Recording, update};
use sdc_engine::judge::{GoldenKey, GoldenState};
use sdc_engine::plan::CaseId;

/// How many distinct outputs there are.
const TEXTS: usize = 40;

/// How many values the five axes have.
const THOUSAND: [usize; 5] = [5, 5, 5, 4, 2];
const TEN_THOUSAND: [usize; 5] = [10, 10, 10, 5, 2];

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let runs = args.first().map_or(3, |runs| runs.parse().unwrap());
    let only = args.get(1).map_or("", String::as_str);
    println!("medians of {runs} runs; `one more` is an update of a recorded folder after one case has changed");
    println!(
        "{:<18} {:>6} {:>7} {:>6} {:>10} {:>10} {:>14} {:>10}",
        "", "cases", "outputs", "files", "update", "one more", "files changed", "resolving"
    );
    for (name, sizes, text) in [
        ("structured 1,000", THOUSAND, structured as fn(&[usize]) -> usize),
        ("structured 10,000", TEN_THOUSAND, structured),
        ("random 1,000", THOUSAND, random),
        ("random 10,000", TEN_THOUSAND, random),
    ] {
        if name.starts_with(only) {
            measure(name, &cases(sizes, text), runs);
        }
    }
}

/// Two axes decide, a third makes exceptions of three pairs, and two say nothing.
fn structured(at: &[usize]) -> usize {
    match *at {
        [3, 3, 3, ..] => TEXTS - 1,
        [1, b, c, ..] if b == c => TEXTS - 2,
        [a, b, ..] => (a * a + 3 * b) % (TEXTS - 2),
        _ => 0,
    }
}

/// Any text, the same in every run.
fn random(at: &[usize]) -> usize {
    let mut state = at.iter().fold(0x9e37_79b9_7f4a_7c15_u64, |state, value| mixed(state ^ *value as u64));
    state = mixed(state);
    usize::try_from(state % TEXTS as u64).unwrap()
}

/// The mixing step of splitmix64.
const fn mixed(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn recording() -> Recording {
    Recording {
        date: "2026-01-01".into(),
        host: RecordedHost::of(&Facts::assumed()),
        image: "debian-12".into(),
        systemd: "252".into(),
        runs: 3,
        reason: "a bench".into(),
    }
}

/// Every point of five axes, with its text.
fn cases(sizes: [usize; 5], text: fn(&[usize]) -> usize) -> Vec<Recorded> {
    let host = recording().host.coordinates();
    (0..sizes.iter().product())
        .map(|number: usize| {
            let mut rest = number;
            let at: Vec<usize> = sizes
                .iter()
                .map(|size| {
                    let value = rest % size;
                    rest /= size;
                    value
                })
                .collect();
            let axes = at.iter().zip("abcde".chars()).map(|(value, axis)| (axis.to_string(), format!("v{value}")));
            let coordinates: Coordinates = axes.chain(host.clone()).collect();
            Recorded { case: CaseId(format!("s[{number}]")), coordinates, text: format!("text {}\n", text(&at)) }
        })
        .collect()
}

fn measure(name: &str, seen: &[Recorded], runs: usize) {
    let empty = GoldenFolder::empty(GoldenKey { scenario: "s".into(), folder: "g".into() });
    let recording = recording();
    let (first, whole) = median(runs, || update(&empty, seen, &recording).unwrap());
    let mut changed = seen[seen.len() / 3].clone();
    changed.text = seen.iter().map(|one| &one.text).find(|text| **text != changed.text).unwrap().clone();
    let later = Recording { date: "2026-02-02".into(), ..recording };
    let (second, more) = median(runs, || update(&first.after, std::slice::from_ref(&changed), &later).unwrap());
    let (_, resolving) = median(runs, || resolved(&first.after, seen));
    let outputs: BTreeSet<&String> = seen.iter().map(|one| &one.text).collect();
    println!(
        "{name:<18} {:>6} {:>7} {:>6} {:>10} {:>10} {:>14} {:>10}",
        seen.len(),
        outputs.len(),
        first.after.files.len(),
        seconds(whole),
        seconds(more),
        touched(&second),
        seconds(resolving)
    );
}

fn touched(update: &FolderUpdate) -> usize {
    update.write.len() + update.delete.len()
}

/// Looks every case up, as a check does.
fn resolved(folder: &GoldenFolder, seen: &[Recorded]) {
    for one in seen {
        let state = folder.state(&one.case, &one.coordinates).unwrap();
        assert!(matches!(state, GoldenState::Recorded { text, .. } if text == one.text), "{}", one.case);
    }
}

fn median<T>(runs: usize, mut work: impl FnMut() -> T) -> (T, Duration) {
    let mut times = Vec::new();
    let mut last = None;
    for _ in 0..runs.max(1) {
        let start = Instant::now();
        last = Some(work());
        times.push(start.elapsed());
    }
    times.sort_unstable();
    (last.unwrap(), times[times.len() / 2])
}

fn seconds(time: Duration) -> String {
    format!("{:.3} s", time.as_secs_f64())
}
