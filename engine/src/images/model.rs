//! The shapes of `images/<name>/image.toml` and `images/setup/<mode>/mode.toml`. Plain values.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::scenario::model::Rule;

/// A setup mode: a script that runs before systemd and then `exec`s it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetupMode {
    /// The folder's name.
    pub name: String,
    /// One line on what it does.
    pub title: String,
    /// More of it, and sources.
    pub description: String,
    /// The script's text; `None` where systemd starts as the image has it.
    pub script: Option<String>,
    /// Capabilities that the script needs, without `CAP_`.
    pub capabilities: Vec<String>,
    /// When it can't work by its nature; conditions over `host.*` and `container.*`.
    pub not_applicable: Vec<Rule>,
}

/// How an image is made from Debian's packages: `[bootstrap]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bootstrap {
    /// The suite, such as `bookworm`.
    pub suite: String,
    /// mmdebstrap's variant.
    pub variant: String,
    /// Packages besides the variant's.
    pub packages: Vec<String>,
    /// Extra arguments of mmdebstrap.
    #[serde(default)]
    pub options: Vec<String>,
    /// Shell lines run with `$1` as the root folder.
    #[serde(default)]
    pub customise: Vec<String>,
}

/// How an image is built from one that a registry has: `[build]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// The Dockerfile, beside `image.toml`.
    pub dockerfile: String,
    /// The image that it starts from, as a registry names it.
    pub needs: String,
}

/// A base image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImageDef {
    /// The folder's name.
    pub name: String,
    /// One line.
    pub title: String,
    /// The major version of its systemd.
    pub systemd: u32,
    /// What PID 1 runs.
    pub init: Vec<String>,
    /// The signal that shuts it down.
    pub stop_signal: String,
    /// From Debian's packages.
    pub bootstrap: Option<Bootstrap>,
    /// From a registry's image.
    pub build: Option<Build>,
    /// The Dockerfile's text, where there is one.
    pub dockerfile: Option<String>,
    /// The hash of what the made image depends on (not of `title` and `systemd`): the tag of what was made from it.
    pub content: String,
}

impl ImageDef {
    /// The tag of the image in an engine's store.
    #[must_use]
    pub fn tag(&self) -> String {
        format!("sdc-engine/{}:{}", self.name, &self.content[..12.min(self.content.len())])
    }
}

/// Everything that `images/` declares.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Catalogue {
    /// Base images by name.
    pub images: BTreeMap<String, ImageDef>,
    /// Setup modes by name.
    pub setup_modes: BTreeMap<String, SetupMode>,
    /// The shell library that every setup script sources: `images/setup/lib.sh`.
    pub setup_lib: String,
}
