//! Lab hosts: engines of our own, declared in `images/hosts/<name>.toml` and used by name, so that one machine stands for
//! many. A lab host says which engine and runtime it has, which cgroup layout, where its programs come from and what
//! keeps it apart from this machine. [`super::private`] and [`super::vm`] start them.
//!
//! ```toml
//! title = "docker 28 (Debian forky) on cgroup v2"
//! engine = "docker"      # or podman
//! runtime = "runc"       # or crun
//! cgroups = "v2"         # or v1: this machine's hierarchies as they are
//!
//! [root]                 # without it: this machine's programs
//! suite = "forky"
//! packages = ["docker.io", "runc"]
//! ```
//!
//! The shipped ones are part of the program; a file of the same name replaces one.

mod keys;
mod load;
mod parse;
mod root;
mod shipped;

pub(crate) use keys::HOST;
pub use load::load;
pub(super) use root::provide as provide_root;

use std::collections::BTreeMap;

use serde::Serialize;

use super::vm::VmSpec;
use crate::facts::{CgroupVersion, EngineKind};

/// A lab host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lab {
    /// The file's name, without `.toml`.
    pub name: String,
    /// One line on it.
    pub title: String,
    /// The engine.
    pub engine: EngineKind,
    /// The OCI runtime: `runc` or `crun`.
    pub runtime: String,
    /// The cgroup version of its containers.
    pub cgroups: CgroupVersion,
    /// Whether the engine runs as a user without privileges.
    pub rootless: bool,
    /// What keeps it apart, and where its programs come from.
    pub place: Place,
}

/// Where a lab host runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// In namespaces of its own, with this machine's programs.
    Machine,
    /// In namespaces of its own, with the programs of a Debian suite.
    Root(Root),
    /// In a virtual machine.
    Vm(VmSpec),
}

/// A root folder, bootstrapped from Debian's packages, that an engine's programs come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Root {
    /// The suite, such as `trixie`.
    pub suite: String,
    /// Packages besides the suite's essential ones.
    pub packages: Vec<String>,
    /// Extra arguments of mmdebstrap.
    pub options: Vec<String>,
}

/// Why this machine can't start a lab host; `None` where nothing known is in the way. Starts nothing.
pub async fn obstacle(lab: &Lab) -> Option<String> {
    super::private::possible(lab, super::facts::layout_here().await).err()
}

/// The lab hosts by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Labs(pub BTreeMap<String, Lab>);

impl Labs {
    /// The lab host of that name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Lab> {
        self.0.get(name)
    }

    /// The names, in order, as a sentence has them.
    #[must_use]
    pub fn names(&self) -> String {
        self.0.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    }

    /// Those that a run may fall back to where no engine is found: this machine's programs, as root, docker first.
    #[must_use]
    pub fn fallbacks(&self, cgroups: CgroupVersion) -> Vec<&Lab> {
        let mut found: Vec<_> = self
            .0
            .values()
            .filter(|lab| lab.place == Place::Machine && !lab.rootless && lab.cgroups == cgroups)
            .collect();
        found.sort_by_key(|lab| lab.engine == EngineKind::Podman);
        found
    }
}
