//! Which axis flips a case: the cases that differ from it in that axis alone and came to something else. Pure.

use std::collections::HashMap;

/// What the search knows of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spot {
    /// Its value of each axis.
    pub at: Vec<Option<usize>>,
    /// Its verdict; `None` for a case that did not run, or in which the environment failed: it says nothing.
    pub verdict: Option<usize>,
    /// What its boot came to.
    pub boot: Option<String>,
}

/// A neighbour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flip {
    /// The axes in which it differs: one, or the host and the axis that no two hosts share values of.
    pub axes: Vec<usize>,
    /// The other case.
    pub to: usize,
    /// Whether the verdicts differ, and not only the boots.
    pub verdict: bool,
}

/// How neighbours are found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axes {
    /// How many there are.
    pub count: usize,
    /// The host's.
    pub host: usize,
    /// The scenario's: cases of different questions are no neighbours.
    pub scenario: usize,
    /// The one (`cgroup_mode`) that may differ with the host where the other host has no case of the same value: a host
    /// with cgroup v1 and one with v2 share none.
    pub with_host: Option<usize>,
}

type Places<'a> = HashMap<Vec<Option<usize>>, Vec<usize>>;

/// The neighbours of each case: for each axis the nearest whose verdict differs, else the nearest whose boot does. Those with
/// another verdict come first.
pub(super) fn flips(spots: &[Spot], axes: Axes) -> Vec<Vec<Flip>> {
    let mut found: Vec<Vec<Flip>> = vec![Vec::new(); spots.len()];
    for axis in (0..axes.count).filter(|axis| *axis != axes.scenario) {
        let places = by_place(spots, &[axis]);
        let wider = axes.with_host.filter(|_| axis == axes.host).map(|also| (also, by_place(spots, &[axis, also])));
        for (number, spot) in
            spots.iter().enumerate().filter(|(_, spot)| spot.verdict.is_some() && spot.at[axis].is_some())
        {
            let others = at(&places, spot, &[axis]);
            let elsewhere = |other: &usize| spots[*other].at[axis] != spot.at[axis];
            if let Some(flip) = nearest(spots, number, others, &[axis]) {
                found[number].push(flip);
            } else if let Some((also, places)) = &wider
                && !others.iter().any(elsewhere)
            {
                let others: Vec<usize> = at(places, spot, &[axis, *also]).iter().copied().filter(elsewhere).collect();
                found[number].extend(nearest(spots, number, &others, &[axis, *also]));
            }
        }
    }
    for flips in &mut found {
        flips.sort_by_key(|flip| !flip.verdict);
    }
    found
}

fn without(spot: &Spot, axes: &[usize]) -> Vec<Option<usize>> {
    spot.at.iter().enumerate().map(|(axis, value)| if axes.contains(&axis) { None } else { *value }).collect()
}

fn by_place(spots: &[Spot], axes: &[usize]) -> Places<'static> {
    let mut places = Places::new();
    for (number, spot) in spots.iter().enumerate().filter(|(_, spot)| spot.verdict.is_some()) {
        places.entry(without(spot, axes)).or_default().push(number);
    }
    places
}

fn at<'a>(places: &'a Places<'_>, spot: &Spot, axes: &[usize]) -> &'a [usize] {
    places.get(&without(spot, axes)).map_or(&[], Vec::as_slice)
}

fn nearest(spots: &[Spot], number: usize, others: &[usize], axes: &[usize]) -> Option<Flip> {
    let own = &spots[number];
    let distance = |other: &Spot| {
        axes.iter()
            .map(|axis| own.at[*axis].unwrap_or_default().abs_diff(other.at[*axis].unwrap_or_default()))
            .sum::<usize>()
    };
    others
        .iter()
        .map(|to| (*to, &spots[*to]))
        .filter(|(_, other)| axes.iter().all(|axis| other.at[*axis].is_some()) && other.at != own.at)
        .filter(|(_, other)| (other.verdict, &other.boot) != (own.verdict, &own.boot))
        .min_by_key(|(to, other)| (other.verdict == own.verdict, distance(other), *to))
        .map(|(to, other)| Flip { axes: axes.to_vec(), to, verdict: other.verdict != own.verdict })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Axes: 0 setup mode, 1 cgroup mode, 2 host, 3 scenario.
    const AXES: Axes = Axes { count: 4, host: 2, scenario: 3, with_host: Some(1) };

    fn spot(at: [usize; 4], verdict: usize, boot: &str) -> Spot {
        Spot { at: at.map(Some).to_vec(), verdict: Some(verdict), boot: Some(boot.into()) }
    }

    fn told(spots: &[Spot]) -> Vec<Vec<(Vec<usize>, usize)>> {
        let pairs = |flips: Vec<Flip>| flips.into_iter().map(|flip| (flip.axes, flip.to)).collect();
        flips(spots, AXES).into_iter().map(pairs).collect()
    }

    #[test]
    fn one_axis_differs_and_the_nearest_value_wins() {
        let spots = [
            spot([0, 0, 0, 0], 0, "up"),
            spot([1, 0, 0, 0], 0, "up"),
            spot([2, 0, 0, 0], 2, "down"),
            spot([3, 0, 0, 0], 2, "down"),
        ];
        assert_eq!(told(&spots), [vec![(vec![0], 2)], vec![(vec![0], 2)], vec![(vec![0], 1)], vec![(vec![0], 1)]]);
    }

    #[test]
    fn another_verdict_is_more_than_another_boot() {
        let spots = [
            spot([0, 0, 0, 0], 0, "up"),
            spot([1, 0, 0, 0], 0, "down"),
            spot([2, 0, 0, 0], 2, "down"),
            spot([0, 1, 0, 0], 0, "down"),
        ];
        assert_eq!(told(&spots)[0], [(vec![0], 2), (vec![1], 3)]);
    }

    #[test]
    fn hosts_without_a_value_in_common_are_neighbours_across_it() {
        let mut spots = vec![spot([0, 0, 0, 0], 0, "up"), spot([0, 2, 1, 0], 2, "down")];
        assert_eq!(told(&spots), [vec![(vec![2, 1], 1)], vec![(vec![2, 1], 0)]]);
        // With the same value there, the other value is two steps away.
        spots.push(spot([0, 0, 1, 0], 0, "up"));
        assert_eq!(told(&spots)[0], []);
    }

    #[test]
    fn what_did_not_run_and_other_questions_are_no_neighbours() {
        let silent = Spot { verdict: None, ..spot([1, 0, 0, 0], 0, "up") };
        let spots = [spot([0, 0, 0, 0], 0, "up"), silent, spot([0, 0, 0, 1], 2, "down")];
        assert!(told(&spots).iter().all(Vec::is_empty));
        let mut lacking = spot([1, 0, 0, 0], 2, "down");
        lacking.at[0] = None;
        assert!(told(&[spot([0, 0, 0, 0], 0, "up"), lacking]).iter().all(Vec::is_empty));
    }
}
