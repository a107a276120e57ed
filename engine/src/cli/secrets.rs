//! The values of secrets, out of this process's environment: scenarios name the variables.

use std::collections::{BTreeMap, BTreeSet};

use crate::plan::RunPlan;
use crate::secrets::unfit;

/// The values of the secrets that a plan names, by variable; cases whose secret has none became skipped.
pub(super) fn values(plan: &mut RunPlan) -> BTreeMap<String, String> {
    let specs = plan.groups.iter().flat_map(|group| &group.cases).map(|case| &case.container.secrets);
    let variables: BTreeSet<String> = specs.flat_map(|secrets| secrets.values()).cloned().collect();
    let (mut values, mut wrong) = (BTreeMap::new(), BTreeMap::new());
    for variable in variables {
        match std::env::var(&variable) {
            Ok(value) => match unfit(&value) {
                Some(why) => drop(wrong.insert(variable.clone(), format!("the value of {variable} {why}"))),
                None => drop(values.insert(variable, value)),
            },
            Err(std::env::VarError::NotPresent) => {
                drop(
                    wrong.insert(variable.clone(), format!("{variable} is not set: export it with the secret's value")),
                );
            }
            Err(std::env::VarError::NotUnicode(_)) => {
                drop(wrong.insert(variable.clone(), format!("the value of {variable} is not UTF-8")));
            }
        }
    }
    plan.skip(|case| {
        let mut secrets = case.container.secrets.iter();
        secrets.find_map(|(name, variable)| wrong.get(variable).map(|why| format!("the secret {name}: {why}")))
    });
    values
}
