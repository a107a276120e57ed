//! A bench for the runner: scenarios as text, a scripted host, and everything that came of a run.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sdc_engine::events::{BootPhase, Event};
use sdc_engine::facts::Facts;
use sdc_engine::host::fake::{Call, Fake, Reply, Script};
use sdc_engine::host::{CreateRequest, Host};
use sdc_engine::judge::{CaseResult, Verdict};
use sdc_engine::matrix::Filters;
use sdc_engine::observe::{BootObservation, StepObservation};
use sdc_engine::plan::{Inputs, RunPlan, plan};
use sdc_engine::runner::{self, Options, Outcome, Owner};
use sdc_engine::scenario::{Input, parse};
use sdc_engine::source::Sources;
use tokio_util::sync::CancellationToken;

/// The tag of the image in the fake's store.
pub(crate) const IMAGE: &str = "sdc-test/debian-12:fake";
pub(crate) const BANNER: &str = "systemd 252.39-1~deb12u2 running in system mode (+PAM +AUDIT)";
pub(crate) const MULTI_USER: &str = "[  OK  ] Reached target multi-user.target - Multi-User System.";

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// A container whose systemd comes up at once.
pub(crate) fn up() -> Script {
    Script::says(&[BANNER, MULTI_USER]).on("is-system-running", Reply::prints("running\n"))
}

/// A container whose systemd comes up after a while.
pub(crate) fn up_after(time: Duration) -> Script {
    Script::says(&[BANNER]).then(time, &format!("{MULTI_USER}\r\n")).on("is-system-running", Reply::prints("running\n"))
}

/// A scenario's text: an image, and what is added.
pub(crate) fn scenario(rest: &str) -> String {
    format!("title = 'Does it?'\ncontainer.image = 'debian-12'\n{rest}\n")
}

/// A scenario of one step that prints nothing.
pub(crate) fn simple() -> String {
    scenario("step = [{ name = 'a', run = 'true' }]")
}

/// The plan of scenarios, by name and text, on a host of assumed facts.
pub(crate) fn planned(files: &[(&str, &str)]) -> RunPlan {
    let catalogue = sdc_engine::images::load(Path::new("tests/images")).unwrap();
    let mut sources = Sources::default();
    let inputs: Vec<Input> = files
        .iter()
        .map(|(name, text)| {
            let file = sources.add(format!("scenarios/{name}.toml"), *text);
            Input { name: (*name).to_owned(), file, defaults: vec![] }
        })
        .collect();
    let scenarios = parse(&sources, &inputs, &catalogue).unwrap_or_else(|found| panic!("{found:#?}"));
    let (facts, filters) = (Facts::assumed(), Filters::default());
    let max_cases = sdc_engine::matrix::MAX_CASES;
    let inputs = Inputs { sources: &sources, catalogue: &catalogue, facts: &facts, filters: &filters, max_cases };
    plan(&scenarios, inputs).unwrap_or_else(|found| panic!("{found:#?}"))
}

/// A run to be.
pub(crate) struct Bench {
    pub(crate) fake: Arc<Fake>,
    pub(crate) options: Options,
    pub(crate) cancel: CancellationToken,
}

/// A host where every container does the same.
pub(crate) fn on(script: Script) -> Bench {
    on_each(move |_| script.clone())
}

/// A host where a container does what is chosen by its request.
pub(crate) fn on_each(choose: impl Fn(&CreateRequest) -> Script + Send + Sync + 'static) -> Bench {
    on_fake(Fake::new(Facts::assumed(), choose))
}

pub(crate) fn on_fake(fake: Fake) -> Bench {
    let owner = Owner { run: "7-100".into(), pid: 7, start: 100, machine: "here".into(), container: None };
    let options = Options { jobs: 4, fail_fast: false, keep_failed: false, repeat: 1, bundle: None, owner };
    Bench { fake: Arc::new(fake.with_image(IMAGE)), options, cancel: CancellationToken::new() }
}

/// The case that a container was made for.
pub(crate) fn case_of(request: &CreateRequest) -> &str {
    request.labels.iter().find(|(name, _)| name == "sdc-engine.case").map_or("", |(_, case)| case)
}

/// What came of a run.
pub(crate) struct Ran {
    pub(crate) outcome: Outcome,
    pub(crate) events: Vec<Event>,
    pub(crate) fake: Arc<Fake>,
}

impl Bench {
    pub(crate) fn jobs(mut self, jobs: usize) -> Self {
        self.options.jobs = jobs;
        self
    }

    pub(crate) fn repeat(mut self, repeat: u32) -> Self {
        self.options.repeat = repeat;
        self
    }

    pub(crate) fn fail_fast(mut self) -> Self {
        self.options.fail_fast = true;
        self
    }

    /// The run is interrupted after a while.
    pub(crate) fn cancelled_after(self, time: Duration) -> Self {
        let cancel = self.cancel.clone();
        tokio::spawn(async move {
            tokio::time::sleep(time).await;
            cancel.cancel();
        });
        self
    }

    /// Runs, and may leave something.
    pub(crate) async fn run_roughly(self, files: &[(&str, &str)]) -> Ran {
        let (events, mut heard) = tokio::sync::mpsc::unbounded_channel();
        let run = runner::Run {
            lengths: runner::Lengths::new(),
            host: Arc::clone(&self.fake) as Arc<dyn Host>,
            catalogue: sdc_engine::images::load(Path::new("tests/images")).unwrap(),
            tags: BTreeMap::from([("debian-12".to_owned(), IMAGE.to_owned())]),
            goldens: runner::Goldens::new(),
            diagnoses: Arc::new(sdc_engine::diagnose::shipped()),
            options: self.options,
            events,
            cancel: self.cancel,
            hear: None,
            before: None,
        };
        let outcome = runner::run(run, planned(files)).await;
        let mut events = Vec::new();
        while let Ok(event) = heard.try_recv() {
            events.push(event);
        }
        Ran { outcome, events, fake: self.fake }
    }

    /// Runs, and leaves nothing.
    pub(crate) async fn run(self, files: &[(&str, &str)]) -> Ran {
        let ran = self.run_roughly(files).await;
        assert_eq!(ran.fake.left(), Vec::<String>::new());
        assert_eq!(ran.outcome.summary.left_behind, Vec::<String>::new());
        ran
    }

    /// Runs one scenario called `a`.
    pub(crate) async fn run_one(self, rest: &str) -> Ran {
        self.run(&[("a", &scenario(rest))]).await
    }
}

impl Ran {
    pub(crate) fn only(&self) -> &CaseResult {
        assert_eq!(self.outcome.results.len(), 1, "{:?}", self.verdicts());
        &self.outcome.results[0]
    }

    pub(crate) fn verdict(&self) -> &Verdict {
        &self.only().verdict
    }

    pub(crate) fn boot(&self) -> &BootObservation {
        self.only().boot.as_ref().expect("a boot")
    }

    pub(crate) fn step(&self, name: &str) -> &StepObservation {
        self.only().steps.iter().find(|step| step.name == name).expect("a step")
    }

    /// Case and word of the verdict, in the order of the results.
    pub(crate) fn verdicts(&self) -> Vec<(&str, &'static str)> {
        self.outcome.results.iter().map(|result| (result.id.0.as_str(), result.verdict.word())).collect()
    }

    /// What broke, as `subject: expected: actual`.
    pub(crate) fn broken(&self) -> Vec<String> {
        let broken = self.only().judgements.iter().filter(|judgement| !judgement.held);
        broken.map(|j| format!("{}: {}: {}", j.subject, j.expected, j.actual)).collect()
    }

    pub(crate) fn made(&self) -> usize {
        self.fake.count(Call::Create)
    }

    pub(crate) fn notices(&self) -> Vec<&str> {
        let notice = |event: &'_ Event| matches!(event, Event::Notice { .. });
        self.events
            .iter()
            .filter(|event| notice(event))
            .map(|event| match event {
                Event::Notice { message } => message.as_str(),
                _ => "",
            })
            .collect()
    }

    /// The events in short: `0 create`, `0 over`, `a pass`.
    pub(crate) fn story(&self) -> Vec<String> {
        self.events
            .iter()
            .map(|event| match event {
                Event::Phase { boot, phase, .. } => format!(
                    "{boot} {}",
                    match phase {
                        BootPhase::Create => "create",
                        BootPhase::Boot => "boot",
                        BootPhase::Steps => "steps",
                        BootPhase::Remove => "remove",
                    }
                ),
                Event::BootOver { boot } => format!("{boot} over"),
                Event::CaseFinished { result } => format!("{} {}", result.id, result.verdict.word()),
                Event::Notice { message } => format!("notice {message}"),
                Event::RunStarted { .. }
                | Event::HostFailed { .. }
                | Event::Evidence { .. }
                | Event::RuleUnused { .. }
                | Event::RunFinished { .. } => "run".to_owned(),
            })
            .collect()
    }
}

/// Commands that were run inside, in order.
#[derive(Clone, Default)]
pub(crate) struct Diary(Arc<Mutex<Vec<String>>>);

impl Diary {
    /// The script, with its commands written down here; those that ask for systemd's state are not.
    pub(crate) fn of(&self, script: Script) -> Script {
        let lines = Arc::clone(&self.0);
        let noted = move |request: &sdc_engine::host::ExecRequest| {
            let words = request.argv.join(" ");
            if !words.starts_with("systemctl") {
                lines.lock().unwrap().push(words);
            }
            None
        };
        // Answers are asked in order, so this one has to come first.
        script.answer_first(noted)
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}
