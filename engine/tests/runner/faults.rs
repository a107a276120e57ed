//! Faults of an engine that are no opinion on the subject, and outputs without an end.

use sdc_engine::facts::Facts;
use sdc_engine::host::HostErrorKind;
use sdc_engine::host::fake::{Call, Failure, Fake, Reply};
use sdc_engine::judge::Verdict;
use sdc_engine::runner::{OUTPUT_LIMIT, STEP_LIMIT};
use sdc_engine::scenario::model::Stream;

use crate::kit::{SECOND, on, on_fake, scenario, up};

fn own(n: usize) -> String {
    scenario(&format!("container.hostname = 'h{n}'\nstep = [{{ name = 'a', run = 'true' }}]"))
}

#[tokio::test(start_paused = true)]
async fn a_container_that_somebody_removed_is_no_failed_step() {
    let removed = Reply { refused: Some(HostErrorKind::NotFound("No such container".into())), ..Reply::default() };
    let any = "step = [{ name = 'a', run = ['x'], expect = { exit = 'any', stdout.empty = true } }]";
    let ran = on(up().on("x", removed)).run_one(any).await;
    let Verdict::Error(words) = ran.verdict() else { panic!("{:?}", ran.verdict()) };
    assert!(words.ends_with("somebody else has removed it"), "{words}");
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_comes_back_ends_what_it_ran_and_no_more() {
    let fake = Fake::new(Facts::assumed(), |_| up())
        .failing_first(1, Call::Start, Failure::unreachable())
        .failing_first(2, Call::List, Failure::unreachable());
    let (one, two) = (own(1), own(2));
    let ran = on_fake(fake).jobs(1).run(&[("one", &one), ("two", &two)]).await;
    assert_eq!(ran.verdicts(), [("one", "error"), ("two", "pass")]);
    let Verdict::Error(words) = &ran.outcome.results[0].verdict else { panic!("no error") };
    assert!(words.starts_with("the engine of assumed went away in mid-run, and came back: "), "{words}");
    assert!(ran.outcome.summary.took < 30 * SECOND, "{:?}", ran.outcome.summary.took);
}

#[tokio::test(start_paused = true)]
async fn of_a_step_that_is_repeated_so_much_is_kept_and_no_more() {
    let much = Reply { stdout: vec![b'y'; 2 * OUTPUT_LIMIT], ..Reply::default() };
    let step = "[[step]]\nname = 'a'\nrun = ['x']\nrepeat = { times = 12 }\nexpect.stdout.contains = 'y'\n";
    let ran = on(up().on("x", much)).run_one(step).await;
    assert_eq!(ran.verdict(), &Verdict::Pass, "{:?}", ran.broken());
    let runs = &ran.step("a").runs;
    assert_eq!(runs.iter().map(|run| run.stdout.len()).sum::<usize>(), STEP_LIMIT);
    assert!(runs.len() == 12 && runs.iter().all(|run| run.cut == [Stream::Stdout]));
}
