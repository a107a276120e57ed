//! Fewer cases than the full product that still bring every value, or every pair of values, of the axes.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use crate::scenario::model::{Point, Selection};

/// What a selection does to scenarios: `--select`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Select {
    /// Each scenario's own `select`.
    #[default]
    Default,
    /// All cases of all scenarios.
    Full,
    /// Pairwise, also where a scenario says otherwise.
    Pairwise,
}

impl Select {
    /// What it comes to for a scenario with this `select`.
    #[must_use]
    pub fn of(self, own: Selection) -> Selection {
        match self {
            Self::Default => own,
            Self::Full => Selection::Full,
            Self::Pairwise => Selection::Pairwise,
        }
    }
}

/// Which of these points stay: greedily, the next is always the one that brings most of what was not there yet, and of equals the
/// first. Each value (or pair of values) that some point has is in one that stays; points of no axis all stay.
#[must_use]
pub fn cover(points: &[&Point], selection: Selection) -> Vec<bool> {
    if selection == Selection::Full || points.iter().any(|point| point.is_empty()) {
        return vec![true; points.len()];
    }
    let mut numbers = HashMap::new();
    let brings: Vec<Vec<usize>> = points.iter().map(|point| brought(point, selection, &mut numbers)).collect();
    let mut missing = vec![true; numbers.len()];
    let mut stays = vec![false; points.len()];
    // What a point brings can only become less: one that is still the best after it was counted anew is the best.
    let mut heap: BinaryHeap<(usize, Reverse<usize>)> =
        brings.iter().enumerate().map(|(at, items)| (items.len(), Reverse(at))).collect();
    while let Some((promised, Reverse(at))) = heap.pop() {
        let new = brings[at].iter().filter(|item| missing[**item]).count();
        if new == 0 {
            continue;
        }
        if new < promised {
            heap.push((new, Reverse(at)));
            continue;
        }
        stays[at] = true;
        brings[at].iter().for_each(|item| missing[*item] = false);
    }
    stays
}

/// The numbers of the values, or pairs of values, that a point has. A point of one axis has no pair: its value counts.
fn brought(point: &Point, selection: Selection, numbers: &mut HashMap<[(usize, String); 2], usize>) -> Vec<usize> {
    let values: Vec<(usize, String)> = point.values().map(ToString::to_string).enumerate().collect();
    let mut number = |item: [(usize, String); 2]| {
        let next = numbers.len();
        *numbers.entry(item).or_insert(next)
    };
    if selection == Selection::Pairwise && values.len() > 1 {
        let pairs = (0..values.len()).flat_map(|a| (a + 1..values.len()).map(move |b| (a, b)));
        return pairs.map(|(a, b)| number([values[a].clone(), values[b].clone()])).collect();
    }
    values.into_iter().map(|value| number([value.clone(), value])).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::scenario::model::AxisValue;

    fn product(sizes: &[usize]) -> Vec<Point> {
        sizes.iter().enumerate().fold(vec![Point::new()], |points, (axis, size)| {
            let with = |point: &Point, value: usize| {
                let mut point = point.clone();
                point.insert(format!("axis{axis}").into(), AxisValue::Int(i64::try_from(value).unwrap()));
                point
            };
            points.iter().flat_map(|point| (0..*size).map(move |value| with(point, value))).collect()
        })
    }

    fn kept(points: &[Point], selection: Selection) -> Vec<&Point> {
        let all: Vec<&Point> = points.iter().collect();
        let stays = cover(&all, selection);
        all.into_iter().zip(stays).filter_map(|(point, stays)| stays.then_some(point)).collect()
    }

    fn values(points: &[&Point]) -> BTreeSet<(String, String)> {
        points
            .iter()
            .flat_map(|point| point.iter().map(|(axis, value)| (axis.to_string(), value.to_string())))
            .collect()
    }

    fn pairs(points: &[&Point]) -> BTreeSet<[(String, String); 2]> {
        let of = |point: &&Point| {
            let all: Vec<_> = point.iter().map(|(axis, value)| (axis.to_string(), value.to_string())).collect();
            let all = &all;
            (0..all.len()).flat_map(|a| (a + 1..all.len()).map(move |b| [all[a].clone(), all[b].clone()])).collect()
        };
        points.iter().flat_map(|point| -> Vec<_> { of(point) }).collect()
    }

    #[test]
    fn each_takes_as_many_as_the_longest_axis_is() {
        assert_eq!(kept(&product(&[4, 6]), Selection::Each).len(), 6);
        assert_eq!(kept(&product(&[4, 6]), Selection::Pairwise).len(), 24, "two axes have no fewer pairs than cases");
        assert!(kept(&product(&[4, 4, 4, 4]), Selection::Pairwise).len() < 32, "of 256");
        assert_eq!(kept(&product(&[3]), Selection::Pairwise).len(), 3);
    }

    #[test]
    fn a_scenario_without_axes_has_its_one_case() {
        assert_eq!(cover(&[&Point::new()], Selection::Pairwise), [true]);
    }

    proptest! {
        #[test]
        fn nothing_that_there_is_is_missing(
            sizes in prop::collection::vec(1usize..5, 1..5),
            holes in prop::collection::vec(any::<bool>(), 0..256),
        ) {
            let mut hole = holes.into_iter();
            let points: Vec<Point> = product(&sizes).into_iter().filter(|_| hole.next() != Some(true)).collect();
            let all: Vec<&Point> = points.iter().collect();
            let (each, pairwise) = (kept(&points, Selection::Each), kept(&points, Selection::Pairwise));
            prop_assert_eq!(values(&each), values(&all));
            prop_assert_eq!(values(&pairwise), values(&all));
            prop_assert_eq!(pairs(&pairwise), pairs(&all));
            prop_assert_eq!(kept(&points, Selection::Full).len(), points.len());
        }
    }
}
