//! One container from creation to a known boot outcome.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::console::{Console, Milestone};
use super::{OUTPUT_LIMIT, Run, SETUP_LOG};
use crate::diagnose::{Diagnosis, Known, killed_for_memory};
use crate::host::by_hand::SETUP_FOLDER;
use crate::host::{ContainerId, CreateRequest, ExecRequest, Host, HostError, HostErrorKind};
use crate::images::{ImageDef, SetupMode};
use crate::observe::console::{deciding_line, plain};
use crate::observe::{BootObservation, BootOutcome, escape};
use crate::plan::{BootSpec, CasePlan, ContainerSpec};
use crate::scenario::model::Readiness;

/// How long the first `systemctl is-system-running --wait` may take before it is asked anew, and how long any. It waits for a signal of
/// PID 1's that does not always come: of 120 boots of systemd 257 and 262, eight at a time on 2 cores, one was told of 10 s late, when it
/// was asked again. Each time it may take twice as long, for on a slow machine the command itself takes seconds.
const ASK: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(16));
/// How long to wait between two tries of `systemctl is-system-running` while systemd does not answer yet.
const RETRY: Duration = Duration::from_millis(100);
/// How long the end of a dead container's log, or the engine's knowing that it died for want of memory, may take to arrive.
const DRAIN: Duration = Duration::from_secs(2);
/// How long the engine may take to tell that a container ended whose console has ended: at load 15 on 2 cores more than 2 s were seen.
const END: Duration = Duration::from_secs(10);
/// The exit code of a setup script that gave up.
const SETUP_FAILED: i64 = 1;
/// The exit code of a process that SIGKILL ended.
const KILLED: i64 = 137;
/// How many bytes of a setup script's log are kept.
const SETUP_LOG_LIMIT: usize = 256 << 10;

/// A container that was made, with its console attached.
pub(super) struct Made {
    pub(super) id: ContainerId,
    pub(super) console: Console,
}

/// Makes the container of a case and attaches to its console.
pub(super) async fn make(run: &Run, case: &CasePlan, name: String) -> Result<Made, HostError> {
    let missing = |what: &str| HostError {
        action: format!("create the container of {}", case.id),
        kind: HostErrorKind::Local(format!("{what} is not known here")),
    };
    let image = run.catalogue.images.get(&case.container.image).ok_or_else(|| missing(&case.container.image))?;
    let tag = run.tags.get(&image.name).ok_or_else(|| missing(&image.name))?;
    let mode =
        run.catalogue.setup_modes.get(&case.container.setup_mode).ok_or_else(|| missing(&case.container.setup_mode))?;
    let request = CreateRequest {
        spec: ContainerSpec::clone(&case.container),
        image: tag.clone(),
        name,
        argv: argv(image, mode, case),
        labels: run.options.owner.labels(&case.id.0, run.options.keep_failed),
    };
    let id = run.host.create(&request).await?;
    let prepared = prepare(run, mode, &id).await;
    match prepared {
        Ok(console) => Ok(Made { id, console }),
        Err(error) => {
            // The caller never learns the id, so this is the place to remove it; the sweep at the run's end tries again.
            let _again = run.host.remove(&id).await;
            Err(error)
        }
    }
}

/// What the engine refuses of a script (in a read-only container) is no refusal to boot.
fn not_a_boot(error: HostError) -> HostError {
    match error.kind {
        HostErrorKind::Refused { message, .. } => HostError { kind: HostErrorKind::Local(message), ..error },
        _ => error,
    }
}

async fn prepare(run: &Run, mode: &SetupMode, id: &ContainerId) -> Result<Console, HostError> {
    if let Some(script) = &mode.script {
        let archive = setup_archive(&run.catalogue.setup_lib, script)?;
        run.host.put(id, "/", archive).await.map_err(not_a_boot)?;
    }
    let chunks = run.host.console(id).await?;
    let Some(hear) = run.hear.clone() else { return Ok(Console::follow(chunks)) };
    let heard = chunks.inspect(move |chunk| {
        let _gone = chunk.as_ref().map(|bytes| hear.send(bytes.clone()));
    });
    Ok(Console::follow(heard.boxed()))
}

/// What PID 1 runs: the command before, then the setup script, which `exec`s the init that it is given.
#[must_use]
pub fn argv(image: &ImageDef, mode: &SetupMode, case: &CasePlan) -> Vec<String> {
    let init = if case.container.command.is_empty() { &image.init } else { &case.container.command };
    let mut argv = Vec::new();
    if let Some(before) = &case.boot.before {
        // An argument of its own, so that it may end as any text does: in a comment, in `&`, in a here-document.
        argv.extend(
            ["/bin/sh", "-c", "eval \"$1\" && shift && exec \"$@\"", "sh", before.trim_end()].map(String::from),
        );
    }
    if mode.script.is_some() {
        argv.push(format!("{SETUP_FOLDER}/setup.sh"));
    }
    argv.extend(init.iter().cloned());
    argv
}

fn setup_archive(lib: &str, script: &str) -> Result<Bytes, HostError> {
    let mut archive = tar::Builder::new(Vec::new());
    let folder = SETUP_FOLDER.trim_start_matches('/');
    let mut add = |name: &str, text: &str| {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o755);
        archive.append_data(&mut header, format!("{folder}/{name}"), text.as_bytes())
    };
    add("lib.sh", lib)
        .and_then(|()| add("setup.sh", script))
        .and_then(|()| archive.into_inner())
        .map(Bytes::from)
        .map_err(|error| HostError {
            action: "pack the setup script".into(),
            kind: HostErrorKind::Local(error.to_string()),
        })
}

/// Watches a started container until its boot has come to something.
///
/// # Errors
/// Where the engine fails; a boot that fails is an outcome.
pub(super) async fn watch(
    host: &dyn Host,
    id: &ContainerId,
    console: &Console,
    boot: &BootSpec,
    started: Instant,
) -> Result<BootOutcome, HostError> {
    let deadline = started + boot.timeout;
    let late = || BootOutcome::Timeout { after: boot.timeout };
    let exit = host.wait(id);
    tokio::pin!(exit);
    if boot.ready == Readiness::Console {
        let milestone = tokio::select! {
            code = &mut exit => return Ok(BootOutcome::Exited { code: code? }),
            milestone = console.milestone() => milestone,
            () = sleep_until(deadline) => return Ok(late()),
        };
        match milestone {
            Milestone::Frozen => return Ok(BootOutcome::Frozen),
            Milestone::Ended => {
                // A container's end is told here and there, and one of them comes first: on a busy machine by seconds.
                return match timeout(END, &mut exit).await {
                    Ok(code) => Ok(BootOutcome::Exited { code: code? }),
                    Err(_) => Err(cut_off(console, id)),
                };
            }
            Milestone::MultiUser | Milestone::Silent => {}
        }
    }
    let mut patience = ASK.0;
    loop {
        let asked = Instant::now();
        tokio::select! {
            code = &mut exit => return Ok(BootOutcome::Exited { code: code? }),
            () = console.frozen() => return Ok(BootOutcome::Frozen),
            () = sleep_until(deadline) => return Ok(late()),
            state = system_state(host, id, deadline, patience) => match state? {
                Some(outcome) => return Ok(outcome),
                None => {
                    if asked.elapsed() >= patience {
                        patience = (patience * 2).min(ASK.1);
                    }
                    sleep(RETRY).await;
                }
            },
        }
    }
}

/// A console's stream that ended while its container goes on: what it would have shown is not known.
fn cut_off(console: &Console, id: &ContainerId) -> HostError {
    let words = "its stream ended, and the container goes on".to_owned();
    console.broken().err().unwrap_or_else(|| HostError {
        action: format!("read the console of container {}", id.short()),
        kind: HostErrorKind::Unreachable(words),
    })
}

/// What `systemctl is-system-running --wait` says; `None` where systemd does not answer (yet).
async fn system_state(
    host: &dyn Host,
    id: &ContainerId,
    deadline: Instant,
    patience: Duration,
) -> Result<Option<BootOutcome>, HostError> {
    let ask = |argv: &[&str]| ExecRequest {
        argv: argv.iter().map(ToString::to_string).collect(),
        timeout: deadline.saturating_duration_since(Instant::now()).clamp(RETRY, patience),
        output_limit: OUTPUT_LIMIT,
        ..ExecRequest::default()
    };
    let output = match host.exec(id, &ask(&["systemctl", "is-system-running", "--wait"])).await {
        Ok(output) => output,
        Err(HostError { kind: HostErrorKind::Refused { .. } | HostErrorKind::NotFound(_), .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    match String::from_utf8_lossy(&output.stdout).trim() {
        "running" => Ok(Some(BootOutcome::Running)),
        "degraded" | "maintenance" => {
            let list = ["systemctl", "list-units", "--failed", "--plain", "--no-legend", "--no-pager"];
            let listed = host.exec(id, &ask(&list)).await?;
            let text = String::from_utf8_lossy(&listed.stdout).into_owned();
            let failed_units = text.lines().filter_map(|l| l.split_whitespace().next()).map(Into::into).collect();
            Ok(Some(BootOutcome::Degraded { failed_units }))
        }
        other => {
            tracing::debug!(container = id.0, state = other, "systemd does not answer yet");
            Ok(None)
        }
    }
}

/// Everything that was seen of a boot, with what is fetched only where it did not come to `running`.
pub(super) async fn observe(
    run: &Run,
    case: &CasePlan,
    made: &Made,
    outcome: BootOutcome,
    took: Duration,
) -> Result<BootObservation, HostError> {
    let host = run.host.as_ref();
    if matches!(outcome, BootOutcome::Exited { .. }) {
        made.console.drained(DRAIN).await;
    }
    made.console.broken()?;
    let failed = outcome != BootOutcome::Running;
    let scripted = run.catalogue.setup_modes.get(&case.container.setup_mode).is_some_and(|mode| mode.script.is_some());
    let setup_log = if failed && scripted {
        let log = host.get(&made.id, SETUP_LOG, SETUP_LOG_LIMIT).await?;
        log.map(|log| escape::text(&log))
    } else {
        None
    };
    let mut inspected = host.inspect(&made.id).await?;
    let killed = matches!(outcome, BootOutcome::Exited { code: KILLED });
    if case.container.memory.is_some() && killed {
        let until = Instant::now() + DRAIN;
        while killed_for_memory(&inspected).is_none() && Instant::now() < until {
            sleep(RETRY).await;
            inspected = host.inspect(&made.id).await?;
        }
    }
    let (console, console_cut) = made.console.raw();
    let log = if failed { plain(&console) } else { String::new() };
    let deciding = match &outcome {
        BootOutcome::Running => None,
        BootOutcome::Refused { message } => Some(message.clone()),
        BootOutcome::Degraded { .. }
        | BootOutcome::Exited { .. }
        | BootOutcome::Frozen
        | BootOutcome::Timeout { .. } => {
            let by_script = matches!(outcome, BootOutcome::Exited { code: SETUP_FAILED }) && scripted;
            killed_for_memory(&inspected).filter(|_| killed).or_else(|| deciding_line(&log, by_script))
        }
    };
    let diagnoses = if failed { diagnosed(run, case, deciding.as_deref(), &log) } else { Vec::new() };
    Ok(BootObservation {
        outcome,
        deciding_line: deciding,
        diagnoses,
        console,
        console_cut,
        setup_log,
        took,
        not_applied: crate::host::not_applied(&case.container, &inspected),
    })
}

/// What is known of why a boot failed.
fn diagnosed(run: &Run, case: &CasePlan, deciding: Option<&str>, log: &str) -> Vec<Diagnosis> {
    let known = Known { host: Some(run.host.facts()), container: Some(&case.container) };
    run.diagnoses.of(deciding, log, known)
}

/// A boot that the engine refused: there is nothing to look at but its words.
pub(super) fn refused(run: &Run, case: &CasePlan, message: String, took: Duration) -> BootObservation {
    BootObservation {
        diagnoses: diagnosed(run, case, Some(&message), ""),
        deciding_line: Some(message.clone()),
        outcome: BootOutcome::Refused { message },
        console: String::new(),
        console_cut: false,
        setup_log: None,
        took,
        not_applied: vec![],
    }
}
