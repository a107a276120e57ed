//! What a container's console says: reading it while it comes, and reading it afterwards. Pure; takes bytes and text,
//! touches no container.
//!
//! Bytes go through one machine that takes terminal sequences out (`strip`); the incremental [`ConsoleReader`] and the
//! functions on whole texts see the same lines because of it.

mod deciding;
mod plain;
mod reader;
mod strip;
mod unknown;

pub use deciding::deciding_line;
pub use plain::plain;
pub(crate) use plain::{controls, sequences};
pub use reader::{ConsoleReader, Signal, systemd_version};
pub use unknown::{KnownLine, known_lines, unknown_lines};
