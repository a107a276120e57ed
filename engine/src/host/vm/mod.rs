//! placeholder
use serde::Serialize;
/// What a virtual machine is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VmSpec {
    /// n
    pub name: String,
    /// s
    pub suite: String,
    /// p
    pub packages: Vec<String>,
    /// k
    pub kernel_parameters: Vec<String>,
    /// m
    pub memory: u64,
    /// c
    pub cpus: u32,
}
