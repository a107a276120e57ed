//! Which cases share a boot, how many boots there are at a time, and in which order things are told.

use std::collections::BTreeSet;
use std::time::Duration;

use sdc_engine::facts::Facts;
use sdc_engine::host::fake::{Call, Failure, Fake, Reply};
use sdc_engine::judge::Verdict;

use crate::kit::{Diary, SECOND, case_of, on, on_each, on_fake, scenario, simple, up, up_after};

/// Two scenarios, the second with something more; how many containers they take.
async fn boots_with(rest: &str) -> usize {
    let (one, two) = (simple(), scenario(rest));
    let ran = on(up()).run(&[("one", &one), ("two", &two)]).await;
    assert_eq!(ran.verdicts(), [("one", "pass"), ("two", "pass")], "{rest}");
    assert_eq!(ran.outcome.summary.boots, ran.made(), "{rest}");
    assert_eq!(ran.fake.count(Call::Remove), ran.made(), "{rest}");
    ran.made()
}

#[tokio::test(start_paused = true)]
async fn equal_containers_share_a_boot_unless_a_case_needs_its_own() {
    const STEP: &str = "step = [{ name = 'b', run = 'true' }]";
    assert_eq!(boots_with(STEP).await, 1);
    assert_eq!(boots_with("step = [{ name = 'b', engine = 'inspect' }]").await, 1);
    for own in [
        "fresh = true\nstep = [{ name = 'b', run = 'true' }]",
        "step = [{ name = 'b', run = 'true', changes = true }]",
        "step = [{ name = 'b', run = 'true', at = 'boot' }]",
        "step = [{ name = 'b', run = 'true', background = true }, { name = 'c', run = 'true' }]",
        "step = [{ name = 'b', engine = 'stop' }]",
        "container.env = { A = '1' }\nstep = [{ name = 'b', run = 'true' }]",
        "boot.timeout = '7s'\nstep = [{ name = 'b', run = 'true' }]",
        "boot.before = 'true'\nstep = [{ name = 'b', run = 'true' }]",
    ] {
        assert_eq!(boots_with(own).await, 2, "{own}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_shared_boot_runs_every_case_and_tells_the_same_boot_of_each() {
    let diary = Diary::default();
    let text = |name: &str| scenario(&format!("step = [{{ name = '{name}', run = ['echo', '{name}'] }}]"));
    let (one, two, three) = (text("x"), text("y"), text("z"));
    let ran = on(diary.of(up())).run(&[("one", &one), ("two", &two), ("three", &three)]).await;
    assert_eq!(ran.made(), 1);
    assert_eq!(diary.lines(), ["echo x", "echo y", "echo z"]);
    assert_eq!(ran.outcome.results[0].boot, ran.outcome.results[2].boot);
    assert_eq!(
        ran.story(),
        ["0 create", "0 boot", "0 steps", "0 remove", "0 over", "one pass", "two pass", "three pass"]
    );
}

#[tokio::test(start_paused = true)]
async fn an_engine_error_takes_down_its_own_cases_only() {
    let (one, two) = (simple(), scenario("container.env = { A = '1' }\nstep = [{ name = 'a', run = 'true' }]"));
    for call in [Call::Create, Call::Console, Call::Start, Call::Wait, Call::Inspect, Call::Exec] {
        let bench = on_each(move |request| match case_of(request) {
            "one" => up().failing(call, Failure::unreachable()),
            _ => up(),
        });
        let ran = bench.run(&[("one", &one), ("two", &two)]).await;
        assert_eq!(ran.verdicts(), [("one", "error"), ("two", "pass")], "{call}");
        let Verdict::Error(words) = &ran.outcome.results[0].verdict else { panic!("{call}") };
        assert!(words.contains("the engine does not answer: connection refused"), "{call}: {words}");
    }
}

#[tokio::test(start_paused = true)]
async fn in_a_shared_boot_an_engine_error_in_a_step_is_that_cases() {
    let text = |name: &str| scenario(&format!("step = [{{ name = '{name}', run = ['echo', '{name}'] }}]"));
    let (one, two, three) = (text("x"), text("y"), text("z"));
    let gone = Reply { refused: Some(sdc_engine::host::HostErrorKind::TimedOut(SECOND)), ..Reply::default() };
    let ran = on(up().on("echo y", gone)).run(&[("one", &one), ("two", &two), ("three", &three)]).await;
    assert_eq!(ran.verdicts(), [("one", "pass"), ("two", "error"), ("three", "pass")]);
    assert_eq!(ran.made(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_is_slow_makes_an_error_and_not_a_failure() {
    let hangs = up().failing(Call::Start, Failure::hangs(60 * SECOND));
    let ran = on(hangs).run(&[("one", &simple())]).await;
    assert_eq!(ran.verdicts(), [("one", "error")]);
}

/// So many scenarios that share nothing.
fn many(n: usize) -> Vec<(String, String)> {
    let text = |n: usize| scenario(&format!("container.hostname = 'h{n}'\nstep = [{{ name = 'a', run = 'true' }}]"));
    (0..n).map(|n| (format!("s{n:02}"), text(n))).collect()
}

/// The most containers that were there at a time: those being removed are not counted, for they boot no more.
fn most(diary: &[(Call, String)]) -> usize {
    let mut there = BTreeSet::new();
    let mut most = 0;
    for (call, name) in diary {
        match call {
            Call::Create => drop(there.insert(name)),
            Call::Remove => drop(there.remove(name)),
            _ => {}
        }
        most = most.max(there.len());
    }
    most
}

#[tokio::test(start_paused = true)]
async fn there_are_never_more_boots_at_a_time_than_jobs() {
    for jobs in [1, 3, 8] {
        let files = many(10);
        let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let fake = Fake::new(Facts::assumed(), |_| up_after(SECOND)).taking(Call::Remove, 10 * SECOND);
        let ran = on_fake(fake).jobs(jobs).run(&files).await;
        assert_eq!(ran.outcome.results.len(), 10);
        assert_eq!(most(&ran.fake.diary()), jobs);
        let rounds = u32::try_from(10_usize.div_ceil(jobs)).unwrap();
        let took = ran.outcome.summary.took;
        assert!(took < rounds * SECOND + 11 * SECOND, "a boot waits for no removal: {took:?}");
        assert!(took >= rounds * SECOND, "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn results_stand_in_the_order_of_the_plan_whoever_is_first() {
    let files = many(4);
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let bench = on_each(|request| match case_of(request) {
        "s00" => up_after(5 * SECOND),
        "s01" => up_after(3 * SECOND),
        _ => up(),
    });
    let ran = bench.run(&files).await;
    let ids: Vec<&str> = ran.outcome.results.iter().map(|result| result.id.0.as_str()).collect();
    assert_eq!(ids, ["s00", "s01", "s02", "s03"]);
    let told: Vec<String> = ran.story().into_iter().filter(|line| line.ends_with("pass")).collect();
    assert_eq!(told[2..], ["s01 pass", "s00 pass"], "as soon as they are known");
}

#[tokio::test(start_paused = true)]
async fn what_takes_long_starts_first() {
    let long = scenario("[[step]]\nname = 'a'\nrun = 'true'\nat = 'boot'\nrepeat = { for = '9s' }\n");
    let script = up_after(SECOND).answer(|_| Some(Reply::default().after(SECOND)));
    let ran = on(script).jobs(1).run(&[("one", &simple()), ("two", &long)]).await;
    assert_eq!(ran.story()[0], "1 create");
    assert_eq!(ran.verdicts(), [("one", "pass"), ("two", "pass")]);
}

#[tokio::test(start_paused = true)]
async fn every_boot_goes_through_its_phases_in_order() {
    let files = many(6);
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let bench = on_each(|request| match case_of(request) {
        "s01" => up().failing(Call::Create, Failure::refuses("no")),
        "s02" => up().failing(Call::Start, Failure::refuses("no")),
        "s03" => up().exiting(1),
        _ => up_after(Duration::from_millis(700)),
    });
    let ran = bench.jobs(2).run(&files).await;
    let of = |boot: usize| -> Vec<String> {
        let mine = |line: &String| line.starts_with(&format!("{boot} ")) || line.starts_with(&format!("s0{boot} "));
        ran.story().into_iter().filter(mine).map(|line| line.split_once(' ').unwrap().1.to_owned()).collect()
    };
    for boot in [0, 4, 5] {
        assert_eq!(of(boot), ["create", "boot", "steps", "remove", "over", "pass"]);
    }
    assert_eq!(of(1), ["create", "over", "fail"], "there is nothing to remove");
    assert_eq!(of(2), ["create", "boot", "remove", "over", "fail"]);
    assert_eq!(of(3), ["create", "boot", "remove", "over", "fail"]);
}
