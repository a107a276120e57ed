//! From applicable cases to a plan without templates. Pure.

mod compose;
mod container;
mod error;
mod model;
mod render;
mod requirements;
mod risk;

pub use compose::{Inputs, plan};
pub use error::PlanError;
pub use model::{
    Action, BootExpectation, BootGroup, BootSpec, CaseId, CasePlan, Check, ContainerSpec, Expectation, LeftOut, Risk,
    RunPlan, StepPlan, WhyOut,
};
pub(crate) use requirements::lacking;
