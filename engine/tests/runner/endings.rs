//! However a run ends, nothing of it is left, or what is left is named.

use sdc_engine::facts::Facts;
use sdc_engine::host::HostErrorKind;
use sdc_engine::host::fake::{Call, Failure, Fake, Reply, Script};
use sdc_engine::judge::Verdict;
use sdc_engine::runner::{Owner, Sweep, sweep};

use crate::kit::{BANNER, SECOND, case_of, on, on_each, on_fake, scenario, simple, up, up_after};

fn own(n: usize) -> String {
    scenario(&format!("container.hostname = 'h{n}'\nstep = [{{ name = 'a', run = 'true' }}]"))
}

fn busy() -> Failure {
    let kind = HostErrorKind::Refused { status: 500, message: "device or resource busy".into() };
    Failure { after: SECOND, kind }
}

#[tokio::test(start_paused = true)]
async fn an_interruption_removes_what_boots_and_starts_nothing_more() {
    let (one, two, three) = (own(1), own(2), own(3));
    let bench = on(up_after(10 * SECOND)).jobs(2).cancelled_after(3 * SECOND);
    let ran = bench.run(&[("one", &one), ("two", &two), ("three", &three)]).await;
    assert_eq!(ran.made(), 2);
    assert_eq!(ran.outcome.results, [], "half a boot says nothing");
    assert_eq!(ran.outcome.summary.stopped_early.as_deref(), Some("interrupted"));
    assert!(ran.outcome.summary.took < 5 * SECOND, "{:?}", ran.outcome.summary.took);
}

#[tokio::test(start_paused = true)]
async fn an_interruption_is_heard_in_every_phase() {
    let boot = "step = [{ name = 'a', run = ['x'] }]";
    let early = "step = [{ name = 'a', run = ['x'], at = 'boot' }]";
    let hangs = || up().on("x", Reply::hangs());
    let slow = |call: Call| Fake::new(Facts::assumed(), |_| up()).taking(call, 60 * SECOND);
    for (bench, rest) in [
        (on_fake(slow(Call::Create)), boot),
        (on_fake(slow(Call::Console)), boot),
        (on_fake(slow(Call::Start)), boot),
        (on_fake(slow(Call::Inspect)), boot),
        (on(Script::says(&[BANNER])), boot),
        (on(hangs()), boot),
        (on(hangs()), early),
    ] {
        let ran = bench.cancelled_after(2 * SECOND).run_one(&format!("boot.timeout = '5m'\n{rest}")).await;
        assert_eq!(ran.outcome.results, []);
        assert_eq!(ran.outcome.summary.stopped_early.as_deref(), Some("interrupted"));
        assert!(ran.outcome.summary.took < 5 * SECOND, "{:?}", ran.outcome.summary.took);
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_over_before_an_interruption_is_told() {
    let (one, two) = (own(1), own(2));
    let bench = on_each(|request| match case_of(request) {
        "one" => up(),
        _ => up_after(10 * SECOND),
    });
    let ran = bench.cancelled_after(3 * SECOND).run(&[("one", &one), ("two", &two)]).await;
    assert_eq!(ran.verdicts(), [("one", "pass")]);
    assert_eq!(ran.outcome.summary.stopped_early.as_deref(), Some("interrupted"));
}

#[tokio::test(start_paused = true)]
async fn the_first_failure_ends_a_run_that_is_to_end_with_it() {
    let (one, two, three) = (own(1), own(2), own(3));
    let files = [("one", one.as_str()), ("two", two.as_str()), ("three", three.as_str())];
    let fails = |request: &sdc_engine::host::CreateRequest| match case_of(request) {
        "two" => up().exiting(1),
        _ => up(),
    };
    let ran = on_each(fails).jobs(1).fail_fast().run(&files).await;
    assert_eq!(ran.verdicts(), [("one", "pass"), ("two", "fail")]);
    assert_eq!(ran.outcome.summary.stopped_early.as_deref(), Some("--fail-fast: two came first"));
    assert_eq!(ran.made(), 2);
    let ran = on_each(fails).jobs(1).run(&files).await;
    assert_eq!(ran.verdicts(), [("one", "pass"), ("two", "fail"), ("three", "pass")]);
    assert_eq!(ran.outcome.summary.stopped_early, None);
}

#[tokio::test(start_paused = true)]
async fn a_run_whose_last_case_fails_was_not_stopped_early() {
    let ran = on(up().exiting(1)).fail_fast().run(&[("one", &simple())]).await;
    assert_eq!(ran.verdicts(), [("one", "fail")]);
    assert_eq!(ran.outcome.summary.stopped_early, None);
}

#[tokio::test(start_paused = true)]
async fn a_removal_that_fails_once_is_tried_again() {
    let ran = on_fake(Fake::new(Facts::assumed(), |_| up()).failing_first(1, Call::Remove, busy()));
    let ran = ran.run(&[("one", &simple())]).await;
    assert_eq!(ran.verdicts(), [("one", "pass")]);
    assert_eq!(ran.fake.count(Call::Remove), 2);
    assert!(ran.notices()[0].contains("device or resource busy"), "{:?}", ran.notices());
}

#[tokio::test(start_paused = true)]
async fn a_container_that_was_only_made_is_removed_too() {
    let setup = "container.setup_mode = 'rebind'\ncontainer.cap_add = ['SYS_ADMIN']\ncontainer.cgroupns = 'private'\nstep = [{ name = 'a', run = 'true' }]";
    for times in [0, 1] {
        let script = up().failing(Call::Put, Failure::unreachable());
        let fake = Fake::new(Facts::assumed(), move |_| script.clone()).failing_first(times, Call::Remove, busy());
        let ran = on_fake(fake).run_one(setup).await;
        assert!(matches!(ran.verdict(), Verdict::Error(_)), "{:?}", ran.verdict());
    }
}

#[tokio::test(start_paused = true)]
async fn what_can_not_be_removed_is_named() {
    let fake = Fake::new(Facts::assumed(), |_| up()).failing(Call::Remove, busy());
    let ran = on_fake(fake).run_roughly(&[("one", &simple())]).await;
    assert_eq!(ran.verdicts(), [("one", "pass")]);
    let [left] = ran.outcome.summary.left_behind.as_slice() else { panic!("{:?}", ran.outcome.summary) };
    assert!(left.contains("sdc-7-100-0-0") && left.contains("busy"), "{left}");
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_tells_no_list_leaves_it_open() {
    let fake = Fake::new(Facts::assumed(), |_| up()).failing(Call::List, Failure::unreachable());
    let ran = on_fake(fake).run_roughly(&[("one", &simple())]).await;
    assert!(ran.outcome.summary.left_behind[0].starts_with("unknown containers: "), "{:?}", ran.outcome.summary);
}

#[tokio::test(start_paused = true)]
async fn a_fault_of_our_own_drops_no_case() {
    let (one, two) = (own(1), own(2));
    let bench = on_each(|request| match case_of(request) {
        "one" => up().answer_first(|_| panic!("a fault that this test makes")),
        _ => up(),
    });
    let ran = bench.run(&[("one", &one), ("two", &two)]).await;
    assert_eq!(ran.verdicts(), [("one", "error"), ("two", "pass")]);
    assert!(ran.story().contains(&"one error".to_owned()), "{:?}", ran.story());
}

#[tokio::test(start_paused = true)]
async fn runs_that_differ_are_flaky() {
    let step = "[[step]]\nname = 'a'\nrun = ['ask']\nexpect.stdout.equals = 'yes'\n";
    let replies = vec![Reply::prints("yes\n"), Reply::prints("no\n"), Reply::prints("yes\n")];
    let ran = on(up().on_in_turn("ask", replies)).repeat(3).run_one(step).await;
    assert_eq!(ran.verdict(), &Verdict::Flaky(2, 3));
    assert!(ran.broken()[0].contains("no"), "the evidence is that of the run that failed: {:?}", ran.broken());
    assert_eq!((ran.made(), ran.outcome.summary.boots), (3, 3));
    let phases = ["0 create", "0 boot", "0 steps", "0 remove", "0 over"];
    assert_eq!(ran.story(), [&phases[..], &phases, &phases, &["a flaky"]].concat());
}

#[tokio::test(start_paused = true)]
async fn runs_that_agree_have_their_verdict() {
    let step = "[[step]]\nname = 'a'\nrun = ['ask']\nexpect.stdout.equals = 'yes'\n";
    let ran = on(up().on("ask", Reply::prints("yes\n"))).repeat(3).run_one(step).await;
    assert_eq!((ran.verdict(), ran.made()), (&Verdict::Pass, 3));
    let ran = on(up().on("ask", Reply::prints("no\n"))).repeat(3).run_one(step).await;
    assert_eq!(ran.verdict(), &Verdict::Fail);
}

#[tokio::test(start_paused = true)]
async fn goldens_that_vary_between_runs_are_named() {
    let step = "[[step]]\nname = 'a'\nrun = ['ask']\nexpect.stdout.golden = true\n";
    let replies = vec![Reply::prints("1\n"), Reply::prints("2\n")];
    let ran = on(up().on_in_turn("ask", replies)).repeat(2).run_one(step).await;
    assert_eq!(ran.verdict(), &Verdict::Flaky(1, 2));
    let varied: Vec<(&str, &str)> =
        ran.outcome.varied.iter().map(|(case, key)| (case.0.as_str(), key.first.key.folder.as_str())).collect();
    assert_eq!(varied, [("a", "a")]);
}

#[tokio::test(start_paused = true)]
async fn an_interruption_between_repeats_says_nothing_of_the_case() {
    let bench = on(up_after(2 * SECOND)).repeat(3).cancelled_after(3 * SECOND);
    let ran = bench.run(&[("one", &simple())]).await;
    assert_eq!(ran.outcome.results, []);
    assert_eq!(ran.outcome.summary.boots, 1);
}

#[tokio::test(start_paused = true)]
async fn what_a_dead_run_left_is_swept_and_what_others_have_is_not() {
    let me = Owner::this_process();
    let dead = Owner { run: "dead".into(), pid: u32::MAX, start: 1, ..me.clone() };
    let elsewhere = Owner { machine: "another".into(), run: "elsewhere".into(), ..dead.clone() };
    let alive = Owner { run: "alive".into(), ..me.clone() };
    // Each of the three fails to remove its container, twice.
    let fake = std::sync::Arc::new(Fake::new(Facts::assumed(), |_| up()).with_image(crate::kit::IMAGE).failing_first(
        6,
        Call::Remove,
        busy(),
    ));
    for owner in [&dead, &elsewhere, &alive] {
        let mut bench = on(up());
        bench.fake = std::sync::Arc::clone(&fake);
        bench.options.owner = owner.clone();
        let ran = bench.run_roughly(&[("one", &simple())]).await;
        assert_eq!(ran.outcome.summary.left_behind.len(), 1);
    }
    assert_eq!(fake.left().len(), 3);
    assert_eq!(sweep(fake.as_ref(), &me, Sweep::Left).await.unwrap(), ["sdc-dead-0-0"]);
    assert_eq!(fake.left(), ["sdc-elsewhere-0-0", "sdc-alive-0-0"]);
}

#[tokio::test(start_paused = true)]
async fn what_failed_is_kept_where_that_is_asked_and_only_that() {
    let own = |name: &str, run: &str| {
        scenario(&format!("container.env = {{ A = '{name}' }}\nstep = [{{ name = 'a', run = ['{run}'] }}]"))
    };
    let mut bench = on(up().on("fails", Reply::fails(1, "no")));
    bench.options.keep_failed = true;
    bench.options.owner = Owner { run: "kept".into(), pid: u32::MAX, start: 1, ..Owner::this_process() };
    let ran = bench.run_roughly(&[("good", &own("1", "true")), ("bad", &own("2", "fails"))]).await;
    let kept = &ran.outcome.summary.kept;
    assert_eq!((kept.len(), kept[0].case.0.as_str(), kept[0].running), (1, "bad", true));
    assert_eq!(ran.fake.left(), [kept[0].container.clone()]);
    assert_eq!(ran.outcome.summary.left_behind, [""; 0]);
    // The next run leaves it where it is; who asks for it has it removed.
    let me = Owner::this_process();
    assert_eq!(sweep(ran.fake.as_ref(), &me, Sweep::Left).await.unwrap(), [""; 0]);
    assert_eq!(sweep(ran.fake.as_ref(), &me, Sweep::Everything).await.unwrap(), [kept[0].container.clone()]);
    assert_eq!(ran.fake.left(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_is_gone_ends_all_cases_at_once_and_for_one_reason() {
    let gone = |call: Call, fake: Fake| fake.failing(call, Failure::unreachable());
    let fake = gone(Call::List, gone(Call::Start, Fake::new(Facts::assumed(), |_| up())));
    let scenarios: Vec<(String, String)> = (0..6).map(|n| (format!("s{n}"), own(n))).collect();
    let scenarios: Vec<(&str, &str)> = scenarios.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let ran = on_fake(fake).jobs(2).repeat(3).run_roughly(&scenarios).await;
    assert_eq!(ran.outcome.results.len(), 6);
    assert!(ran.outcome.summary.left_behind[0].starts_with("unknown containers"));
    for result in &ran.outcome.results {
        let Verdict::Error(words) = &result.verdict else { panic!("{:?}", result.verdict) };
        assert!(
            words.ends_with("the engine of assumed died in mid-run: the engine does not answer: connection refused")
        );
    }
    assert!(ran.made() <= 2, "{}: no container is made after it", ran.made());
}

#[tokio::test(start_paused = true)]
async fn a_failure_on_an_engine_that_answers_is_no_end_of_it() {
    let fake = Fake::new(Facts::assumed(), |_| up()).failing_first(1, Call::Start, Failure::unreachable());
    let (one, two) = (own(1), own(2));
    let ran = on_fake(fake).jobs(1).run(&[("one", &one), ("two", &two)]).await;
    let words: Vec<_> = ran.outcome.results.iter().map(|result| result.verdict.word()).collect();
    assert_eq!(words, ["error", "pass"]);
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_hangs_ends_all_cases_whatever_they_wait_for() {
    let one = scenario("boot.timeout = '1h'\nstep = [{ name = 'a', run = ['x'], timeout = '1h' }]");
    let two = own(2);
    for fake in [
        Fake::new(Facts::assumed(), |_| up()).taking(Call::Create, 3600 * SECOND),
        Fake::new(Facts::assumed(), |_| Script::says(&[BANNER])),
        Fake::new(Facts::assumed(), |_| up().on("x", Reply::hangs())),
    ] {
        let hung = fake.failing(Call::List, Failure::hangs(30 * SECOND));
        let ran = on_fake(hung).jobs(1).run_roughly(&[("one", &one), ("two", &two)]).await;
        assert_eq!(ran.outcome.results.len(), 2);
        for result in &ran.outcome.results {
            let Verdict::Error(words) = &result.verdict else { panic!("{:?}", result.verdict) };
            assert_eq!(words, "the engine of assumed hangs: no answer within 30s, twice");
        }
        assert!(ran.outcome.summary.took < 120 * SECOND, "{:?}", ran.outcome.summary.took);
    }
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_does_not_answer_once_is_asked_again() {
    let fake = Fake::new(Facts::assumed(), |_| up_after(90 * SECOND));
    let busy = fake.failing_first(1, Call::List, Failure::hangs(30 * SECOND));
    let ran = on_fake(busy).run(&[("one", &format!("{}boot.timeout = '5m'\n", simple()))]).await;
    assert_eq!(ran.verdict(), &Verdict::Pass);
}
