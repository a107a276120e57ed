//! From TOML text to validated scenarios. Pure but for `load`, which reads the files.
//!
//! ```text
//! load (reads) -> parse: decode each file (spanned tree -> Draft) -> merge with its defaults -> check -> Scenario
//! ```
//!
//! Nothing here stops at the first error: every part reports into one sink and goes on, and the caller gets either
//! scenarios without any error or every error of every file.

mod check;
pub(crate) mod cursor;
mod decode;
mod diagnostic;
pub(crate) mod document;
mod draft;
mod extent;
mod keys;
pub(crate) mod load;
mod merge;
pub mod model;
mod names;
mod parse;
pub(crate) mod pattern;
mod span;
mod template;

pub(crate) use check::flags::capability as check_capability;
pub(crate) use check::names::{CONTAINER_PATHS, Scope};
pub(crate) use decode::rules;
pub(crate) use diagnostic::Sink;
pub use diagnostic::{Code, Diagnostic, LoadError};
pub(crate) use keys::{DEFAULTS, NOT_APPLICABLE, SCENARIO};
pub use load::{Loaded, load};
pub(crate) use names::unsafe_name;
pub use parse::{Input, parse};
pub(crate) use span::within;
pub use template::{TemplateError, Templates};
