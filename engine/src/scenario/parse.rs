//! The pure core: texts in, validated scenarios or every error out.

use std::collections::{BTreeMap, HashMap};

use super::check;
use super::cursor::Cx;
use super::decode::{self, Role};
use super::diagnostic::{Code, Diagnostic, Sink};
use super::draft::Draft;
use super::merge::{finish, merge};
use super::model::Scenario;
use super::names::unsafe_name;
use crate::images::Catalogue;
use crate::source::{FileId, Loc, Sources};

/// A scenario file and what applies to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// The path below the scenarios' root without `.toml`.
    pub name: String,
    /// Its text.
    pub file: FileId,
    /// The `defaults.toml` of its folders, outermost first.
    pub defaults: Vec<FileId>,
}

/// Decodes, merges and checks scenario files.
///
/// # Errors
/// Everything that is wrong with any of them, by file and place.
pub fn parse(sources: &Sources, files: &[Input], catalogue: &Catalogue) -> Result<Vec<Scenario>, Vec<Diagnostic>> {
    let sink = Sink::new(sources);
    let scenarios = parse_into(&sink, files, catalogue);
    let found = sink.finish();
    if found.is_empty() { Ok(scenarios) } else { Err(found) }
}

/// As [`parse`], with the errors in a sink; what it gives then is not to be used.
pub(crate) fn parse_into(sink: &Sink<'_>, files: &[Input], catalogue: &Catalogue) -> Vec<Scenario> {
    let mut drafts: BTreeMap<FileId, Draft> = BTreeMap::new();
    for input in files {
        for file in &input.defaults {
            drafts.entry(*file).or_insert_with(|| decode::file(Cx { sink, file: *file }, Role::Defaults));
        }
        drafts.entry(input.file).or_insert_with(|| decode::file(Cx { sink, file: input.file }, Role::Scenario));
    }
    names(sink, files);
    let mut scenarios = Vec::new();
    for input in files {
        let chain: Vec<FileId> = input.defaults.iter().copied().chain([input.file]).collect();
        // Of a file that is no TOML, what lacks in it says nothing.
        if chain.iter().any(|file| sink.is_broken(*file)) {
            continue;
        }
        let chain: Vec<&Draft> = chain.iter().filter_map(|file| drafts.get(file)).collect();
        let Some(merged) = merge(&chain) else { continue };
        check::scenario::scenario(Cx { sink, file: input.file }, &input.name, &merged, catalogue);
        let scenario = finish(&input.name, merged);
        check::names::scenario(sink, &scenario);
        scenarios.push(scenario);
    }
    scenarios
}

fn names(sink: &Sink<'_>, files: &[Input]) {
    let mut seen: HashMap<String, FileId> = HashMap::new();
    for input in files {
        let at = Loc { file: input.file, span: 0..0 };
        for part in input.name.split('/') {
            if let Some(why) = unsafe_name(part) {
                let message = format!("the scenario's file or folder name \"{part}\" {why}");
                let help = "rename it: case ids and goldens go by it, so small letters, digits, `_`, `.` and `-` only";
                sink.push(Diagnostic::new(Code::UnsafeName, message, &at, "in this file").help(help));
            }
        }
        if let Some(first) = seen.insert(input.name.to_lowercase(), input.file) {
            let message = format!("two scenarios are called `{}`", input.name);
            let first = Loc { file: first, span: 0..0 };
            sink.push(
                Diagnostic::new(Code::Duplicate, message, &at, "this file")
                    .also(&first, "the other file")
                    .help("rename one: case ids and goldens go by the name"),
            );
        }
    }
}
