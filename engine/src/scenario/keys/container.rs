//! The keys of `[container]`.

use crate::schema::{Key, Named, Shape, Table};

const TEXTS: Shape = Shape::List(&Shape::Template);

/// `[container]`.
pub(crate) static CONTAINER: Table = Table {
    what: "[container]",
    id: "container",
    written: "`[container]`",
    doc: "The container's flags, named as docker names them. Every text may hold `${{ … }}`; a text that renders to nothing counts \
          as not written. What is not written is the engine's own default. A flag that an engine lacks makes its cases not \
          applicable.",
    keys: &[
        FLAGS,
        &[Key::new(
            "when",
            Shape::List(&Shape::Table(&CONTAINER_WHEN)),
            "Flags under a condition: their lists are appended, their tables merged.",
        )],
    ],
    named: None,
};

/// `[[container.when]]`.
pub(crate) static CONTAINER_WHEN: Table = Table {
    what: "[[container.when]]",
    id: "container_when",
    written: "`[[container.when]]`",
    doc: "More flags, where a condition holds.",
    keys: &[&[Key::needed("if", Shape::Condition, "The condition, such as `\"host.engine == 'podman'\"`.")], FLAGS],
    named: None,
};

const FLAGS: &[Key] = &[
    Key::new("image", Shape::Template, "A folder of `images/`. Needed, here or in a `defaults.toml`."),
    Key::new("setup_mode", Shape::Template, "A folder of `images/setup/`: the script that runs before systemd.")
        .or("\"default\""),
    Key::new("cgroupns", Shape::Choice(&["host", "private"]), "The cgroup namespace."),
    Key::new("privileged", Shape::Switch, "Every capability and device, and no confinement.").or("false"),
    Key::new("cap_add", TEXTS, "Capabilities that are added, without `CAP_`."),
    Key::new("cap_drop", TEXTS, "Capabilities that are dropped, without `CAP_`; `ALL`."),
    Key::new(
        "security_opt",
        TEXTS,
        "Such as `apparmor=unconfined`, `seccomp=unconfined`, `writable-cgroups=true` (docker 28).",
    ),
    Key::new("unmask", TEXTS, "podman's: paths that are not hidden in the container, or `ALL`."),
    Key::new("tmpfs", TEXTS, "`path` or `path:options`, such as `/run/lock:size=1m`."),
    Key::new("volumes", TEXTS, "`host:container[:options]`."),
    Key::new("devices", TEXTS, "`host[:container[:rwm]]`."),
    Key::new("ulimits", TEXTS, "`name=soft[:hard]`, such as `nofile=1024:2048`."),
    Key::new("command", TEXTS, "What runs as PID 1 in place of the image's init."),
    Key::new(
        "env",
        Shape::Table(&ENV),
        "Environment variables; a value is a text, or `{ secret = \"VARIABLE\" }`, taken from that variable of sdc-engine's own \
         environment and never shown.",
    ),
    Key::new("sysctls", Shape::Table(&SYSCTLS), "Kernel parameters of the container's namespaces."),
    Key::new(
        "stop_signal",
        Shape::Scalar,
        "The signal that shuts PID 1 down, such as `SIGRTMIN+3`; the image's own, if not written.",
    ),
    Key::new("network", Shape::Template, "Such as `none` or `host`."),
    Key::new("hostname", Shape::Template, "The host name inside."),
    Key::new("userns", Shape::Template, "Such as `host`; podman's `keep-id` and `auto`."),
    Key::new("cgroup_parent", Shape::Template, "The cgroup that the container's is made in."),
    Key::new("memory", Shape::Scalar, "The limit of memory: bytes, or with a unit (`256m`)."),
    Key::new("cpus", Shape::Scalar, "The limit of processors, such as `0.5`."),
    Key::new("pids_limit", Shape::Scalar, "The limit of processes; -1: none."),
    Key::new("shm_size", Shape::Scalar, "The size of `/dev/shm`: bytes, or with a unit (`64m`)."),
    Key::new("user", Shape::Scalar, "Whom PID 1 runs as."),
    Key::new("read_only", Shape::Switch, "Whether the root file system is read-only.").or("false"),
    Key::new("tty", Shape::Switch, "Whether there is a terminal; without one there is no console log.").or("true"),
    Key::new("systemd", Shape::Choice(&["always", "true", "false"]), "podman's systemd mode."),
    Key::new("cgroups", Shape::Template, "podman's: `enabled`, `disabled`, `no-conmon` or `split`."),
];

/// `env`.
pub(crate) static ENV: Table = Table {
    what: "a table of flags",
    id: "env",
    written: "`container.env`",
    doc: "Environment variables.",
    keys: &[],
    named: Some(Named {
        name: "NAME",
        shape: Shape::Any(&[Shape::Scalar, Shape::Table(&SECRET)]),
        doc: "The variable's value.",
    }),
};

/// `sysctls`.
pub(crate) static SYSCTLS: Table = Table {
    what: "a table of flags",
    id: "sysctls",
    written: "`container.sysctls`",
    doc: "Kernel parameters of the container's namespaces.",
    keys: &[],
    named: Some(Named { name: "NAME", shape: Shape::Scalar, doc: "The parameter's value." }),
};

/// A secret of `env`.
pub(crate) static SECRET: Table = Table {
    what: "a secret",
    id: "secret",
    written: "`{ secret = \"VARIABLE\" }`",
    doc: "A value that has no place in a file.",
    keys: &[&[Key::needed(
        "secret",
        Shape::Text,
        "The variable of sdc-engine's own environment that holds the value.",
    )]],
    named: None,
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::super::model::{List, Map, Scalar};
    use super::FLAGS;

    #[test]
    fn the_flags_are_those_of_the_model() {
        let scalars = Scalar::ALL.iter().map(|(_, key)| *key);
        let lists = List::ALL.iter().map(|(_, key)| *key);
        let model: BTreeSet<&str> = scalars.chain(lists).chain(Map::ALL.iter().map(|(_, key)| *key)).collect();
        assert_eq!(model, FLAGS.iter().map(|key| key.name).collect());
    }
}
