//! Reads `images/hosts/`: the only file here that does.

use std::path::Path;

use super::parse::{Declared, parse};
use super::shipped::SHIPPED;
use super::{Lab, Labs};
use crate::scenario::load::{leads_out, linked_out, read_text, shown};
use crate::scenario::{Diagnostic, LoadError};
use crate::source::Sources;

/// Reads the lab hosts: the shipped ones, and those of the images' folder in their place.
///
/// # Errors
/// Everything that is wrong with any file, in one report.
pub fn load(images: &Path) -> Result<Labs, LoadError> {
    let (mut sources, mut unreadable) = (Sources::default(), Vec::new());
    let mut declared = std::collections::BTreeMap::new();
    for (name, text) in SHIPPED {
        declared.insert(name.to_owned(), sources.add(format!("images/hosts/{name}.toml"), text.to_owned()));
    }
    let folder = images.join("hosts");
    let read = if folder.is_dir() { files(&folder) } else { Ok(Vec::new()) };
    for (name, path) in read.unwrap_or_else(|diagnostic| {
        unreadable.push(*diagnostic);
        Vec::new()
    }) {
        match read_text(&path) {
            Ok(text) => drop(declared.insert(name, sources.add(shown(&path), text))),
            Err(diagnostic) => unreadable.push(*diagnostic),
        }
    }
    let declared: Vec<Declared> = declared.into_iter().map(|(name, file)| Declared { name, file }).collect();
    match parse(&sources, &declared) {
        Ok(labs) if unreadable.is_empty() => Ok(labs),
        Ok(_) => Err(LoadError { diagnostics: unreadable }),
        Err(found) => Err(LoadError { diagnostics: unreadable.into_iter().chain(found).collect() }),
    }
}

/// Name and path of every declaration in a folder.
fn files(folder: &Path) -> Result<Vec<(String, std::path::PathBuf)>, Box<Diagnostic>> {
    let failed = |error: std::io::Error| {
        let message = format!("failed to read {}: {error}", shown(folder));
        Box::new(Diagnostic::of_path(shown(folder), message).help("lab hosts are declared there"))
    };
    let entries = std::fs::read_dir(folder).and_then(|entries| entries.collect::<Result<Vec<_>, _>>());
    let mut found = Vec::new();
    for path in entries.map_err(failed)?.into_iter().map(|entry| entry.path()) {
        let name = path.file_stem().and_then(|name| name.to_str()).filter(|name| !name.starts_with('.'));
        if let Some(name) = name
            && path.extension().is_some_and(|end| end == "toml")
        {
            let images = folder.parent().unwrap_or(folder);
            if leads_out(&path, images) {
                return Err(Box::new(linked_out(&path, images)));
            }
            found.push((name.to_owned(), path.clone()));
        }
    }
    found.sort();
    Ok(found)
}

impl Lab {
    /// A shipped lab host.
    #[must_use]
    pub fn shipped(name: &str) -> Option<Self> {
        load(Path::new("/nonexistent")).ok()?.0.remove(name)
    }
}
