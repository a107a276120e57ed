//! Every key of a lab host's file, with its meaning.

use super::parse::{ENGINES, RUNTIMES, VERSIONS};
use crate::schema::{Key, Shape, Table, words};

const TEXTS: Shape = Shape::List(&Shape::Text);

/// A file of `images/hosts/`.
pub(crate) static HOST: Table = Table {
    what: "a lab host",
    id: "host",
    written: "A lab host",
    doc: "`images/hosts/NAME.toml`: an engine that sdc-engine starts itself, on this machine, from a root folder of its own \
          (`[root]`) or in a virtual machine (`[vm]`).",
    keys: &[&[
        Key::needed("title", Shape::Text, "One line for people."),
        Key::needed("engine", Shape::Words(|| words(ENGINES)), "The engine."),
        Key::new("runtime", Shape::Words(|| words(RUNTIMES)), "What starts its containers.").or("\"runc\""),
        Key::needed("cgroups", Shape::Words(|| words(VERSIONS)), "The cgroups that its containers get."),
        Key::new("rootless", Shape::Bool, "Whether it runs as a user of its own: podman on v2.").or("false"),
        Key::new("root", Shape::Table(&ROOT), "The root folder that the engine runs in."),
        Key::new("vm", Shape::Table(&VM), "The virtual machine that the engine runs in."),
    ]],
    named: None,
};

const DEBIAN: &[Key] = &[
    Key::needed("suite", Shape::Text, "Debian's, such as `trixie`."),
    Key::needed("packages", TEXTS, "What is installed."),
];

/// `[root]`.
pub(crate) static ROOT: Table = Table {
    what: "[root]",
    id: "root",
    written: "`[root]`",
    doc: "A root folder of Debian's packages, made by mmdebstrap once.",
    keys: &[DEBIAN, &[Key::new("options", TEXTS, "Arguments of mmdebstrap.")]],
    named: None,
};

/// `[vm]`.
pub(crate) static VM: Table = Table {
    what: "[vm]",
    id: "vm",
    written: "`[vm]`",
    doc: "A virtual machine of Debian's packages, run by qemu.",
    keys: &[
        DEBIAN,
        &[
            Key::new("kernel_parameters", TEXTS, "Words of its kernel's command line."),
            Key::new("memory", Shape::Int(1, 1 << 20), "In MiB.").or("1536"),
            Key::new("cpus", Shape::Int(1, 64), "Processors.").or("2"),
        ],
    ],
    named: None,
};
