use proptest::prelude::*;

use super::*;

fn case(axes: &[(&str, &str)], verdict: &str, boot: &str, text: Option<&str>) -> Case {
    let mut at: Coordinates = axes.iter().map(|(axis, value)| ((*axis).to_owned(), (*value).to_owned())).collect();
    at.insert("scenario".to_owned(), "s".to_owned());
    Case {
        at,
        verdict: verdict.to_owned(),
        boot: Some(boot.to_owned()),
        texts: text.map(|text| ("mounts".to_owned(), text.to_owned())).into_iter().collect(),
        ..Case::default()
    }
}

/// Every combination of two axes; `result` says what comes of each.
fn side<'a>(name: &str, result: impl Fn(&str, &str) -> (&'a str, &'a str, Option<&'a str>)) -> Side {
    let mut side = Side { name: name.to_owned(), ..Side::default() };
    for mode in ["default", "rebind", "unmount"] {
        for ns in ["host", "private"] {
            let (verdict, boot, text) = result(mode, ns);
            let case = case(&[("setup_mode", mode), ("cgroupns", ns)], verdict, boot, text);
            side.cases.insert(format!("s[{mode},{ns}]"), case);
        }
    }
    side
}

#[test]
fn cases_that_differ_alike_are_one_group_with_its_axis() {
    let a = side("a", |_, _| ("pass", "running", Some("x\n")));
    let b = side("b", |mode, _| match mode {
        "unmount" => ("fail", "exited(255)", None),
        _ => ("pass", "running", Some("x\n")),
    });
    let found = compare(&a, &b);
    assert_eq!((found.compared, found.differing(), found.groups.len()), (6, 2, 1));
    let group = &found.groups[0];
    assert_eq!((group.when.as_slice(), group.matching), (&["setup_mode=unmount".to_owned()][..], 2));
    assert_eq!(group.verdict, Pair { a: "pass".into(), b: "fail".into() });
    assert_eq!(group.boot, Some(Pair { a: "running".into(), b: "exited(255)".into() }));
    assert!(group.texts.is_empty(), "the boot says it all");
}

#[test]
fn texts_alone_make_a_difference() {
    let a = side("a", |_, _| ("pass", "running", Some("x\n")));
    let b = side("b", |_, ns| ("pass", "running", Some(if ns == "private" { "y\n" } else { "x\n" })));
    let found = compare(&a, &b);
    assert_eq!(found.groups.len(), 1);
    assert_eq!(found.groups[0].when, ["cgroupns=private"]);
    let text = TextPair { step: "mounts".into(), a: Some("x\n".into()), b: Some("y\n".into()) };
    assert_eq!(found.groups[0].texts, [text]);
}

#[test]
fn everything_is_the_condition_that_holds_everywhere() {
    let found = compare(&side("a", |_, _| ("pass", "running", None)), &side("b", |_, _| ("fail", "running", None)));
    assert_eq!((found.groups.len(), found.groups[0].when.as_slice()), (1, &[String::new()][..]));
}

#[test]
fn where_most_cases_differ_the_others_are_the_exception() {
    let a = side("a", |_, _| ("pass", "running", None));
    let b = side("b", |mode, _| if mode == "default" { ("pass", "running", None) } else { ("fail", "running", None) });
    let group = &compare(&a, &b).groups[0];
    assert_eq!(
        (group.when.as_slice(), group.except.as_slice()),
        (&[String::new()][..], &["setup_mode=default".to_owned()][..])
    );
    assert_eq!((group.matching, group.cases.len()), (4, 4));
}

#[test]
fn one_sided_cases_are_no_differences_and_have_reasons() {
    let a = side("a", |_, _| ("pass", "running", None));
    let mut b = a.clone();
    b.cases.retain(|id, _| !id.contains("rebind"));
    b.left_out.insert("s[rebind,host]".into(), "not applicable: a rule".into());
    let found = compare(&a, &b);
    assert_eq!((found.compared, found.differing()), (4, 0));
    let reasons: Vec<_> = found.only_a.iter().map(|one| one.reason.as_str()).collect();
    assert_eq!(reasons, ["not among its cases", "not applicable: a rule"]);
    assert!(found.only_b.is_empty());
}

#[test]
fn an_environment_that_failed_says_nothing_of_the_subject() {
    let a = side("a", |_, _| ("pass", "running", None));
    let mut b = Side { name: "b".to_owned(), ..a.clone() };
    for case in b.cases.values_mut() {
        case.verdict = "error".into();
        case.detail = "the engine died".into();
    }
    let found = compare(&a, &b);
    assert_eq!((found.compared, found.differing(), Comparison::count(&found.errors)), (0, 0, 6));
    assert_eq!(found.errors[0].reason, "error on b: the engine died");
}

fn any_side(name: &'static str) -> impl Strategy<Value = Side> {
    let result = (
        prop::sample::select(vec!["pass", "fail", "warn", "error"]),
        prop::sample::select(vec!["running", "exited(255)"]),
        prop::option::of(prop::sample::select(vec!["x\n", "y\n"])),
        prop::sample::select(vec![true, true, true, false]),
    );
    prop::collection::vec(result, 6).prop_map(move |results| {
        let mut all = side(name, |_, _| ("pass", "running", None));
        for (case, (verdict, boot, text, _)) in all.cases.values_mut().zip(&results) {
            case.verdict = (*verdict).to_owned();
            case.boot = Some((*boot).to_owned());
            case.texts = text.map(|text| ("mounts".to_owned(), text.to_owned())).into_iter().collect();
        }
        let gone: Vec<String> =
            all.cases.keys().zip(&results).filter(|(_, (.., stays))| !stays).map(|(id, _)| id.clone()).collect();
        for id in gone {
            all.cases.remove(&id);
            all.left_out.insert(id, "skipped: a fact".to_owned());
        }
        all
    })
}

fn mirrored(found: &Comparison) -> Comparison {
    let group = |group: &Group| Group {
        verdict: group.verdict.mirrored(),
        boot: group.boot.as_ref().map(Pair::mirrored),
        deciding_line: group.deciding_line.as_ref().map(Pair::mirrored),
        texts: group
            .texts
            .iter()
            .map(|text| TextPair { step: text.step.clone(), a: text.b.clone(), b: text.a.clone() })
            .collect(),
        ..group.clone()
    };
    Comparison {
        sides: found.sides.mirrored(),
        facts: found.facts.iter().map(|f| Fact { name: f.name.clone(), values: f.values.mirrored() }).collect(),
        groups: found.groups.iter().map(group).collect(),
        only_a: found.only_b.clone(),
        only_b: found.only_a.clone(),
        // Where both sides failed, the first's words stand.
        errors: Vec::new(),
        ..found.clone()
    }
}

proptest! {
    #[test]
    fn nothing_differs_from_itself(a in any_side("a")) {
        let found = compare(&a, &a);
        prop_assert!(found.groups.is_empty() && found.facts.is_empty());
        prop_assert!(found.only_a.is_empty() && found.only_b.is_empty());
    }

    #[test]
    fn a_comparison_mirrors(a in any_side("a"), b in any_side("b")) {
        let one = compare(&a, &b);
        let other = compare(&b, &a);
        prop_assert_eq!(Comparison::count(&one.errors), Comparison::count(&other.errors));
        prop_assert_eq!(mirrored(&one), Comparison { errors: Vec::new(), ..other });
    }

    #[test]
    fn every_case_is_counted_once(a in any_side("a"), b in any_side("b")) {
        let found = compare(&a, &b);
        let both = found.compared + Comparison::count(&found.errors);
        prop_assert_eq!(both + Comparison::count(&found.only_a), a.cases.len());
        prop_assert_eq!(both + Comparison::count(&found.only_b), b.cases.len());
        prop_assert!(found.differing() <= found.compared);
        for group in &found.groups {
            prop_assert!(group.when.is_empty() || !group.except.is_empty() || group.matching >= group.cases.len());
        }
    }
}
