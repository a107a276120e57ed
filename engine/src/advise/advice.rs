//! What came of the tries, put together. Plain values.

use serde::Serialize;

use super::grant::Grant;
use super::search::{Candidate, Next, Seen, Step, next};
use crate::diagnose::Diagnosis;

/// How a try ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Ended {
    /// It booted or it did not; `outcome` in the words of a boot.
    Booted {
        /// Whether systemd came up, running or degraded.
        works: bool,
        /// How the boot ended.
        outcome: String,
        /// The log line that decided.
        line: Option<String>,
        /// What is known of that line.
        diagnoses: Vec<Diagnosis>,
        /// How long it took, in milliseconds.
        took_ms: u128,
    },
    /// It can't run here, and was not started.
    NotStarted {
        /// Why.
        why: String,
    },
}

impl Ended {
    /// Whether systemd came up.
    #[must_use]
    pub const fn works(&self) -> bool {
        matches!(self, Self::Booted { works: true, .. })
    }

    /// What is known of why it did not.
    #[must_use]
    pub fn diagnoses(&self) -> &[Diagnosis] {
        match self {
            Self::Booted { diagnoses, .. } => diagnoses,
            Self::NotStarted { .. } => &[],
        }
    }

    /// Whether no grant can help: there is no init to run.
    #[must_use]
    pub fn is_hopeless(&self) -> bool {
        self.diagnoses().iter().any(|found| HOPELESS.contains(&found.name.as_str()))
    }
}

/// Diagnoses of images that lack what flags can't give.
const HOPELESS: [&str; 2] = ["no-init", "init-can-not-run"];

/// One try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// What was given.
    #[serde(skip)]
    pub candidate: Candidate,
    /// Its names; empty: nothing.
    pub grants: Vec<String>,
    /// How it ended.
    pub ended: Ended,
    /// The container, by the words that reach the engine.
    #[serde(skip)]
    pub container: Option<Box<crate::plan::CasePlan>>,
}

/// A grant of the answer, and what came of leaving it out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Needed {
    /// The grant.
    #[serde(flatten)]
    pub grant: Grant,
    /// How the try ended that had all but this.
    pub without: Ended,
}

/// What a search came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The least that works.
    Least {
        /// The grants, the least exposing first; each is needed.
        needed: Vec<Needed>,
        /// How it ended.
        ended: Ended,
    },
    /// Nothing works; the try that came furthest up the ladder, or that no grant can help.
    Nothing {
        /// The last boot's end.
        blocks: Option<Ended>,
        /// Whether the search was ended, for no grant can help.
        hopeless: bool,
    },
}

/// Tries so far, and what they come to.
#[derive(Debug, Clone, Default)]
pub struct Advice {
    /// The grants that can matter, the most exposing last.
    pub ladder: Vec<Grant>,
    /// The tries, in order.
    pub attempts: Vec<Attempt>,
}

impl Advice {
    /// What to try next; `None` where the search is over.
    #[must_use]
    pub fn next(&self) -> Option<Candidate> {
        if self.hopeless() {
            return None;
        }
        match self.search() {
            Next::Try(candidate) => Some(candidate),
            Next::Found(_) | Next::Nothing => None,
        }
    }

    /// The answer, once the search is over.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let ended = |candidate: &Candidate| self.attempt(candidate).map(|attempt| attempt.ended.clone());
        if let Next::Found(found) = self.search()
            && let Some(how) = ended(&found)
        {
            let needed = found.all().into_iter().filter_map(|place| {
                Some(Needed { grant: self.ladder.get(place)?.clone(), without: ended(&found.without(place))? })
            });
            return Verdict::Least { needed: needed.collect(), ended: how };
        }
        let last = self.attempts.iter().rev().find(|attempt| matches!(attempt.ended, Ended::Booted { .. }));
        Verdict::Nothing { blocks: last.map(|attempt| attempt.ended.clone()), hopeless: self.hopeless() }
    }

    /// The try that the answer is.
    #[must_use]
    pub fn least(&self) -> Option<&Attempt> {
        match self.search() {
            Next::Found(found) => self.attempt(&found),
            Next::Try(_) | Next::Nothing => None,
        }
    }

    /// The names of a set's grants.
    #[must_use]
    pub fn names(&self, candidate: &Candidate) -> Vec<String> {
        candidate.all().into_iter().filter_map(|place| Some(self.ladder.get(place)?.name.clone())).collect()
    }

    fn attempt(&self, candidate: &Candidate) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| attempt.candidate == *candidate)
    }

    fn hopeless(&self) -> bool {
        self.attempts.iter().any(|attempt| attempt.ended.is_hopeless())
    }

    fn search(&self) -> Next {
        let steps: Vec<Step> = self.ladder.iter().map(Grant::step).collect();
        let seen = self.attempts.iter().map(|attempt| (attempt.candidate.clone(), attempt.ended.works())).collect();
        next(&steps, &Seen(seen))
    }
}
