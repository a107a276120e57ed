//! The values that templates and conditions of one case may read.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use minijinja::Value;
use minijinja::value::Serde;

use crate::facts::Facts;
use crate::scenario::model::AxisValue;

/// What a template sees: `host.<fact>` and each axis by its name.
#[derive(Debug, Clone)]
pub struct Context {
    host: Value,
}

impl Context {
    /// The names of one host's facts.
    #[must_use]
    pub fn new(facts: &Facts) -> Self {
        Self { host: Value::from(Serde(facts)) }
    }

    /// The values of a case.
    #[must_use]
    pub fn of(&self, point: &IndexMap<String, AxisValue>) -> Value {
        let mut names: BTreeMap<String, Value> =
            point.iter().map(|(axis, value)| (axis.clone(), Value::from(Serde(value)))).collect();
        names.insert("host".into(), self.host.clone());
        Value::from_pairs(names)
    }

    /// What a setup mode's rules see: `host.<fact>` and `container.cgroupns`.
    #[must_use]
    pub fn of_setup_mode(&self, cgroupns: Option<&str>) -> Value {
        let container = BTreeMap::from([("cgroupns", cgroupns.unwrap_or_default().to_string())]);
        minijinja::context! { host => self.host.clone(), container => container }
    }
}
