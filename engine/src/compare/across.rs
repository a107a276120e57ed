//! Pairs of cases that differ in one axis: `cgroup_mode` has no value that hosts with cgroup v1 and v2 share, and yet
//! what `hybrid` gives on the one is to be held against `unified` on the other. Pure.

use std::collections::BTreeMap;

use super::side::{Case, Side};
use crate::golden::Coordinates;

/// Cases of a side by their other coordinates, and by their value of the axis.
type ByValue<'a> = BTreeMap<Coordinates, BTreeMap<&'a str, (&'a String, &'a Case)>>;

/// The sides with each case paired with all those of the other side that differ from it in this axis only. Where both
/// have a case with the same value these two are compared, as ever. Pairs have the value `a/b`.
#[must_use]
pub fn across(a: &Side, b: &Side, axis: &str) -> (Side, Side) {
    let (of_a, of_b) = (by_value(a, axis), by_value(b, axis));
    let (mut new_a, mut new_b) = (a.clone(), b.clone());
    for (rest, values_a) in &of_a {
        let Some(values_b) = of_b.get(rest) else { continue };
        let lone = |own: &BTreeMap<&str, _>, others: &BTreeMap<&str, _>| -> Vec<String> {
            own.keys().filter(|value| !others.contains_key(*value)).map(|value| (*value).to_owned()).collect()
        };
        for value_a in lone(values_a, values_b) {
            for value_b in lone(values_b, values_a) {
                let (id_a, case_a) = values_a[value_a.as_str()];
                let (id_b, case_b) = values_b[value_b.as_str()];
                let both = format!("{value_a}/{value_b}");
                let id = renamed(id_a, axis, &value_a, &both);
                new_a.cases.remove(id_a);
                new_b.cases.remove(id_b);
                new_a.cases.insert(id.clone(), placed(case_a, axis, &both));
                new_b.cases.insert(id, placed(case_b, axis, &both));
            }
        }
    }
    (new_a, new_b)
}

fn by_value<'a>(side: &'a Side, axis: &str) -> ByValue<'a> {
    let mut all = ByValue::new();
    for (id, case) in &side.cases {
        if let Some(value) = case.at.get(axis) {
            let mut rest = case.at.clone();
            rest.remove(axis);
            all.entry(rest).or_default().insert(value, (id, case));
        }
    }
    all
}

fn placed(case: &Case, axis: &str, value: &str) -> Case {
    let mut case = case.clone();
    case.at.insert(axis.to_owned(), value.to_owned());
    case
}

fn renamed(id: &str, axis: &str, old: &str, new: &str) -> String {
    let Some((name, point)) = id.strip_suffix(']').and_then(|id| id.split_once('[')) else { return id.to_owned() };
    let old = format!("{axis}={old}");
    let part = |part: &str| if part == old { format!("{axis}={new}") } else { part.to_owned() };
    format!("{name}[{}]", point.split(',').map(part).collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::compare;

    fn side(name: &str, modes: &[(&str, &str)]) -> Side {
        let mut side = Side { name: name.to_owned(), ..Side::default() };
        for (mode, verdict) in modes {
            for ns in ["host", "private"] {
                let at = [("cgroup_mode", *mode), ("cgroupns", ns), ("scenario", "s")];
                let at = at.map(|(axis, value)| (axis.to_owned(), value.to_owned())).into();
                let case = Case { at, verdict: (*verdict).to_owned(), ..Case::default() };
                side.cases.insert(format!("s[cgroup_mode={mode},cgroupns={ns}]"), case);
            }
        }
        side
    }

    #[test]
    fn values_that_no_side_shares_are_paired() {
        let (a, b) = (side("a", &[("hybrid", "pass"), ("legacy", "fail")]), side("b", &[("unified", "pass")]));
        assert_eq!(compare(&a, &b).compared, 0);
        let (a, b) = across(&a, &b, "cgroup_mode");
        let found = compare(&a, &b);
        assert_eq!((found.compared, found.differing()), (4, 2));
        assert_eq!(found.groups[0].when, ["cgroup_mode=legacy/unified"]);
        assert_eq!(found.groups[0].cases[0], "s[cgroup_mode=legacy/unified,cgroupns=host]");
        assert!(found.only_a.is_empty() && found.only_b.is_empty());
    }

    #[test]
    fn the_same_value_stays_with_its_own() {
        let (a, b) = (side("a", &[("hybrid", "pass"), ("legacy", "fail")]), side("b", &[("hybrid", "pass")]));
        assert_eq!(across(&a, &b, "cgroup_mode"), (a.clone(), b.clone()));
        assert_eq!(across(&a, &b, "nope"), (a, b));
    }
}
