//! The golden folder on disk: what is read, what is refused, and that an update is written whole or not at all.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use sdc_engine::facts::Facts;
use sdc_engine::golden::{
    Coordinates, FolderUpdate, GoldenError, GoldenFolder, Recorded, RecordedHost, Recording, apply, orphans, read,
    update,
};
use sdc_engine::judge::{GoldenKey, GoldenState};
use sdc_engine::plan::CaseId;

fn key(scenario: &str, folder: &str) -> GoldenKey {
    GoldenKey { scenario: scenario.into(), folder: folder.into() }
}

fn at(mode: &str) -> Coordinates {
    let mut all = RecordedHost::of(&Facts::assumed()).coordinates();
    all.insert("mode".into(), mode.into());
    all
}

fn recording() -> Recording {
    Recording {
        date: "2025-01-01".into(),
        host: RecordedHost::of(&Facts::assumed()),
        image: "debian-12".into(),
        systemd: "252".into(),
        runs: 3,
        reason: "because".into(),
    }
}

fn case(mode: &str) -> CaseId {
    CaseId(format!("s[mode={mode}]"))
}

fn change(folder: &GoldenFolder, texts: &[(&str, &str)]) -> FolderUpdate {
    let seen: Vec<Recorded> = texts
        .iter()
        .map(|(mode, text)| Recorded { case: case(mode), coordinates: at(mode), text: format!("{text}\n") })
        .collect();
    update(folder, &seen, &recording()).unwrap()
}

fn first(scenario: &str) -> FolderUpdate {
    change(&GoldenFolder::empty(key(scenario, "list")), &[("a", "x"), ("b", "x"), ("c", "y")])
}

/// Every file below a folder, with its text.
fn tree(root: &Path) -> BTreeMap<String, String> {
    walkdir::WalkDir::new(root)
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let name = entry.path().strip_prefix(root).unwrap().display().to_string();
            (name, fs::read_to_string(entry.path()).unwrap())
        })
        .collect()
}

#[test]
fn what_is_applied_is_read_again() {
    let tmp = tempfile::tempdir().unwrap();
    let root = tmp.path().join("golden");
    assert!(read(&root).unwrap().folders.is_empty());
    let update = first("dir/s");
    apply(&root, std::slice::from_ref(&update)).unwrap();
    let names: Vec<_> = tree(&root).into_keys().collect();
    assert_eq!(names, ["dir/s/list/base.txt", "dir/s/list/mode=c.txt", "dir/s/list/recorded.toml"]);
    let mode = fs::metadata(root.join("dir/s/list/base.txt")).unwrap().permissions().mode();
    assert_eq!(mode & 0o600, 0o600);
    assert_ne!(mode & 0o044, 0, "readable as any file is");

    let store = read(&root).unwrap();
    assert_eq!(store.folders.values().cloned().collect::<Vec<_>>(), [update.after]);
    assert_eq!(store.strays, []);
    let state = |mode: &str| store.state(&key("dir/s", "list"), &case(mode), &at(mode)).unwrap();
    assert_eq!(state("c"), GoldenState::Recorded { file: "dir/s/list/mode=c.txt".into(), text: "y\n".into() });
    assert_eq!(state("d"), GoldenState::New, "base.txt would match, and was not recorded for it");
    let podman = at("c").into_iter().map(|(k, v)| (k, v.replace("docker", "podman"))).collect();
    assert_eq!(store.state(&key("dir/s", "list"), &case("c"), &podman).unwrap(), GoldenState::New);
    assert_eq!(store.state(&key("other", "list"), &case("c"), &at("c")).unwrap(), GoldenState::New);
    assert_eq!(orphans(&store, &[]), ["dir/s/list"]);
    assert!(orphans(&store, &[key("dir/s", "list")]).is_empty());
}

#[test]
fn superseded_files_go_and_an_empty_update_touches_nothing() {
    let tmp = tempfile::tempdir().unwrap();
    apply(tmp.path(), &[first("s")]).unwrap();
    let folder = read(tmp.path()).unwrap().folder(&key("s", "list"));
    let update = change(&folder, &[("c", "x")]);
    apply(tmp.path(), &[update]).unwrap();
    assert_eq!(tree(tmp.path()).into_keys().collect::<Vec<_>>(), ["s/list/base.txt", "s/list/recorded.toml"]);
    let folder = read(tmp.path()).unwrap().folder(&key("s", "list"));
    let nothing = change(&folder, &[("a", "x")]);
    assert!(nothing.is_empty());
    fs::remove_dir_all(tmp.path().join("s")).unwrap();
    apply(tmp.path(), &[nothing]).unwrap();
    assert!(tree(tmp.path()).is_empty());
}

#[test]
fn a_failure_leaves_the_old_set_and_no_trace() {
    let tmp = tempfile::tempdir().unwrap();
    apply(tmp.path(), &[first("a")]).unwrap();
    fs::write(tmp.path().join("z"), "a file where a folder must be").unwrap();
    let before = tree(tmp.path());
    let folder = read(tmp.path()).unwrap().folder(&key("a", "list"));
    let updates = [change(&folder, &[("a", "new"), ("c", "new")]), first("fresh/folder"), first("z")];
    assert!(matches!(apply(tmp.path(), &updates), Err(GoldenError::InTheWay { path }) if path == "z"));
    assert_eq!(tree(tmp.path()), before);
    assert!(!tmp.path().join("fresh").exists());
}

#[test]
fn nothing_is_written_through_a_link() {
    let tmp = tempfile::tempdir().unwrap();
    let (root, outside) = (tmp.path().join("golden"), tmp.path().join("outside"));
    fs::create_dir_all(&root).unwrap();
    fs::create_dir_all(&outside).unwrap();
    symlink(&outside, root.join("s")).unwrap();
    assert!(matches!(apply(&root, &[first("s")]), Err(GoldenError::Symlink { path }) if path == "s"));
    assert!(tree(&outside).is_empty());
    assert!(matches!(read(&root), Err(GoldenError::Symlink { path }) if path == "s"));

    fs::remove_file(root.join("s")).unwrap();
    fs::create_dir_all(root.join("s/list")).unwrap();
    fs::write(outside.join("secret"), "kept").unwrap();
    symlink(outside.join("secret"), root.join("s/list/base.txt")).unwrap();
    assert!(matches!(apply(&root, &[first("s")]), Err(GoldenError::Symlink { path }) if path == "s/list/base.txt"));
    assert_eq!(fs::read_to_string(outside.join("secret")).unwrap(), "kept");
}

#[test]
fn names_that_lead_out_are_refused() {
    let tmp = tempfile::tempdir().unwrap();
    let root = tmp.path().join("golden");
    assert!(matches!(apply(&root, &[first("../up")]), Err(GoldenError::BadKey { .. })));
    let mut update = first("s");
    update.delete.insert("../../../x.txt".into());
    assert!(matches!(apply(&root, &[update]), Err(GoldenError::InTheWay { .. })));
    assert!(!root.exists());
}

#[test]
fn strays_are_reported_and_never_read() {
    let tmp = tempfile::tempdir().unwrap();
    apply(tmp.path(), &[first("s")]).unwrap();
    fs::write(tmp.path().join("README.md"), [0xff]).unwrap();
    fs::write(tmp.path().join("s/list/mode=z,a=1.txt"), "<<<<<<<").unwrap();
    fs::write(tmp.path().join("s/list/.sdc-golden-x1"), "half").unwrap();
    let store = read(tmp.path()).unwrap();
    let strays: Vec<_> = store.strays.iter().map(|stray| (stray.path.as_str(), stray.why.as_str())).collect();
    assert_eq!(
        strays,
        [
            ("README.md", "goldens stand in golden/<scenario>/<step>/"),
            ("s/list/.sdc-golden-x1", "an update was interrupted and left it"),
            ("s/list/mode=z,a=1.txt", "the condition's name is `a=1,mode=z`"),
        ]
    );
}

#[test]
fn every_broken_file_is_named_at_once() {
    let tmp = tempfile::tempdir().unwrap();
    apply(tmp.path(), &[first("s")]).unwrap();
    fs::write(tmp.path().join("s/list/base.txt"), b"x\n\xff\n").unwrap();
    fs::write(tmp.path().join("s/list/mode=c.txt"), "x\n<<<<<<< HEAD\ny\n").unwrap();
    fs::write(tmp.path().join("s/list/recorded.toml"), "[[recording]]\nwho = 1\n").unwrap();
    let Err(GoldenError::Several { errors }) = read(tmp.path()) else { panic!("three errors") };
    let messages: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(messages[0], "s/list/base.txt is not UTF-8: byte 2 is the first that is not");
    assert_eq!(messages[1], "s/list/mode=c.txt:2: a merge conflict was left in the file");
    assert!(messages[2].starts_with("s/list/recorded.toml:2: unknown field `who`"), "{}", messages[2]);
}

#[test]
fn a_lost_file_and_a_rival_are_errors_that_name_them() {
    let tmp = tempfile::tempdir().unwrap();
    apply(tmp.path(), &[first("s")]).unwrap();
    fs::write(tmp.path().join("s/list/engine=docker.txt"), "rival\n").unwrap();
    let state = || read(tmp.path()).unwrap().state(&key("s", "list"), &case("c"), &at("c"));
    let message = state().unwrap_err().to_string();
    assert!(message.contains("engine=docker.txt and mode=c.txt are equally specific"), "{message}");
    for file in ["engine=docker.txt", "mode=c.txt", "base.txt"] {
        fs::remove_file(tmp.path().join("s/list").join(file)).unwrap();
    }
    let expected = "s/list/recorded.toml lists s[mode=c], and no file in s/list stands for it";
    assert_eq!(state().unwrap_err().to_string(), expected);
}
