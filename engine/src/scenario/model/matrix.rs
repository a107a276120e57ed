//! `[matrix]`: axes, their values, and what is taken out or added.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::Rule;
use crate::shared::Shared;

/// One value of an axis.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AxisValue {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Text.
    Str(Shared<String>),
}

/// The name of an axis: every case has those of its scenario.
pub type AxisName = Shared<String>;

/// A point of a matrix: the value of each axis, in the order of the file.
pub type Point = IndexMap<AxisName, AxisValue>;

impl std::fmt::Display for AxisValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bool(b) => write!(f, "{b}"),
            Self::Int(i) => write!(f, "{i}"),
            Self::Str(s) => f.write_str(s),
        }
    }
}

/// A value of an axis and the rule by which it may be left out (`{ value = "legacy", when = "…", reason = "…" }`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AxisEntry {
    /// The value.
    pub value: AxisValue,
    /// Cases with this value are applicable only when the condition holds; `reason` says why not otherwise.
    pub only: Option<Rule>,
}

/// `[matrix]`: the axes in the order of the file, and what is taken out or added.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Matrix {
    /// Axis name to values; never an empty list.
    pub axes: IndexMap<AxisName, Vec<AxisEntry>>,
    /// Combinations that are not applicable, with the reason.
    pub exclude: Vec<Rule>,
    /// Points added to the cross product; each names every axis.
    pub include: Vec<Point>,
}
