//! How judgements become a verdict.

use std::time::Duration;

use super::{Judgement, JudgementKind, Verdict};
use crate::scenario::model::Level;

/// A judgement, and what besides its level decides how it counts.
#[derive(Debug, Clone)]
pub(super) struct Weighed {
    pub(super) judgement: Judgement,
    /// It is about something that a passed limit cut short, so that it broke as a consequence, if it did.
    pub(super) follows: bool,
    /// The limit that passed, for [`JudgementKind::Timeout`].
    pub(super) limit: Option<Duration>,
}

impl From<Judgement> for Weighed {
    fn from(judgement: Judgement) -> Self {
        Self { judgement, follows: false, limit: None }
    }
}

/// The verdict of judgements, the first of these that applies:
///
/// 1. `fail`: something of level `fail` broke. What only follows from a passed limit (checks of a text that was cut
///    short, steps that had nothing to run in) does not count where the limit itself does.
/// 2. `timeout`: a limit passed, at level `fail`.
/// 3. `new`: a golden was never recorded. It comes before `warn`, since a person must look at the case anyway.
/// 4. `warn`: anything else broke.
/// 5. `pass`.
pub(super) fn verdict(judgements: &[Weighed]) -> Verdict {
    let broken: Vec<&Weighed> = judgements.iter().filter(|weighed| !weighed.judgement.held).collect();
    let of_kind = |kind| broken.iter().filter(move |weighed| weighed.judgement.kind == kind);
    let timeout = of_kind(JudgementKind::Timeout).find(|weighed| weighed.judgement.level == Level::Fail);
    let fails = |weighed: &Weighed| {
        let own_kind = !matches!(weighed.judgement.kind, JudgementKind::Timeout | JudgementKind::GoldenNew);
        weighed.judgement.level == Level::Fail && own_kind && !(weighed.follows && timeout.is_some())
    };
    if broken.iter().any(|weighed| fails(weighed)) {
        Verdict::Fail
    } else if let Some(timeout) = timeout {
        let after = timeout.limit.map(|limit| format!(" after {}", humantime::format_duration(limit)));
        let subject = match &timeout.judgement.subject {
            super::Subject::Boot => "boot".to_owned(),
            super::Subject::Step(name) => format!("step {name}"),
        };
        Verdict::Timeout(format!("{subject}{}", after.unwrap_or_default()))
    } else if of_kind(JudgementKind::GoldenNew).next().is_some() {
        Verdict::New
    } else if broken.is_empty() {
        Verdict::Pass
    } else {
        Verdict::Warn
    }
}

#[cfg(test)]
mod tests {
    use super::{Weighed, verdict};
    use crate::judge::{Judgement, JudgementKind, Subject, Verdict};
    use crate::scenario::model::Level;
    use std::time::Duration;

    fn broken(kind: JudgementKind, level: Level) -> Weighed {
        let judgement = Judgement {
            subject: Subject::Step("s".to_owned()),
            kind,
            held: false,
            level,
            expected: String::new(),
            actual: String::new(),
            place: None,
        };
        let limit = (kind == JudgementKind::Timeout).then(|| Duration::from_secs(5));
        Weighed { judgement, follows: false, limit }
    }

    #[test]
    fn precedence() {
        let fail = broken(JudgementKind::Check, Level::Fail);
        let timeout = broken(JudgementKind::Timeout, Level::Fail);
        let new = broken(JudgementKind::GoldenNew, Level::Fail);
        let warn = broken(JudgementKind::Check, Level::Warn);
        let mut held = fail.clone();
        held.judgement.held = true;
        let late = Verdict::Timeout("step s after 5s".to_owned());
        let ranked =
            [(fail, Verdict::Fail), (timeout, late), (new, Verdict::New), (warn, Verdict::Warn), (held, Verdict::Pass)];
        for (at, (_, expected)) in ranked.iter().enumerate() {
            let mut rest: Vec<Weighed> = ranked[at..].iter().map(|(weighed, _)| weighed.clone()).collect();
            assert_eq!(verdict(&rest), *expected);
            rest.reverse();
            assert_eq!(verdict(&rest), *expected, "the order does not matter");
        }
        assert_eq!(verdict(&[]), Verdict::Pass);
    }

    #[test]
    fn what_follows_from_a_limit_counts_only_without_it() {
        let follows = Weighed { follows: true, ..broken(JudgementKind::Check, Level::Fail) };
        let timeout = |level| broken(JudgementKind::Timeout, level);
        assert!(matches!(verdict(&[follows.clone(), timeout(Level::Fail)]), Verdict::Timeout(_)));
        assert_eq!(verdict(&[follows, timeout(Level::Warn)]), Verdict::Fail);
        assert_eq!(verdict(&[timeout(Level::Warn)]), Verdict::Warn);
    }
}
