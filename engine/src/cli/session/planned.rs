//! What goldens have to do with the cases of a plan.

use std::collections::BTreeMap;

use crate::changed::Parts;
use crate::cli::Failure;
use crate::facts::Facts;
use crate::golden::record::RecordedHost;
use crate::golden::{Coordinates, GoldenStore};
use crate::judge::{GoldenKey, golden_keys};
use crate::plan::{CaseId, CasePlan, RunPlan};
use crate::runner::Goldens;

/// What goldens need to know of a case that was planned.
pub(in crate::cli) struct Planned {
    /// Its name without the host, as goldens have it.
    pub(in crate::cli) case: CaseId,
    pub(in crate::cli) image: String,
    pub(in crate::cli) at: Coordinates,
    /// The goldens that it is compared with.
    pub(in crate::cli) keys: Vec<GoldenKey>,
    /// Its host's place among the facts.
    pub(in crate::cli) host: usize,
    /// What it comes of, where that is kept.
    pub(in crate::cli) parts: Option<Parts>,
}

/// What is to run on a host.
pub(super) struct ForHost {
    pub(super) plan: RunPlan,
    pub(super) goldens: Goldens,
    pub(super) cases: BTreeMap<CaseId, Planned>,
    /// The values that nobody is to see.
    pub(super) secrets: BTreeMap<String, String>,
}

/// A case's place among goldens: its axes, and the facts of the host that goldens may depend on.
fn coordinates(case: &CasePlan, facts: &Facts) -> Coordinates {
    let mut at: Coordinates = case.point.iter().map(|(axis, value)| (axis.to_string(), value.to_string())).collect();
    at.extend(RecordedHost::of(facts).coordinates());
    at
}

/// What goldens say of the cases of a plan.
pub(super) fn look_up(
    store: &GoldenStore,
    plan: &RunPlan,
    facts: &Facts,
    host: usize,
    with_parts: bool,
) -> Result<(Goldens, BTreeMap<CaseId, Planned>), Failure> {
    let (mut goldens, mut cases) = (Goldens::new(), BTreeMap::new());
    for case in plan.groups.iter().flat_map(|group| &group.cases) {
        let at = coordinates(case, facts);
        let mut states = BTreeMap::new();
        let keys = golden_keys(case);
        for key in &keys {
            states.insert(key.clone(), store.state(key, &case.id, &at).map_err(Failure::input)?);
        }
        let parts = with_parts.then(|| Parts::of_case(case, &states));
        goldens.insert(case.id.clone(), states);
        let planned = Planned { case: case.id.clone(), image: case.container.image.clone(), at, keys, host, parts };
        cases.insert(case.id.clone(), planned);
    }
    Ok((goldens, cases))
}
