//! `sdc-engine schema`: the keys of files, for editors and for people.

use super::args::SchemaArgs;
use super::exit::{Exit, Failure};
use super::{json, print};
use crate::schema::{self, File};

/// Prints a schema, or the reference.
pub(super) fn schema(args: &SchemaArgs) -> Result<Exit, Failure> {
    if args.markdown {
        let files = args.file.map_or_else(|| File::ALL.to_vec(), |file| vec![file]);
        print(&schema::markdown(&files))?;
    } else {
        print(&json(&schema::json(args.file.unwrap_or(File::Scenario)))?)?;
    }
    Ok(Exit::Held)
}
