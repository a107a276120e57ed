//! What `images/` declares: base images and setup modes, as data. Pure but for `load`, which reads the files, and
//! `provide`, by which a host comes to have an image.

mod keys;
mod load;
mod model;
mod parse;
mod provide;

pub(crate) use keys::{IMAGE, MODE};
pub use load::load;
pub(crate) use load::read;
pub use model::{Bootstrap, Build, Catalogue, ImageDef, SetupMode};
pub(crate) use parse::parse_into;
pub use parse::{Folder, Folders, parse};
pub use provide::{CantProvide, Provided, cache_folder, cached_root, mmdebstrap_arguments, provide};
