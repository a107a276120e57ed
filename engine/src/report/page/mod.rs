//! The support table as a page: from reports to a view model, and from it to one self-contained HTML file or a Markdown
//! text. Pure: files and notices are the command's business.
//!
//! What containers, engines and scenarios wrote is untrusted here as in a terminal: it loses what would steer a reader's
//! eye before it is in the model, comes into the page as JSON that can't end its element, and is put on the screen as text.

mod build;
mod differ;
mod findings;
mod grid;
mod html;
mod markdown;
mod merge;
mod model;
mod neighbours;
mod words;

pub use build::{PageError, Source, page};
pub use findings::{Question, findings};
pub use html::html;
pub use markdown::markdown;
pub use model::Page;
