//! The command line that repeats a boot by hand. Pure.

use std::borrow::Cow;

use crate::facts::EngineKind;
use crate::plan::{Action, ContainerSpec, StepPlan};
use crate::scenario::model::EngineAction;

/// Where setup scripts are put in a container.
pub const SETUP_FOLDER: &str = "/usr/local/lib/sdc-engine";
/// The container's name in a command line by hand.
const NAME: &str = "sdc-by-hand";

/// What a user pastes to boot the same container: `engine` are the words that reach it (`docker -H unix:///x.sock`),
/// `argv` is all that PID 1 runs.
///
/// Where `argv` runs a setup script, it is put in as the runner does it, and not by a volume, which the container would
/// see among its mounts: three commands, to be run in the repository's root folder.
#[must_use]
pub fn command_line(spec: &ContainerSpec, image: &str, argv: &[String], engine: &str) -> String {
    let podman = engine.split_whitespace().next() == Some("podman");
    let container = container(spec, image, argv, podman);
    let folder = format!("{SETUP_FOLDER}/");
    if !argv.iter().any(|word| word.contains(&folder)) {
        return format!("{}{engine} run --rm {container}", given(spec));
    }
    let files = format!("images/setup/lib.sh {}", quote(&format!("images/setup/{}/setup.sh", spec.setup_mode)));
    let put = format!("tar -c --transform 's,.*/,{},' {files}", folder.trim_start_matches('/'));
    let given = given(spec);
    format!("{given}{engine} create {container} &&\n{put} | {engine} cp - {NAME}:/ &&\n{engine} start --attach {NAME}")
}

/// The program and words that reach an engine at an address.
#[must_use]
pub fn client(engine: EngineKind, address: &str) -> String {
    let flag = match engine {
        EngineKind::Docker => "-H",
        EngineKind::Podman => "--url",
    };
    format!("{engine} {flag} {}", quote(address))
}

/// What a user pastes to do a step in a container of [`command_line`].
#[must_use]
pub fn step_line(step: &StepPlan, engine: &str) -> String {
    let user = step.user.as_ref().map_or_else(String::new, |user| format!("--user {} ", quote(user)));
    let detach = if step.background { "--detach " } else { "" };
    match &step.action {
        Action::Run(argv) => {
            let argv: Vec<_> = argv.iter().map(|word| quote(word)).collect();
            format!("{engine} exec {detach}{user}{NAME} {}", argv.join(" "))
        }
        Action::Engine(action) => match action {
            EngineAction::Logs => format!("{engine} logs {NAME}"),
            EngineAction::Inspect => format!("{engine} inspect {NAME}"),
            EngineAction::Top => format!("{engine} top {NAME}"),
            EngineAction::Stats => format!("{engine} stats --no-stream {NAME}"),
            EngineAction::Stop { grace } => format!("{engine} stop --time {} {NAME}", grace.as_secs()),
            EngineAction::Restart { grace } => format!("{engine} restart --time {} {NAME}", grace.as_secs()),
            EngineAction::Start => format!("{engine} start {NAME}"),
            EngineAction::Kill { signal } => format!("{engine} kill --signal {} {NAME}", quote(signal)),
            EngineAction::Wait => format!("{engine} wait {NAME}"),
        },
    }
}

/// What puts secrets into the environment of a command, where they have another name than in the container.
fn given(spec: &ContainerSpec) -> String {
    let renamed = spec.secrets.iter().filter(|(name, variable)| name != variable);
    renamed.map(|(name, variable)| format!("{name}=\"${variable}\" ")).collect()
}

/// The words after `run` or `create`.
fn container(spec: &ContainerSpec, image: &str, argv: &[String], podman: bool) -> String {
    let mut words = vec![format!("--name {NAME}"), "--interactive".to_owned()];
    let mut switch = |on: bool, flag: &str| {
        if on {
            words.push(flag.to_owned());
        }
    };
    switch(spec.tty, "--tty");
    switch(spec.privileged, "--privileged");
    switch(spec.read_only, "--read-only");
    let mut flag = |name: &str, value: &str| words.push(format!("--{name} {}", quote(value)));
    let values = [
        ("cgroupns", &spec.cgroupns),
        ("stop-signal", &spec.stop_signal),
        ("network", &spec.network),
        ("hostname", &spec.hostname),
        ("userns", &spec.userns),
        ("cgroups", &spec.cgroups),
        ("cgroup-parent", &spec.cgroup_parent),
        ("user", &spec.user),
    ];
    for (name, value) in values {
        value.iter().for_each(|value| flag(name, value));
    }
    for (name, value) in [("memory", spec.memory), ("pids-limit", spec.pids_limit), ("shm-size", spec.shm_size)] {
        value.iter().for_each(|value| flag(name, &value.to_string()));
    }
    spec.nano_cpus.iter().for_each(|cpus| flag("cpus", &billionths(*cpus)));
    let lists = [
        ("cap-add", &spec.cap_add),
        ("cap-drop", &spec.cap_drop),
        ("security-opt", &spec.security_opt),
        ("volume", &spec.volumes),
        ("device", &spec.devices),
        ("ulimit", &spec.ulimits),
    ];
    for (name, list) in lists {
        list.iter().for_each(|value| flag(name, value));
    }
    spec.unmask.iter().for_each(|path| flag("security-opt", &format!("unmask={path}")));
    for (path, options) in &spec.tmpfs {
        flag("tmpfs", &if options.is_empty() { path.clone() } else { format!("{path}:{options}") });
    }
    // docker and podman take the value from their own environment: see `given`.
    spec.secrets.keys().for_each(|name| flag("env", name));
    for (name, map) in [("env", &spec.env), ("sysctl", &spec.sysctls)] {
        map.iter().for_each(|(key, value)| flag(name, &format!("{key}={value}")));
    }
    if let Some(mode) = spec.systemd.as_ref().filter(|_| podman) {
        words.push(format!("--systemd={}", quote(mode)));
    }
    // On a command line the entrypoint is one word; the rest of the vector is the command.
    if let Some(program) = argv.first() {
        words.push(format!("--entrypoint {}", quote(program)));
    }
    words.push(quote(image).into_owned());
    words.extend(argv.iter().skip(1).map(|word| quote(word).into_owned()));
    words.join(" ")
}

/// A word for a shell; `shell_words` alone would quote every `a=b` and `/run:exec`.
fn quote(word: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-+./:=,@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) { Cow::Borrowed(word) } else { shell_words::quote(word) }
}

/// `--cpus` takes a decimal number.
pub(super) fn billionths(number: i64) -> String {
    let (whole, rest) = (number / 1_000_000_000, number % 1_000_000_000);
    format!("{whole}.{rest:09}").trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> ContainerSpec {
        ContainerSpec {
            setup_mode: "rebind".into(),
            cgroupns: Some("host".into()),
            systemd: Some("always".into()),
            tty: true,
            cap_add: vec!["SYS_ADMIN".into()],
            tmpfs: [("/run".to_owned(), String::new()), ("/tmp".to_owned(), "exec,size=1m".to_owned())].into(),
            env: [("container".to_owned(), "docker".to_owned()), ("X".to_owned(), "a b'c".to_owned())].into(),
            stop_signal: Some("SIGRTMIN+3".into()),
            nano_cpus: Some(500_000_000),
            ..ContainerSpec::default()
        }
    }

    #[test]
    fn one_command_without_a_setup_script() {
        let line = command_line(&spec(), "sdc-engine/debian-12:abc", &["/sbin/init".to_owned()], "docker");
        insta::assert_snapshot!(line, @r"docker run --rm --name sdc-by-hand --interactive --tty --cgroupns host --stop-signal SIGRTMIN+3 --cpus 0.5 --cap-add SYS_ADMIN --tmpfs /run --tmpfs /tmp:exec,size=1m --env 'X=a b'\''c' --env container=docker --entrypoint /sbin/init sdc-engine/debian-12:abc");
    }

    #[test]
    fn a_secret_is_named_and_not_told() {
        let secrets = [("TOKEN", "MY_TOKEN"), ("KEY", "KEY")].map(|(a, b)| (a.to_owned(), b.to_owned())).into();
        let spec = ContainerSpec { secrets, ..ContainerSpec::default() };
        let line = command_line(&spec, "image", &["/sbin/init".to_owned()], "docker");
        insta::assert_snapshot!(line, @r#"TOKEN="$MY_TOKEN" docker run --rm --name sdc-by-hand --interactive --env KEY --env TOKEN --entrypoint /sbin/init image"#);
    }

    #[test]
    fn a_setup_script_is_put_in_between() {
        let argv = ["/bin/sh", "-c", "exec /usr/local/lib/sdc-engine/setup.sh /sbin/init"].map(ToOwned::to_owned);
        let spec =
            ContainerSpec { setup_mode: "rebind".into(), systemd: Some("always".into()), ..ContainerSpec::default() };
        let line = command_line(&spec, "image", &argv, "podman --url unix:///p.sock");
        insta::assert_snapshot!(line, @r"
        podman --url unix:///p.sock create --name sdc-by-hand --interactive --systemd=always --entrypoint /bin/sh image -c 'exec /usr/local/lib/sdc-engine/setup.sh /sbin/init' &&
        tar -c --transform 's,.*/,usr/local/lib/sdc-engine/,' images/setup/lib.sh images/setup/rebind/setup.sh | podman --url unix:///p.sock cp - sdc-by-hand:/ &&
        podman --url unix:///p.sock start --attach sdc-by-hand
        ");
    }

    #[test]
    fn billionths_are_written_short() {
        assert_eq!([1_500_000_000, 2_000_000_000, 1].map(billionths), ["1.5", "2", "0.000000001"]);
    }
}
