//! What is set aside, seen with today's scenarios and goldens: rules may have been edited and goldens recorded since.
//! Pure.

use super::model::{Entry, Pending};
use crate::golden::{GoldenError, GoldenStore};
use crate::judge::{GoldenState, golden_text};
use crate::plan::CasePlan;

/// One text to decide on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item<'a> {
    /// What was set aside.
    pub entry: &'a Entry,
    /// The text, normalised by today's rules.
    pub text: String,
    /// The golden that it differs from: its file, below the golden root, and its text.
    pub golden: Option<(String, String)>,
}

/// An entry that nothing can be decided on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stale<'a> {
    /// What was set aside.
    pub entry: &'a Entry,
    /// Why.
    pub why: String,
    /// Whether the goldens say the same by now.
    pub settled: bool,
}

/// What there is to decide on, and what is stale. `plan` finds the plan of an entry's case on its host.
///
/// # Errors
/// When the goldens contradict each other.
pub fn present<'a, 'p>(
    pending: &'a Pending,
    store: &GoldenStore,
    plan: impl Fn(&Entry) -> Option<&'p CasePlan>,
) -> Result<(Vec<Item<'a>>, Vec<Stale<'a>>), GoldenError> {
    let (mut items, mut stale) = (Vec::new(), Vec::new());
    for entry in &pending.entries {
        let gone = |why: &str| Stale { entry, why: why.to_owned(), settled: false };
        let Some(plan) = plan(entry) else {
            stale.push(gone("no such case is planned on its host any more"));
            continue;
        };
        let text = match golden_text(plan, &entry.key, &entry.raw) {
            Some(Ok(text)) => text,
            Some(Err(why)) => {
                stale.push(gone(&why));
                continue;
            }
            None => {
                stale.push(gone("its scenario has no such golden any more"));
                continue;
            }
        };
        let golden = match store.state(&entry.key, &entry.case, &entry.at)? {
            GoldenState::New => None,
            GoldenState::Recorded { file, text } => Some((file, text)),
        };
        if entry.other.is_none() && golden.as_ref().is_some_and(|(_, recorded)| *recorded == text) {
            stale.push(Stale { entry, why: "its golden says the same by now".to_owned(), settled: true });
        } else {
            items.push(Item { entry, text, golden });
        }
    }
    Ok((items, stale))
}
