//! What every [`Host`] does alike: the fake always, and private engines where this machine can have them. A skipped
//! engine says why.
#![expect(clippy::expect_used, clippy::print_stderr, reason = "a test")]

mod host;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::StreamExt;
use host::{DEAF, LABEL, on_real, shell};
use sdc_engine::facts::Facts;
use sdc_engine::host::fake::{Fake, Reply, Script};
use sdc_engine::host::{
    ContainerId, CreateRequest, ExecOutput, ExecRequest, Host, HostError, HostErrorKind, not_applied,
};
use sdc_engine::plan::ContainerSpec;

const IMAGE: &str = "sdc-test/shell:contract";

/// What containers run.
mod lines {
    /// Two lines, a second apart, and an exit.
    pub(super) const TALKS: &str = "echo first; sleep 1; echo second; exit 7";
    /// An exit at once.
    pub(super) const FAILS: &str = "exit 3";
    /// Nothing, for long.
    pub(super) const SLEEPS: &str = "sleep 1000";
    /// An exit when it is told to stop.
    pub(super) const STOPS: &str = "trap 'exit 5' TERM; echo ready; while :; do sleep 0.1; done";
    /// No such program.
    pub(super) const MISSING: &str = "/nowhere/at/all";
}

/// Prints what a container sees of the flags of [`applies_flags`].
const SEES: &str = "cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/hostname; id -u; ulimit -Hn; echo \
    $container; echo > /dev/other && echo device; true > /tmp/x && echo tmpfs; true 2>&- > /x || echo read-only; \
    [ -e /outside/self ] && echo bind; [ -d /anonymous ] && echo volume; \
    while read -r name value; do case $name in NoNewPrivs: | Seccomp:) echo $name $value ;; esac; done </proc/self/status";
const SEEN: &str = "1\nbox\n1000\n200\ndocker\ndevice\ntmpfs\nread-only\nbind\nvolume\nNoNewPrivs: 1\nSeccomp: 0\n";

fn exec(line: &str) -> ExecRequest {
    ExecRequest {
        argv: ["/bin/sh", "-c", line].map(ToOwned::to_owned).to_vec(),
        timeout: Duration::from_secs(20),
        output_limit: 64 * 1024,
        ..ExecRequest::default()
    }
}

/// What the shell lines of the suite do, for the fake.
fn as_the_shell_does(request: &CreateRequest) -> Script {
    let line = request.argv.last().map(String::as_str).unwrap_or_default();
    let second = Duration::from_secs(1);
    let script = match line {
        lines::TALKS => Script::says(&["first"]).then(second, "second\r\n").exiting(7),
        lines::FAILS => Script::default().exiting(3),
        lines::STOPS => Script::says(&["ready"]).stopping(5, Duration::ZERO),
        DEAF => Script::says(&["ready"]).stopping(0, second * 3600),
        lines::MISSING => {
            return Script::default().failing(
                sdc_engine::host::fake::Call::Start,
                sdc_engine::host::fake::Failure::refuses("exec: \"/nowhere\": no such file or directory"),
            );
        }
        _ => Script::default(),
    };
    let both = Reply { code: 4, stdout: "out\n".into(), stderr: "err\n".into(), ..Reply::default() };
    let missing = HostErrorKind::Refused { status: 400, message: "executable file not found".into() };
    script
        .on("ip_forward", Reply::prints(SEEN))
        .on("echo out", both)
        .on("sleep 100 & echo", Reply::prints("left\n"))
        .on("sleep 100", Reply::hangs())
        .on("/dev/zero", Reply { stdout: vec![0; 100_000], ..Reply::default() })
        .on("nowhere", Reply { refused: Some(missing), ..Reply::default() })
        .on("id -u", Reply::prints("1000\n"))
        .on("/folder/file", Reply::prints("put"))
}

#[tokio::test(start_paused = true)]
async fn the_fake_keeps_the_contract() {
    let fake = Arc::new(Fake::new(Facts::assumed(), as_the_shell_does).with_image(IMAGE));
    suite(&(Arc::clone(&fake) as Arc<dyn Host>)).await;
    assert_eq!(fake.left(), Vec::<String>::new());
    assert!(fake.closed());
}

#[tokio::test(flavor = "multi_thread")]
async fn docker_on_v1_keeps_the_contract() {
    on_real("docker-v1", IMAGE, suite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn docker_on_v2_keeps_the_contract() {
    on_real("docker-v2", IMAGE, suite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn docker_28_keeps_the_contract() {
    on_real("docker-28-v2", IMAGE, suite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn podman_on_v1_keeps_the_contract() {
    on_real("podman-v1", IMAGE, suite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn podman_on_v2_keeps_the_contract() {
    on_real("podman-v2", IMAGE, suite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rootless_podman_keeps_the_contract() {
    on_real("podman-rootless-v2", IMAGE, suite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn podman_5_keeps_the_contract() {
    on_real("podman-5-v2", IMAGE, suite).await;
}

async fn suite(host: &Arc<dyn Host>) {
    let host = host.as_ref();
    tells_images(host).await;
    runs_to_an_end(host).await;
    runs_commands(host).await;
    limits_commands(host).await;
    moves_files(host).await;
    stops_and_kills(host).await;
    refuses_to_start(host).await;
    applies_flags(host).await;
    tells_what_is_not_there(host).await;
    assert!(host.list(LABEL).await.expect("a list").is_empty());
    assert_eq!(host.close().await, Vec::<String>::new());
}

async fn made(host: &dyn Host, name: &str, tty: bool, line: &str) -> ContainerId {
    host.create(&shell(IMAGE, name, tty, line)).await.expect("a container")
}

async fn started(host: &dyn Host, name: &str, line: &str) -> ContainerId {
    let id = made(host, name, true, line).await;
    host.start(&id).await.expect("a start");
    id
}

async fn text(console: impl StreamExt<Item = Result<Bytes, HostError>>) -> String {
    let chunks: Vec<_> = console.collect().await;
    let bytes: Vec<u8> = chunks.into_iter().flat_map(|chunk| chunk.expect("a chunk")).collect();
    String::from_utf8_lossy(&bytes).replace("\r\n", "\n")
}

async fn tells_images(host: &dyn Host) {
    let id = host.image(IMAGE).await.expect("an answer").expect("the image");
    assert!(host.images("sdc-test/").await.expect("tags").contains(&IMAGE.to_owned()));
    assert_eq!(host.image("sdc-test/none:1").await.expect("an answer"), None);
    let built = host.build("sdc-test/built:1", &format!("FROM {IMAGE}\nENV a=b\n")).await.expect("an image");
    assert_ne!(built, id);
    host.remove_image("sdc-test/built:1").await.expect("removed");
    host.remove_image("sdc-test/built:1").await.expect("gone is fine");
    let refused = host.build("sdc-test/built:2", "FROM sdc-test/none:1\n").await.expect_err("no base");
    assert!(matches!(refused.kind, HostErrorKind::Refused { .. } | HostErrorKind::NotFound(_)), "{refused}");
}

async fn runs_to_an_end(host: &dyn Host) {
    for tty in [true, false] {
        let id = made(host, "talks", tty, lines::TALKS).await;
        let console = host.console(&id).await.expect("a console");
        host.start(&id).await.expect("a start");
        assert_eq!(host.wait(&id).await.expect("a code"), 7);
        assert_eq!(host.wait(&id).await.expect("the same code"), 7);
        assert_eq!(text(console).await, "first\nsecond\n");
        let log = String::from_utf8_lossy(&host.logs(&id, 1 << 20).await.expect("a log")).replace("\r\n", "\n");
        assert_eq!(log, "first\nsecond\n");
        let end = String::from_utf8_lossy(&host.logs(&id, 4).await.expect("a log")).into_owned();
        assert_eq!(end.len(), 4);
        let state = host.inspect(&id).await.expect("a description");
        assert_eq!(state.pointer("/State/ExitCode").and_then(serde_json::Value::as_i64), Some(7));
        // Again: the console of the second run has none of the first run's lines.
        let console = host.console(&id).await.expect("a console");
        host.start(&id).await.expect("a start");
        assert_eq!(text(console).await, "first\nsecond\n");
        host.remove(&id).await.expect("removed");
    }
    let id = started(host, "fails", lines::FAILS).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(host.wait(&id).await.expect("a code that came before the wait"), 3);
    host.remove(&id).await.expect("removed");
}

async fn runs_commands(host: &dyn Host) {
    let id = started(host, "commands", lines::SLEEPS).await;
    let output = host.exec(&id, &exec("echo out; echo err >&2; exit 4")).await.expect("output");
    assert_eq!((output.code, output.stdout, output.stderr), (Some(4), b"out\n".to_vec(), b"err\n".to_vec()));
    let output = host.exec(&id, &ExecRequest { user: Some("1000".into()), ..exec("id -u") }).await.expect("output");
    assert_eq!(output.stdout, b"1000\n");
    let missing = ExecRequest { argv: vec!["/nowhere".into()], ..exec("") };
    let refused = host.exec(&id, &missing).await.expect_err("no such program");
    assert!(matches!(refused.kind, HostErrorKind::Refused { .. }), "{refused}");
    let detached = host.exec(&id, &ExecRequest { detach: true, ..exec("sleep 100") }).await.expect("left running");
    assert_eq!((detached.code, detached.timed_out), (None, false));
    assert!(host.top(&id).await.expect("processes").lines().count() > 1);
    assert!(host.stats(&id).await.expect("statistics").get("pids_stats").is_some());
    host.remove(&id).await.expect("removed");
}

async fn limits_commands(host: &dyn Host) {
    let id = started(host, "limits", lines::SLEEPS).await;
    let limit = Duration::from_millis(700);
    let before = Instant::now();
    let output = host.exec(&id, &ExecRequest { timeout: limit, ..exec("sleep 100") }).await.expect("a time-out");
    assert_eq!((output.code, output.timed_out), (None, true));
    assert!(before.elapsed() < Duration::from_secs(5), "{:?}", before.elapsed());
    let flood = ExecRequest { output_limit: 10, ..exec("head -c 100000 /dev/zero") };
    let output = host.exec(&id, &flood).await.expect("output");
    assert_eq!((output.code, output.stdout.len(), output.stdout_cut), (Some(0), 10, true));
    // What a command leaves behind, with its streams open, does not keep us.
    let before = Instant::now();
    let ExecOutput { code, stdout, timed_out, .. } =
        host.exec(&id, &exec("sleep 100 & echo left")).await.expect("output");
    assert_eq!((code, timed_out, stdout), (Some(0), false, b"left\n".to_vec()));
    assert!(before.elapsed() < Duration::from_secs(10), "{:?}", before.elapsed());
    host.remove(&id).await.expect("removed");
}

async fn moves_files(host: &dyn Host) {
    let id = made(host, "files", true, lines::SLEEPS).await;
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(3);
    header.set_mode(0o755);
    archive.append_data(&mut header, "folder/file", &b"put"[..]).expect("appended");
    host.put(&id, "/", archive.into_inner().expect("an archive").into()).await.expect("put");
    let get = async |file: &str, limit| host.get(&id, file, limit).await.expect("an answer");
    assert_eq!(get("/folder/file", 100).await, Some(b"put".to_vec()));
    assert_eq!(get("/folder/file", 2).await, Some(b"pu".to_vec()));
    assert_eq!(get("/folder/none", 100).await, None);
    host.start(&id).await.expect("a start");
    let output = host.exec(&id, &exec("cat /folder/file")).await.expect("output");
    assert_eq!(output.stdout, b"put");
    host.remove(&id).await.expect("removed");
}

async fn stops_and_kills(host: &dyn Host) {
    for (name, line, grace, code) in [("stops", lines::STOPS, 20, 5), ("deaf", DEAF, 1, 137)] {
        let id = made(host, name, true, line).await;
        let mut console = host.console(&id).await.expect("a console");
        host.start(&id).await.expect("a start");
        console.next().await.expect("its first words").expect("a chunk");
        host.stop(&id, Duration::from_secs(grace)).await.expect("a stop");
        assert_eq!(host.wait(&id).await.expect("a code"), code, "{name}");
        host.remove(&id).await.expect("removed");
    }
    let id = started(host, "kill", lines::SLEEPS).await;
    host.kill(&id, "SIGKILL").await.expect("killed");
    assert_eq!(host.wait(&id).await.expect("a code"), 137);
    assert!(host.kill(&id, "SIGKILL").await.is_err());
    let refused = host.exec(&id, &exec("echo out")).await.expect_err("it has ended");
    assert!(matches!(refused.kind, HostErrorKind::Refused { .. }), "{refused}");
    assert_eq!(host.list(LABEL).await.expect("a list").len(), 1);
    host.remove(&id).await.expect("removed");
}

async fn refuses_to_start(host: &dyn Host) {
    for attached in [false, true] {
        let mut request = shell(IMAGE, "missing", true, lines::MISSING);
        request.argv = vec![lines::MISSING.to_owned()];
        let id = host.create(&request).await.expect("a container");
        // Either call may be the one that hears it.
        let console = if attached { host.console(&id).await.map(drop) } else { Ok(()) };
        let refused = match console {
            Ok(()) => host.start(&id).await.expect_err("no such program"),
            Err(error) => error,
        };
        let HostErrorKind::Refused { message, .. } = &refused.kind else { unreachable!("{refused}") };
        assert!(message.to_lowercase().contains("no such file"), "{message}");
        assert!(!message.contains(&id.0), "{message}");
        host.remove(&id).await.expect("removed");
    }
}

async fn applies_flags(host: &dyn Host) {
    let mut request = shell(IMAGE, "flags", true, lines::SLEEPS);
    request.spec = ContainerSpec {
        cgroupns: Some("private".into()),
        tty: true,
        read_only: true,
        cap_add: vec!["SYS_ADMIN".into()],
        cap_drop: vec!["MKNOD".into()],
        security_opt: vec!["seccomp=unconfined".into(), "no-new-privileges".into()],
        devices: vec!["/dev/null:/dev/other".into()],
        sysctls: [("net.ipv4.ip_forward".to_owned(), "1".to_owned())].into(),
        user: Some("1000".into()),
        tmpfs: [("/tmp".to_owned(), "exec".to_owned())].into(),
        volumes: vec!["/proc:/outside:ro".into(), "/anonymous".into()],
        ulimits: vec!["nofile=100:200".into()],
        env: [("container".to_owned(), "docker".to_owned())].into(),
        stop_signal: Some("SIGRTMIN+3".into()),
        hostname: Some("box".into()),
        network: Some("none".into()),
        shm_size: Some(1 << 20),
        ..ContainerSpec::default()
    };
    let id = host.create(&request).await.expect("a container");
    let shown = host.inspect(&id).await.expect("a description");
    assert_eq!(not_applied(&request.spec, &shown), []);
    // An engine may show what it did not do, and do what it does not show.
    host.start(&id).await.expect("a start");
    let output = host.exec(&id, &exec(SEES)).await.expect("output");
    let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert_eq!(out, SEEN, "{err}");
    let other = ContainerSpec { cgroupns: Some("host".into()), ..ContainerSpec::default() };
    assert_eq!(not_applied(&other, &shown).len(), 1);
    let twice = host.create(&request).await.expect_err("the name is taken");
    assert!(matches!(twice.kind, HostErrorKind::Refused { status: 409, .. }), "{twice}");
    host.remove(&id).await.expect("removed");
}

async fn tells_what_is_not_there(host: &dyn Host) {
    let none = ContainerId("0123456789abcdef".into());
    let missing = |error: HostError| assert!(matches!(error.kind, HostErrorKind::NotFound(_)), "{error}");
    missing(host.start(&none).await.expect_err("none"));
    missing(host.wait(&none).await.expect_err("none"));
    missing(host.inspect(&none).await.expect_err("none"));
    missing(host.exec(&none, &exec("true")).await.expect_err("none"));
    missing(host.get(&none, "/etc/passwd", 1).await.expect_err("none"));
    missing(host.put(&none, "/", Bytes::new()).await.expect_err("none"));
    missing(host.kill(&none, "SIGKILL").await.expect_err("none"));
    missing(host.console(&none).await.err().expect("none"));
    host.remove(&none).await.expect("gone is fine");
    let nothing = CreateRequest { image: "sdc-test/none:1".into(), ..shell(IMAGE, "none", true, "true") };
    missing(host.create(&nothing).await.expect_err("no image"));
}
