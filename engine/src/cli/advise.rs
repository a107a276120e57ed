//! `sdc-engine advise`: boots an image with more and more grants until systemd comes up, and says the least that does it.

use std::path::Path;
use std::sync::Arc;

use miette::miette;
use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;

use super::args::AdviseArgs;
use super::exit::{Exit, Failure};
use super::host::{self, Opened};
use super::images::cache;
use super::session;
use super::{columns, json, print, say, signals};
use crate::advise::{self, Advice, Attempt, Ended, Grant, IMAGE, NAME, Verdict};
use crate::diagnose::{self, Diagnoses};
use crate::facts::{EngineKind, Facts};
use crate::host::{Host, command_line, compose};
use crate::images::{Catalogue, ImageDef, SetupMode, load, provide};
use crate::judge;
use crate::leak::{HostState, Leak};
use crate::matrix::{Filters, MAX_CASES};
use crate::observe::BootObservation;
use crate::plan::{CasePlan, ContainerSpec, Inputs, RunPlan, WhyOut, lacking, plan};
use crate::redact::Redaction;
use crate::report::{Advised, advised};
use crate::runner::{self, Goldens, Lengths, Options, Owner, Run, argv};
use crate::scenario::{Input, LoadError, parse};
use crate::source::Sources;

/// Finds the least that an image needs.
pub(super) async fn advise(args: AdviseArgs, images: &Path, redaction: &Redaction) -> Result<Exit, Failure> {
    let catalogue = catalogue(images)?;
    let diagnoses = Arc::new(diagnose::load(images).map_err(Failure::input)?);
    let cancel = CancellationToken::new();
    signals::cancel_at_signal(cancel.clone())?;
    let opened = host::open_one(&args.host, images).await?;
    let mut changed = Changed::default();
    let told = match Trial::prepare(&args, &opened, catalogue, diagnoses, cancel).await {
        Ok(trial) => trial.told(&args, redaction, &mut changed).await,
        Err(failure) => Err(failure),
    };
    let left = opened.host.close().await;
    session::settle(opened.host.as_ref(), changed.before, &mut changed.leaks).await;
    for leak in changed.leaks.iter().filter(|leak| leak.lasting) {
        say(&format!("a try changed the host, or somebody did meanwhile: {}", leak.words().join("; ")));
    }
    let works = told?;
    if !left.is_empty() {
        return Err(Failure::environment(left.join("; ")));
    }
    Ok(if works { Exit::Held } else { Exit::Differs })
}

/// Images and setup modes; outside of a repository there are none but systemd as the image has it.
fn catalogue(images: &Path) -> Result<Catalogue, Failure> {
    let mut catalogue = if images.is_dir() { load(images).map_err(Failure::input)? } else { Catalogue::default() };
    catalogue.setup_modes.entry("default".to_owned()).or_insert_with(|| SetupMode {
        name: "default".to_owned(),
        title: "nothing: systemd as the image has it".to_owned(),
        description: String::new(),
        script: None,
        capabilities: Vec::new(),
        not_applicable: Vec::new(),
    });
    Ok(catalogue)
}

/// What tries changed on the host.
#[derive(Default)]
struct Changed {
    /// The host as the first try found it.
    before: Option<HostState>,
    leaks: Vec<Leak>,
}

/// An image, and where it is tried.
struct Trial<'a> {
    host: Arc<dyn Host>,
    owner: Owner,
    catalogue: Catalogue,
    image: ImageDef,
    tag: String,
    timeout: &'a str,
    allow_host_risk: bool,
    ladder: Vec<Grant>,
    diagnoses: Arc<Diagnoses>,
    cancel: CancellationToken,
}

impl<'a> Trial<'a> {
    async fn prepare(
        args: &'a AdviseArgs,
        opened: &Opened,
        mut catalogue: Catalogue,
        diagnoses: Arc<Diagnoses>,
        cancel: CancellationToken,
    ) -> Result<Self, Failure> {
        let host = Arc::clone(&opened.host);
        let owner = Owner::on(host.as_ref()).await;
        let left = runner::sweep(host.as_ref(), &owner, runner::Sweep::Left).await;
        for name in left.map_err(Failure::environment)? {
            say(&format!("removed {name}, which a run that died had left"));
        }
        let (tag, mut image) = tokio::select! {
            had = had(host.as_ref(), &catalogue, &args.image) => had?,
            () = cancel.cancelled() => return Err(interrupted()),
        };
        if let Some(init) = &args.init {
            image.init = shell_words::split(init).map_err(|error| Failure::input(miette!("--init {init}: {error}")))?;
        }
        catalogue.images.insert(IMAGE.to_owned(), image.clone());
        let ladder = advise::ladder(host.facts(), &catalogue.setup_modes);
        let (timeout, allow_host_risk) = (args.timeout.as_str(), args.allow_host_risk);
        Ok(Self { host, owner, catalogue, image, tag, timeout, allow_host_risk, ladder, diagnoses, cancel })
    }

    /// Searches and tells; gives whether anything works.
    async fn told(&self, args: &AdviseArgs, redaction: &Redaction, changed: &mut Changed) -> Result<bool, Failure> {
        let advice = self.search(changed).await?;
        self.tell(args, &advice, redaction)?;
        Ok(matches!(advice.verdict(), Verdict::Least { .. }))
    }

    /// Tries until it is known what works.
    async fn search(&self, changed: &mut Changed) -> Result<Advice, Failure> {
        let mut advice = Advice { ladder: self.ladder.clone(), attempts: Vec::new() };
        while let Some(candidate) = advice.next() {
            if self.cancel.is_cancelled() {
                return Err(interrupted());
            }
            let text = advise::text(&candidate, &self.ladder, self.host.facts(), self.timeout);
            let (ended, case) = self.attempt(&text, changed).await?;
            let grants = advice.names(&candidate);
            if let Ended::Booted { outcome, .. } = &ended {
                let what = if grants.is_empty() { "nothing".to_owned() } else { grants.join(" ") };
                tracing::info!("{what}: {outcome}");
            }
            advice.attempts.push(Attempt { candidate, grants, ended, container: case.map(Box::new) });
        }
        Ok(advice)
    }

    /// Plans a scenario for this host and boots it, unless it can't or must not run here.
    async fn attempt(&self, text: &str, changed: &mut Changed) -> Result<(Ended, Option<CasePlan>), Failure> {
        let mut planned = self.plan(text)?;
        let Some(case) = planned.groups.first().and_then(|group| group.cases.first()).cloned() else {
            let why = planned.left_out.pop().map(|out| out.why);
            let (WhyOut::NotApplicable(why) | WhyOut::Filtered(why) | WhyOut::Skipped(why)) =
                why.unwrap_or_else(|| WhyOut::Skipped("it has no case".to_owned()));
            return Ok((Ended::NotStarted { why }, None));
        };
        let (events, _nobody_listens) = unbounded_channel();
        let run = Run {
            lengths: Lengths::new(),
            host: Arc::clone(&self.host),
            catalogue: self.catalogue.clone(),
            tags: [(self.image.name.clone(), self.tag.clone())].into(),
            goldens: Goldens::new(),
            diagnoses: Arc::clone(&self.diagnoses),
            options: Options {
                jobs: 1,
                fail_fast: false,
                keep_failed: false,
                repeat: 1,
                bundle: None,
                owner: self.owner.clone(),
            },
            events,
            cancel: self.cancel.clone(),
            hear: None,
            before: None,
        };
        let outcome = runner::run(run, planned).await;
        changed.before = changed.before.take().or(outcome.before);
        changed.leaks.extend(outcome.summary.leaks);
        if !outcome.summary.left_behind.is_empty() {
            return Err(Failure::environment(outcome.summary.left_behind.join("; ")));
        }
        if self.cancel.is_cancelled() {
            return Err(interrupted());
        }
        let result = outcome.results.into_iter().next();
        match result.map(|result| (result.verdict, result.boot)) {
            Some((_, Some(boot))) => Ok((ended(boot), Some(case))),
            Some((judge::Verdict::Error(why), _)) => Err(Failure::environment(why)),
            _ => Err(Failure::environment("a try came to no end")),
        }
    }

    fn plan(&self, text: &str) -> Result<RunPlan, Failure> {
        let mut sources = Sources::default();
        let file = sources.add(format!("{NAME}.toml"), text);
        let input = Input { name: NAME.to_owned(), file, defaults: Vec::new() };
        let scenarios = parse(&sources, &[input], &self.catalogue)
            .map_err(|diagnostics| Failure::input(LoadError { diagnostics }))?;
        let filters = Filters::default();
        let inputs = Inputs {
            sources: &sources,
            catalogue: &self.catalogue,
            facts: self.host.facts(),
            filters: &filters,
            max_cases: MAX_CASES,
        };
        let mut planned = plan(&scenarios, inputs).map_err(|errors| {
            Failure::environment(errors.into_iter().map(|e| e.message).collect::<Vec<_>>().join("; "))
        })?;
        planned.widen(self.host.slowness());
        if !self.allow_host_risk && !self.host.is_lab() {
            planned.spare_host();
        }
        Ok(planned)
    }

    fn tell(&self, args: &AdviseArgs, advice: &Advice, redaction: &Redaction) -> Result<(), Failure> {
        let recipes = advice
            .least()
            .and_then(|least| least.container.as_deref())
            .map_or_else(Vec::new, |case| self.recipes(case));
        if args.json {
            let (facts, recipes) = (self.host.facts(), recipes.iter().cloned().collect::<serde_json::Map<_, _>>());
            let mut value = serde_json::json!({
                "image": args.image, "host": facts, "verdict": advice.verdict(), "tries": advice.attempts, "recipes": recipes,
            });
            redaction.value(&[(&facts.name, &facts.machine)], &mut value);
            return print(&json(&value)?);
        }
        let Facts { name, engine, engine_version, cgroups, .. } = self.host.facts();
        let recipes =
            recipes.into_iter().map(|(by, text)| (by, text.as_str().unwrap_or_default().to_owned())).collect();
        let host = format!("{name} ({engine} {engine_version}, cgroup {cgroups})");
        print(&advised(&Advised { image: &args.image, host, advice, recipes }, columns()))
    }

    /// How to run it by each engine, and by compose.
    fn recipes(&self, case: &CasePlan) -> Vec<(String, serde_json::Value)> {
        let Some(mode) = self.catalogue.setup_modes.get(&case.container.setup_mode) else { return Vec::new() };
        let argv = argv(&self.image, mode, case);
        let here = self.host.facts().engine;
        let mut recipes = Vec::new();
        for engine in [EngineKind::Docker, EngineKind::Podman] {
            let there = Facts { engine, ..Facts::assumed() };
            let text = match lacking(&case.container, &there) {
                _ if engine == here => {
                    let line = command_line(&case.container, &self.tag, &argv, &self.host.by_hand());
                    self.host.before_by_hand().into_iter().chain([line]).collect::<Vec<_>>().join("\n")
                }
                Some(why) => format!("# {why}: sdc-engine advise on such a host finds what it needs there"),
                None => command_line(&elsewhere(&case.container), &self.tag, &argv, &engine.to_string()),
            };
            let tried = if engine == here { "as it was tried" } else { "not tried here" };
            recipes.push((format!("{engine} ({tried})"), text.into()));
        }
        recipes.push(("compose (not tried here)".to_owned(), compose(&case.container, &self.tag, &argv).into()));
        recipes
    }
}

/// The same container for the other engine: podman would turn its systemd mode on by itself, and it was not on here.
fn elsewhere(spec: &ContainerSpec) -> ContainerSpec {
    ContainerSpec { systemd: spec.systemd.clone().or_else(|| Some("false".to_owned())), ..spec.clone() }
}

/// The image on the host: one that is declared is made where it lacks; any other must be there, for nothing is pulled.
async fn had(host: &dyn Host, catalogue: &Catalogue, name: &str) -> Result<(String, ImageDef), Failure> {
    if let Some(image) = catalogue.images.get(name) {
        let provided =
            provide(host, image, &cache(), &|text: String| say(&text)).await.map_err(Failure::environment)?;
        if provided.new {
            host.keep().await;
        }
        return Ok((provided.tag, ImageDef { name: IMAGE.to_owned(), ..image.clone() }));
    }
    if host.image(name).await.map_err(Failure::environment)?.is_none() {
        let declared = match catalogue.images.keys().cloned().collect::<Vec<_>>().join(", ") {
            none if none.is_empty() => "the folder of --images declares none".to_owned(),
            names => format!("--images declares {names}"),
        };
        let engine = host.facts().engine;
        let report = miette!(
            help = format!(
                "get it there first ({engine} pull, build or load), or name the host that has it by --host; {declared}"
            ),
            "{} has no image `{name}`",
            host.facts().name
        );
        return Err(Failure { report, exit: Exit::Environment });
    }
    let image = ImageDef {
        name: IMAGE.to_owned(),
        title: name.to_owned(),
        systemd: 0,
        init: vec!["/sbin/init".to_owned()],
        stop_signal: "SIGRTMIN+3".to_owned(),
        bootstrap: None,
        build: None,
        dockerfile: None,
        content: String::new(),
    };
    Ok((name.to_owned(), image))
}

fn ended(boot: BootObservation) -> Ended {
    use crate::scenario::model::BootState::{Degraded, Running};
    Ended::Booted {
        works: matches!(boot.outcome.state(), Running | Degraded),
        outcome: boot.outcome.to_string(),
        line: boot.deciding_line,
        diagnoses: boot.diagnoses,
        took_ms: boot.took.as_millis(),
    }
}

fn interrupted() -> Failure {
    Failure { exit: Exit::Interrupted, ..Failure::environment("interrupted; everything that was started is removed") }
}
