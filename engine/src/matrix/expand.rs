//! The cross product of a scenario's axes, with the reason why a case does not run.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::hash::{BuildHasher as _, RandomState};

use super::context::Context;
use super::filter::Filters;
use super::part::{Names, Part};
use crate::plan::{CaseId, PlanError, WhyOut};
use crate::scenario::Templates;
use crate::scenario::model::{AxisEntry, AxisName, Point, Rule, Scenario};

/// The most cases that one scenario may have, unless the user says otherwise: a matrix beyond it is a mistake, found
/// before it eats the memory.
pub const MAX_CASES: usize = 20_000;

/// One point of a scenario's matrix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Its name.
    pub id: CaseId,
    /// Axis to value, in the order of the file.
    pub point: Point,
    /// Why it does not run, as far as axes and filters tell; `None` where it may.
    pub out: Option<WhyOut>,
}

/// All cases of a scenario, in the order of its axes (the last one varies fastest), then the included points.
///
/// The reasons are looked at in this order, and the first counts: not applicable, filtered, skipped.
///
/// # Errors
/// A condition that can't be evaluated, a case id used twice, or more than `most` cases.
pub fn expand(
    scenario: &Scenario,
    templates: &Templates,
    context: &Context,
    filters: &Filters,
    most: usize,
) -> Result<Vec<Case>, PlanError> {
    let mut cases: Vec<Case> = Vec::new();
    // Hashes, so that no second copy of each id is held.
    let (mut seen, hasher) = (HashSet::new(), RandomState::new());
    let conditional = conditional(scenario);
    let mut rules = Part::default();
    for point in points(scenario, most)? {
        let id = case_id(&scenario.name, &point);
        if !seen.insert(hasher.hash_one(&id)) && cases.iter().any(|case| case.id == id) {
            return Err(PlanError {
                message: format!("the case id {id} is used twice"),
                loc: scenario.loc.clone(),
                help: "an included point repeats one of the cross product, or two values read the same".into(),
                case: Some(id),
            });
        }
        let reason = {
            let names = Names::of(context, &point);
            rules.of(&names, || not_applicable(scenario, &conditional, templates, &names, &id, &point))?
        };
        let out = match reason {
            Some(reason) => Some(WhyOut::NotApplicable(reason.to_owned())),
            None => filters.leaves_out(scenario, &id.0, &point).map(WhyOut::Filtered),
        };
        cases.push(Case { id, point, out });
    }
    Ok(cases)
}

fn points(scenario: &Scenario, most: usize) -> Result<Vec<Point>, PlanError> {
    let axes = &scenario.matrix.axes;
    let include = &scenario.matrix.include;
    let product = axes.values().try_fold(1_usize, |n, values| n.checked_mul(values.len()));
    let total = product.and_then(|n| n.checked_add(include.len()));
    if total.is_none_or(|total| total > most) {
        let sizes: Vec<String> = axes.values().map(|values| values.len().to_string()).collect();
        let more = if include.is_empty() { String::new() } else { format!(" + {} included", include.len()) };
        let total = total.map_or_else(|| "more than can be counted".to_owned(), |total| total.to_string());
        return Err(PlanError {
            message: format!(
                "the matrix of {} has {total} cases ({}{more}), and {most} is the most",
                scenario.name,
                sizes.join(" × ")
            ),
            loc: scenario.loc.clone(),
            help: format!(
                "take values out of an axis, split the scenario, or raise the limit: --max-cases {}",
                if total.parse::<usize>().is_ok() { total.as_str() } else { "N" }
            ),
            case: None,
        });
    }
    // A scenario of included points only has no cross product, not the empty product's single point.
    let product = if axes.is_empty() && !include.is_empty() { 0 } else { product.unwrap_or_default() };
    Ok((0..product).map(|number| at(scenario, product, number)).chain(include.iter().cloned()).collect())
}

/// The point of that number of the cross product, which has `product` points.
fn at(scenario: &Scenario, product: usize, number: usize) -> Point {
    let mut block = product;
    let value = |(axis, entries): (&AxisName, &Vec<AxisEntry>)| {
        block /= entries.len();
        (axis.clone(), entries[number / block % entries.len()].value.clone())
    };
    scenario.matrix.axes.iter().map(value).collect()
}

/// `name[axis=value,…]`, or the name alone for a scenario without axes.
fn case_id(name: &str, point: &Point) -> CaseId {
    let mut id = name.to_owned();
    for (number, (axis, value)) in point.iter().enumerate() {
        // Writing to a text can't fail.
        let _written = write!(id, "{}{axis}={value}", if number == 0 { '[' } else { ',' });
    }
    if !point.is_empty() {
        id.push(']');
    }
    id.shrink_to_fit();
    CaseId(id)
}

/// The axes of which some value has a condition.
fn conditional(scenario: &Scenario) -> Vec<&str> {
    let axes = scenario.matrix.axes.iter();
    axes.filter(|(_, entries)| entries.iter().any(|entry| entry.only.is_some()))
        .map(|(axis, _)| axis.as_str())
        .collect()
}

/// The rule by which a point is no case of this host's; `conditional` has the axes of which some value has a condition.
fn not_applicable<'s>(
    scenario: &'s Scenario,
    conditional: &[&str],
    templates: &Templates,
    names: &Names<'_>,
    id: &CaseId,
    point: &Point,
) -> Result<Option<&'s str>, PlanError> {
    let holds = |rule: &Rule| {
        let when = &rule.when.0;
        PlanError::at(templates.holds(&when.value, names.for_text(&when.value)), &when.loc, id)
    };
    for (axis, value) in point.iter().filter(|(axis, _)| conditional.contains(&axis.as_str())) {
        names.reads(axis);
        let entry = scenario.matrix.axes.get(axis).and_then(|entries| entries.iter().find(|e| e.value == *value));
        if let Some(only) = entry.and_then(|e| e.only.as_ref())
            && !holds(only)?
        {
            return Ok(Some(&only.reason));
        }
    }
    for rule in &scenario.matrix.exclude {
        if holds(rule)? {
            return Ok(Some(&rule.reason));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;
    use proptest::prelude::*;

    use super::*;
    use crate::facts::Facts;
    use crate::scenario::model::{AxisValue, Condition, Matrix};
    use crate::source::{FileId, Loc, Sp};
    use crate::testing;

    fn axis(values: &[&str]) -> Vec<AxisEntry> {
        values.iter().map(|v| AxisEntry { value: AxisValue::Str((*v).into()), only: None }).collect()
    }

    fn rule(when: &str, reason: &str) -> Rule {
        let loc = Loc { file: FileId(0), span: 0..0 };
        Rule { when: Condition(Sp::new(when.into(), loc)), reason: reason.into() }
    }

    fn expanded(matrix: Matrix, filters: &Filters) -> Result<Vec<Case>, PlanError> {
        let scenario = Scenario { matrix, ..testing::scenario("s") };
        expand(&scenario, &Templates::new(), &Context::new(&Facts::assumed()), filters, 2_000)
    }

    #[test]
    fn ids_keep_the_order_of_the_axes() {
        let axes = IndexMap::from([("b".into(), axis(&["1", "2"])), ("a".into(), axis(&["x"]))]);
        let cases = expanded(Matrix { axes, ..Matrix::default() }, &Filters::default()).unwrap();
        let ids: Vec<&str> = cases.iter().map(|c| c.id.0.as_str()).collect();
        assert_eq!(ids, ["s[b=1,a=x]", "s[b=2,a=x]"]);
    }

    #[test]
    fn a_scenario_without_axes_is_one_case() {
        let cases = expanded(Matrix::default(), &Filters::default()).unwrap();
        assert_eq!(cases.iter().map(|c| c.id.0.as_str()).collect::<Vec<_>>(), ["s"]);
    }

    #[test]
    fn excludes_beat_filters_and_say_why() {
        let axes = IndexMap::from([("a".into(), axis(&["x", "y", "z"]))]);
        let matrix = Matrix { axes, exclude: vec![rule("a == 'x'", "no x")], include: vec![] };
        let filters = Filters { axes: IndexMap::from([("a".into(), vec!["z".into()])]), ..Filters::default() };
        let outs: Vec<_> = expanded(matrix, &filters).unwrap().into_iter().map(|c| c.out).collect();
        assert_eq!(
            outs,
            [Some(WhyOut::NotApplicable("no x".into())), Some(WhyOut::Filtered("--axis a=z".into())), None]
        );
    }

    #[test]
    fn a_value_by_condition_is_not_applicable_elsewhere() {
        let only = Some(rule("host.cgroups == 'v1'", "v1 hosts only"));
        let entries = vec![AxisEntry { value: AxisValue::Str("legacy".into()), only }];
        let matrix = Matrix { axes: IndexMap::from([("m".into(), entries)]), ..Matrix::default() };
        let cases = expanded(matrix, &Filters::default()).unwrap();
        assert_eq!(cases[0].out, Some(WhyOut::NotApplicable("v1 hosts only".into())));
    }

    #[test]
    fn an_included_point_may_not_repeat_a_case() {
        let axes = IndexMap::from([("a".into(), axis(&["x"]))]);
        let include = vec![IndexMap::from([("a".into(), AxisValue::Str("x".into()))])];
        let error = expanded(Matrix { axes, include, ..Matrix::default() }, &Filters::default()).unwrap_err();
        assert_eq!(error.message, "the case id s[a=x] is used twice");
    }

    #[test]
    fn a_matrix_that_explodes_is_an_error() {
        let values: Vec<String> = (0..100).map(|i| i.to_string()).collect();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let axes = (0..12).map(|i| (format!("a{i}").into(), axis(&values))).collect();
        let error = expanded(Matrix { axes, ..Matrix::default() }, &Filters::default()).unwrap_err();
        assert!(error.message.contains("has more than can be counted cases (100 × 100"), "{}", error.message);
    }

    #[test]
    fn the_limit_holds_included_points_too_and_is_told() {
        let values: Vec<String> = (0..50).map(|i| i.to_string()).collect();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let axes: IndexMap<_, _> = [("a".into(), axis(&values)), ("b".into(), axis(&values[..40]))].into();
        let mut matrix = Matrix { axes, ..Matrix::default() };
        assert_eq!(expanded(matrix.clone(), &Filters::default()).map(|cases| cases.len()), Ok(2_000));
        let point = ["a", "b"].map(|axis| (axis.into(), AxisValue::Str("x".into())));
        matrix.include.push(point.into());
        let error = expanded(matrix, &Filters::default()).unwrap_err();
        assert_eq!(error.message, "the matrix of s has 2001 cases (50 × 40 + 1 included), and 2000 is the most");
        assert!(error.help.contains("--max-cases 2001"), "{}", error.help);
    }

    proptest! {
        #[test]
        fn the_product_is_complete_and_its_ids_differ(sizes in prop::collection::vec(1_usize..5, 0..4)) {
            let axes = sizes.iter().enumerate().map(|(i, n)| {
                let values: Vec<String> = (0..*n).map(|v| format!("v{v}")).collect();
                (format!("a{i}").into(), axis(&values.iter().map(String::as_str).collect::<Vec<_>>()))
            }).collect();
            let cases = expanded(Matrix { axes, ..Matrix::default() }, &Filters::default()).unwrap();
            prop_assert_eq!(cases.len(), sizes.iter().product::<usize>());
            let ids: std::collections::BTreeSet<_> = cases.iter().map(|c| c.id.clone()).collect();
            prop_assert_eq!(ids.len(), cases.len());
        }

        #[test]
        fn filters_and_rules_part_the_product(keep in prop::collection::btree_set(0_usize..4, 1..4), drop in 0_usize..4) {
            let values = ["v0", "v1", "v2", "v3"];
            let matrix = Matrix {
                axes: IndexMap::from([("a".into(), axis(&values)), ("b".into(), axis(&values))]),
                exclude: vec![rule(&format!("b == 'v{drop}'"), "r")],
                include: vec![],
            };
            let wanted = keep.iter().map(|i| format!("v{i}")).collect();
            let filters = Filters { axes: IndexMap::from([("a".into(), wanted)]), ..Filters::default() };
            let cases = expanded(matrix, &filters).unwrap();
            let count = |f: fn(&Option<WhyOut>) -> bool| cases.iter().filter(|c| f(&c.out)).count();
            prop_assert_eq!(count(|o| matches!(o, Some(WhyOut::NotApplicable(_)))), 4);
            prop_assert_eq!(count(|o| matches!(o, Some(WhyOut::Filtered(_)))), (4 - keep.len()) * 3);
            prop_assert_eq!(count(Option::is_none), keep.len() * 3);
        }
    }
}
