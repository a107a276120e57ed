//! From applicable cases to a plan without templates. Pure.

mod model;

pub use model::{
    Action, BootExpectation, BootGroup, BootSpec, CaseId, CasePlan, Check, ContainerSpec, Expectation, LeftOut,
    RunPlan, StepPlan, WhyOut,
};
