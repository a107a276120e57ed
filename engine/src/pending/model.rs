//! What is set aside. Plain values.

use serde::{Deserialize, Serialize};

use crate::facts::Facts;
use crate::golden::Coordinates;
use crate::judge::GoldenKey;
use crate::plan::CaseId;

/// The version of the file's shape: a file of another version is not read.
pub(super) const VERSION: u32 = 1;

/// Everything that is set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pending {
    /// The version of this shape.
    pub(super) version: u32,
    /// The facts of the hosts that entries were seen on.
    pub hosts: Vec<Facts>,
    /// By golden, then by place among its cases; no two of the same.
    pub entries: Vec<Entry>,
}

impl Default for Pending {
    fn default() -> Self {
        Self { version: VERSION, hosts: Vec::new(), entries: Vec::new() }
    }
}

/// One text of one case that differs from its golden, or has none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The golden.
    pub key: GoldenKey,
    /// Its place among the golden's cases: axes and the host's facts.
    pub at: Coordinates,
    /// The case, without the host.
    pub case: CaseId,
    /// The scenario's question.
    pub title: String,
    /// The image.
    pub image: String,
    /// The image's systemd version.
    pub systemd: String,
    /// The host's place in [`Pending::hosts`].
    pub host: usize,
    /// The day on which it was last seen.
    pub day: String,
    /// How many runs saw it, one like the other.
    pub runs: u32,
    /// The text as it was printed.
    pub raw: String,
    /// The text as it was compared.
    pub text: String,
    /// Another text that a run of the same case gave: the case varies.
    pub other: Option<String>,
    /// Why the case can't be recorded, where it broke in another way too.
    pub broken: Option<String>,
    /// The last lines of the console.
    pub log: String,
    /// The command line that repeats the boot by hand.
    pub by_hand: String,
}

impl Pending {
    /// The host of an entry.
    #[must_use]
    pub fn facts(&self, entry: &Entry) -> Option<&Facts> {
        self.hosts.get(entry.host)
    }

    /// The place of these facts among the hosts, added where they are not there yet. The machine's name is not kept.
    pub(super) fn host(&mut self, facts: &Facts) -> usize {
        let facts = Facts { machine: String::new(), ..facts.clone() };
        self.hosts.iter().position(|known| *known == facts).unwrap_or_else(|| {
            self.hosts.push(facts);
            self.hosts.len() - 1
        })
    }

    /// Forgets the entries for which `settled` holds, and the hosts that no other was seen on.
    pub fn forget(&mut self, settled: impl Fn(&Entry) -> bool) {
        self.entries.retain(|entry| !settled(entry));
        let used = |host: &usize| self.entries.iter().any(|entry| entry.host == *host);
        let kept: Vec<usize> = (0..self.hosts.len()).filter(used).collect();
        self.hosts = kept.iter().map(|host| self.hosts[*host].clone()).collect();
        for entry in &mut self.entries {
            entry.host = kept.iter().position(|host| *host == entry.host).unwrap_or_default();
        }
    }
}

/// What no two entries have in common: a golden, and a place among its cases.
pub type Name = (GoldenKey, Coordinates);

impl Entry {
    /// Which text of which case on which kind of host it is about.
    #[must_use]
    pub fn name(&self) -> Name {
        (self.key.clone(), self.at.clone())
    }
}
