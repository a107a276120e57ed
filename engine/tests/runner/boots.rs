//! How a boot can end, and what is said of it.

use std::time::Duration;

use sdc_engine::host::HostErrorKind;
use sdc_engine::host::fake::{Call, Failure, Reply, Script};
use sdc_engine::judge::{JudgementKind, Verdict};
use sdc_engine::observe::BootOutcome;
use serde_json::json;

use crate::kit::{BANNER, MULTI_USER, Ran, SECOND, on, up, up_after};

const STEP: &str = "[[step]]\nname = 'a'\nrun = 'true'\n";
const WHY: &str = "Failed to create /init.scope control group: Read-only file system";

fn exits() -> Script {
    Script::says(&[BANNER, WHY, "Failed to allocate manager object: Read-only file system", "Exiting PID 1..."])
        .exiting(255)
}

fn freezes() -> Script {
    let lines = [
        BANNER,
        "Failed to mount tmpfs at /run: Operation not permitted",
        "[!!!!!!] Failed to mount API filesystems, freezing.",
        "Freezing execution.",
    ];
    Script::says(&lines)
}

fn degraded() -> Script {
    let units = "a.service loaded failed failed A\nb.mount loaded failed failed B\n";
    Script::says(&[BANNER, "[FAILED] Failed to start a.service - A.", MULTI_USER])
        .on("is-system-running", Reply { code: 1, ..Reply::prints("degraded\n") })
        .on("list-units --failed", Reply::prints(units))
}

fn refuses(call: Call) -> Script {
    Script::default().failing(call, Failure::refuses("unable to apply caps: operation not permitted"))
}

async fn ran(script: Script, boot: &str) -> Ran {
    on(script).run_one(&format!("[boot]\n{boot}\n{STEP}")).await
}

#[tokio::test(start_paused = true)]
async fn a_boot_that_comes_up() {
    let ran = ran(up_after(2 * SECOND), "").await;
    assert_eq!(ran.verdict(), &Verdict::Pass);
    let boot = ran.boot();
    assert_eq!((&boot.outcome, &boot.deciding_line, &boot.setup_log), (&BootOutcome::Running, &None, &None));
    assert!((2 * SECOND..3 * SECOND).contains(&boot.took), "{:?}", boot.took);
    assert!(boot.console.contains("Reached target"), "{}", boot.console);
    assert_eq!(ran.fake.count(Call::Get), 0, "a setup log is fetched of boots that failed");
    assert_eq!(
        ran.only().by_hand.split_whitespace().take(4).collect::<Vec<_>>(),
        ["docker", "-H", "unix:///fake.sock", "run"]
    );
}

#[tokio::test(start_paused = true)]
async fn every_outcome_is_typed_with_the_line_that_shows_why() {
    let message = || "unable to apply caps: operation not permitted".to_owned();
    let units = vec!["a.service".to_owned(), "b.mount".to_owned()];
    let limit = Duration::from_secs(20);
    let stuck = || Script::says(&[BANNER, "[FAILED] Failed to start x.service - X."]);
    for (script, outcome, line) in [
        (degraded(), BootOutcome::Degraded { failed_units: units }, "[FAILED] Failed to start a.service - A."),
        (exits(), BootOutcome::Exited { code: 255 }, WHY),
        (refuses(Call::Create), BootOutcome::Refused { message: message() }, &message()),
        // podman, of what it finds when the console is attached.
        (refuses(Call::Console), BootOutcome::Refused { message: message() }, &message()),
        (refuses(Call::Start), BootOutcome::Refused { message: message() }, &message()),
        (freezes(), BootOutcome::Frozen, "Failed to mount tmpfs at /run: Operation not permitted"),
        (stuck(), BootOutcome::Timeout { after: limit }, "[FAILED] Failed to start x.service - X."),
    ] {
        let ran = ran(script, "timeout = '20s'").await;
        assert_eq!(ran.boot().outcome, outcome);
        assert_eq!(ran.boot().deciding_line.as_deref(), Some(line), "{outcome}");
        let late = matches!(outcome, BootOutcome::Timeout { .. });
        let verdict = if late { Verdict::Timeout("boot after 20s".into()) } else { Verdict::Fail };
        assert_eq!(ran.verdict(), &verdict, "{outcome}");
        assert!(ran.broken()[0].contains(line), "{outcome}: {:?}", ran.broken());
        assert_eq!(ran.only().by_hand.matches("debian-12").count(), 1, "{}", ran.only().by_hand);
    }
}

#[tokio::test(start_paused = true)]
async fn failures_that_are_expected_pass() {
    for (script, expect) in [
        (degraded(), "state = 'degraded', console.contains = 'a.service'"),
        (exits(), "state = 'exited', exit = 255, console.regex = 'init.scope.*Read-only'"),
        (refuses(Call::Create), "state = 'refused', console.regex = '^unable to apply caps'"),
        (refuses(Call::Start), "state = 'refused', console.contains = 'not permitted'"),
        (freezes(), "state = 'frozen', console.contains = 'Operation not permitted'"),
        (Script::says(&[BANNER]), "state = 'timeout', console.contains = 'running in system mode'"),
    ] {
        let ran = ran(script, &format!("unknown_lines = 'ignore'\nexpect = {{ {expect} }}")).await;
        let wanted = if expect.contains("degraded") { "a" } else { "" };
        assert_eq!(ran.verdict(), &Verdict::Pass, "{expect}: {:?}", ran.broken());
        let steps: Vec<&str> =
            ran.only().steps.iter().filter(|step| step.not_run.is_none()).map(|step| step.name.as_str()).collect();
        assert_eq!(steps.concat(), wanted, "{expect}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_right_failure_by_the_wrong_line_fails() {
    for (script, expect) in [
        (exits(), "state = 'exited', console.contains = 'Permission denied'"),
        (exits(), "state = 'exited', exit = 1"),
        (refuses(Call::Start), "state = 'refused', console.contains = 'no such file'"),
        (freezes(), "state = 'exited'"),
        (up(), "state = 'exited'"),
    ] {
        let ran = ran(script, &format!("expect = {{ {expect} }}")).await;
        assert_eq!(ran.verdict(), &Verdict::Fail, "{expect}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_systemd_that_never_settles_times_out() {
    let starting = Script::says(&[BANNER, MULTI_USER]).on("is-system-running", Reply::hangs());
    let late = ran(starting, "timeout = '5s'").await;
    assert_eq!(late.verdict(), &Verdict::Timeout("boot after 5s".into()));
    assert!(late.boot().took < 6 * SECOND, "{:?}", late.boot().took);
}

#[tokio::test(start_paused = true)]
async fn a_systemd_whose_signal_does_not_come_is_asked_anew() {
    let replies = |hang: usize| [vec![Reply::hangs(); hang], vec![Reply::prints("running\n")]].concat();
    for (hang, seconds) in [(1, 3), (3, 15)] {
        let script = Script::says(&[BANNER, MULTI_USER]).on_in_turn("is-system-running", replies(hang));
        let ran = ran(script, "timeout = '20s'").await;
        assert_eq!(ran.verdict(), &Verdict::Pass, "{:?}", ran.broken());
        assert!(ran.boot().took < seconds * SECOND, "{hang}: {:?}", ran.boot().took);
    }
}

#[tokio::test(start_paused = true)]
async fn a_systemd_that_does_not_answer_yet_is_asked_again() {
    let no_bus = Reply { code: 1, ..Reply::prints("offline\n") };
    let missing = HostErrorKind::Refused { status: 409, message: "cannot enter cgroupv2: busy".into() };
    let replies = vec![
        no_bus,
        Reply { refused: Some(missing), ..Reply::default() },
        Reply::default(),
        Reply::prints("running\n"),
    ];
    for ready in ["console", "exec"] {
        let script = Script::says(&[BANNER, MULTI_USER]).on_in_turn("is-system-running", replies.clone());
        let ran = ran(script, &format!("ready = '{ready}'")).await;
        assert_eq!((ran.verdict(), ran.fake.count(Call::Exec)), (&Verdict::Pass, 5), "{ready}");
    }
}

#[tokio::test(start_paused = true)]
async fn readiness_by_the_console_runs_no_command_before_it_says_so() {
    let ran = ran(Script::says(&[BANNER]), "timeout = '5s'").await;
    assert_eq!(ran.boot().outcome, BootOutcome::Timeout { after: 5 * SECOND });
    assert_eq!(ran.fake.count(Call::Exec), 0);
}

#[tokio::test(start_paused = true)]
async fn a_console_that_falls_silent_at_the_getty_is_not_waited_for() {
    const GETTY: &str = "[  OK  ] Started console-getty.service - Console Getty.";
    let silent = || Script::says(&[BANNER, GETTY]);
    let up = ran(silent().on("is-system-running", Reply::prints("running\n").after(SECOND)), "").await;
    assert_eq!(up.verdict(), &Verdict::Pass, "{:?}", up.broken());
    assert!(up.boot().took < 5 * SECOND, "{:?}", up.boot().took);
    let prompt = Script::says(&[BANNER]).then(SECOND, "882bc4d7d8e8 login: ");
    let prompted = ran(prompt.on("is-system-running", Reply::prints("running\n")), "").await;
    assert!(prompted.boot().took < 6 * SECOND, "{:?}", prompted.boot().took);
    let late = ran(silent().on("is-system-running", Reply::hangs()), "timeout = '9s'").await;
    assert_eq!(late.verdict(), &Verdict::Timeout("boot after 9s".into()));
    let talks =
        ran(silent().then(2 * SECOND, &format!("{MULTI_USER}\r\n")).on("is-system", Reply::prints("running\n")), "");
    assert!(talks.await.boot().took < 3 * SECOND, "the console tells first");
}

#[tokio::test(start_paused = true)]
async fn a_container_that_ends_while_systemd_is_asked_has_exited() {
    let dies = Reply { ends: Some(3), code: 137, ..Reply::default() };
    let ran = ran(Script::says(&[BANNER, MULTI_USER]).on("is-system-running", dies), "").await;
    assert_eq!(ran.boot().outcome, BootOutcome::Exited { code: 3 });
}

#[tokio::test(start_paused = true)]
async fn a_flag_that_the_engine_ignored_fails_by_name() {
    let mut script = up();
    script.inspect = json!({ "HostConfig": { "CapAdd": [], "ReadonlyRootfs": false } });
    let ran = on(script).run_one(&format!("container.cap_add = ['SYS_ADMIN', 'NET_ADMIN']\n{STEP}")).await;
    assert_eq!(ran.verdict(), &Verdict::Fail);
    let judgement = ran.only().judgements.iter().find(|j| j.kind == JudgementKind::NotApplied).unwrap();
    assert!(judgement.expected.contains("SYS_ADMIN"), "{judgement:?}");
    assert!(judgement.actual.starts_with("not applied"), "{judgement:?}");
}

#[tokio::test(start_paused = true)]
async fn the_setup_script_goes_in_first_and_its_log_comes_out_of_boots_that_failed() {
    const VERDICT: &str = "sdc-setup[rebind]: FAILED: mount: permission denied";
    let mut script = Script::says(&["sdc-setup[rebind]: looking at the mounts", VERDICT]).exiting(1);
    script.files.insert(sdc_engine::runner::SETUP_LOG.into(), b"+ mount --bind\n+ exit 1\n".to_vec());
    let setup = "container.setup_mode = 'rebind'\ncontainer.cap_add = ['SYS_ADMIN']\ncontainer.cgroupns = 'private'\n";
    let ran = on(script).run_one(&format!("{setup}{STEP}")).await;
    assert_eq!(ran.boot().setup_log.as_deref(), Some("+ mount --bind\n+ exit 1\n"));
    assert_eq!(ran.boot().deciding_line.as_deref(), Some(VERDICT));
    let calls: Vec<Call> = ran.fake.diary().into_iter().map(|(call, _)| call).take(4).collect();
    assert_eq!(calls, [Call::Create, Call::Put, Call::Console, Call::Start]);
    assert!(ran.only().by_hand.contains("/usr/local/lib/sdc-engine/setup.sh"), "{}", ran.only().by_hand);
}

#[tokio::test(start_paused = true)]
async fn a_script_that_can_not_be_put_in_is_no_refused_boot() {
    let script = up().failing(Call::Put, Failure::refuses("container rootfs is marked read-only"));
    let setup = "container.setup_mode = 'rebind'\ncontainer.cap_add = ['SYS_ADMIN']\ncontainer.cgroupns = 'private'\n";
    let ran = on(script).run_one(&format!("{setup}boot.expect.state = 'refused'\n{STEP}")).await;
    let Verdict::Error(words) = ran.verdict() else { panic!("{:?}", ran.verdict()) };
    assert!(words.contains("marked read-only"), "{words}");
}

/// What PID 1 runs in a boot with that command before it.
async fn argv(before: &str) -> Vec<String> {
    let argv = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = std::sync::Arc::clone(&argv);
    let bench = crate::kit::on_each(move |request| {
        seen.lock().unwrap().clone_from(&request.argv);
        up()
    });
    let mode = "container.setup_mode = 'rebind'\ncontainer.cap_add = ['SYS_ADMIN']\ncontainer.cgroupns = 'private'\n";
    bench.run_one(&format!("{mode}boot.before = '''{before}'''\n{STEP}")).await;
    argv.lock().unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn a_command_before_the_boot_runs_the_setup_script_and_it_the_init() {
    let shell = ["/bin/sh", "-c", "eval \"$1\" && shift && exec \"$@\"", "sh", "sleep 1"];
    let wanted = [&shell[..], &["/usr/local/lib/sdc-engine/setup.sh", "/sbin/init"]].concat();
    assert_eq!(argv("sleep 1").await, wanted);
}

#[tokio::test(start_paused = true)]
async fn a_command_before_the_boot_may_end_as_any_text_for_a_shell() {
    for (before, runs) in [("true # why", true), ("true &", true), ("cat <<E\nE\n", true), ("false # why", false)] {
        let argv = argv(before).await;
        let (shell, script) = argv.split_at(5);
        assert_eq!(script, ["/usr/local/lib/sdc-engine/setup.sh", "/sbin/init"]);
        let ran = std::process::Command::new(&shell[0]).args(&shell[1..]).args(["echo", "up"]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&ran.stdout) == "up\n", runs, "{before}: {ran:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_console_without_end_is_kept_within_its_limit() {
    let line = format!("{}\r\n", "x".repeat(998));
    let flood = Script::says(&[BANNER]).then(Duration::ZERO, &line.repeat(5000)).then(SECOND, MULTI_USER).exiting(9);
    let ran = ran(flood, "").await;
    let boot = ran.boot();
    assert!(boot.console_cut);
    let slack = 200;
    assert!(boot.console.len() <= sdc_engine::runner::CONSOLE_LIMIT + slack, "{}", boot.console.len());
    assert!(boot.console.starts_with(BANNER) && boot.console.ends_with(MULTI_USER));
}
