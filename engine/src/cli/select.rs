//! From the command line's selection to filters, scenarios and assumed facts.

use miette::{Report, miette};

use super::args::SelectArgs;
use super::exit::Failure;
use crate::facts::Facts;
use crate::matrix::{FilterError, Filters, Select};
use crate::rerun::Only;

impl From<FilterError> for Failure {
    fn from(error: FilterError) -> Self {
        Self::input(miette!(help = error.help, "{}", error.message))
    }
}

/// The filters that were asked for.
///
/// # Errors
/// A `--axis` that is not `name=values`.
pub(super) fn filters(select: &SelectArgs) -> Result<Filters, Failure> {
    let mut filters = Filters { names: select.names.clone(), tags: select.tag.clone(), ..Filters::default() };
    filters.partition = select.partition;
    filters.ids = select.only.as_ref().map(Only::ids);
    // Who names cases wants these, however few of their scenario they are.
    filters.select = if filters.ids.is_some() { Select::Full } else { select.select.into() };
    let named =
        [("setup_mode", &select.setup_mode), ("cgroupns", &select.cgroupns), ("cgroup_mode", &select.cgroup_mode)];
    for (axis, values) in named {
        if !values.is_empty() {
            filters.axes.insert(axis.into(), values.clone());
        }
    }
    for asked in &select.axis {
        let (axis, values) =
            asked.split_once('=').filter(|(axis, values)| !axis.is_empty() && !values.is_empty()).ok_or_else(|| {
                Failure::input(miette!(
                    help = "write --axis name=value or --axis name=a,b",
                    "'{asked}' is no axis and value"
                ))
            })?;
        filters.axes.entry(axis.into()).or_default().extend(values.split(',').map(Into::into));
    }
    Ok(filters)
}

/// The facts of `--assume`, over those of an ordinary host.
///
/// # Errors
/// An unknown fact, or a value that it can't have.
pub(super) fn assumed(pairs: &[String]) -> Result<Facts, Failure> {
    let start = serde_json::to_value(Facts::assumed()).map_err(|error| Failure::input(miette!("{error}")))?;
    let serde_json::Value::Object(mut facts) = start else {
        return Err(Failure::input(miette!("the assumed facts are no table")));
    };
    for pair in pairs {
        let Some((name, value)) = pair.split_once('=') else {
            return Err(Failure::input(miette!(
                help = "write fact=value, such as cgroups=v2",
                "'{pair}' is no fact and value"
            )));
        };
        let Some(slot) = facts.get_mut(name) else {
            return Err(unknown_fact(name, facts.keys()));
        };
        *slot = match slot {
            serde_json::Value::Bool(_) => value.parse::<bool>().map(Into::into).unwrap_or_else(|_| value.into()),
            serde_json::Value::Array(_) => value.split('+').filter(|v| !v.is_empty()).collect(),
            _ => value.into(),
        };
        // A layout goes with a version; whoever assumes both says both, in this order.
        if name == "cgroups" {
            facts.insert("cgroup_layout".into(), value.into());
        }
    }
    serde_json::from_value(serde_json::Value::Object(facts)).map_err(|error| {
        Failure::input(miette!(help = "the facts and their values: sdc-engine host --json", "--assume: {error}"))
    })
}

fn unknown_fact<'a>(name: &str, known: impl Iterator<Item = &'a String>) -> Failure {
    let list = known.map(String::as_str).collect::<Vec<_>>().join(", ");
    let report: Report = miette!(help = format!("there are: {list}"), "there is no host fact '{name}'");
    Failure::input(report)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{CgroupLayout, CgroupVersion, EngineKind};

    #[test]
    fn facts_can_be_assumed() {
        let pairs = ["cgroups=v1", "engine=podman", "rootless=true", "controllers=memory+pids"].map(String::from);
        let facts = assumed(&pairs).unwrap();
        assert_eq!((facts.cgroups, facts.cgroup_layout), (CgroupVersion::V1, CgroupLayout::V1));
        assert_eq!(facts.engine, EngineKind::Podman);
        assert!(facts.rootless);
        assert_eq!(facts.controllers.len(), 2);
    }

    #[test]
    fn wrong_facts_are_named() {
        let message = |pair: &str| assumed(&[pair.to_string()]).unwrap_err().report.to_string();
        assert_eq!(message("cgroup=v1"), "there is no host fact 'cgroup'");
        assert!(message("cgroups=v3").contains("v3"), "{}", message("cgroups=v3"));
        assert!(message("rootless=maybe").contains("boolean"), "{}", message("rootless=maybe"));
    }
}
