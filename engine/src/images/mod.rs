//! What `images/` declares: base images and setup modes, as data. Pure but for `load`, which reads the files.

mod load;
mod model;
mod parse;

pub use load::load;
pub(crate) use load::read;
pub use model::{Bootstrap, Build, Catalogue, ImageDef, SetupMode};
pub(crate) use parse::parse_into;
pub use parse::{Folder, Folders, parse};
