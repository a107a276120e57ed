//! Which grants an image needs to boot systemd: the least set that works on a host, and the proof that each is needed. Pure:
//! what to try next follows from what came of the tries so far; the caller boots.
//!
//! ```text
//! facts, setup modes -> grant: the ladder of grants, least exposure first -> search: what to try next
//!     candidate -> scenario: a file like any other (parsed, planned and run by those who do that)
//!     what came of each try -> advice: the set, its proofs, and what blocks where nothing works
//! ```

mod advice;
mod grant;
mod scenario;
mod search;

pub use advice::{Advice, Attempt, Ended, Needed, Verdict};
pub use grant::{Grant, Kind, ladder};
pub use scenario::{IMAGE, NAME, text};
pub use search::{Candidate, Next, Seen, Step, next};
