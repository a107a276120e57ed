//! The smallest set of golden files: what it should look like, and what must hold of any.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::collections::BTreeMap;

use proptest::prelude::*;

use sdc_engine::golden::name::MAX_NAME;
use sdc_engine::golden::{Condition, Coordinates, Files, MinimiseError, minimise, resolve};

fn at(name: &str) -> Coordinates {
    Condition::parse(name).unwrap().single().unwrap()
}

fn cells(all: &[(&str, &str)]) -> Vec<(Coordinates, String)> {
    all.iter().map(|(name, text)| (at(name), text.to_string())).collect()
}

/// Every point of three axes, with the text that `of` says.
fn cube(of: impl Fn(&str, &str, &str) -> &'static str) -> Vec<(Coordinates, String)> {
    let mut all = Vec::new();
    for cgroups in ["v1", "v2"] {
        for ns in ["host", "private"] {
            for mode in ["default", "rebind", "remount", "unmount"] {
                let at = at(&format!("cgroupns={ns},cgroups={cgroups},mode={mode}"));
                all.push((at, of(cgroups, ns, mode).to_owned()));
            }
        }
    }
    all
}

fn names(seen: &[(Coordinates, String)]) -> Vec<String> {
    let files = minimise(seen).unwrap();
    check(seen, &files).unwrap();
    files.iter().map(|(condition, text)| format!("{condition} -> {text}")).collect()
}

/// Whether every cell resolves to its text.
fn exact(seen: &[(Coordinates, String)], files: &BTreeMap<Condition, String>) -> bool {
    seen.iter().all(|(at, text)| matches!(resolve(files, at), Ok(Some((_, found))) if found == text))
}

fn check(seen: &[(Coordinates, String)], files: &BTreeMap<Condition, String>) -> Result<(), TestCaseError> {
    prop_assert!(exact(seen, files), "not exact: {files:?}");
    for needless in files.keys() {
        let mut fewer = files.clone();
        fewer.remove(needless);
        prop_assert!(!exact(seen, &fewer), "{needless} is redundant in {files:?}");
    }
    Ok(())
}

#[test]
fn one_text_is_the_base() {
    assert_eq!(names(&cube(|_, _, _| "same")), ["base -> same"]);
    assert_eq!(names(&cells(&[("base", "only")])), ["base -> only"]);
    assert_eq!(minimise(&[]).unwrap(), BTreeMap::new());
}

#[test]
fn the_axes_that_matter_are_named() {
    assert_eq!(
        names(&cube(|_, ns, _| if ns == "private" { "p" } else { "h" })),
        ["base -> h", "cgroupns=private -> p"]
    );
    let seen = cube(|cgroups, ns, mode| match (cgroups, ns, mode) {
        ("v2", _, "rebind" | "remount") => "bound",
        (_, "private", _) => "private",
        _ => "host",
    });
    assert_eq!(
        names(&seen),
        ["base -> host", "cgroupns=private -> private", "cgroups=v2,mode=rebind+remount -> bound"]
    );
}

#[test]
fn an_exception_lets_a_condition_stay_short() {
    let seen = cube(|cgroups, ns, mode| match (cgroups, ns, mode) {
        ("v2", "private", "rebind") => "odd",
        (_, "private", _) => "private",
        _ => "host",
    });
    let expected = ["base -> host", "cgroupns=private -> private", "cgroupns=private,cgroups=v2,mode=rebind -> odd"];
    assert_eq!(names(&seen), expected);
}

#[test]
fn the_base_text_may_be_the_exception() {
    let seen = cube(|cgroups, ns, mode| match (cgroups, ns, mode) {
        (_, "private", m) if (cgroups, m) != ("v2", "rebind") => "private",
        _ => "host",
    });
    let expected = ["base -> host", "cgroupns=private -> private", "cgroups=v2,mode=rebind -> host"];
    assert_eq!(names(&seen), expected);
}

#[test]
fn a_text_that_is_no_box_is_cut() {
    let seen = cube(|cgroups, ns, mode| match (cgroups, ns, mode) {
        ("v1", "host", "rebind") | ("v2", "private", "unmount") => "odd",
        _ => "even",
    });
    let expected = [
        "base -> even",
        "cgroupns=host,cgroups=v1,mode=rebind -> odd",
        "cgroupns=private,cgroups=v2,mode=unmount -> odd",
    ];
    assert_eq!(names(&seen), expected);
}

#[test]
fn ties_for_the_base_go_by_text() {
    assert_eq!(names(&cells(&[("a=1", "y"), ("a=2", "x")])), ["base -> x", "a=1 -> y"]);
}

#[test]
fn cases_recorded_before_an_axis_was_added_keep_their_text() {
    let seen = cells(&[("a=1", "old"), ("a=2", "old"), ("a=1,b=1", "new"), ("a=1,b=2", "new"), ("a=1,b=3", "new")]);
    assert_eq!(names(&seen), ["a=1,b=1+2+3 -> new", "a=1+2 -> old"]);
}

#[test]
fn contradictions_and_endless_names_are_errors() {
    let twice = cells(&[("a=1", "x"), ("a=1", "y")]);
    assert_eq!(minimise(&twice).unwrap_err().to_string(), "two different texts for the same coordinates, a=1");
    let long = "x".repeat(MAX_NAME);
    let seen = cells(&[("a=1", "x"), ("a=2", "x"), (&format!("a={long}"), "y")]);
    assert!(matches!(minimise(&seen), Err(MinimiseError::TooLong { .. })));
}

#[test]
fn names_that_would_be_too_long_are_cut() {
    let mut seen: Vec<_> = (0..50).map(|i| (at(&format!("axis=value-{i:02}")), "many".to_owned())).collect();
    seen.extend((0..60).map(|i| (at(&format!("axis=other-{i:02}")), "base".to_owned())));
    let files = minimise(&seen).unwrap();
    check(&seen, &files).unwrap();
    assert_eq!(files.len(), 1 + 3);
    assert!(files.keys().all(|condition| condition.file_name().len() <= MAX_NAME));
}

#[test]
fn ten_thousand_cases_with_forty_texts() {
    // Two axes decide, a third has exceptions, and the rest say nothing.
    let mut seen = Vec::new();
    for i in 0..10_000_usize {
        let digits: Vec<usize> = (0..4).map(|n| i / 10_usize.pow(n) % 10).collect();
        let text = match digits[..] {
            [3, 3, 3, _] => 39,
            [a, b, ..] => (a * a + 3 * b) % 39,
            _ => 0,
        };
        let name = format!("a={},b={},c={},d={}", digits[0], digits[1], digits[2], digits[3]);
        seen.push((at(&name), format!("text {text}\n")));
    }
    let files = minimise(&seen).unwrap();
    assert!(files.len() < 120);
    let files = Files::from(files);
    assert!(seen.iter().all(|(at, text)| files.resolve(at).unwrap().unwrap().1 == text));
}

/// Few keys, values and texts, so that they meet; some cells lack keys.
fn any_cells(whole: bool) -> impl Strategy<Value = Vec<(Coordinates, String)>> {
    let least = if whole { 1..4_u8 } else { 0..4_u8 };
    let cell = prop::collection::vec(least, 4).prop_map(|values| {
        let held = values.iter().enumerate().filter(|(_, value)| **value > 0);
        held.map(|(key, value)| (format!("k{key}"), value.to_string())).collect::<Coordinates>()
    });
    prop::collection::btree_map(cell, "[A-D]", 0..40).prop_map(|cells| cells.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_case_resolves_and_no_file_is_redundant(seen in any_cells(true)) {
        check(&seen, &minimise(&seen).unwrap())?;
    }

    #[test]
    fn cases_with_differing_keys_too(seen in any_cells(false)) {
        check(&seen, &minimise(&seen).unwrap())?;
    }

    #[test]
    fn order_and_repetition_are_nothing(
        (seen, shuffled) in any_cells(false).prop_flat_map(|seen| {
            let mut twice = seen.clone();
            twice.extend(seen.iter().take(3).cloned());
            (Just(seen), Just(twice).prop_shuffle())
        })
    ) {
        let files = minimise(&seen).unwrap();
        prop_assert_eq!(&minimise(&shuffled).unwrap(), &files);
        let resolved: Vec<_> = seen
            .iter()
            .map(|(at, _)| (at.clone(), resolve(&files, at).unwrap().unwrap().1.to_owned()))
            .collect();
        prop_assert_eq!(&minimise(&resolved).unwrap(), &files);
    }

    #[test]
    fn a_box_is_one_file(
        size in prop::collection::vec(1..4_usize, 2..4),
        at in prop::collection::vec(prop::collection::btree_set(0..4_usize, 1..3), 3),
    ) {
        let mut seen = vec![(Coordinates::new(), true)];
        for (axis, _) in size.iter().enumerate() {
            seen = seen
                .into_iter()
                .flat_map(|(cell, inside)| {
                    let at = &at;
                    (0..4_usize).map(move |value| {
                        let mut cell = cell.clone();
                        cell.insert(format!("k{axis}"), value.to_string());
                        (cell, inside && at[axis].contains(&value))
                    })
                })
                .collect();
        }
        let seen: Vec<_> =
            seen.into_iter().map(|(cell, inside)| (cell, if inside { "in" } else { "out" }.to_owned())).collect();
        prop_assert_eq!(minimise(&seen).unwrap().len(), 2);
    }
}
