//! What `images/` declares: base images and setup modes, as data.

mod model;

pub use model::{Bootstrap, Build, Catalogue, ImageDef, SetupMode};
