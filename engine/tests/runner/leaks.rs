//! What cases change on the host, and whose doing it is.

use std::time::Duration;

use sdc_engine::host::fake::Call;

use crate::kit::{Ran, SECOND, case_of, on_each, scenario, up, up_after};

const PASSTHROUGH: &str = "host_risk = 'it writes to the host'
container.volumes = ['/sys/fs/cgroup:/sys/fs/cgroup:rw']
step = [{ name = 'a', run = 'true' }]";

fn own(name: &str) -> String {
    scenario(&format!("container.env = {{ A = '{name}' }}\nstep = [{{ name = 'a', run = 'true' }}]"))
}

/// Whose doing, whether declared, and what.
fn leaks(ran: &Ran) -> Vec<(String, bool, Vec<String>)> {
    let leaks = &ran.outcome.summary.leaks;
    leaks.iter().map(|leak| (leak.whose(), leak.declared, leak.words())).collect()
}

#[tokio::test(start_paused = true)]
async fn nothing_is_told_where_nothing_changed() {
    let ran = on_each(|_| up()).run(&[("one", &own("1")), ("two", &own("2"))]).await;
    assert_eq!(leaks(&ran), []);
}

#[tokio::test(start_paused = true)]
async fn what_a_case_left_is_told_with_the_case() {
    let bench = on_each(|request| match case_of(request) {
        "two" => up().leaving("unified:/init.scope"),
        _ => up(),
    });
    let ran = bench.jobs(1).run(&[("one", &own("1")), ("two", &own("2")), ("three", &own("3"))]).await;
    let words = "the cgroup /init.scope of the hierarchy unified was left, and nothing is in it";
    // The next one starts while the container of the one before it is removed, so it can't be told from it.
    let told = leaks(&ran);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((told[0].1, &told[0].2), (false, &vec![words.to_owned()]));
    assert_eq!(told[0].0, "after one of 2 cases: two, three");
    assert!(ran.outcome.summary.leaks[0].lasting);
    assert_eq!(ran.verdicts(), [("one", "pass"), ("two", "pass"), ("three", "pass")]);
}

#[tokio::test(start_paused = true)]
async fn cases_that_ran_beside_it_are_named_and_those_before_are_cleared() {
    let bench = on_each(|request| match case_of(request) {
        "two" => up_after(SECOND * 2).leaving("unified:/x"),
        "three" => up_after(SECOND * 4),
        _ => up(),
    });
    // The first is over when the second and third start.
    let ran = bench.jobs(2).run(&[("one", &own("1")), ("two", &own("2")), ("three", &own("3"))]).await;
    let told = leaks(&ran);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].0.contains("two"), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn a_case_that_can_write_to_its_neighbours_runs_alone() {
    let risky = scenario(PASSTHROUGH);
    let bench = on_each(|request| match case_of(request) {
        "risky" => up_after(SECOND * 3).leaving("systemd:/init.scope"),
        _ => up_after(SECOND * 3),
    });
    let ran = bench.jobs(4).run(&[("one", &own("1")), ("risky", &risky), ("two", &own("2"))]).await;
    let told = leaks(&ran);
    assert_eq!((told.len(), told[0].0.as_str(), told[0].1), (1, "after risky", true), "{told:?}");
    // Nothing was made between its creation and its removal.
    let diary = ran.fake.diary();
    let mine: Vec<usize> =
        diary.iter().enumerate().filter(|(_, (_, of))| of.contains("-1-0")).map(|(n, _)| n).collect();
    let between = &diary[mine[0]..=*mine.last().expect("calls")];
    let others = between.iter().filter(|(call, of)| matches!(call, Call::Create | Call::Start) && !of.contains("-1-0"));
    assert_eq!(others.count(), 0, "{between:?}");
    assert!(ran.outcome.summary.took >= Duration::from_secs(6), "it waited for the others, or they for it");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_may_not_touch_the_host_skips_it() {
    let risky = scenario(PASSTHROUGH);
    let mut plan = crate::kit::planned(&[("one", &own("1")), ("risky", &risky)]);
    plan.spare_host();
    assert_eq!((plan.cases(), plan.left_out.len()), (1, 1));
    let why = format!("{:?}", plan.left_out[0].why);
    assert!(why.contains("it has the host's /sys/fs/cgroup writable") && why.contains("--allow-host-risk"), "{why}");
}
