//! What a run costs the program itself, on a host that does nothing and says at once what a container would:
//! `cargo bench --bench growth [-- RUNS]` prints a table (columns by tabs, medians) of time and memory against cases, hosts and steps.
//!
//! `-- run CASES HOSTS STEPS [REPORT]` measures one size in this process and may keep the report; `-- plan FILE` reads a scenario,
//! expands and plans it, and prints seconds, seconds of CPU and the peak in MB. Each size has a process of its own, for the peak of memory is the process's. Asserts no time, but that all cases pass.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench prints, and stops where something is wrong")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use sdc_engine::events::{Event, Summary};
use sdc_engine::facts::Facts;
use sdc_engine::host::Host;
use sdc_engine::host::fake::{Fake, Reply, Script};
use sdc_engine::matrix::Filters;
use sdc_engine::plan::{HOST_AXIS, Inputs, RunPlan, plan};
use sdc_engine::redact::{Known, Redaction};
use sdc_engine::report::run::Run as Record;
use sdc_engine::report::{Json, Reporter as _, Target};
use sdc_engine::runner::{self, Options, Owner};
use sdc_engine::scenario::{Input, parse};
use sdc_engine::source::Sources;
use tokio_util::sync::CancellationToken;

const IMAGE: &str = "sdc-bench/debian-12:fake";
const JOBS: usize = 4;

/// What is measured of one size, in the order of the table's columns.
const COLUMNS: &str = "what\tcases\thosts\tsteps\twall_s\tplan_s\trun_s\treport_s\tcpu_s\tpeak_mb";

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let number = |at: usize| words[at].parse::<usize>().unwrap();
    match words.first().map(String::as_str) {
        Some("run") => println!("{}", run(number(1), number(2), number(3), words.get(4).map(PathBuf::from))),
        Some("plan") => println!("{}", planned(Path::new(&words[1]))),
        runs => table(runs.map_or(3, |runs| runs.parse().unwrap())),
    }
}

/// All sizes, several times in turn, so that what disturbs the machine disturbs all.
fn table(runs: usize) {
    let cases = [10, 100, 1_000, 10_000].map(|cases| ("cases", [cases, 1, 1]));
    let hosts = [1, 2, 4].map(|hosts| ("hosts", [1_000, hosts, 1]));
    let steps = [1, 2, 4, 8, 16, 32].map(|steps| ("steps", [1_000, 1, steps]));
    let sizes: Vec<(&str, [usize; 3])> = cases.into_iter().chain(hosts).chain(steps).collect();
    let mut seen: Vec<Vec<Vec<f64>>> = vec![Vec::new(); sizes.len()];
    for _ in 0..runs {
        for ((_, size), seen) in sizes.iter().zip(&mut seen) {
            let line = in_own_process(size);
            seen.push(line.split('\t').map(|number| number.parse().unwrap()).collect());
        }
    }
    println!("{COLUMNS}");
    for ((what, [cases, hosts, steps]), seen) in sizes.iter().zip(&seen) {
        let median = |column: usize| {
            let mut values: Vec<f64> = seen.iter().map(|one| one[column]).collect();
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        let numbers: Vec<String> = (0..6).map(|column| format!("{:.3}", median(column))).collect();
        println!("{what}\t{cases}\t{hosts}\t{steps}\t{}", numbers.join("\t"));
    }
}

fn in_own_process(size: &[usize; 3]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let output = command.arg("run").args(size.map(|number| number.to_string())).output().unwrap();
    assert!(output.status.success(), "{size:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A scenario of so many cases, each with a container of its own: a power of ten is that many axes of ten values.
fn scenario(cases: usize, steps: usize) -> String {
    let mut text = String::from("title = 'Does it boot?'\n[matrix]\n");
    let (mut left, mut value) = (cases, String::new());
    for name in 'a'.. {
        let size = if left.is_multiple_of(10) { 10 } else { left };
        let values: Vec<String> = (0..size).map(|value| format!("'v{value}'")).collect();
        writeln!(text, "{name} = [{}]", values.join(", ")).unwrap();
        write!(value, "${{{{ {name} }}}}").unwrap();
        left /= size;
        if left == 1 {
            break;
        }
    }
    writeln!(text, "[container]\nimage = 'debian-12'\nenv = {{ container = 'docker', CASE = '{value}' }}").unwrap();
    for step in 0..steps {
        writeln!(text, "[[step]]\nname = 's{step}'\nrun = 'echo step {step} of {value}'").unwrap();
        writeln!(text, "expect.stdout.contains = 'of {value}'").unwrap();
    }
    text
}

/// What a debian-12 prints while it boots, in length.
fn console() -> Vec<String> {
    let banner =
        "systemd 252.39-1~deb12u2 running in system mode (+PAM +AUDIT +SELINUX +APPARMOR +IMA +SMACK)".to_owned();
    let units = (0..50)
        .map(|unit| format!("[  OK  ] Started bench-{unit}.service - A unit of which there are many in a boot."));
    let target = "[  OK  ] Reached target multi-user.target - Multi-User System.".to_owned();
    std::iter::once(banner).chain(units).chain([target]).collect()
}

/// A container that boots at once, and in which `echo` works.
fn script() -> Script {
    let lines = console();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    Script::says(&lines).on("is-system-running", Reply::prints("running\n")).answer(|request| {
        let words = request.argv.last()?.strip_prefix("echo ")?;
        Some(Reply::prints(&format!("{words}\n")))
    })
}

/// Reads and plans, for one host of that name.
fn plan_of(text: &str, host: &str, cases: usize) -> RunPlan {
    let catalogue = sdc_engine::images::load(&images()).unwrap();
    let mut sources = Sources::default();
    let file = sources.add("scenarios/growth.toml", text);
    let input = Input { name: "growth".to_owned(), file, defaults: vec![] };
    let scenarios = parse(&sources, &[input], &catalogue).unwrap();
    let (facts, filters) = (Facts { name: host.to_owned(), ..Facts::assumed() }, Filters::default());
    let inputs =
        Inputs { sources: &sources, catalogue: &catalogue, facts: &facts, filters: &filters, max_cases: cases };
    plan(&scenarios, inputs).unwrap()
}

fn images() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/images")
}

/// What reading, expanding and planning a file for one host takes.
fn planned(file: &Path) -> String {
    let text = std::fs::read_to_string(file).unwrap();
    let start = Instant::now();
    let plan = plan_of(&text, "bench", usize::MAX);
    let took = start.elapsed().as_secs_f64();
    assert!(plan.cases() > 0);
    format!("{took:.3}\t{:.2}\t{:.1}", cpu(), peak())
}

/// One run as `check --quiet --json` does it, from text to report, without the opening of a host.
fn run(cases: usize, hosts: usize, steps: usize, report: Option<PathBuf>) -> String {
    let start = Instant::now();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (planning, running, ended) = runtime.block_on(whole(cases, hosts, steps, report));
    let wall = start.elapsed().as_secs_f64();
    let reporting = ended.elapsed().as_secs_f64();
    format!("{wall:.3}\t{planning:.3}\t{running:.3}\t{reporting:.3}\t{:.2}\t{:.1}", cpu(), peak())
}

/// Seconds of planning and of running, and when the reporters began with what they do at the end.
async fn whole(cases: usize, hosts: usize, steps: usize, report: Option<PathBuf>) -> (f64, f64, Instant) {
    let text = scenario(cases, steps);
    let (events, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let target = report.map_or_else(|| Target::Stream(Box::new(std::io::sink())), Target::File);
    // Names are taken out, as they are by default: of this user, who is nobody.
    let known =
        Known { users: vec!["bench".into()], homes: vec!["/home/bench".into()], machines: vec!["bench".into()] };
    let mut json = Json::new(target, Redaction::on(known));
    let (over, ended) = std::sync::mpsc::channel();
    let reporter = tokio::task::spawn_blocking(move || {
        let mut record = Record::default();
        while let Some(event) = heard.blocking_recv() {
            record.event(&event);
            json.event(&event);
        }
        over.send(Instant::now()).unwrap();
        json.finish().unwrap();
        record
    });
    let (mut planning, mut running) = (0.0, 0.0);
    let mut summary = Summary::default();
    let mut passed = 0;
    for number in 0..hosts {
        let host = format!("bench-{number}");
        let from = Instant::now();
        let mut plan = plan_of(&text, &host, cases);
        if hosts > 1 {
            plan.add_axis(HOST_AXIS, &host);
        }
        planning += from.elapsed().as_secs_f64();
        let from = Instant::now();
        let outcome = on_host(&host, plan, events.clone()).await;
        running += from.elapsed().as_secs_f64();
        passed += outcome.results.iter().filter(|result| result.verdict.word() == "pass").count();
        summary.add(outcome.summary);
    }
    events.send(Event::RunFinished { summary }).unwrap();
    drop(events);
    let record = reporter.await.unwrap();
    assert_eq!((passed, record.results.len()), (cases * hosts, cases * hosts), "cases that passed, and were reported");
    (planning, running, ended.recv().unwrap())
}

async fn on_host(name: &str, plan: RunPlan, events: tokio::sync::mpsc::UnboundedSender<Event>) -> runner::Outcome {
    let facts = Facts { name: name.to_owned(), ..Facts::assumed() };
    let script = script();
    let fake: Arc<dyn Host> = Arc::new(Fake::new(facts.clone(), move |_| script.clone()).with_image(IMAGE));
    events
        .send(Event::RunStarted {
            host: Box::new(facts),
            why_host: "a bench".into(),
            cases: plan.cases(),
            boots: plan.groups.len(),
            left_out: plan.left_out.clone(),
            jobs: JOBS,
            share: None,
        })
        .unwrap();
    let owner = Owner { run: "7-100".into(), pid: 7, start: 100, machine: "here".into(), container: None };
    let run = runner::Run {
        lengths: runner::Lengths::new(),
        host: fake,
        catalogue: sdc_engine::images::load(&images()).unwrap(),
        tags: BTreeMap::from([("debian-12".to_owned(), IMAGE.to_owned())]),
        goldens: runner::Goldens::new(),
        diagnoses: Arc::new(sdc_engine::diagnose::shipped()),
        options: Options { jobs: JOBS, fail_fast: false, keep_failed: false, repeat: 1, bundle: None, owner },
        events,
        cancel: CancellationToken::new(),
        hear: None,
        before: None,
    };
    runner::run(run, plan).await
}

/// The most memory that this process had, in MB.
fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
}

/// The seconds of CPU that this process had.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    // The name, which may have anything in it, ends with the last bracket; user and system time are fields 14 and 15.
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks = |at: usize| fields[at].parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / 100.0
}
