//! Input that nobody writes on purpose, by mutation of a corpus: no reader of the program's may panic, run out of stack or
//! take long over any of it.
//!
//! `cargo test --test fuzz` tries a few hundred inputs of each target, the same ones every time. `make fuzz SECONDS=60`
//! tries others for that long. An input that fails is written to a file, whose path is told; put it into
//! `tests/fuzz/corpus/<target>/` with the mending, and it is tried as it stands from then on. Where the whole process
//! dies (a stack that overflowed), the input is in `<target>-running` of the same folder.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test that cannot go on panics")]

mod mutate;
mod targets;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use mutate::Mutator;
use targets::{Run, Target};

/// Mutations of each target where no time is given.
const TRIES: usize = 60;
/// How long one input may take: so much that only what does not end takes longer, also where others use the machine.
const LONGEST: Duration = Duration::from_secs(20);
/// The seed where no time is given.
const SEED: u64 = 7;

/// Where failing inputs are put.
fn findings() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz")
}

/// What came of one target.
enum Came {
    /// So many inputs, none of which failed.
    Well(usize),
    /// An input that failed, and how.
    Ill(Vec<u8>, &'static str),
}

/// Tries a target's corpus as it stands, and mutations of it until `enough`.
fn fuzz(target: &Target, seed: u64, longest: Duration, enough: impl Fn(usize) -> bool + Send + 'static) -> Came {
    fs::create_dir_all(findings()).unwrap();
    let running = findings().join(format!("{}-running", target.name));
    let (tell, told) = channel();
    let (seeds, make, name) = (target.seeds(), target.run, target.name);
    // A thread of its own, with the stack of the smallest thread that reads input in earnest: one that hangs is left.
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            let run: Run = make();
            let mut mutator = Mutator::new(seed, seeds.clone());
            for tries in 0.. {
                let given = seeds.get(tries);
                // Mutations are counted, the corpus is tried as a whole.
                if given.is_none() && enough(tries - seeds.len()) {
                    break;
                }
                let input = given.cloned().unwrap_or_else(|| mutator.next());
                fs::write(&running, &input).unwrap();
                let _gone = tell.send(None);
                let ended = catch_unwind(AssertUnwindSafe(|| run(&input)));
                let _gone = tell.send(Some((tries, ended.is_ok())));
                if ended.is_err() {
                    return;
                }
            }
            let _never_made = fs::remove_file(&running);
        })
        .unwrap();
    let mut count = 0;
    loop {
        let failed = |how| Came::Ill(fs::read(findings().join(format!("{name}-running"))).unwrap_or_default(), how);
        match told.recv_timeout(longest) {
            Ok(None) => {}
            Ok(Some((tries, true))) => count = tries + 1,
            Ok(Some((_, false))) => return failed("panics"),
            Err(RecvTimeoutError::Timeout) => return failed("takes too long"),
            Err(RecvTimeoutError::Disconnected) => return Came::Well(count),
        }
    }
}

/// Runs every target and says what came of it.
fn all(seed: u64, each: Option<Duration>) {
    let mut found = Vec::new();
    let chosen = std::env::var("SDC_ENGINE_FUZZ_TARGET").unwrap_or_default();
    for target in targets::ALL.iter().filter(|target| chosen.is_empty() || target.name == chosen) {
        let before = Instant::now();
        let came = match each {
            None => fuzz(target, seed, LONGEST, |tries| tries >= TRIES),
            Some(time) => fuzz(target, seed, LONGEST, move |_| before.elapsed() >= time),
        };
        match came {
            Came::Well(tries) => {
                let seconds = before.elapsed().as_secs_f64();
                eprintln!("{:12} {tries:8} inputs, {:8.0} a second, no finding", target.name, tries as f64 / seconds);
            }
            Came::Ill(input, how) => {
                let path = findings().join(format!("{}-{:016x}", target.name, mutate::hash(&input)));
                fs::write(&path, &input).unwrap();
                eprintln!("{:12} an input {how}: {}", target.name, path.display());
                found.push(format!("{} {how}: {}", target.name, path.display()));
            }
        }
    }
    assert!(found.is_empty(), "seed {seed}: {found:#?}");
}

#[test]
fn no_input_panics_or_takes_long() {
    let seconds = std::env::var("SDC_ENGINE_FUZZ_SECONDS").ok().map(|text| text.parse::<u32>().unwrap());
    let Some(seconds) = seconds else { return all(SEED, None) };
    let seed = match std::env::var("SDC_ENGINE_FUZZ_SEED") {
        Ok(text) => text.parse().unwrap(),
        Err(_) => std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs(),
    };
    eprintln!("seed {seed} (SDC_ENGINE_FUZZ_SEED tries the same again)");
    all(seed, Some(Duration::from_secs(seconds.into()) / u32::try_from(targets::ALL.len()).unwrap()));
}

#[test]
fn a_panic_and_a_hang_are_noticed() {
    let panics: fn() -> Run = || Box::new(|input| assert!(input.len() < 20, "too long"));
    let hangs: fn() -> Run = || {
        Box::new(|input| {
            while input.len() >= 20 {
                std::thread::park();
            }
        })
    };
    // To print where a panic came from takes seconds in a debug build with RUST_BACKTRACE.
    let limits = [Duration::from_secs(60), Duration::from_secs(2)];
    let kinds = [("panics", panics, "panics"), ("hangs", hangs, "takes too long")];
    for ((name, run, how), limit) in kinds.into_iter().zip(limits) {
        let target = Target { name, run, ..targets::ALL[0] };
        let Came::Ill(input, found) = fuzz(&target, SEED, limit, |tries| tries > 1_000) else {
            panic!("{name}: nothing is noticed");
        };
        assert!(input.len() >= 20 && found == how, "{name}: {found}");
    }
}

#[test]
fn mutations_are_the_same_for_a_seed_and_differ_from_their_corpus() {
    let seeds = vec![b"title = 'x'\nstep = []\n".to_vec(), b"a = 1\n".to_vec()];
    let some = |seed| {
        let mut mutator = Mutator::new(seed, seeds.clone());
        (0..50).map(|_| mutator.next()).collect::<Vec<_>>()
    };
    assert_eq!(some(1), some(1));
    assert_ne!(some(1), some(2));
    assert!(some(1).iter().filter(|input| !seeds.contains(input)).count() > 25);
}
