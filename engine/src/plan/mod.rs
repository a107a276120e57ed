//! From applicable cases to a plan without templates. Pure.

mod compose;
mod container;
mod digest;
mod error;
mod model;
mod partition;
mod render;
mod requirements;
mod risk;
mod run;

pub use compose::{Inputs, plan};
pub use digest::digest;
pub(crate) use digest::sha256;
pub use error::PlanError;
pub use model::{
    Action, BootExpectation, BootGroup, BootSpec, CaseId, CasePlan, Check, ContainerSpec, Expectation, HOST_AXIS,
    LeftOut, Risk, RunPlan, StepPlan, WhyOut,
};
pub use partition::{How, Partition, Share, is_of_another_share};
pub(crate) use requirements::lacking;
