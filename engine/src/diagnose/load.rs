//! Reads `diagnoses.toml`: the only file here that does.

use std::collections::BTreeSet;
use std::path::Path;

use super::model::Diagnoses;
use super::parse::{is_shipped, parse, shipped};
use crate::scenario::LoadError;
use crate::scenario::load::{leads_out, linked_out, read_text, shown};
use crate::source::Sources;

/// The entries of the images' folder, before the shipped ones of other names.
///
/// # Errors
/// Everything that is wrong with the file, in one report.
pub fn load(images: &Path) -> Result<Diagnoses, LoadError> {
    let path = images.join("diagnoses.toml");
    let mut all = Diagnoses::default();
    if path.exists() {
        if leads_out(&path, images) {
            return Err(LoadError { diagnostics: vec![linked_out(&path, images)] });
        }
        let text = read_text(&path).map_err(|diagnostic| LoadError { diagnostics: vec![*diagnostic] })?;
        if is_shipped(&text) {
            return Ok(shipped());
        }
        let mut sources = Sources::default();
        let file = sources.add(shown(&path), text);
        all = parse(&sources, file).map_err(|diagnostics| LoadError { diagnostics })?;
    }
    let own: BTreeSet<String> = all.0.iter().map(|entry| entry.name.clone()).collect();
    all.0.extend(shipped().0.into_iter().filter(|entry| !own.contains(&entry.name)));
    Ok(all)
}
