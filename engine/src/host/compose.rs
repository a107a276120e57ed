//! A container as a compose file. Pure.

use std::fmt::Write as _;

use super::by_hand::SETUP_FOLDER;
use crate::plan::ContainerSpec;

/// The compose file of a container that `argv` runs in. It is written in the flags that advice may name.
#[must_use]
pub fn compose(spec: &ContainerSpec, image: &str, argv: &[String]) -> String {
    let mut text = String::from("services:\n  systemd:\n");
    let mut line = |key: &str, value: String| {
        let _infallible = writeln!(text, "    {key}: {value}");
    };
    line("image", quoted(image));
    line("entrypoint", list(argv));
    line("tty", spec.tty.to_string());
    line("stdin_open", "true".into());
    if spec.privileged {
        line("privileged", "true".into());
    }
    let scalars = [("cgroup", &spec.cgroupns), ("stop_signal", &spec.stop_signal), ("network_mode", &spec.network)];
    for (key, value) in scalars {
        value.iter().for_each(|value| line(key, quoted(value)));
    }
    let mut volumes = spec.volumes.clone();
    if argv.iter().any(|word| word.contains(SETUP_FOLDER)) {
        let setup = format!("./images/setup/{}/setup.sh:{SETUP_FOLDER}/setup.sh:ro", spec.setup_mode);
        volumes.extend([format!("./images/setup/lib.sh:{SETUP_FOLDER}/lib.sh:ro"), setup]);
    }
    let tmpfs: Vec<String> = spec.tmpfs.keys().cloned().collect();
    let environment: Vec<String> = spec.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let lists = [
        ("cap_add", &spec.cap_add),
        ("security_opt", &spec.security_opt),
        ("tmpfs", &tmpfs),
        ("environment", &environment),
        ("volumes", &volumes),
    ];
    for (key, values) in lists.into_iter().filter(|(_, values)| !values.is_empty()) {
        line(key, list(values));
    }
    if spec.systemd.as_deref() == Some("always") {
        text.push_str("    # podman turns its systemd mode on by itself where the entrypoint is an init\n");
    }
    text
}

/// Every string of JSON is one of YAML. Compose reads `$` as the start of a variable.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text.replace('$', "$$")).to_string()
}

fn list(values: &[String]) -> String {
    format!("[{}]", values.iter().map(|value| quoted(value)).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use saphyr::{LoadableYamlNode as _, Yaml};

    use super::*;

    #[test]
    fn it_is_yaml_that_says_what_the_container_is() {
        let spec = ContainerSpec {
            setup_mode: "unmount".into(),
            cgroupns: Some("private".into()),
            cap_add: vec!["SYS_ADMIN".into()],
            security_opt: vec!["apparmor=unconfined".into()],
            tmpfs: [("/run".to_owned(), String::new())].into(),
            env: [("container".to_owned(), "docker: \"x\" # $y".to_owned())].into(),
            stop_signal: Some("SIGRTMIN+3".into()),
            network: Some("none".into()),
            tty: true,
            privileged: true,
            ..ContainerSpec::default()
        };
        let argv = [format!("{SETUP_FOLDER}/setup.sh"), "/sbin/init".to_owned()];
        let text = compose(&spec, "registry:5000/a", &argv);
        let file = Yaml::load_from_str(&text).expect("YAML").remove(0);
        let service = &file["services"]["systemd"];
        let texts = |key: &str| {
            let items = service[key].as_vec().into_iter().flatten();
            items.filter_map(|item| item.as_str()).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(service["image"].as_str(), Some("registry:5000/a"));
        assert_eq!(texts("entrypoint"), argv);
        assert_eq!((service["tty"].as_bool(), service["privileged"].as_bool()), (Some(true), Some(true)));
        assert_eq!((service["cgroup"].as_str(), service["network_mode"].as_str()), (Some("private"), Some("none")));
        assert_eq!(texts("cap_add"), ["SYS_ADMIN"]);
        assert_eq!(texts("security_opt"), ["apparmor=unconfined"]);
        assert_eq!(texts("tmpfs"), ["/run"]);
        assert_eq!(texts("environment"), ["container=docker: \"x\" # $$y"]);
        assert_eq!(texts("volumes").len(), 2);
    }
}
