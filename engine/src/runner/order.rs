//! In which order boots start: those that take long first, so that none of them is left for the end. Pure.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::time::Duration;

use crate::plan::{BootGroup, CaseId};
use crate::scenario::model::Repeat;

/// How long each case took when it last ran; none where nobody knows.
pub type Lengths = HashMap<CaseId, Duration>;

/// The groups with their numbers in the plan, longest first and of equals the first. A boot of which nothing is known counts as
/// long as the others of the plan are on average; where nothing is known of any, what their steps take at least counts.
pub(super) fn in_order(groups: Vec<BootGroup>, lengths: &Lengths) -> Vec<(usize, BootGroup)> {
    let recorded: Vec<Option<Duration>> = groups.iter().map(|group| recorded(group, lengths)).collect();
    let known: Vec<Duration> = recorded.iter().flatten().copied().collect();
    let count = u32::try_from(known.len()).unwrap_or(u32::MAX);
    let average = known.iter().sum::<Duration>().checked_div(count).unwrap_or_default();
    let length = |(group, recorded): (&BootGroup, &Option<Duration>)| recorded.unwrap_or(average).max(at_least(group));
    let lengths: Vec<Duration> = groups.iter().zip(&recorded).map(length).collect();
    let mut numbered: Vec<_> = groups.into_iter().enumerate().collect();
    numbered.sort_by_key(|(number, _)| (Reverse(lengths[*number]), *number));
    numbered
}

/// How long a group took, where any of its cases is known.
fn recorded(group: &BootGroup, lengths: &Lengths) -> Option<Duration> {
    group.cases.iter().filter_map(|case| lengths.get(&case.id).copied()).reduce(Duration::saturating_add)
}

/// The time that a group's steps take at least, as far as its plan tells.
fn at_least(group: &BootGroup) -> Duration {
    let repeats = group.cases.iter().flat_map(|case| &case.steps).filter_map(|step| match step.repeat {
        Some(Repeat::For(duration)) => Some(duration),
        Some(Repeat::Times(_)) | None => None,
    });
    let before = if group.cases.iter().any(|case| case.boot.before.is_some()) { 1 } else { 0 };
    repeats.sum::<Duration>() + Duration::from_secs(before)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing;

    fn groups(n: usize) -> Vec<BootGroup> {
        (0..n).map(|n| BootGroup { cases: vec![testing::case(&format!("s[n={n}]"))] }).collect()
    }

    fn order(groups: Vec<BootGroup>, known: &[(usize, u64)]) -> Vec<usize> {
        let lengths = known.iter().map(|(n, ms)| (CaseId(format!("s[n={n}]")), Duration::from_millis(*ms))).collect();
        in_order(groups, &lengths).into_iter().map(|(number, _)| number).collect()
    }

    #[test]
    fn without_records_the_plan_says() {
        assert_eq!(order(groups(4), &[]), [0, 1, 2, 3]);
        let mut some = groups(3);
        some[2].cases[0].boot.before = Some("sleep 1".into());
        assert_eq!(order(some, &[]), [2, 0, 1]);
    }

    #[test]
    fn the_longest_is_first_and_the_unknown_between() {
        assert_eq!(order(groups(4), &[(0, 100), (1, 100), (3, 900)]), [3, 2, 0, 1]);
        // A boot is as long as its cases together.
        let mut shared = groups(3);
        let more = shared.remove(2).cases;
        shared[1].cases.extend(more);
        assert_eq!(order(shared, &[(0, 500), (1, 300), (2, 300)]), [1, 0]);
    }

    proptest! {
        #[test]
        fn each_boot_starts_once_and_none_before_a_longer(
            n in 0usize..20, known in prop::collection::vec((0usize..20, 0u64..5), 0..20),
        ) {
            let order = order(groups(n), &known);
            let mut sorted = order.clone();
            sorted.sort_unstable();
            prop_assert_eq!(sorted, (0..n).collect::<Vec<_>>());
            let last: HashMap<usize, u64> = known.into_iter().collect();
            for pair in order.windows(2) {
                if let (Some(a), Some(b)) = (last.get(&pair[0]), last.get(&pair[1])) {
                    prop_assert!(a > b || (a == b && pair[0] < pair[1]), "{:?}", order);
                }
            }
        }
    }
}
