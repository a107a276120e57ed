//! `sdc-engine schema`: the keys of files, for editors and for people.

use super::args::SchemaArgs;
use super::exit::{Exit, Failure};
use super::{File, json, print};
use crate::schema::{self, Table};

/// Prints a schema, or the reference.
pub(super) fn schema(args: &SchemaArgs) -> Result<Exit, Failure> {
    if args.markdown {
        let files = args.file.map_or_else(|| File::ALL.to_vec(), |file| vec![file]);
        let tables: Vec<&Table> = files.into_iter().map(File::table).collect();
        print(&schema::markdown(&tables))?;
    } else {
        print(&json(&schema::json(args.file.unwrap_or(File::Scenario).table()))?)?;
    }
    Ok(Exit::Held)
}
