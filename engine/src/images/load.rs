//! Reads `images/`: the only file here that does.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::model::Catalogue;
use super::parse::{Folder, Folders, parse};
use crate::scenario::load::{leads_out, linked_out, read_text, shown};
use crate::scenario::{Diagnostic, LoadError};
use crate::source::Sources;

/// Folders of `images/` that hold no base image.
const OTHER: [&str; 2] = ["setup", "hosts"];

/// Reads the images and setup modes alone.
///
/// # Errors
/// Everything that is wrong with any file, in one report.
pub fn load(images: &Path) -> Result<Catalogue, LoadError> {
    let (mut sources, mut unreadable) = (Sources::default(), Vec::new());
    let folders = read(images, &mut sources, &mut unreadable);
    match parse(&sources, &folders) {
        Ok(catalogue) if unreadable.is_empty() => Ok(catalogue),
        Ok(_) => Err(LoadError { diagnostics: unreadable }),
        Err(found) => Err(LoadError { diagnostics: unreadable.into_iter().chain(found).collect() }),
    }
}

/// Reads every text of `images/`; what goes wrong is added to `unreadable`.
pub(crate) fn read(images: &Path, sources: &mut Sources, unreadable: &mut Vec<Diagnostic>) -> Folders {
    let real = images.canonicalize().unwrap_or_else(|_| images.to_path_buf());
    let mut reader = Reader { root: real.clone(), sources, unreadable };
    let folders = Folders {
        images: reader.declarations(&real, "image.toml", &OTHER),
        setup_modes: Vec::new(),
        setup_lib: String::new(),
    };
    let setup = real.join("setup");
    if !setup.is_dir() {
        return folders;
    }
    let setup_modes = reader.declarations(&setup, "mode.toml", &[]);
    let lib = setup.join("lib.sh");
    let setup_lib = if leads_out(&lib, &real) {
        reader.unreadable.push(linked_out(&lib, &real));
        String::new()
    } else if lib.exists() {
        reader.text(&lib).unwrap_or_default()
    } else {
        String::new()
    };
    Folders { setup_modes, setup_lib, ..folders }
}

struct Reader<'r> {
    /// `images/`, without links.
    root: PathBuf,
    sources: &'r mut Sources,
    unreadable: &'r mut Vec<Diagnostic>,
}

impl Reader<'_> {
    /// The folders below a folder that have a declaration; one with files and without is an error.
    fn declarations(&mut self, folder: &Path, declaration: &str, other: &[&str]) -> Vec<Folder> {
        let mut found = Vec::new();
        let root = self.root.clone();
        for path in self.entries(folder).into_iter().filter(|path| path.is_dir()) {
            let Some(name) = path.file_name().and_then(|name| name.to_str()).map(str::to_string) else { continue };
            if other.contains(&name.as_str()) {
                continue;
            }
            let files: Vec<PathBuf> = self.entries(&path).into_iter().filter(|path| path.is_file()).collect();
            if files.is_empty() {
                continue;
            }
            let file = path.join(declaration);
            if let Some(out) = files.iter().chain([&path]).find(|path| leads_out(path, &root)) {
                self.unreadable.push(linked_out(out, &root));
                continue;
            }
            if !files.contains(&file) {
                let message = format!("{} has no {declaration}", shown(&path));
                let help = format!("each folder beside it is declared by its {declaration}, with at least a title");
                self.unreadable.push(Diagnostic::of_path(shown(&path), message).help(help));
                continue;
            }
            let Some(text) = self.text(&file) else { continue };
            let mut beside = BTreeMap::new();
            for path in files.iter().filter(|path| **path != file) {
                // What is no text can't be a script or a Dockerfile; a declaration that names it gets an error there.
                if let (Some(name), Ok(text)) = (path.file_name().and_then(|name| name.to_str()), read_text(path)) {
                    beside.insert(name.to_string(), text);
                }
            }
            found.push(Folder { name, file: self.sources.add(shown(&file), text), beside });
        }
        found
    }

    /// What a folder holds, sorted, without hidden entries.
    fn entries(&mut self, folder: &Path) -> Vec<PathBuf> {
        let read = std::fs::read_dir(folder).and_then(|entries| entries.collect::<Result<Vec<_>, _>>());
        match read {
            Ok(entries) => {
                let visible =
                    |path: &PathBuf| path.file_name().is_some_and(|n| !n.as_encoded_bytes().starts_with(b"."));
                let mut paths: Vec<PathBuf> = entries.iter().map(std::fs::DirEntry::path).filter(visible).collect();
                paths.sort();
                paths
            }
            Err(error) => {
                let message = format!("failed to read {}: {error}", shown(folder));
                let help = "images and setup modes are declared there";
                self.unreadable.push(Diagnostic::of_path(shown(folder), message).help(help));
                Vec::new()
            }
        }
    }

    fn text(&mut self, path: &Path) -> Option<String> {
        read_text(path).map_err(|diagnostic| self.unreadable.push(*diagnostic)).ok()
    }
}
