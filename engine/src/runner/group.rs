//! Cases that share one boot: boots once, runs every case's steps, judges, removes.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::Run;
use super::boot::{self, Made};
use super::steps::{Stepper, not_run};
use crate::events::{BootPhase, Event};
use crate::facts::EngineKind;
use crate::host::{HostError, HostErrorKind};
use crate::judge::{CaseResult, Recipe, Verdict, judge_case};
use crate::observe::{BootObservation, BootOutcome, StepObservation};
use crate::plan::{BootGroup, CasePlan, StepPlan};
use crate::scenario::model::{BootState, Phase};

/// Where a group's container is: told apart so that removal can wait while the next boot starts.
pub(super) struct Boot<'a> {
    pub(super) run: &'a Run,
    pub(super) number: usize,
    pub(super) group: &'a BootGroup,
}

/// What a boot left: results, and the container to remove.
pub(super) struct Over {
    pub(super) results: Vec<CaseResult>,
    pub(super) made: Option<Made>,
}

impl Boot<'_> {
    fn first(&self) -> &CasePlan {
        &self.group.cases[0]
    }

    pub(super) fn phase(&self, phase: BootPhase) {
        self.run.tell(Event::Phase {
            boot: self.number,
            cases: self.group.cases.iter().map(|case| case.id.clone()).collect(),
            limit: self.first().boot.timeout,
            phase,
        });
    }

    /// Boots and runs everything. Never fails: an engine that does makes the verdict `error` of the cases it took down.
    pub(super) async fn go(&self, name: String) -> Over {
        let started = Instant::now();
        self.phase(BootPhase::Create);
        let made = match boot::make(self.run, self.first(), name).await {
            Ok(made) => made,
            Err(error) => return self.not_made(&error, started.elapsed()),
        };
        let results = match self.in_container(&made, started).await {
            Ok(results) => results,
            Err(error) => self.all_failed(&error, started.elapsed()),
        };
        Over { results, made: Some(made) }
    }

    fn not_made(&self, error: &HostError, took: Duration) -> Over {
        let results = match &error.kind {
            HostErrorKind::Refused { message, .. } => self.judge_refused(message, took),
            _ => self.all_failed(error, took),
        };
        Over { results, made: None }
    }

    fn judge_refused(&self, message: &str, took: Duration) -> Vec<CaseResult> {
        let boot = boot::refused(self.run, self.first(), message.to_string(), took);
        let why = "the engine refused the container";
        let judge = |case: &CasePlan| {
            let steps = case.steps.iter().map(|step| not_run(step, why)).collect();
            self.result(case, Some(boot.clone()), steps, took)
        };
        self.group.cases.iter().map(judge).collect()
    }

    async fn in_container(&self, made: &Made, started: Instant) -> Result<Vec<CaseResult>, HostError> {
        let host = self.run.host.as_ref();
        self.phase(BootPhase::Boot);
        let booting = Instant::now();
        match host.start(&made.id).await {
            Ok(()) => {}
            Err(HostError { kind: HostErrorKind::Refused { message, .. }, .. }) => {
                return Ok(self.judge_refused(&message, booting.elapsed()));
            }
            Err(error) => return Err(error),
        }
        let (outcome, took, early) = self.boot(made, booting).await?;
        let boot = boot::observe(self.run, self.first(), made, outcome, took).await?;
        let up = matches!(boot.outcome.state(), BootState::Running | BootState::Degraded);
        if up {
            self.phase(BootPhase::Steps);
        }
        let mut results: Vec<CaseResult> = Vec::new();
        for (i, case) in self.group.cases.iter().enumerate() {
            let since = if i == 0 { started } else { Instant::now() };
            let early = if i == 0 { early.clone() } else { Vec::new() };
            match self.steps(case, made, &boot, early, up).await {
                Ok(steps) => results.push(self.result(case, Some(boot.clone()), steps, since.elapsed())),
                Err(error) => results.push(self.error(case, &error, since.elapsed())),
            }
        }
        Ok(results)
    }

    /// Watches the boot, and runs the steps that are to run meanwhile. Only a case that boots alone has such steps.
    async fn boot(
        &self,
        made: &Made,
        booting: Instant,
    ) -> Result<(BootOutcome, Duration, Vec<StepObservation>), HostError> {
        let host = self.run.host.as_ref();
        let case = self.first();
        let early: Vec<&StepPlan> =
            case.steps.iter().map(|step| &**step).filter(|step| step.at == Phase::Boot).collect();
        if early.is_empty() {
            let outcome = boot::watch(host, &made.id, &made.console, &case.boot, booting).await?;
            return Ok((outcome, booting.elapsed(), vec![]));
        }
        let over = AtomicBool::new(false);
        let console = &made.console;
        let watch = async {
            let outcome = boot::watch(host, &made.id, console, &case.boot, booting).await;
            let up = matches!(&outcome, Ok(o) if matches!(o.state(), BootState::Running | BootState::Degraded));
            over.store(!up, Ordering::Relaxed);
            (outcome, booting.elapsed())
        };
        let steps = async {
            let mut stepper = Stepper { host, id: &made.id, boot: &case.boot, captured: BTreeMap::new(), over: &over };
            let mut seen = Vec::new();
            for step in early {
                seen.push(stepper.run(step, console).await?);
            }
            Ok(seen)
        };
        let ((outcome, took), seen) = tokio::join!(watch, steps);
        Ok((outcome?, took, seen?))
    }

    async fn steps(
        &self,
        case: &CasePlan,
        made: &Made,
        boot: &BootObservation,
        early: Vec<StepObservation>,
        up: bool,
    ) -> Result<Vec<StepObservation>, HostError> {
        let mut seen = early;
        let over = AtomicBool::new(false);
        let captured = seen.last().map(|step| step.captured.clone()).unwrap_or_default();
        let host = self.run.host.as_ref();
        let mut stepper = Stepper { host, id: &made.id, boot: &case.boot, captured, over: &over };
        for step in case.steps.iter().filter(|step| step.at == Phase::Ready) {
            if up {
                seen.push(stepper.run(step, &made.console).await?);
            } else {
                seen.push(not_run(step, &format!("the boot came to: {}", boot.outcome)));
            }
        }
        // Half a log says nothing of what the container printed.
        made.console.broken()?;
        Ok(seen)
    }

    fn result(
        &self,
        case: &CasePlan,
        boot: Option<BootObservation>,
        steps: Vec<StepObservation>,
        took: Duration,
    ) -> CaseResult {
        let none = BTreeMap::new();
        let goldens = self.run.goldens.get(&case.id).unwrap_or(&none);
        let judged = judge_case(case, boot.as_ref(), &steps, goldens);
        CaseResult {
            verdict: judged.verdict,
            judgements: judged.judgements,
            observed: judged.observed,
            rules: judged.rules,
            boot,
            steps,
            ..self.blank(case, took)
        }
    }

    fn error(&self, case: &CasePlan, error: &HostError, took: Duration) -> CaseResult {
        let words = match error.kind {
            // Nothing of a run is removed before it is over.
            HostErrorKind::NotFound(_) => format!("{error}; somebody else has removed it"),
            _ => error.to_string(),
        };
        CaseResult { verdict: Verdict::Error(words), ..self.blank(case, took) }
    }

    pub(super) fn all_failed(&self, error: &HostError, took: Duration) -> Vec<CaseResult> {
        self.group.cases.iter().map(|case| self.error(case, error, took)).collect()
    }

    /// Results that say the same of every case, whatever was seen of it.
    pub(super) fn all_ended(&self, why: &str) -> Vec<CaseResult> {
        let ended = |case| CaseResult { verdict: Verdict::Error(why.to_owned()), ..self.blank(case, Duration::ZERO) };
        self.group.cases.iter().map(ended).collect()
    }

    fn blank(&self, case: &CasePlan, took: Duration) -> CaseResult {
        let blank = CaseResult::of_nothing(case, &self.run.host.facts().name, Verdict::Pass);
        let engine = self.run.host.by_hand();
        let other = match self.run.host.facts().engine {
            EngineKind::Docker => EngineKind::Podman,
            EngineKind::Podman => EngineKind::Docker,
        };
        let recipe = Recipe { elsewhere: self.command_line(case, &other.to_string()), ..blank.recipe };
        CaseResult { took, by_hand: self.by_hand(case, &engine), recipe, ..blank }
    }

    fn by_hand(&self, case: &CasePlan, engine: &str) -> String {
        let line = self.command_line(case, engine);
        match self.run.host.before_by_hand() {
            Some(first) if !line.is_empty() => format!("{first}\n{line}"),
            _ => line,
        }
    }

    /// Empty where the case names what is not declared.
    fn command_line(&self, case: &CasePlan, engine: &str) -> String {
        let catalogue = &self.run.catalogue;
        let image = catalogue.images.get(&case.container.image);
        let mode = catalogue.setup_modes.get(&case.container.setup_mode);
        let (Some(image), Some(mode)) = (image, mode) else { return String::new() };
        let tag = self.run.tags.get(&image.name).cloned().unwrap_or_else(|| image.tag());
        let argv = boot::argv(image, mode, case);
        crate::host::command_line(&case.container, &tag, &argv, engine)
    }
}
