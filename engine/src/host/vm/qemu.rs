//! qemu: its command line, whether KVM works here, and the protocol by which a running one is told things (QMP).

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::process::Command;
use tokio::time::{sleep, timeout};

use super::VmSpec;

/// The program.
pub(super) const PROGRAM: &str = "qemu-system-x86_64";
/// How long a machine that only says a word may take.
const PROBE: Duration = Duration::from_secs(5);
/// How long an answer of qemu's may take.
const ANSWER: Duration = Duration::from_secs(60);
/// How long writing the state may take.
const SAVE: Duration = Duration::from_secs(300);

/// A disk's first sector: a program that writes `K` to the first serial port and ends the machine.
const SECTOR: [u8; 15] = [0xba, 0xf8, 0x03, 0xb0, b'K', 0xee, 0xba, 0xf4, 0x00, 0xb0, 0x10, 0xee, 0xf4, 0xeb, 0xfd];

/// Kernel parameters of every machine: what takes time under emulation and guards against nothing here is off. None is
/// systemd's: a systemd that does not know that it is in a container reads them, too, as the machine's.
const PARAMETERS: &str = "console=ttyS0 loglevel=4 net.ifnames=0 mitigations=off nokaslr nowatchdog audit=0 \
     random.trust_cpu=on";

/// A machine with the kernel parameters that only what computes here needs.
pub(super) async fn fitted(spec: &VmSpec, accelerator: Accelerator) -> VmSpec {
    let mut spec = spec.clone();
    // Where the frequency changes it is not that of the time stamps.
    if accelerator == Accelerator::Tcg && !Path::new("/sys/devices/system/cpu/cpu0/cpufreq").exists() {
        let cpuinfo = tokio::fs::read_to_string("/proc/cpuinfo").await.unwrap_or_default();
        spec.kernel_parameters.extend(clock(&cpuinfo));
    }
    spec
}

/// How fast time stamps count, for an emulated machine, which reads this one's. It
/// would measure that while others use the processor, find nothing to rely on and take a clock that costs much to read.
fn clock(cpuinfo: &str) -> Option<String> {
    let speed = cpuinfo.lines().find(|line| line.starts_with("cpu MHz"))?.split(':').nth(1)?;
    // Rounded, for a saved state belongs to one command line: the guest refines it.
    let mhz = speed.trim().split('.').next()?.parse::<u32>().ok()?;
    Some(format!("tsc=reliable tsc_early_khz={}", mhz * 1000))
}

/// What computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Accelerator {
    /// The processor itself.
    Kvm,
    /// qemu's emulation.
    Tcg,
}

impl Accelerator {
    const fn arguments(self) -> [&'static str; 4] {
        match self {
            Self::Kvm => ["-accel", "kvm", "-cpu", "host"],
            Self::Tcg => ["-accel", "tcg,thread=multi", "-cpu", "max"],
        }
    }
}

/// qemu's command line. Paths of the run are relative: qemu's working directory is the run folder.
pub(super) fn arguments(spec: &VmSpec, accelerator: Accelerator, files: &Path, memory: Option<&Path>) -> Vec<String> {
    let parameters = [PARAMETERS, &spec.kernel_parameters.join(" ")].join(" ").trim_end().to_owned();
    let mut all: Vec<String> = [PROGRAM, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"]
        .into_iter()
        .chain(["-machine", "pc"])
        .chain(accelerator.arguments())
        .map(ToOwned::to_owned)
        .collect();
    let mut add = |name: &str, value: String| all.extend([name.to_owned(), value]);
    add("-smp", spec.cpus.to_string());
    add("-m", spec.memory.to_string());
    add("-kernel", files.join("kernel").display().to_string());
    add("-initrd", files.join("initrd").display().to_string());
    add("-append", parameters);
    // The disk is thrown away with the run: nothing has to reach the platter.
    add("-drive", "file=disk.qcow2,if=virtio,format=qcow2,cache=unsafe,discard=unmap".to_owned());
    // Docker's port on loopback, on a port that the kernel chooses; no way out.
    add("-netdev", "user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:0-:2375".to_owned());
    add("-device", "virtio-net-pci,netdev=net,romfile=".to_owned());
    add("-chardev", "file,id=console,path=console.log".to_owned());
    add("-serial", "chardev:console".to_owned());
    add("-chardev", "socket,id=agent,path=agent.sock,server=on,wait=off".to_owned());
    add("-serial", "chardev:agent".to_owned());
    add("-qmp", "unix:qmp.sock,server=on,wait=off".to_owned());
    if let Some(memory) = memory {
        add("-incoming", format!("exec:cat {}", shell_words::quote(&memory.to_string_lossy())));
    }
    all
}

/// What `qemu --version` says first.
pub(super) async fn version() -> Result<String, String> {
    let output = Command::new(PROGRAM).arg("--version").stdin(Stdio::null()).output().await;
    let output = output.map_err(|error| format!("{PROGRAM}: {error}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned())
}

/// What computes here. That KVM's device opens does not say that a guest runs: one is tried, once a boot of this machine.
pub(super) async fn accelerator(folder: &Path) -> Accelerator {
    if !Path::new("/dev/kvm").exists() {
        return Accelerator::Tcg;
    }
    let boot = tokio::fs::read_to_string("/proc/sys/kernel/random/boot_id").await.unwrap_or_default();
    let known = folder.join("kvm");
    let works = match tokio::fs::read_to_string(&known).await.ok().as_deref().and_then(|text| told(text, boot.trim())) {
        Some(works) => works,
        None => {
            let works = probe(folder).await;
            let text = format!("{} {}\n", boot.trim(), if works { "works" } else { "hangs" });
            if let Err(error) = tokio::fs::write(&known, text).await {
                tracing::debug!(%error, "{} can't be written", known.display());
            }
            works
        }
    };
    if works { Accelerator::Kvm } else { Accelerator::Tcg }
}

/// What an earlier probe found, if it was in this boot.
fn told(text: &str, boot: &str) -> Option<bool> {
    let (of, word) = text.trim().split_once(' ')?;
    (of == boot && !boot.is_empty()).then_some(word == "works")
}

async fn probe(folder: &Path) -> bool {
    let mut sector = [0; 512];
    sector[..SECTOR.len()].copy_from_slice(&SECTOR);
    sector[510..].copy_from_slice(&[0x55, 0xaa]);
    let Ok(mut file) = tempfile::NamedTempFile::new_in(folder) else { return false };
    if std::io::Write::write_all(&mut file, &sector).is_err() {
        return false;
    }
    let tried = Command::new(PROGRAM)
        .args(["-nodefaults", "-no-user-config", "-display", "none", "-m", "16", "-machine", "pc"])
        .args(Accelerator::Kvm.arguments())
        .args(["-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-serial", "stdio", "-drive"])
        .arg(format!("file={},format=raw,if=ide", file.path().display()))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    matches!(timeout(PROBE, tried).await, Ok(Ok(output)) if output.stdout == b"K")
}

/// A conversation with a running qemu.
#[derive(Debug)]
pub(super) struct Qmp {
    says: Lines<BufReader<OwnedReadHalf>>,
    told: OwnedWriteHalf,
    process: Option<i32>,
}

impl Qmp {
    pub(super) async fn connect(socket: &Path) -> Result<Self, String> {
        let stream = UnixStream::connect(socket).await.map_err(|error| format!("{}: {error}", socket.display()))?;
        let process = stream.peer_cred().ok().and_then(|peer| peer.pid());
        let (reads, told) = stream.into_split();
        let mut qmp = Self { says: BufReader::new(reads).lines(), told, process };
        // The greeting is no answer, and passed over.
        qmp.call("qmp_capabilities", json!({})).await?;
        Ok(qmp)
    }

    /// Tells qemu to do something; its answer.
    pub(super) async fn call(&mut self, order: &str, arguments: Value) -> Result<Value, String> {
        let words = |error: std::io::Error| format!("qemu does not take `{order}`: {error}");
        let line = json!({ "execute": order, "arguments": arguments }).to_string() + "\n";
        self.told.write_all(line.as_bytes()).await.map_err(words)?;
        loop {
            let line = match timeout(ANSWER, self.says.next_line()).await {
                Ok(Ok(Some(line))) => line,
                Ok(Ok(None)) => return Err(format!("qemu ended at `{order}`")),
                Ok(Err(error)) => return Err(words(error)),
                Err(_) => return Err(format!("qemu does not answer to `{order}` within {} s", ANSWER.as_secs())),
            };
            let answer: Value = serde_json::from_str(&line).map_err(|error| format!("qemu said {line}: {error}"))?;
            if let Some(found) = answer.get("return") {
                return Ok(found.clone());
            }
            if let Some(error) = answer.get("error") {
                return Err(format!("qemu refuses `{order}`: {}", error["desc"].as_str().unwrap_or_default()));
            }
        }
    }

    /// qemu's process.
    pub(super) fn process(&self) -> Result<i32, String> {
        self.process.ok_or_else(|| "qemu's process is not known".to_owned())
    }

    /// The port of qemu's loopback that is the guest's docker.
    pub(super) async fn port(&mut self) -> Result<u16, String> {
        let arguments = json!({ "command-line": "info usernet" });
        let table = self.call("human-monitor-command", arguments).await?;
        let table = table.as_str().unwrap_or_default();
        port_of(table).ok_or_else(|| format!("qemu forwards no port: {table}"))
    }

    /// Waits until a restored machine is whole, and lets it go on.
    pub(super) async fn resume(&mut self) -> Result<(), String> {
        const POLL: Duration = Duration::from_millis(20);
        while self.call("query-status", json!({})).await?["status"] == "inmigrate" {
            sleep(POLL).await;
        }
        self.call("cont", json!({})).await.map(drop)
    }

    /// Stops the machine and writes its memory to a file; it stays stopped and its disk is at rest.
    pub(super) async fn save(&mut self, to: &Path) -> Result<(), String> {
        const POLL: Duration = Duration::from_millis(50);
        self.call("stop", json!({})).await?;
        // Otherwise qemu writes as slowly as to another machine.
        self.call("migrate-set-parameters", json!({ "max-bandwidth": 1_u64 << 40 })).await?;
        let command = format!("exec:cat >{}", shell_words::quote(&to.to_string_lossy()));
        self.call("migrate", json!({ "uri": command })).await?;
        let saved = timeout(SAVE, async {
            loop {
                let state = self.call("query-migrate", json!({})).await?;
                match state["status"].as_str() {
                    Some("completed") => return Ok(()),
                    Some("failed" | "cancelled") => return Err(format!("qemu can't save the machine: {state}")),
                    _ => sleep(POLL).await,
                }
            }
        });
        saved.await.unwrap_or_else(|_| Err(format!("the machine is not saved after {} s", SAVE.as_secs())))
    }
}

/// The forwarded port in qemu's table: `TCP[HOST_FORWARD]  13       127.0.0.1 39977       10.0.2.15  2375 ...`.
fn port_of(table: &str) -> Option<u16> {
    let line = table.lines().find(|line| line.contains("HOST_FORWARD"))?;
    line.split_whitespace().nth(3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::EngineKind;

    fn spec() -> VmSpec {
        VmSpec {
            name: "x".into(),
            engine: EngineKind::Docker,
            runtime: "runc".into(),
            suite: "bookworm".into(),
            packages: vec!["docker.io".into()],
            kernel_parameters: vec!["a=1".into(), "b".into()],
            memory: 1536,
            cpus: 2,
        }
    }

    #[test]
    fn the_command_line_says_what_the_machine_is() {
        let line = arguments(&spec(), Accelerator::Tcg, Path::new("/v"), None);
        let after = |name: &str| line.iter().position(|word| word == name).map(|at| line[at + 1].clone());
        assert_eq!(after("-m").as_deref(), Some("1536"));
        assert_eq!(after("-smp").as_deref(), Some("2"));
        assert_eq!(after("-kernel").as_deref(), Some("/v/kernel"));
        assert_eq!(after("-accel").as_deref(), Some("tcg,thread=multi"));
        assert!(after("-append").is_some_and(|words| words.ends_with("random.trust_cpu=on a=1 b")));
        assert!(!PARAMETERS.contains("systemd."), "{PARAMETERS}");
        assert!(after("-netdev").is_some_and(|words| words.contains("restrict=on,hostfwd=tcp:127.0.0.1:0-")));
        assert_eq!(after("-incoming"), None);
    }

    #[test]
    fn a_saved_state_is_read_by_a_shell() {
        let line = arguments(&spec(), Accelerator::Kvm, Path::new("/v"), Some(Path::new("/a b/memory")));
        assert_eq!(line.last().map(String::as_str), Some("exec:cat '/a b/memory'"));
    }

    #[test]
    fn the_port_is_in_the_table() {
        let table = "Hub -1 (n):\r\n  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ\r\n  \
                     TCP[HOST_FORWARD]  13       127.0.0.1 39977       10.0.2.15  2375     0     0\r\n";
        assert_eq!(port_of(table), Some(39977));
        assert_eq!(port_of("Hub -1 (n):\r\n"), None);
    }

    #[test]
    fn the_clock_is_told_in_whole_megahertz() {
        let cpuinfo = "model name\t: AMD EPYC\ncpu MHz\t\t: 2596.148\n";
        assert_eq!(clock(cpuinfo).as_deref(), Some("tsc=reliable tsc_early_khz=2596000"));
        assert_eq!(clock("model name\t: x\n"), None);
    }

    #[test]
    fn a_probe_holds_for_one_boot_of_this_machine() {
        assert_eq!(told("b1 works\n", "b1"), Some(true));
        assert_eq!(told("b1 hangs\n", "b1"), Some(false));
        assert_eq!(told("b1 works\n", "b2"), None);
        assert_eq!(told("", ""), None);
    }
}
