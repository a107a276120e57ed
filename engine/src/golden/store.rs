//! Reading and writing the golden folder: the one file of `golden` with IO. What to write is decided in
//! [`super::update()`]; nothing here changes a text.
//!
//! Symbolic links below the root are refused, and so is everything else that would lead out of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use walkdir::WalkDir;

use super::error::{GoldenError, TextFault};
use super::folder::{self, GoldenFolder};
use super::name::Condition;
use super::record;
use super::update::FolderUpdate;
use super::{Coordinates, RECORDED_FILE};
use crate::files;
use crate::judge::{GoldenKey, GoldenState};
use crate::plan::CaseId;

/// The largest file that is read: what a command prints is cut long before, and recordings are of the same order.
const LARGEST: u64 = 32 << 20;

/// How the names of files begin that are not complete yet.
const TEMPORARY: &str = ".sdc-golden-";

/// Something below the root that is no golden.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stray {
    /// Its path below the root.
    pub path: String,
    /// Why it is none.
    pub why: String,
}

/// Everything below the golden root.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GoldenStore {
    /// The folders that hold goldens.
    pub folders: BTreeMap<GoldenKey, GoldenFolder>,
    /// Files that are no goldens, sorted. They are never read nor written.
    pub strays: Vec<Stray>,
}

impl GoldenStore {
    /// What was recorded for a case; a golden folder that is not there says `New` for all.
    ///
    /// # Errors
    /// See [`GoldenFolder::state`].
    pub fn state(&self, key: &GoldenKey, case: &CaseId, at: &Coordinates) -> Result<GoldenState, GoldenError> {
        self.folders.get(key).map_or(Ok(GoldenState::New), |folder| folder.state(case, at))
    }

    /// The folder to compute an update for; an empty one where there is none.
    #[must_use]
    pub fn folder(&self, key: &GoldenKey) -> GoldenFolder {
        self.folders.get(key).cloned().unwrap_or_else(|| GoldenFolder::empty(key.clone()))
    }
}

/// Golden folders, below the root, that none of the known goldens claims.
#[must_use]
pub fn orphans(store: &GoldenStore, known: &[GoldenKey]) -> Vec<String> {
    let known: BTreeSet<&GoldenKey> = known.iter().collect();
    store.folders.keys().filter(|key| !known.contains(key)).filter_map(|key| folder::path(key).ok()).collect()
}

/// Reads everything below `root`; a root that is not there is empty.
///
/// # Errors
/// Every file that can't be used, at once. Files that are no goldens are not errors but [`GoldenStore::strays`].
pub fn read(root: &Path) -> Result<GoldenStore, GoldenError> {
    let mut store = GoldenStore::default();
    let mut errors = Vec::new();
    let mut entries = Vec::new();
    match fs::metadata(root) {
        Ok(found) if found.is_dir() => {}
        Ok(_) => return Err(GoldenError::InTheWay { path: root.display().to_string() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(store),
        Err(error) => return Err(io_error("look at", root.display().to_string())(error)),
    }
    // The root itself may be a link: it is the user's own word.
    for entry in WalkDir::new(root).follow_root_links(true).min_depth(1).sort_by_file_name() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let path = error.path().unwrap_or(root).display().to_string();
                errors.push(io_error("read", path)(error.into()));
                continue;
            }
        };
        let relative = below(root, entry.path());
        entries.push(relative.clone());
        let kind = entry.file_type();
        if kind.is_symlink() {
            errors.push(GoldenError::Symlink { path: relative });
        } else if kind.is_file() {
            if let Err(error) = read_file(&mut store, entry.path(), &relative) {
                errors.push(error);
            }
        } else if !kind.is_dir() {
            store.strays.push(Stray { path: relative, why: "it is no plain file".into() });
        }
    }
    store.strays.sort();
    errors.extend(rivals(&entries, &store.strays));
    GoldenError::all(errors).map(|()| store)
}

/// Entries of one folder that differ by letter case alone, where one of the two is a golden or leads to one.
fn rivals(entries: &[String], strays: &[Stray]) -> Vec<GoldenError> {
    let strays: BTreeSet<&str> = strays.iter().map(|stray| stray.path.as_str()).collect();
    let is_golden = |path: &str| {
        let below = format!("{path}/");
        let named = |name: &str| name == RECORDED_FILE || Condition::from_file_name(name).is_ok();
        let mut within = entries.iter().filter(|entry| *entry == path || entry.starts_with(&below));
        within.any(|entry| named(name_of(entry)) && !strays.contains(entry.as_str()))
    };
    let mut first: BTreeMap<(&str, String), &str> = BTreeMap::new();
    let mut rivals = Vec::new();
    for entry in entries {
        let folder = &entry[..entry.len() - name_of(entry).len()];
        let other = *first.entry((folder, name_of(entry).to_lowercase())).or_insert(entry);
        if other != entry && (is_golden(other) || is_golden(entry)) {
            rivals.push(GoldenError::SameButCase { first: other.to_owned(), second: entry.clone() });
        }
    }
    rivals
}

/// The last component of a path.
fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Reads one file into the store.
fn read_file(store: &mut GoldenStore, path: &Path, relative: &str) -> Result<(), GoldenError> {
    let mut stray = |why: String| {
        store.strays.push(Stray { path: relative.to_owned(), why });
        Ok(())
    };
    let (dir, name) = relative.rsplit_once('/').unwrap_or(("", relative));
    let key = match folder::key(dir) {
        Ok(Some(key)) => key,
        Ok(None) => return stray("goldens stand in golden/<scenario>/<step>/".into()),
        Err(error) => return stray(format!("no golden folder: {error}")),
    };
    let condition = match Condition::from_file_name(name) {
        Ok(condition) => Some(condition),
        Err(_) if name == RECORDED_FILE => None,
        Err(_) if name.starts_with(TEMPORARY) => return stray("an update was interrupted and left it".into()),
        Err(error) => return stray(error.to_string()),
    };
    let bytes = files::read(path, LARGEST).map_err(io_error("read", relative))?;
    let text = String::from_utf8(bytes).map_err(|error| GoldenError::NotUtf8 {
        path: relative.to_owned(),
        offset: error.utf8_error().valid_up_to(),
    })?;
    let folder = store.folders.entry(key.clone()).or_insert_with(|| GoldenFolder::empty(key));
    let text_error = |fault: TextFault| GoldenError::Text(Box::new(fault));
    match condition {
        Some(condition) => {
            if let Some(fault) = record::conflict(relative, &text) {
                return Err(text_error(fault));
            }
            folder.files.insert(condition, text);
        }
        None => match record::read(relative, &text) {
            Ok(groups) => folder.groups = groups,
            Err(faults) => return GoldenError::all(faults.into_iter().map(text_error).collect()),
        },
    }
    Ok(())
}

/// Writes updates: all of them or none, as far as a file system allows.
///
/// Every text is first written to a temporary file in its own folder and brought to the disk. Only when all of them
/// are there, they are renamed into place, and only then superseded files are deleted, with the folders that this leaves
/// empty. Whatever fails before the renames leaves the old set and no trace. `recorded.toml` comes last of its folder's
/// renames.
///
/// # Errors
/// When a path would leave the root, or the file system would not.
pub fn apply(root: &Path, updates: &[FolderUpdate]) -> Result<(), GoldenError> {
    let mut made = Made::default();
    let prepared = prepare(root, updates, &mut made);
    let staged = match prepared {
        Ok(staged) => staged,
        Err(error) => {
            made.undo();
            return Err(error);
        }
    };
    let mut touched = BTreeSet::new();
    delete(staged.first, &mut touched)?;
    for Staged { file, target, relative } in staged.writes {
        file.persist(&target).map_err(|error| io_error("write", relative)(error.error))?;
        touched.extend(target.parent().map(Path::to_path_buf));
    }
    delete(staged.deletes, &mut touched)?;
    for dir in staged.emptied {
        let inside = dir.ancestors().take_while(|dir| *dir != root);
        // What is not empty stays, whatever is in it.
        for gone in inside.take_while(|dir| fs::remove_dir(dir).is_ok()) {
            touched.remove(gone);
            touched.extend(gone.parent().map(Path::to_path_buf));
        }
    }
    for dir in touched {
        let sync = File::open(&dir).and_then(|dir| dir.sync_all());
        sync.map_err(io_error("sync", below(root, &dir)))?;
    }
    Ok(())
}

/// Deletes what is there of these files, and notes their folders.
fn delete(files: Vec<(PathBuf, String)>, touched: &mut BTreeSet<PathBuf>) -> Result<(), GoldenError> {
    for (target, relative) in files {
        match fs::remove_file(&target) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io_error("delete", relative)(error)),
            _ => touched.extend(target.parent().map(Path::to_path_buf)),
        }
    }
    Ok(())
}

/// A complete temporary file and where it goes.
struct Staged {
    file: NamedTempFile,
    target: PathBuf,
    relative: String,
}

/// Everything that is ready to be done.
#[derive(Default)]
struct Ready {
    /// Files that go before anything is written: they differ from a new one by letter case alone, and where a file
    /// system does not tell that apart, the new one would be deleted after it was written.
    first: Vec<(PathBuf, String)>,
    writes: Vec<Staged>,
    deletes: Vec<(PathBuf, String)>,
    /// Folders of which nothing may be left.
    emptied: Vec<PathBuf>,
}

/// Folders that were made, outermost first.
#[derive(Default)]
struct Made(Vec<PathBuf>);

impl Made {
    /// Removes them again; one that has got other contents meanwhile stays.
    fn undo(self) {
        for dir in self.0.into_iter().rev() {
            drop(fs::remove_dir(dir));
        }
    }
}

/// Checks every path and writes every text aside.
fn prepare(root: &Path, updates: &[FolderUpdate], made: &mut Made) -> Result<Ready, GoldenError> {
    let mut ready = Ready::default();
    for update in updates.iter().filter(|update| !update.is_empty()) {
        let relative = folder::path(&update.key)?;
        let dir = make_folder(root, &relative, made)?;
        let present = names_in(&dir).map_err(io_error("read", relative.as_str()))?;
        let mut written = BTreeSet::new();
        let texts = update.write.iter().map(|(name, text)| (name.as_str(), text));
        for (name, text) in texts.chain(update.recorded.iter().map(|text| (RECORDED_FILE, text))) {
            let path = file_path(&relative, name)?;
            let target = plain_target(root, &path)?;
            let others = present.get(&name.to_lowercase()).into_iter().flatten();
            if let Some(other) = others.into_iter().find(|other| *other != name && !update.delete.contains(*other)) {
                return Err(GoldenError::SameButCase { first: format!("{relative}/{other}"), second: path });
            }
            let file = stage(&dir, text).map_err(io_error("write", path.as_str()))?;
            written.insert(name.to_lowercase());
            ready.writes.push(Staged { file, target, relative: path });
        }
        for name in &update.delete {
            let path = file_path(&relative, name)?;
            let same = written.contains(&name.to_lowercase());
            let deletes = if same { &mut ready.first } else { &mut ready.deletes };
            deletes.push((plain_target(root, &path)?, path));
        }
        if update.after.files.is_empty() && update.after.groups.is_empty() {
            ready.emptied.push(dir);
        }
    }
    Ok(ready)
}

/// The names in a folder, by what they are where letter case is not told apart.
fn names_in(dir: &Path) -> io::Result<BTreeMap<String, Vec<String>>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        all.entry(name.to_lowercase()).or_default().push(name);
    }
    Ok(all)
}

/// A golden's file below the root; only names of conditions and `recorded.toml` are.
fn file_path(folder: &str, name: &str) -> Result<String, GoldenError> {
    let path = format!("{folder}/{name}");
    if name == RECORDED_FILE || Condition::from_file_name(name).is_ok() {
        Ok(path)
    } else {
        Err(GoldenError::InTheWay { path })
    }
}

/// Makes a folder below the root, a component at a time, through no link.
fn make_folder(root: &Path, relative: &str, made: &mut Made) -> Result<PathBuf, GoldenError> {
    let mut dir = root.to_path_buf();
    let missing: Vec<&Path> = root.ancestors().take_while(|dir| !dir.as_os_str().is_empty() && !dir.exists()).collect();
    made.0.extend(missing.into_iter().rev().map(Path::to_path_buf));
    fs::create_dir_all(root).map_err(io_error("make", root.display().to_string()))?;
    for part in relative.split('/') {
        let present = names_in(&dir).map_err(io_error("read", below(root, &dir)))?;
        let same = present.get(&part.to_lowercase()).into_iter().flatten().find(|other| *other != part);
        let other = same.map(|other| below(root, &dir.join(other)));
        dir.push(part);
        let path = below(root, &dir);
        if let Some(other) = other {
            return Err(GoldenError::SameButCase { first: other, second: path });
        }
        match fs::symlink_metadata(&dir) {
            Ok(found) if found.is_symlink() => return Err(GoldenError::Symlink { path }),
            Ok(found) if found.is_dir() => {}
            Ok(_) => return Err(GoldenError::InTheWay { path }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir(&dir).map_err(io_error("make", path))?;
                made.0.push(dir.clone());
            }
            Err(error) => return Err(io_error("look at", path)(error)),
        }
    }
    Ok(dir)
}

/// The path of a file that is plain or not there.
fn plain_target(root: &Path, relative: &str) -> Result<PathBuf, GoldenError> {
    let target = root.join(relative);
    match fs::symlink_metadata(&target) {
        Ok(found) if found.is_symlink() => Err(GoldenError::Symlink { path: relative.to_owned() }),
        Ok(found) if !found.is_file() => Err(GoldenError::InTheWay { path: relative.to_owned() }),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error("look at", relative)(error)),
        _ => Ok(target),
    }
}

/// A complete temporary file in that folder, with the permissions of an ordinary one.
fn stage(dir: &Path, text: &str) -> io::Result<NamedTempFile> {
    let mut file =
        tempfile::Builder::new().prefix(TEMPORARY).permissions(Permissions::from_mode(0o666)).tempfile_in(dir)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// A path below the root with `/`, for messages.
fn below(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned()
}

/// What was tried, on what, around an error of the file system.
fn io_error(doing: &'static str, path: impl Into<String>) -> impl FnOnce(io::Error) -> GoldenError {
    let path = path.into();
    move |source| GoldenError::Io { doing, path, source }
}
