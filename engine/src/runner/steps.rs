//! Runs the steps of one case in its container and records what they did.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::boot;
use super::console::Console;
use super::{OUTPUT_LIMIT, STEP_LIMIT};
use crate::host::{ContainerId, ExecOutput, ExecRequest, Host, HostError, HostErrorKind};
use crate::judge::step_holds;
use crate::observe::captures::{capture, substitute_word};
use crate::observe::{BootOutcome, RunOutput, RunStatus, StepObservation, escape};
use crate::plan::{Action, BootSpec, StepPlan};
use crate::scenario::model::{EngineAction, Repeat, Stream};

/// The limit of an engine's command that has none of its own.
const ENGINE_LIMIT: Duration = Duration::from_secs(30);

/// Runs steps one after another; captured values go from each to the next.
pub(super) struct Stepper<'a> {
    pub(super) host: &'a dyn Host,
    pub(super) id: &'a ContainerId,
    pub(super) boot: &'a BootSpec,
    pub(super) captured: BTreeMap<String, String>,
    /// Set when the boot has failed, so that repeated steps end.
    pub(super) over: &'a AtomicBool,
}

impl Stepper<'_> {
    /// Runs one step.
    ///
    /// # Errors
    /// Where the engine fails; a command that fails, or that the engine would not start, is an observation.
    pub(super) async fn run(&mut self, step: &StepPlan, console: &Console) -> Result<StepObservation, HostError> {
        let mut observation = self.once_or_more(step, console).await?;
        if let Some(wait) = step.wait {
            let until = Instant::now() + wait.limit;
            while !step_holds(step, &observation) && Instant::now() < until && !self.over.load(Ordering::Relaxed) {
                sleep(wait.every).await;
                observation = self.once_or_more(step, console).await?;
            }
        }
        self.captured.clone_from(&observation.captured);
        Ok(observation)
    }

    async fn once_or_more(&self, step: &StepPlan, console: &Console) -> Result<StepObservation, HostError> {
        let mut runs = Vec::new();
        match step.repeat {
            None => runs.push(self.once(step, console, OUTPUT_LIMIT).await?),
            Some(Repeat::Times(times)) => {
                for _ in 0..times {
                    runs.push(self.once(step, console, room(&runs)).await?);
                }
            }
            Some(Repeat::For(duration)) => {
                let until = Instant::now() + duration;
                while Instant::now() < until && !self.over.load(Ordering::Relaxed) {
                    runs.push(self.once(step, console, room(&runs)).await?);
                    // A command that is refused at once never waits: the boot's watch, polled by the same task, must
                    // have its turn to see that the container has ended.
                    tokio::task::yield_now().await;
                }
            }
        }
        let stdout: String = runs.iter().map(|run: &RunOutput| run.stdout.as_str()).collect();
        let mut captured = self.captured.clone();
        for (name, pattern) in &step.capture {
            // The planner has compiled the pattern, so an error can't be here.
            if let Ok(Some(value)) = capture(pattern, &stdout) {
                captured.insert(name.clone(), value);
            }
        }
        let looks = step.expect.iter().flat_map(|e| &e.checks).any(|check| check.stream == Stream::Console);
        let (console, console_cut) = if looks { console.text() } else { (String::new(), false) };
        Ok(StepObservation { name: step.name.clone(), runs, not_run: None, captured, console, console_cut })
    }

    async fn once(&self, step: &StepPlan, console: &Console, room: usize) -> Result<RunOutput, HostError> {
        let started = Instant::now();
        let tried = match &step.action {
            Action::Run(argv) => self.exec(step, argv, room).await,
            Action::Engine(action) => self.engine(action, step.timeout, console).await,
        };
        let mut output = match tried {
            Ok(output) => output,
            Err(HostError { kind: HostErrorKind::Refused { message, .. }, .. }) => {
                plain_output(RunStatus::Refused(message), String::new())
            }
            Err(error) => return Err(error),
        };
        output.took = started.elapsed();
        Ok(output)
    }

    async fn exec(&self, step: &StepPlan, argv: &[String], room: usize) -> Result<RunOutput, HostError> {
        let mut words = Vec::with_capacity(argv.len());
        for word in argv {
            match substitute_word(word, &self.captured) {
                Ok(word) => words.push(word),
                Err(name) => {
                    let message = format!("@{{{name}}} was not captured: its pattern matched nothing");
                    return Ok(plain_output(RunStatus::Refused(message), String::new()));
                }
            }
        }
        let request = ExecRequest {
            argv: words,
            user: step.user.clone(),
            detach: step.background,
            timeout: step.timeout,
            output_limit: room,
        };
        let ExecOutput { code, timed_out, stdout, stderr, stdout_cut, stderr_cut } =
            self.host.exec(self.id, &request).await?;
        let status = match code {
            _ if timed_out => RunStatus::TimedOut,
            Some(code) => RunStatus::Exited(code),
            None => RunStatus::Background,
        };
        Ok(RunOutput {
            status,
            stdout: escape::text(&stdout),
            stderr: escape::text(&stderr),
            cut: cut(stdout_cut, stderr_cut),
            took: Duration::ZERO,
        })
    }

    async fn engine(&self, action: &EngineAction, limit: Duration, console: &Console) -> Result<RunOutput, HostError> {
        let (host, id) = (self.host, self.id);
        let text = match action {
            EngineAction::Logs => {
                // One byte more than is kept tells whether there are more.
                let log = host.logs(id, OUTPUT_LIMIT + 1).await?;
                let start = log.len().saturating_sub(OUTPUT_LIMIT);
                let output = plain_output(RunStatus::Exited(0), escape::text(&log[start..]));
                return Ok(RunOutput { cut: cut(start > 0, false), ..output });
            }
            EngineAction::Inspect => pretty(&host.inspect(id).await?),
            EngineAction::Top => escape::text(host.top(id).await?.as_bytes()),
            EngineAction::Stats => pretty(&host.stats(id).await?),
            EngineAction::Stop { grace } => {
                host.stop(id, *grace).await?;
                return self.exit_code(ENGINE_LIMIT).await;
            }
            EngineAction::Restart { grace } => {
                host.stop(id, *grace).await?;
                return self.start(console).await;
            }
            EngineAction::Start => return self.start(console).await,
            EngineAction::Kill { signal } => {
                host.kill(id, signal).await?;
                String::new()
            }
            EngineAction::Wait => return self.exit_code(limit).await,
        };
        Ok(plain_output(RunStatus::Exited(0), text))
    }

    async fn exit_code(&self, limit: Duration) -> Result<RunOutput, HostError> {
        match tokio::time::timeout(limit, self.host.wait(self.id)).await {
            Ok(code) => Ok(plain_output(RunStatus::Exited(0), format!("exit code {}\n", code?))),
            Err(_late) => Ok(plain_output(RunStatus::TimedOut, String::new())),
        }
    }

    /// Starts the container again and watches it boot; the answer is the boot's outcome.
    async fn start(&self, console: &Console) -> Result<RunOutput, HostError> {
        console.follow_again(self.host.console(self.id).await?);
        let started = Instant::now();
        self.host.start(self.id).await?;
        let outcome = boot::watch(self.host, self.id, console, self.boot, started).await?;
        let held = i64::from(outcome != BootOutcome::Running);
        Ok(plain_output(RunStatus::Exited(held), format!("{outcome}\n")))
    }
}

/// How many bytes of a further run's streams are kept.
fn room(runs: &[RunOutput]) -> usize {
    let kept: usize = runs.iter().map(|run| run.stdout.len().max(run.stderr.len())).sum();
    STEP_LIMIT.saturating_sub(kept).min(OUTPUT_LIMIT)
}

fn cut(stdout: bool, stderr: bool) -> Vec<Stream> {
    let streams = [(stdout, Stream::Stdout), (stderr, Stream::Stderr)];
    streams.into_iter().filter(|(cut, _)| *cut).map(|(_, stream)| stream).collect()
}

/// What a step left that did not run.
pub(super) fn not_run(step: &StepPlan, why: &str) -> StepObservation {
    StepObservation {
        name: step.name.clone(),
        runs: vec![],
        not_run: Some(why.to_string()),
        captured: BTreeMap::new(),
        console: String::new(),
        console_cut: false,
    }
}

fn plain_output(status: RunStatus, stdout: String) -> RunOutput {
    RunOutput { status, stdout, stderr: String::new(), cut: vec![], took: Duration::ZERO }
}

fn pretty(value: &serde_json::Value) -> String {
    escape::text(format!("{value:#}\n").as_bytes())
}
