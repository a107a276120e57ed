//! The values that templates and conditions of one case may read.

use std::collections::BTreeMap;

use minijinja::Value;
use minijinja::value::Serde;

use crate::facts::Facts;
use crate::scenario::model::Point;

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
    pub fn of(&self, point: &Point) -> Value {
        let mut names: BTreeMap<String, Value> =
            point.iter().map(|(axis, value)| (axis.to_string(), Value::from(Serde(value)))).collect();
        names.insert("host".into(), self.host.clone());
        Value::from_pairs(names)
    }

    /// What rules on a rendered container see: `host.<fact>`, the axes of `point`, and flags as `container.<flag>`.
    #[must_use]
    pub fn of_container(&self, point: &Point, flags: Value) -> Value {
        minijinja::context! { container => flags, ..self.of(point) }
    }
}
