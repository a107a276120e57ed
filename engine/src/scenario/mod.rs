//! From TOML text to validated scenarios. Pure but for `load`, which reads the files.

pub mod model;
mod template;

pub use template::{TemplateError, Templates};
