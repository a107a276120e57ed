//! Finds and reads scenario files, with the `defaults.toml` above them and `images/`: the only file here that reads.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::diagnostic::{Code, Diagnostic, LoadError, Sink};
use super::model::Scenario;
use super::parse::{Input, parse_into};
use crate::files;
use crate::images::{self, Catalogue};
use crate::source::{FileId, Sources};

const DEFAULTS: &str = "defaults.toml";

/// The largest text that is read: no scenario, script or Dockerfile comes near.
const LARGEST: u64 = 1 << 20;

/// What was read.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// Every text.
    pub sources: Sources,
    /// Every scenario, by name.
    pub scenarios: Vec<Scenario>,
    /// Images and setup modes.
    pub catalogue: Catalogue,
}

/// Reads scenarios: each root is a folder or one `.toml` file.
///
/// # Errors
/// Everything that is wrong with any file, in one report.
pub fn load(roots: &[PathBuf], images: &Path) -> Result<Loaded, LoadError> {
    let mut reader = Reader::default();
    for root in roots {
        reader.root(root);
    }
    let folders = images::read(images, &mut reader.sources, &mut reader.unreadable);
    let Reader { sources, mut inputs, unreadable, .. } = reader;
    inputs.sort_by(|a, b| (&a.name, a.file).cmp(&(&b.name, b.file)));
    let sink = Sink::new(&sources);
    let catalogue = images::parse_into(&sink, &folders);
    let scenarios = parse_into(&sink, &inputs, &catalogue);
    unreadable.into_iter().for_each(|diagnostic| sink.push(diagnostic));
    let mut diagnostics = sink.finish();
    if !images.is_dir() {
        // That was reported; then no name of an image is known, and saying so of each would bury it.
        diagnostics.retain(|d| !matches!(d.code, Code::UnknownImage | Code::UnknownSetupMode));
    }
    if diagnostics.is_empty() { Ok(Loaded { sources, scenarios, catalogue }) } else { Err(LoadError { diagnostics }) }
}

/// A path as messages show it: below the current folder where it is, with `/`.
pub(crate) fn shown(path: &Path) -> String {
    let here = std::env::current_dir().and_then(|here| here.canonicalize()).unwrap_or_default();
    let path = path.strip_prefix(&here).unwrap_or(path);
    let text = path.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/");
    if text.is_empty() { ".".to_string() } else { text }
}

/// Reads a text; what goes wrong is a diagnostic.
pub(crate) fn read_text(path: &Path) -> Result<String, Box<Diagnostic>> {
    let bytes = files::read(path, LARGEST).map_err(|error| {
        let diagnostic = Diagnostic::of_path(shown(path), format!("failed to read {}: {error}", shown(path)));
        match error.kind() {
            ErrorKind::FileTooLarge => diagnostic.help("split it into several; if it is no text, move it elsewhere"),
            _ => diagnostic,
        }
    })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..valid].iter().filter(|byte| **byte == b'\n').count() + 1;
        Diagnostic::of_path(shown(path), format!("{} is not UTF-8: see line {line}", shown(path)))
            .help("TOML is UTF-8; store the file anew in that encoding")
    })?;
    Ok(text)
}

#[derive(Default)]
struct Reader {
    sources: Sources,
    inputs: Vec<Input>,
    unreadable: Vec<Diagnostic>,
    known: HashMap<PathBuf, Option<FileId>>,
}

impl Reader {
    fn root(&mut self, root: &Path) {
        let named = root.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/");
        // The root itself may be a link; files below it keep the names that they have there.
        let real = match root.canonicalize() {
            Ok(real) => real,
            Err(error) => {
                let diagnostic = Diagnostic::of_path(&named, format!("failed to read {named}: {error}"));
                return self.unreadable.push(diagnostic.help("give a scenario file, or a folder of them"));
            }
        };
        if real.is_dir() {
            return self.folder(&real, &named);
        }
        let named_so = Path::new(root.file_name().unwrap_or_default());
        let path = root
            .parent()
            .and_then(|parent| if parent.as_os_str().is_empty() { Path::new(".") } else { parent }.canonicalize().ok());
        let path = path.map_or(real, |folder| folder.join(named_so));
        if !is_toml(&path) || path.file_name().is_some_and(|name| name == DEFAULTS) {
            let message = format!("{named} is no scenario");
            let help = "a scenario is a .toml file other than defaults.toml";
            return self.unreadable.push(Diagnostic::of_path(named, message).help(help));
        }
        let folder = path.parent().map_or_else(PathBuf::new, Path::to_path_buf);
        self.scenario(&path, &folder);
    }

    fn folder(&mut self, folder: &Path, named: &str) {
        let mut found = false;
        let within = naming_root(folder).unwrap_or_else(|| folder.to_path_buf());
        let mut outside = Vec::new();
        let walk = WalkDir::new(folder).follow_links(true).sort_by_file_name().into_iter();
        let walk = walk.filter_entry(|entry| {
            let hidden = entry.depth() > 0 && entry.file_name().as_encoded_bytes().starts_with(b".");
            let leaves = !hidden && entry.depth() > 0 && entry.path_is_symlink() && leads_out(entry.path(), &within);
            if leaves && (entry.file_type().is_dir() || is_toml(entry.path())) {
                outside.push(entry.path().to_path_buf());
            }
            !hidden && !leaves
        });
        for entry in walk {
            match entry {
                Ok(entry) if entry.file_type().is_file() && is_toml(entry.path()) && entry.file_name() != DEFAULTS => {
                    found = true;
                    self.scenario(entry.path(), folder);
                }
                Ok(_) => {}
                Err(error) => {
                    let path = error.path().map_or_else(|| named.to_string(), shown);
                    let message = format!("failed to look through {path}: {error}");
                    found = true;
                    self.unreadable.push(Diagnostic::of_path(path, message));
                }
            }
        }
        found |= !outside.is_empty();
        for path in outside {
            self.unreadable.push(linked_out(&path, &within));
        }
        if !found {
            let message = format!("no scenario was found in {named}");
            let help = "a scenario is a .toml file other than defaults.toml; hidden files and folders are passed over";
            self.unreadable.push(Diagnostic::of_path(named, message).help(help));
        }
    }

    /// Reads one scenario; `fallback` is what its name is relative to where its place in the tree does not tell.
    fn scenario(&mut self, path: &Path, fallback: &Path) {
        if self.known.contains_key(path) {
            return;
        }
        let root = path.parent().and_then(naming_root).unwrap_or_else(|| fallback.to_path_buf());
        let below = path.strip_prefix(&root).unwrap_or(path).with_extension("");
        let Some(name) = below.to_str().map(|name| name.replace(std::path::MAIN_SEPARATOR, "/")) else {
            let message = format!("the name of {} is not UTF-8", shown(path));
            return self.unreadable.push(Diagnostic::of_path(shown(path), message).help("rename it"));
        };
        let Some(file) = self.text(path) else { return };
        let folders: Vec<&Path> = path.ancestors().skip(1).take_while(|folder| folder.starts_with(&root)).collect();
        let defaults: Vec<PathBuf> =
            folders.into_iter().rev().map(|folder| folder.join(DEFAULTS)).filter(|path| path.exists()).collect();
        let defaults = defaults.iter().filter_map(|path| self.text(path)).collect();
        self.inputs.push(Input { name, file, defaults });
    }

    fn text(&mut self, path: &Path) -> Option<FileId> {
        if let Some(known) = self.known.get(path) {
            return *known;
        }
        let within = path.parent().and_then(naming_root);
        let read = match within.filter(|within| path.file_name() == Some(DEFAULTS.as_ref()) && leads_out(path, within))
        {
            Some(within) => Err(Box::new(linked_out(path, &within))),
            None => read_text(path).map(|text| self.sources.add(shown(path), text)),
        };
        let file = read.map_err(|diagnostic| self.unreadable.push(*diagnostic)).ok();
        self.known.insert(path.to_path_buf(), file);
        file
    }
}

/// Whether a path leads out of a folder, by links.
pub(crate) fn leads_out(path: &Path, folder: &Path) -> bool {
    // What leads nowhere is reported when it is read.
    path.canonicalize().is_ok_and(|real| !folder.canonicalize().is_ok_and(|folder| real.starts_with(folder)))
}

/// A link is followed within the folder: a repository of others must not show files of this machine's.
pub(crate) fn linked_out(path: &Path, folder: &Path) -> Diagnostic {
    let message = format!("{} is a link that leads out of {}", shown(path), shown(folder));
    Diagnostic::of_path(shown(path), message).help("put a copy there; links within the folder are followed")
}

fn is_toml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "toml")
}

/// The folder that scenarios' names are relative to: the nearest one called `scenarios`, else the topmost that holds a
/// `defaults.toml`. So a name does not depend on how much of a tree was asked for. Nothing outside of a repository is
/// looked at.
fn naming_root(folder: &Path) -> Option<PathBuf> {
    let mut inside = Vec::new();
    for ancestor in folder.ancestors() {
        inside.push(ancestor);
        if ancestor.join(".git").exists() {
            break;
        }
    }
    let called = inside.iter().find(|folder| folder.file_name().is_some_and(|name| name == "scenarios"));
    let topmost = || inside.iter().rev().find(|folder| folder.join(DEFAULTS).is_file());
    called.or_else(topmost).map(|root| root.to_path_buf())
}
