//! What a case changed on the machine that its container ran on: a machine's state, and the difference of two. Pure;
//! `host` reads the state, the runner says whose doing a difference is.

mod state;

pub use state::{CgroupDirs, Change, HostState, changes, of_an_engine, restless};

use serde::Serialize;

use crate::plan::CaseId;

/// A change of the host, found when a boot was over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Leak {
    /// The host.
    pub host: String,
    /// The cases that ran since the host was last as before: the first one's doing where it is alone, else one of them.
    pub cases: Vec<CaseId>,
    /// Whether they are those that declare a `host_risk`; others that ran beside them are then not named.
    pub declared: bool,
    /// Whether the host is still so at the end of the run.
    pub lasting: bool,
    /// What changed, in words.
    pub changes: Vec<String>,
}

impl Leak {
    /// Whose doing it is, in words: `after a[x=1]`, or `after one of 3 cases: …`.
    #[must_use]
    pub fn whose(&self) -> String {
        const SHOWN: usize = 3;
        let names: Vec<&str> = self.cases.iter().take(SHOWN).map(|case| case.0.as_str()).collect();
        let names = names.join(", ");
        match self.cases.len() {
            0 => "while no case ran".to_owned(),
            1 => format!("after {names}"),
            n if n <= SHOWN => format!("after one of {n} cases: {names}"),
            n => format!("after one of {n} cases: {names}, …"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leak_says_whose_it_is() {
        let leak = |n: usize| Leak {
            host: "lab".into(),
            cases: (0..n).map(|i| CaseId(format!("a[x={i}]"))).collect(),
            declared: true,
            lasting: true,
            changes: vec![],
        };
        assert_eq!(leak(1).whose(), "after a[x=0]");
        assert_eq!(leak(2).whose(), "after one of 2 cases: a[x=0], a[x=1]");
        assert_eq!(leak(5).whose(), "after one of 5 cases: a[x=0], a[x=1], a[x=2], …");
        assert_eq!(leak(0).whose(), "while no case ran");
    }
}
