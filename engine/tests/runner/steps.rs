//! What steps can do.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sdc_engine::host::fake::{Call, Reply, Script};
use sdc_engine::judge::Verdict;
use sdc_engine::observe::RunStatus;

use crate::kit::{BANNER, Diary, MULTI_USER, SECOND, on, on_each, up, up_after};

fn lines(text: &str) -> Vec<&str> {
    text.lines().collect()
}

#[tokio::test(start_paused = true)]
async fn they_run_in_the_order_of_the_file_those_of_the_boot_first() {
    let diary = Diary::default();
    let script = diary.of(up_after(SECOND));
    let steps = "step = [
        { name = 'a', run = ['echo', 'a'], at = 'boot' },
        { name = 'b', run = ['echo', 'b'], at = 'boot' },
        { name = 'c', run = 'echo c' },
        { name = 'd', run = ['echo', 'd d'] },
    ]";
    let ran = on(script).run_one(steps).await;
    assert_eq!(ran.verdict(), &Verdict::Pass, "{:?}", ran.broken());
    assert_eq!(diary.lines(), ["echo a", "echo b", "/bin/sh -c echo c", "echo d d"]);
    let names: Vec<&str> = ran.only().steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c", "d"]);
}

#[tokio::test(start_paused = true)]
async fn a_step_of_the_boot_runs_while_systemd_boots() {
    let slow = Script::says(&[BANNER])
        .then(5 * SECOND, &format!("{MULTI_USER}\r\n"))
        .on("is-system-running", Reply::prints("running\n"))
        .on("early", Reply::prints("early\n").after(SECOND));
    let steps = "[[step]]\nname = 'a'\nrun = ['early']\nat = 'boot'\nrepeat = { for = '2500ms' }\nexpect.console.not_contains = 'multi-user'\n";
    let ran = on(slow).run_one(steps).await;
    assert_eq!(ran.verdict(), &Verdict::Pass, "{:?}", ran.broken());
    assert_eq!(ran.step("a").runs.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn values_are_captured_for_later_steps() {
    let diary = Diary::default();
    let script = diary.of(up()).on("start", Reply::prints("noise\npid 42\n")).on("cat", Reply::prints("42 sleep\n"));
    let steps = r"step = [
        { name = 'a', run = ['start'], at = 'boot', capture = { pid = '^pid (\d+)$' } },
        { name = 'b', run = ['cat', '/proc/@{pid}/comm'], expect.stdout.equals = '@{pid} sleep' },
    ]";
    let ran = on(script).run_one(steps).await;
    assert_eq!(ran.verdict(), &Verdict::Pass, "{:?}", ran.broken());
    assert_eq!(diary.lines(), ["start", "cat /proc/42/comm"]);
    assert_eq!(ran.step("b").captured["pid"], "42");
}

#[tokio::test(start_paused = true)]
async fn bytes_that_are_no_text_are_seen_and_given_back() {
    let diary = Diary::default();
    let odd = Reply { stdout: b"unit a\\xe2.service\n\xff\x00\n".to_vec(), ..Reply::prints("") };
    let script = diary.of(up()).on("list", odd).on("show", Reply::prints("a\\xe2.service\n"));
    let steps = r"step = [
        { name = 'a', run = ['list'], capture = { unit = '^unit (\S+)$' }, expect.stdout = { regex = '^\\xff', golden = true } },
        { name = 'b', run = ['show', '@{unit}'], expect.stdout.equals = '@{unit}' },
    ]";
    let ran = on(script).run_one(steps).await;
    assert_eq!(ran.verdict(), &Verdict::New, "{:?}", ran.broken());
    assert_eq!(diary.lines(), ["list", r"show a\xe2.service"], "what was printed");
    assert_eq!(ran.step("a").runs[0].stdout, "unit a\\x5cxe2.service\n\\xff\0\n", "told apart from a byte");
    assert_eq!(ran.only().observed[0].text, "unit a\\x5cxe2.service\n\\xff\n", "`ansi` takes control characters out");
}

#[tokio::test(start_paused = true)]
async fn rules_that_any_of_the_runs_needed_are_known() {
    let boots = AtomicUsize::new(0);
    let step =
        "[[step]]\nname = 'a'\nrun = ['ask']\nnormalise = ['pids', 'times', 'ids']\nexpect.stdout.golden = true\n";
    let each = move |_: &_| match boots.fetch_add(1, Ordering::Relaxed) {
        0 => up().on("ask", Reply::prints("pid 7\n")),
        _ => up().on("ask", Reply::prints("took 5s\n")),
    };
    let ran = on_each(each).repeat(2).run_one(step).await;
    assert_eq!(ran.only().rules["a"].iter().collect::<Vec<_>>(), ["pids", "times"]);
}

#[tokio::test(start_paused = true)]
async fn a_value_that_was_not_captured_runs_nothing() {
    let diary = Diary::default();
    let steps = r"step = [
        { name = 'a', run = ['start'], capture = { pid = '^pid (\d+)$' } },
        { name = 'b', run = ['cat', '/proc/@{pid}/comm'] },
    ]";
    let ran = on(diary.of(up())).run_one(steps).await;
    assert_eq!(ran.verdict(), &Verdict::Fail);
    assert_eq!(diary.lines(), ["start"]);
    assert!(ran.broken()[0].contains("stdout has `pid` to capture"), "{:?}", ran.broken());
    assert!(ran.broken()[1].contains("@{pid} was not captured"), "{:?}", ran.broken());
}

#[tokio::test(start_paused = true)]
async fn a_step_waits_until_it_holds() {
    let replies = vec![Reply::prints("no\n"), Reply::prints("no\n"), Reply::prints("yes\n")];
    let step =
        "[[step]]\nname = 'a'\nrun = ['ask']\nwait = { limit = '5s', every = '1s' }\nexpect.stdout.equals = 'yes'\n";
    let ran = on(up().on_in_turn("ask", replies)).run_one(step).await;
    assert_eq!(ran.verdict(), &Verdict::Pass, "{:?}", ran.broken());
    assert_eq!(ran.step("a").runs.len(), 1, "the last one alone is shown");
    let ran = on(up().on("ask", Reply::prints("no\n"))).run_one(step).await;
    assert_eq!(ran.verdict(), &Verdict::Fail);
    // One question of the boot's, then one at 0, 1, … 5 seconds.
    assert_eq!(ran.fake.count(Call::Exec), 1 + 6);
}

#[tokio::test(start_paused = true)]
async fn commands_are_repeated_a_number_of_times_or_for_a_time() {
    let script = up().on("tick", Reply::prints("tick\n").after(Duration::from_millis(500)));
    let times = "[[step]]\nname = 'a'\nrun = ['tick']\nrepeat = { times = 3 }\nexpect.stdout.regex = '^tick$'\n";
    let ran = on(script.clone()).run_one(times).await;
    assert_eq!((ran.verdict(), ran.step("a").runs.len()), (&Verdict::Pass, 3), "{:?}", ran.broken());
    let ran = on(script).run_one(&times.replace("times = 3", "for = '2s'")).await;
    assert_eq!((ran.verdict(), ran.step("a").runs.len()), (&Verdict::Pass, 4));
}

#[tokio::test(start_paused = true)]
async fn one_of_the_repeats_that_fails_fails_the_step() {
    let replies = vec![Reply::prints("ok\n"), Reply::fails(2, "busy\n"), Reply::prints("ok\n")];
    let step = "[[step]]\nname = 'a'\nrun = ['tick']\nrepeat = { times = 3 }\n";
    let ran = on(up().on_in_turn("tick", replies)).run_one(step).await;
    assert_eq!(ran.verdict(), &Verdict::Fail);
    assert!(ran.broken()[0].contains("exit code 2"), "{:?}", ran.broken());
}

#[tokio::test(start_paused = true)]
async fn what_is_left_running_is_not_waited_for() {
    let step = "step = [{ name = 'a', run = ['sleep', 'inf'], background = true }, { name = 'b', run = ['true'] }]";
    let ran = on(up().on("sleep", Reply::hangs())).run_one(step).await;
    assert_eq!(ran.verdict(), &Verdict::Pass, "{:?}", ran.broken());
    assert_eq!(ran.step("a").runs[0].status, RunStatus::Background);
}

#[tokio::test(start_paused = true)]
async fn a_command_has_a_limit() {
    let diary = Diary::default();
    let script = diary.of(up().on("hangs", Reply { stdout: b"so far\n".to_vec(), ..Reply::hangs() }));
    let steps = "step = [{ name = 'a', run = ['hangs'], timeout = '3s' }, { name = 'b', run = ['true'] }]";
    let ran = on(script).run_one(steps).await;
    assert_eq!(ran.verdict(), &Verdict::Timeout("step a after 3s".into()));
    let run = &ran.step("a").runs[0];
    assert_eq!((&run.status, run.stdout.as_str()), (&RunStatus::TimedOut, "so far\n"));
    assert!(run.took >= 3 * SECOND && run.took < 4 * SECOND, "{:?}", run.took);
    assert_eq!(diary.lines(), ["hangs", "true"], "the others run all the same");
}

#[tokio::test(start_paused = true)]
async fn a_command_that_is_not_there_is_the_subjects_fault() {
    let missing =
        sdc_engine::host::HostErrorKind::Refused { status: 400, message: "exec: \"nope\": not found in $PATH".into() };
    let script = up().on("nope", Reply { refused: Some(missing), ..Reply::default() });
    let ran = on(script.clone()).run_one("step = [{ name = 'a', run = ['nope'] }]").await;
    assert_eq!(ran.verdict(), &Verdict::Fail);
    assert!(ran.broken()[0].contains("not found in $PATH"), "{:?}", ran.broken());
    let any = "step = [{ name = 'a', run = ['nope'], expect = { exit = 'any', stdout.empty = true } }]";
    assert_eq!(on(script).run_one(any).await.verdict(), &Verdict::Pass);
}

#[tokio::test(start_paused = true)]
async fn the_engine_shows_what_it_knows() {
    let steps = r#"step = [
        { name = 'logs', engine = 'logs', expect.stdout.contains = 'Reached target' },
        { name = 'inspect', engine = 'inspect', expect.stdout.regex = '"Status": "running"' },
        { name = 'top', engine = 'top', expect.stdout.contains = '/sbin/init' },
        { name = 'stats', engine = 'stats', expect.stdout.contains = 'pids_stats' },
    ]"#;
    let ran = on(up()).run_one(steps).await;
    assert_eq!(ran.verdict(), &Verdict::Pass, "{:?}", ran.broken());
}

#[tokio::test(start_paused = true)]
async fn the_engine_stops_starts_and_restarts() {
    let steps = "step = [
        { name = 'stop', engine = 'stop', expect.stdout.equals = 'exit code 130' },
        { name = 'gone', run = ['true'], expect = { exit = 'any', stdout.empty = true } },
        { name = 'start', engine = 'start', expect.stdout.equals = 'running' },
        { name = 'there', run = ['true'] },
        { name = 'restart', engine = 'restart', grace = '1s', expect.stdout.equals = 'running' },
        { name = 'logs', engine = 'logs', expect.stdout.contains = 'Reached target' },
    ]";
    let ran = on(up_after(SECOND).stopping(130, 2 * SECOND)).run_one(steps).await;
    assert_eq!(ran.verdict(), &Verdict::Pass, "{:?}", ran.broken());
    let log = &ran.step("logs").runs[0].stdout;
    assert_eq!(lines(log).iter().filter(|line| line.contains("Reached target")).count(), 3, "a log of three starts");
    assert_eq!((ran.fake.count(Call::Start), ran.fake.count(Call::Stop)), (3, 2));
}

#[tokio::test(start_paused = true)]
async fn a_start_that_does_not_come_up_fails_its_step() {
    let again = Script::says(&[BANNER, MULTI_USER])
        .on_in_turn("is-system-running", vec![Reply::prints("running\n"), Reply { ends: Some(7), ..Reply::default() }]);
    let ran = on(again).run_one("step = [{ name = 'a', engine = 'restart' }]").await;
    assert_eq!(ran.verdict(), &Verdict::Fail);
    assert_eq!(ran.step("a").runs[0].stdout, "exited(7)\n");
}

#[tokio::test(start_paused = true)]
async fn the_engine_kills_and_waits() {
    let steps = "step = [
        { name = 'kill', engine = 'kill', signal = 'SIGRTMIN+3' },
        { name = 'wait', engine = 'wait', expect.stdout.equals = 'exit code 5' },
    ]";
    let ran = on(up().stopping(5, SECOND)).run_one(steps).await;
    assert_eq!(ran.verdict(), &Verdict::Pass, "{:?}", ran.broken());
    let ran = on(up()).run_one("step = [{ name = 'wait', engine = 'wait', timeout = '4s' }]").await;
    assert_eq!(ran.verdict(), &Verdict::Timeout("step wait after 4s".into()));
}

#[tokio::test(start_paused = true)]
async fn the_console_up_to_a_step_can_be_looked_at() {
    let script = up().then(2 * SECOND, "later: words\r\n").on("pause", Reply::default().after(3 * SECOND));
    let steps = "boot.unknown_lines = 'ignore'\nstep = [
        { name = 'a', run = ['true'], expect.console.not_contains = 'later' },
        { name = 'b', run = ['pause'], expect.console.contains = 'later: words' },
    ]";
    let ran = on(script).run_one(steps).await;
    assert_eq!(ran.verdict(), &Verdict::Pass, "{:?}", ran.broken());
}

#[tokio::test(start_paused = true)]
async fn steps_of_the_boot_end_with_a_boot_that_fails() {
    let script = Script::says(&[BANNER]).then(SECOND, "Exiting PID 1...\r\n").exiting(1);
    let steps = "boot.expect.state = 'exited'\n[[step]]\nname = 'a'\nrun = ['true']\nat = 'boot'\nrepeat = { for = '1h' }\nexpect = { exit = 'any', stdout.empty = true }\n";
    let script = script.answer(|_| Some(Reply::default().after(Duration::from_millis(100))));
    let ran = on(script).run_one(steps).await;
    assert!(ran.outcome.summary.took < 10 * SECOND, "{:?}", ran.outcome.summary.took);
    assert_eq!(ran.verdict(), &Verdict::Pass, "{:?}", ran.broken());
}
