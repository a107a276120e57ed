//! A run made up for tests: every verdict, shared differences, hostile texts.

use std::time::Duration;

use crate::diagnose::Diagnosis;
use crate::events::{BootPhase, Event, Summary};
use crate::facts::{CgroupLayout, CgroupVersion, Facts};
use crate::judge::{CaseResult, Judgement, JudgementKind, Recipe, Subject, UnusedRule, Verdict};
use crate::leak::{Change, Leak};
use crate::observe::{BootObservation, BootOutcome, NotApplied, RunOutput, RunStatus, StepObservation};
use crate::plan::{CaseId, LeftOut, WhyOut};
use crate::scenario::model::{AxisValue, Level, Point};
use crate::source::Place;

use super::run::Run;

pub(super) fn point(axes: &[(&str, &str)]) -> Point {
    axes.iter().map(|(axis, value)| ((*axis).into(), AxisValue::Str((*value).into()))).collect()
}

fn id(scenario: &str, axes: &[(&str, &str)]) -> CaseId {
    let axes: Vec<_> = axes.iter().map(|(axis, value)| format!("{axis}={value}")).collect();
    CaseId(if axes.is_empty() { scenario.to_owned() } else { format!("{scenario}[{}]", axes.join(",")) })
}

pub(super) fn case(scenario: &str, axes: &[(&str, &str)], verdict: Verdict) -> CaseResult {
    CaseResult {
        id: id(scenario, axes),
        scenario: scenario.to_owned(),
        title: format!("What does {scenario} show?"),
        point: point(axes),
        host: "docker-v1".into(),
        verdict,
        judgements: Vec::new(),
        boot: Some(BootObservation {
            outcome: BootOutcome::Running,
            deciding_line: None,
            diagnoses: Vec::new(),
            console:
                "systemd 252 running in system mode\r\n[\x1b[0;32m  OK  \x1b[0m] Reached target multi-user.target\r\n"
                    .into(),
            console_cut: false,
            setup_log: None,
            took: Duration::from_millis(980),
            not_applied: Vec::new(),
        }),
        steps: Vec::new(),
        observed: Vec::new(),
        rules: [].into(),
        took: Duration::from_millis(420),
        by_hand: "docker run -d -t --cap-add SYS_ADMIN --tmpfs /run sdc/debian-12".into(),
        recipe: Recipe {
            tags: vec!["sample".into()],
            commands: [("mounts", "findmnt -R /sys/fs/cgroup"), ("type", "stat -f -c %T /sys/fs/cgroup")]
                .map(|(step, command)| (step.to_owned(), command.to_owned()))
                .into(),
            elsewhere: "podman run -d -t --cap-add SYS_ADMIN --tmpfs /run sdc/debian-12".into(),
        },
        bundle: None,
    }
}

pub(super) fn broken(subject: Subject, kind: JudgementKind, expected: &str, actual: &str) -> Judgement {
    Judgement {
        subject,
        kind,
        held: false,
        level: Level::Fail,
        expected: expected.into(),
        actual: actual.into(),
        place: Some(Place { file: "scenarios/cgroups.toml".into(), line: 31 }),
    }
}

fn step(name: &str) -> Subject {
    Subject::Step(name.into())
}

fn ran(name: &str, code: i64, stdout: &str, stderr: &str) -> StepObservation {
    StepObservation {
        name: name.into(),
        runs: vec![RunOutput {
            status: RunStatus::Exited(code),
            stdout: stdout.into(),
            stderr: stderr.into(),
            cut: vec![],
            took: Duration::from_millis(31),
        }],
        not_run: None,
        captured: [].into(),
        console: String::new(),
        console_cut: false,
    }
}

/// The boot ends with a line that tries to clear the screen.
fn unbooted(axes: &[(&str, &str)]) -> CaseResult {
    let mut case = case("cgroups/mounts", axes, Verdict::Fail);
    if let Some(boot) = &mut case.boot {
        boot.outcome = BootOutcome::Exited { code: 255 };
        boot.deciding_line = Some("Failed to create /init.scope control group: Read-only file system\x1b[2J".into());
        boot.diagnoses = vec![Diagnosis {
            name: "cgroup-read-only".into(),
            line: "Failed to create /init.scope control group: Read-only file system\x1b[2J".into(),
            cause: "The cgroup file systems are read-only\x1b[2J.".into(),
            fix: "Let the container write to its own cgroups.".into(),
            docker: Some("--privileged".into()),
            podman: None,
            links: vec!["moby#48828".into()],
            only_if: None,
        }];
        boot.console = (1..=20).map(|i| format!("\x1b[1mline {i}\x1b[0m\x07 of the console\r\n")).collect::<String>();
        boot.setup_log = Some("rebind: mounting\nmount: permission denied\n".into());
    }
    let actual = "exited(255): Failed to create /init.scope control group: Read-only file system\x1b[2J";
    case.judgements = vec![broken(Subject::Boot, JudgementKind::State, "running", actual), {
        let mut never = broken(step("mounts"), JudgementKind::Exit, "the step runs", "did not run");
        never.place = None;
        never
    }];
    case.steps = vec![StepObservation {
        not_run: Some("the boot did not come up".into()),
        runs: Vec::new(),
        ..ran("mounts", 0, "", "")
    }];
    case
}

fn golden(axes: &[(&str, &str)]) -> CaseResult {
    let mut case = case("cgroups/mounts", axes, Verdict::Fail);
    let (expected, actual) = (
        "/sys/fs/cgroup tmpfs ro\n├─cpu cgroup rw\n└─pids cgroup rw\n",
        "/sys/fs/cgroup tmpfs \x1b[31mrw\n├─cpu cgroup rw\n",
    );
    case.judgements = vec![
        Judgement { held: true, ..broken(Subject::Boot, JudgementKind::State, "running", "running") },
        broken(step("mounts"), JudgementKind::Golden, expected, actual),
        broken(step("type"), JudgementKind::Check, "stdout matches /^tmpfs$/", "cgroup2fs"),
        Judgement {
            level: Level::Warn,
            ..broken(Subject::Boot, JudgementKind::UnknownLines, "no unknown console lines", "strange line\n")
        },
    ];
    case.steps = vec![ran("mounts", 0, actual, ""), ran("type", 0, "cgroup2fs\n", "stat: odd\x1b]0;title\x07\n")];
    if let Some(boot) = &mut case.boot {
        boot.not_applied =
            vec![NotApplied { flag: "cgroupns".into(), requested: "private".into(), effective: "host".into() }];
    }
    case
}

fn warn(axes: &[(&str, &str)]) -> CaseResult {
    let mut case = case("boot/privileged", axes, Verdict::Warn);
    case.judgements = vec![Judgement {
        level: Level::Warn,
        place: None,
        ..broken(
            Subject::Boot,
            JudgementKind::UnknownLines,
            "no unknown console lines",
            "Attaching egress BPF program failed\x1b[H\n",
        )
    }];
    case
}

fn axes<'a>(ns: &'a str, mode: &'a str, setup: &'a str) -> [(&'a str, &'a str); 3] {
    [("cgroupns", ns), ("cgroup_mode", mode), ("setup_mode", setup)]
}

fn left_out(scenario: &str, axes: &[(&str, &str)], why: WhyOut) -> LeftOut {
    LeftOut { id: id(scenario, axes), scenario: scenario.into(), point: point(axes), why }
}

pub(super) fn host() -> Facts {
    Facts {
        name: "docker-v1".into(),
        engine_version: "20.10.24+dfsg1".into(),
        runtime_version: "1.1.5".into(),
        cgroups: CgroupVersion::V1,
        cgroup_layout: CgroupLayout::Hybrid,
        cgroup_driver: "cgroupfs".into(),
        kernel: "6.1.0-18-amd64".into(),
        os: "Debian GNU/Linux 12 (bookworm)".into(),
        missing_capabilities: ["SYS_RESOURCE".to_owned()].into(),
        ..Facts::assumed()
    }
}

pub(super) fn results() -> Vec<CaseResult> {
    let mut results = vec![
        unbooted(&axes("private", "legacy", "rebind")),
        golden(&axes("host", "legacy", "unmount")),
        warn(&axes("private", "hybrid", "default")),
        warn(&axes("host", "hybrid", "default")),
        unbooted(&axes("host", "hybrid", "rebind")),
        unbooted(&axes("host", "legacy", "rebind")),
    ];
    for setup in ["default", "remount"] {
        results.push(case("cgroups/mounts", &axes("host", "legacy", setup), Verdict::Pass));
        results.push(case("cgroups/mounts", &axes("host", "hybrid", setup), Verdict::Pass));
        results.push(case("boot/privileged", &axes("host", "legacy", setup), Verdict::Pass));
    }
    let mut must_not_boot = case("boot/plain", &axes("private", "hybrid", "remount"), Verdict::Pass);
    if let Some(boot) = &mut must_not_boot.boot {
        boot.outcome = BootOutcome::Frozen;
    }
    let mut new = case("exec/late", &[("n", "1")], Verdict::New);
    new.judgements = vec![broken(step("paths"), JudgementKind::GoldenNew, "", "0::/init.scope\n")];
    let mut timeout = case("exec/spam", &axes("host", "legacy", "unmount"), Verdict::Timeout("boot after 20s".into()));
    timeout.judgements = vec![broken(Subject::Boot, JudgementKind::Timeout, "running", "timeout after 20s")];
    if let Some(boot) = &mut timeout.boot {
        boot.outcome = BootOutcome::Timeout { after: Duration::from_secs(20) };
    }
    let mut error =
        case("exec/late", &[("n", "2")], Verdict::Error("the engine is gone: connection refused\x1b[1m".into()));
    error.boot = None;
    error.by_hand.clear();
    error.recipe.elsewhere.clear();
    results.extend([must_not_boot, new, timeout, error]);
    results
}

pub(super) fn events() -> Vec<Event> {
    let cap = "the host's bounding set lacks CAP_SYS_RESOURCE, so --privileged is refused";
    let results = results();
    let mut events = vec![
        Event::Notice { message: "building image debian-12".into() },
        Event::RunStarted {
            host: Box::new(host()),
            why_host: "no engine answered; a private dockerd was started".into(),
            cases: results.len(),
            boots: 9,
            left_out: vec![
                left_out("boot/privileged", &axes("private", "legacy", "unmount"), WhyOut::Skipped(cap.into())),
                left_out("boot/privileged", &axes("private", "legacy", "default"), WhyOut::Skipped(cap.into())),
                left_out(
                    "cgroups/mounts",
                    &axes("private", "hybrid", "rebind"),
                    WhyOut::NotApplicable("rebind needs the host's cgroup namespace".into()),
                ),
                left_out(
                    "cgroups/mounts",
                    &axes("host", "unified", "default"),
                    WhyOut::NotApplicable("unified needs a cgroup v2 host".into()),
                ),
                left_out("exec/filtered", &[], WhyOut::Filtered("-k cgroups".into())),
            ],
            jobs: 4,
            share: None,
        },
    ];
    for (boot, result) in results.into_iter().enumerate() {
        let cases: Vec<_> = std::iter::repeat_n(result.id.clone(), 1 + boot % 3).collect();
        for phase in [BootPhase::Create, BootPhase::Boot, BootPhase::Steps] {
            events.push(Event::Phase { boot, cases: cases.clone(), limit: Duration::from_secs(20), phase });
        }
        events.push(Event::CaseFinished { result: Box::new(result) });
        events.push(Event::BootOver { boot });
    }
    events.extend(unused().map(|rule| Event::RuleUnused { rule }));
    let took = Duration::from_millis(38_210);
    let leaks = leaks().into();
    events.push(Event::RunFinished { summary: Summary { boots: 9, took, leaks, ..Summary::default() } });
    events
}

/// What cases changed on the host: for good, with hostile words, and for a while.
fn leaks() -> [Leak; 2] {
    let leak = |case: &str, lasting: bool, (of, how): (&str, &str)| Leak {
        host: "docker-v1".into(),
        cases: vec![CaseId(case.into())],
        declared: !lasting,
        lasting,
        changes: vec![Change { of: of.into(), how: how.into() }],
    };
    [
        leak("boot/plain", true, ("the mount /\x1b[2J", "appeared: tmpfs rw (rw)")),
        leak("cgroups/mounts[cgroupns=host]", false, ("the cgroup hierarchy perf_event", "appeared")),
    ]
}

/// Rules that are of no use, one with a hostile name.
fn unused() -> [UnusedRule; 3] {
    let unused = |scenario: &str, rule: &str, skipped| UnusedRule {
        scenario: scenario.into(),
        rule: rule.into(),
        place: Place { file: format!("scenarios/{scenario}.toml"), line: 21 },
        cases: 5,
        skipped,
        hosts: ["docker-v1".to_owned()].into(),
    };
    [unused("boot/plain", "ids", 0), unused("cgroups/mounts", "ansi", 2), unused("cgroups/mounts", "tree\x1b[2J", 2)]
}

/// The same on a host whose names stand wherever a container, an engine or a user may put them; with these names.
pub(super) fn named_run() -> (Run, [&'static str; 4]) {
    let all = "bob of /home/alice by ssh://bob@build7:22 on srv-7";
    let add = |text: &mut String| text.push_str(&format!(" {all}"));
    let mut run = run();
    for started in &mut run.started {
        started.host.name = "ssh://bob@build7:22".into();
        started.host.machine = "srv-7.example.org".into();
        [&mut started.why_host, &mut started.host.os].into_iter().for_each(add);
    }
    for case in &mut run.results {
        case.id = case.id.with("host", "ssh://bob@build7:22");
        case.point.insert("host".into(), AxisValue::Str("ssh://bob@build7:22".into()));
        case.host = "ssh://bob@build7:22".into();
        [&mut case.title, &mut case.by_hand, &mut case.recipe.elsewhere].into_iter().for_each(add);
        for judgement in &mut case.judgements {
            [&mut judgement.expected, &mut judgement.actual].into_iter().for_each(add);
        }
        if let Some(boot) = &mut case.boot {
            let texts = boot.deciding_line.iter_mut().chain(&mut boot.setup_log);
            texts.chain([&mut boot.console]).for_each(add);
        }
        let runs = case.steps.iter_mut().flat_map(|step| &mut step.runs);
        runs.flat_map(|run| [&mut run.stdout, &mut run.stderr]).for_each(add);
        if let Verdict::Error(words) | Verdict::Timeout(words) = &mut case.verdict {
            add(words);
        }
    }
    for left in &mut run.left_out {
        left.id = left.id.with("host", "ssh://bob@build7:22");
        let (WhyOut::Skipped(why) | WhyOut::NotApplicable(why) | WhyOut::Filtered(why)) = &mut left.why;
        add(why);
    }
    for unused in &mut run.unused_rules {
        unused.hosts = ["ssh://bob@build7:22".to_owned()].into();
        add(&mut unused.place.file);
    }
    if let Some(summary) = &mut run.summary {
        summary
            .leaks
            .iter_mut()
            .flat_map(|leak| leak.changes.iter_mut().map(|change| &mut change.how).chain([&mut leak.host]))
            .for_each(add);
        summary.left_behind.push(all.into());
        summary.stopped_early = Some(all.into());
    }
    (run, ["bob", "alice", "build7", "srv-7"])
}

pub(super) fn run() -> Run {
    let mut run = Run::default();
    events().iter().for_each(|event| run.event(event));
    run
}
