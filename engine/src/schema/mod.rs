//! Which keys each kind of file may have: tables of keys, with their types, defaults and meanings.
//!
//! ```text
//! Table (data, beside each decoder) -> cursor::Fields: takes no key but these, and knows which one was meant
//!                                   -> json: a JSON Schema for editors
//!                                   -> markdown: the reference
//! ```
//!
//! So a key that is not in a table can't be read, and one that is in it is explained everywhere.

mod json;
mod markdown;
mod model;

pub use json::json;
pub use markdown::markdown;
pub use model::{Key, Named, Shape, Table, words};
