//! Virtual machines: docker or podman in a qemu guest with a kernel, cgroups and capabilities of its own.
//!
//! The first start of a machine makes its disk from Debian's packages, boots it and saves its state; later ones restore
//! the state, which takes seconds where a boot takes a minute under emulation. [`Vm::keep`] saves it again, with images.
//! `guard.sh` runs qemu and removes every trace of it when the pipe to its standard input ends, so that it does so too
//! where we are killed. [`store`] has what is kept between runs, [`qemu`] the program, [`agent`] the guest's own voice.
//!
//! The guest has no way out, and the way in is the engine's port, on the loopback of a network namespace that only qemu is in:
//! [`relay`] leads there from a socket in the run folder.

mod agent;
mod qemu;
mod relay;
mod store;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use serde::Serialize;
use tokio::process::Command;
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

use super::HostError;
use super::address::Address;
use super::docker::{Docker, Owned};
use super::lab::Lab;
use super::private::{Guard, PrivateOptions, Said, programs};
use super::wire::get_json;
use crate::facts::EngineKind;
use qemu::{Accelerator, Qmp};
use relay::Relay;
use store::States;

const GUARD: &str = include_str!("guard.sh");
/// Where the engine listens, in the run folder.
const SOCKET: &str = "engine.sock";

/// How long a machine may take from its first instruction until the engine answers.
const BOOT: Duration = Duration::from_secs(600);
/// The same for a restored one.
const RESTORE: Duration = Duration::from_secs(120);
/// By how much an emulated machine is slower than this one, roughly: runs wait so much longer for boots and commands.
const EMULATION: u32 = 8;

/// What a virtual machine is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VmSpec {
    /// The lab host's name.
    pub name: String,
    /// The engine in it.
    pub engine: EngineKind,
    /// What starts its containers: `runc` or `crun`.
    pub runtime: String,
    /// The Debian suite of the guest.
    pub suite: String,
    /// Packages besides those that make a guest of it.
    pub packages: Vec<String>,
    /// The kernel's parameters besides those that every machine has.
    pub kernel_parameters: Vec<String>,
    /// Memory in MiB.
    pub memory: u64,
    /// Processors.
    pub cpus: u32,
}

/// Why this machine can't have it; nothing where it can.
pub(super) fn possible(lab: &Lab) -> Result<(), String> {
    if std::env::consts::ARCH != "x86_64" {
        return Err(format!("its guest is an x86_64 machine, and this one is {}", std::env::consts::ARCH));
    }
    if lab.rootless || (lab.engine == EngineKind::Docker && lab.runtime != "runc") {
        return Err("a virtual machine's engine can be docker with runc, or podman, as root".to_owned());
    }
    programs(&[qemu::PROGRAM, "qemu-img", "mke2fs", "mmdebstrap", "setpriv", "flock", "unshare", "ip"]).map(drop)
}

/// Starts a machine and connects to it; [`super::Host::close`] ends it.
///
/// # Errors
/// Where it can't be made or started (the words end with its log).
pub(super) async fn open(
    lab: &Lab,
    spec: &VmSpec,
    options: &PrivateOptions,
    notice: &(dyn Fn(String) + Send + Sync),
) -> Result<Docker, HostError> {
    super::private::possible(lab, None).map_err(|words| failed(spec, words))?;
    let vm = Vm::start(spec, options, notice).await?;
    let docker = Docker::connect(&lab.name, vm.address()).await?.seen_from_inside(&vm.machine());
    Ok(docker.owning(Box::new(vm)))
}

fn failed(spec: &VmSpec, words: String) -> HostError {
    HostError::local(format!("start the virtual machine {}", spec.name), words)
}

/// A running machine. Dropped without [`Vm::close`], its guard still ends it and cleans up.
#[derive(Debug)]
pub(super) struct Vm {
    guard: Mutex<Option<Guard>>,
    qmp: Mutex<Qmp>,
    accelerator: Accelerator,
    _relay: Relay,
    /// The run folder.
    run: PathBuf,
    /// The folder of the disk and the kernel.
    files: PathBuf,
    states: States,
    machine: String,
}

impl Vm {
    /// Starts a machine: restored where there is a state, else booted, and made at its first use.
    ///
    /// # Errors
    /// Words that end with the last ones of the guest and of qemu.
    pub(super) async fn start(
        spec: &VmSpec,
        options: &PrivateOptions,
        notice: &(dyn Fn(String) + Send + Sync),
    ) -> Result<Self, HostError> {
        Self::try_start(spec, options, notice).await.map_err(|words| failed(spec, words))
    }

    async fn try_start(
        spec: &VmSpec,
        options: &PrivateOptions,
        notice: &(dyn Fn(String) + Send + Sync),
    ) -> Result<Self, String> {
        let vms = options.data.join("vms");
        tokio::fs::create_dir_all(&vms).await.map_err(|error| format!("{}: {error}", vms.display()))?;
        // Disks and memory of machines are nobody else's.
        let closed = std::fs::Permissions::from_mode(0o700);
        tokio::fs::set_permissions(&vms, closed).await.map_err(|error| format!("{}: {error}", vms.display()))?;
        let files = store::disk(spec, &vms, notice).await?;
        let accelerator = qemu::accelerator(&vms).await;
        let spec = &qemu::fitted(spec, accelerator).await;
        let line = qemu::arguments(spec, accelerator, &files, None);
        let states = States::of(&vms, &spec.name, &qemu::version().await?, &line);
        // A second run that comes while the first boots waits for its state.
        let held = states.lock().await?;
        if let Some(saved) = states.newest() {
            let restored = Starting::spawn(spec, options, &vms, &files, accelerator, Some(&saved)).await?;
            drop(held);
            match restored.restore(&saved).await {
                Ok((started, machine)) => return Ok(started.into_vm(accelerator, files, states, machine)),
                Err(words) => {
                    tracing::warn!("the saved state of {} can't be restored, so it is booted: {words}", spec.name);
                    let _held = states.lock().await?;
                    if states.newest().as_ref() == Some(&saved) {
                        states.discard_newest()?;
                    }
                }
            }
            return Box::pin(Self::try_start(spec, options, notice)).await;
        }
        let how =
            if accelerator == Accelerator::Kvm { "seconds" } else { "a minute or more, for KVM does not work here" };
        notice(format!("booting {} for the first time: {how}", spec.name));
        let (started, machine) = Starting::spawn(spec, options, &vms, &files, accelerator, None).await?.boot().await?;
        let vm = started.into_vm(accelerator, files, states, machine);
        vm.save(held).await?;
        Ok(vm)
    }

    /// Where the engine listens.
    pub(super) fn address(&self) -> Address {
        Address::Unix(self.run.join(SOCKET))
    }

    /// What the guest is, in its own files: sections that each start with a line `==> NAME <==`.
    pub(super) fn machine(&self) -> String {
        self.machine.clone()
    }

    /// Saves the machine as it is now; the run goes on.
    async fn save(&self, _held: std::fs::File) -> Result<(), String> {
        let folder = self.states.fresh()?;
        let write = |name: &str, text: &str| std::fs::write(folder.join(name), text);
        write("machine", &self.machine).map_err(|error| format!("{}: {error}", folder.display()))?;
        let mut qmp = self.qmp.lock().await;
        let mut saved = qmp.save(&folder.join("memory")).await;
        if saved.is_ok() {
            let (from, below) = (self.run.join("disk.qcow2"), self.files.join("disk"));
            saved = store::copy_disk(&from, &below, &folder.join("disk.qcow2")).await;
        }
        qmp.call("cont", serde_json::json!({})).await?;
        saved?;
        self.states.add(&folder).map(drop)
    }
}

#[async_trait]
impl Owned for Vm {
    async fn keep(&self) -> Result<(), String> {
        self.save(self.states.lock().await?).await
    }

    fn own_kernel(&self) -> bool {
        true
    }

    fn slowness(&self) -> u32 {
        if self.accelerator == Accelerator::Kvm { 1 } else { EMULATION }
    }

    async fn close(&self, _docker: &Docker) -> Vec<String> {
        let Some(guard) = self.guard.lock().await.take() else { return Vec::new() };
        let mut left = guard.end().await.left;
        if self.run.exists() {
            left.push(format!("the folder {}", self.run.display()));
        }
        left
    }
}

/// A machine whose engine does not answer yet.
struct Starting {
    guard: Guard,
    run: PathBuf,
}

/// One that answers.
struct Started {
    guard: Guard,
    run: PathBuf,
    qmp: Qmp,
    relay: Relay,
}

impl Started {
    fn into_vm(self, accelerator: Accelerator, files: PathBuf, states: States, machine: String) -> Vm {
        let Self { guard, run, qmp, relay } = self;
        let (guard, qmp) = (Mutex::new(Some(guard)), Mutex::new(qmp));
        Vm { guard, qmp, accelerator, _relay: relay, run, files, states, machine }
    }
}

impl Starting {
    async fn spawn(
        spec: &VmSpec,
        options: &PrivateOptions,
        vms: &Path,
        files: &Path,
        accelerator: Accelerator,
        saved: Option<&Path>,
    ) -> Result<Self, String> {
        let memory = saved.map(|folder| folder.join("memory"));
        let (below, format) = match saved {
            Some(folder) => (folder.join("disk.qcow2"), "qcow2"),
            None => (files.join("disk"), "raw"),
        };
        let mut command = Command::new("sh");
        command
            .args(["-c", "exec sh -c \"$@\" 2>&1", "sdc-engine", GUARD])
            .args([&format!("sdc-engine-guard-{}", spec.name), &spec.name])
            .args([&options.runs, &vms.join("disks"), &below])
            .arg(format)
            .arg(saved.unwrap_or(Path::new("")))
            .args(qemu::arguments(spec, accelerator, files, memory.as_deref()));
        let mut guard = Guard::start(command).map_err(|error| error.to_string())?;
        let mut said = Said::default();
        loop {
            match guard.line().await {
                Some(line) => match line.strip_prefix("run ") {
                    Some(run) => return Ok(Self { guard, run: run.into() }),
                    None => said.hear(&line),
                },
                None => return Err(said.log.join("\n")),
            }
        }
    }

    /// Waits for a machine that boots; with what it says of itself.
    async fn boot(self) -> Result<(Started, String), String> {
        let run = self.run.clone();
        self.answering(BOOT, async |_| Ok(()))
            .await?
            .asked(async || agent::ask(&run.join("agent.sock"), "machine").await)
            .await
    }

    /// Waits for a machine that goes on where it was saved.
    async fn restore(self, saved: &Path) -> Result<(Started, String), String> {
        let run = self.run.clone();
        let started = self.answering(RESTORE, async |qmp: &mut Qmp| {
            qmp.resume().await?;
            // Its clock stands where it was saved.
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_err(|error| error.to_string())?;
            agent::ask(&run.join("agent.sock"), &format!("clock {}", now.as_secs())).await.map(drop)
        });
        let file = saved.join("machine");
        started
            .await?
            .asked(async || std::fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display())))
            .await
    }

    async fn answering(
        mut self,
        limit: Duration,
        first: impl AsyncFnOnce(&mut Qmp) -> Result<(), String>,
    ) -> Result<Started, String> {
        let run = self.run.clone();
        let answers = async {
            let mut qmp = connect(&run.join("qmp.sock")).await?;
            let port = qmp.port().await?;
            first(&mut qmp).await?;
            let relay = Relay::open(qmp.process()?, run.join(SOCKET), port)
                .map_err(|error| format!("the way to the engine: {error}"))?;
            let address = Address::Unix(run.join(SOCKET));
            // An attempt may hang: the port is open before the guest listens.
            while !matches!(timeout(Duration::from_secs(5), get_json(&address, "/version")).await, Ok(Ok(_))) {
                sleep(Duration::from_millis(50)).await;
            }
            Ok((qmp, relay))
        };
        let mut said = Said::default();
        let ended = async {
            while let Some(line) = self.guard.line().await {
                said.hear(&line);
            }
        };
        let outcome = tokio::select! {
            answered = timeout(limit, answers) =>
                answered.unwrap_or_else(|_| Err(format!("the engine does not answer after {} s", limit.as_secs()))),
            () = ended => Err("it ended".to_owned()),
        };
        match outcome {
            Ok((qmp, relay)) => Ok(Started { guard: self.guard, run: self.run, qmp, relay }),
            Err(words) => Err(with_log(words, self.guard, said).await),
        }
    }
}

impl Started {
    /// With what the machine says of itself.
    async fn asked(self, ask: impl AsyncFnOnce() -> Result<String, String>) -> Result<(Self, String), String> {
        match ask().await {
            Ok(machine) => Ok((self, machine)),
            Err(words) => Err(with_log(words, self.guard, Said::default()).await),
        }
    }
}

/// Words on a failure, with the last ones of the guest and of qemu.
async fn with_log(words: String, guard: Guard, mut said: Said) -> String {
    said.log.extend(guard.end().await.log);
    std::iter::once(words).chain(said.log).collect::<Vec<_>>().join("\n")
}

/// qemu makes its socket a moment after its start.
async fn connect(socket: &Path) -> Result<Qmp, String> {
    const TRIES: usize = 500;
    for _ in 1..TRIES {
        if socket.exists()
            && let Ok(qmp) = Qmp::connect(socket).await
        {
            return Ok(qmp);
        }
        sleep(Duration::from_millis(20)).await;
    }
    Qmp::connect(socket).await
}
