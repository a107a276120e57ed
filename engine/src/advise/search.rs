//! The search for the least set that works. Pure, and without memory: it is done again from what was seen, and stops where
//! something is not known yet.
//!
//! Grants stand on a ladder, the most exposing last. One set is less than another if the most exposing grant in which they
//! differ is in the other. *Plain* grants add to a container; of the *ways* to its cgroups one at most is taken. It is
//! assumed that plain grants only help: where a set works, so does the same way with more of them. From that follows what
//! need not be tried. What is claimed in the end does not rest on it: each grant of the answer is taken away once more, in a
//! boot, and where that works all the same, the smaller set is the answer.

use std::collections::BTreeSet;

/// What a step of the ladder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Adds to a container.
    Plain,
    /// A way to its cgroups, of which one at most is taken.
    Way,
}

/// A set of grants, by their places on the ladder.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Candidate {
    /// The way, if not the container's own cgroups as the engine makes them.
    pub way: Option<usize>,
    /// The plain grants.
    pub plain: BTreeSet<usize>,
}

impl Candidate {
    /// Every grant, in the order of the ladder.
    #[must_use]
    pub fn all(&self) -> BTreeSet<usize> {
        self.plain.iter().copied().chain(self.way).collect()
    }

    /// The same without one grant.
    #[must_use]
    pub fn without(&self, grant: usize) -> Self {
        let mut less = self.clone();
        less.plain.remove(&grant);
        less.way = less.way.filter(|way| *way != grant);
        less
    }

    /// Which of two is less: the most exposing grant in which they differ decides.
    #[must_use]
    pub fn is_less(&self, other: &Self) -> bool {
        self.all().into_iter().rev().lt(other.all().into_iter().rev())
    }
}

/// What came of the tries so far: each candidate, and whether it booted.
#[derive(Debug, Clone, Default)]
pub struct Seen(pub Vec<(Candidate, bool)>);

impl Seen {
    /// What was seen of exactly this set.
    #[must_use]
    pub fn exactly(&self, candidate: &Candidate) -> Option<bool> {
        self.0.iter().find(|(tried, _)| tried == candidate).map(|(_, works)| *works)
    }

    /// What was seen, or follows: more of the same works where less does, and less fails where more does.
    fn implies(&self, candidate: &Candidate) -> Option<bool> {
        let same_way = || self.0.iter().filter(|(tried, _)| tried.way == candidate.way);
        let follows = || {
            if same_way().any(|(tried, works)| *works && tried.plain.is_subset(&candidate.plain)) {
                return Some(true);
            }
            same_way().any(|(tried, works)| !*works && tried.plain.is_superset(&candidate.plain)).then_some(false)
        };
        self.exactly(candidate).or_else(follows)
    }
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// This must be tried.
    Try(Candidate),
    /// This is the least that works; for each of its grants, the set without it was tried and failed.
    Found(Candidate),
    /// Nothing on the ladder works.
    Nothing,
}

/// What is not known, and must be tried.
struct Unknown(Candidate);

/// What to try next, or the answer.
#[must_use]
pub fn next(ladder: &[Step], seen: &Seen) -> Next {
    match least(ladder, seen).and_then(|found| found.map(|found| proved(found, seen)).transpose()) {
        Err(Unknown(candidate)) => Next::Try(candidate),
        Ok(Some(found)) => Next::Found(found),
        Ok(None) => Next::Nothing,
    }
}

fn known(candidate: &Candidate, seen: &Seen) -> Result<bool, Unknown> {
    seen.implies(candidate).ok_or_else(|| Unknown(candidate.clone()))
}

/// Climbs the ladder: on each step everything up to it that has it, so that no grant is given before all that is less was
/// found not to do.
fn least(ladder: &[Step], seen: &Seen) -> Result<Option<Candidate>, Unknown> {
    let nothing = Candidate::default();
    if known(&nothing, seen)? {
        return Ok(Some(nothing));
    }
    for top in 0..ladder.len() {
        let below = |wanted: Step| (0..top).filter(move |step| ladder[*step] == wanted);
        let mut plain: BTreeSet<usize> = below(Step::Plain).collect();
        let ways: Vec<Option<usize>> = match ladder[top] {
            Step::Way => vec![Some(top)],
            Step::Plain => {
                plain.insert(top);
                std::iter::once(None).chain(below(Step::Way).map(Some)).collect()
            }
        };
        let mut best: Option<Candidate> = None;
        for way in ways {
            let floor = Candidate { way, plain: [top].into_iter().filter(|top| ladder[*top] == Step::Plain).collect() };
            // Even the least that has this way would be more than what was found.
            if best.as_ref().is_some_and(|best| !floor.is_less(best)) {
                continue;
            }
            let all = Candidate { way, plain: plain.clone() };
            if known(&all, seen)? {
                let found = shrunk(all, top, seen)?;
                if best.as_ref().is_none_or(|best| found.is_less(best)) {
                    best = Some(found);
                }
            }
        }
        if best.is_some() {
            return Ok(best);
        }
    }
    Ok(None)
}

/// Takes plain grants away, the most exposing first: what is kept could not go while all that is less was there.
fn shrunk(mut candidate: Candidate, top: usize, seen: &Seen) -> Result<Candidate, Unknown> {
    for grant in candidate.plain.clone().into_iter().rev().filter(|grant| *grant != top) {
        let less = candidate.without(grant);
        if known(&less, seen)? {
            candidate = less;
        }
    }
    Ok(candidate)
}

/// Takes each grant away in a boot of its own. Where more harmed, the smaller set is the answer.
fn proved(candidate: Candidate, seen: &Seen) -> Result<Candidate, Unknown> {
    for grant in candidate.all().into_iter().rev() {
        let less = candidate.without(grant);
        if seen.exactly(&less).ok_or_else(|| Unknown(less.clone()))? {
            return proved(less, seen);
        }
    }
    // It may have followed from less that works; it is shown to work itself.
    seen.exactly(&candidate).ok_or_else(|| Unknown(candidate.clone()))?;
    Ok(candidate)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest};

    use super::*;

    /// A world: a ladder, and the sets from which on things work, by way.
    #[derive(Debug, Clone)]
    struct World {
        ladder: Vec<Step>,
        enough: Vec<Candidate>,
    }

    impl World {
        fn works(&self, candidate: &Candidate) -> bool {
            self.enough.iter().any(|least| least.way == candidate.way && least.plain.is_subset(&candidate.plain))
        }

        /// Every set that there is.
        fn all(&self) -> Vec<Candidate> {
            let of = |wanted| (0..self.ladder.len()).filter(move |step| self.ladder[*step] == wanted);
            let plain: Vec<usize> = of(Step::Plain).collect();
            let ways: Vec<Option<usize>> = std::iter::once(None).chain(of(Step::Way).map(Some)).collect();
            let sets = (0..1_u32 << plain.len())
                .map(|bits| plain.iter().enumerate().filter(|(i, _)| bits >> i & 1 == 1).map(|(_, g)| *g).collect());
            sets.flat_map(|plain: BTreeSet<usize>| {
                ways.iter().map(move |way| Candidate { way: *way, plain: plain.clone() })
            })
            .collect()
        }

        /// The search's answer, and all that it tried.
        fn search(&self) -> (Option<Candidate>, Vec<Candidate>) {
            let mut seen = Seen::default();
            loop {
                match next(&self.ladder, &seen) {
                    Next::Try(candidate) => {
                        assert_eq!(seen.exactly(&candidate), None, "tried twice");
                        let works = self.works(&candidate);
                        seen.0.push((candidate, works));
                    }
                    Next::Found(found) => return (Some(found), seen.0.into_iter().map(|(tried, _)| tried).collect()),
                    Next::Nothing => return (None, seen.0.into_iter().map(|(tried, _)| tried).collect()),
                }
            }
        }
    }

    fn worlds() -> impl Strategy<Value = World> {
        let ladder = proptest::collection::vec(any::<bool>(), 0..9);
        let enough = proptest::collection::vec((any::<u8>(), any::<u16>()), 0..5);
        (ladder, enough).prop_map(|(ladder, enough)| {
            let ladder: Vec<Step> =
                ladder.into_iter().map(|plain| if plain { Step::Plain } else { Step::Way }).collect();
            let mut world = World { ladder, enough: Vec::new() };
            let all = world.all();
            world.enough = enough
                .into_iter()
                .map(|(a, b)| all[(usize::from(a) * 31 + usize::from(b)) % all.len()].clone())
                .collect();
            world
        })
    }

    proptest! {
        #[test]
        fn the_answer_is_the_least_of_all_that_work(world in worlds()) {
            let mut best: Option<Candidate> = None;
            for candidate in world.all().into_iter().filter(|candidate| world.works(candidate)) {
                if best.as_ref().is_none_or(|best| candidate.is_less(best)) {
                    best = Some(candidate);
                }
            }
            prop_assert_eq!(world.search().0, best);
        }

        #[test]
        fn nothing_above_the_answer_is_tried_and_each_grant_of_it_is_proved(world in worlds()) {
            let (found, tried) = world.search();
            if let Some(found) = found {
                let top = found.all().last().copied();
                prop_assert!(tried.iter().all(|tried| tried.all().last().copied() <= top), "{:?}", tried);
                for grant in found.all() {
                    prop_assert!(tried.contains(&found.without(grant)));
                }
                prop_assert!(tried.contains(&found));
            }
        }
    }

    #[test]
    fn where_more_harms_the_smaller_set_is_the_answer() {
        // On a ladder of two, both together work, and so does the first alone: but not as the search climbs past it.
        let ladder = [Step::Plain, Step::Way];
        let mut seen = Seen::default();
        let set = |way, plain: &[usize]| Candidate { way, plain: plain.iter().copied().collect() };
        seen.0.push((set(None, &[]), false));
        seen.0.push((set(None, &[0]), false));
        seen.0.push((set(Some(1), &[0]), true));
        assert_eq!(next(&ladder, &seen), Next::Try(set(Some(1), &[])));
        seen.0.push((set(Some(1), &[]), false));
        assert_eq!(next(&ladder, &seen), Next::Found(set(Some(1), &[0])));
        // Seen to work with less: then that is what is told.
        seen.0[0].1 = true;
        assert_eq!(next(&ladder, &seen), Next::Found(set(None, &[])));
    }
}
