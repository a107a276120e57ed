//! What goldens are called: whatever scenarios, steps, axes and values are named, no file lies outside the golden
//! folder, what was written is what is read, and no two names are one where letter case is not told apart.

#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use proptest::prelude::*;

use sdc_engine::facts::Facts;
use sdc_engine::golden::name::MAX_NAME;
use sdc_engine::golden::{
    Condition, GoldenError, GoldenFolder, HOST_KEYS, Recorded, RecordedHost, Recording, UpdateError, apply, read,
    update,
};
use sdc_engine::judge::GoldenKey;
use sdc_engine::plan::CaseId;

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

fn key(scenario: &str, folder: &str) -> GoldenKey {
    GoldenKey { scenario: scenario.into(), folder: folder.into() }
}

fn seen(axes: &[(&str, &str)], text: &str) -> Recorded {
    let mut coordinates = recording().host.coordinates();
    coordinates.extend(axes.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    Recorded { case: CaseId(format!("s[{axes:?}]")), coordinates, text: format!("{text}\n") }
}

/// Every entry below a folder.
fn entries(root: &Path) -> BTreeSet<String> {
    let all = walkdir::WalkDir::new(root).min_depth(1).into_iter().map(Result::unwrap);
    all.map(|entry| entry.path().strip_prefix(root).unwrap().display().to_string()).collect()
}

/// Names that mean something to a file system, a shell, another operating system or a golden's name.
fn hostile() -> impl Strategy<Value = String> {
    let known = [
        "..",
        ".",
        "",
        "/",
        "/etc/passwd",
        "../../up",
        "a/../..",
        "\0",
        "CON",
        "con",
        "a\nb",
        "a\rb",
        "\u{7f}",
        "=",
        ",",
        "+",
        "%",
        "%2F",
        "%2e%2e",
        "base",
        "base.txt",
        "BASE",
        "recorded.toml",
        "Recorded.toml",
        ".sdc-golden-x",
        "~",
        "*",
        "a b",
        " ",
        "a.",
        "\\",
        "C:",
        "É",
        "é",
        "e\u{301}",
        "ß",
        "İ",
        "名前",
        "\u{202e}txt",
        "\u{feff}",
    ];
    prop_oneof![
        4 => prop::sample::select(known.map(str::to_owned).to_vec()),
        1 => any::<String>(),
        1 => "[a/.%=]{1,8}",
        1 => (1..400_usize).prop_map(|length| "x".repeat(length)),
        1 => (1..150_usize).prop_map(|length| "ü".repeat(length)),
    ]
}

/// Cases whose axes and values are called so; what may not be an axis is left out.
fn any_seen() -> impl Strategy<Value = Vec<Recorded>> {
    prop::collection::btree_map(prop::collection::btree_map(hostile(), hostile(), 0..3), "[A-C]", 1..6).prop_map(
        |all| {
            let allowed = all.into_iter().filter(|(axes, _)| !axes.keys().any(|key| HOST_KEYS.contains(&key.as_str())));
            let one = |(axes, text): (std::collections::BTreeMap<String, String>, String)| {
                let axes: Vec<(&str, &str)> = axes.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
                seen(&axes, &text)
            };
            allowed.map(one).collect()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_things_are_called_nothing_leaves_the_folder(
        scenario in hostile(),
        folder in hostile(),
        cases in any_seen(),
    ) {
        let tmp = tempfile::tempdir().unwrap();
        let root = tmp.path().join("deep/er/golden");
        fs::create_dir_all(&root).unwrap();
        let outside = |entries: BTreeSet<String>| entries.into_iter().filter(|e| !e.starts_with("deep/er/golden/")).collect::<Vec<_>>();
        let before = outside(entries(tmp.path()));
        let written = update(&GoldenFolder::empty(key(&scenario, &folder)), &cases, &recording());
        let applied = written.as_ref().ok().map(|update| apply(&root, std::slice::from_ref(update)));
        prop_assert_eq!(outside(entries(tmp.path())), before);
        match (written, applied) {
            (Ok(update), Some(Ok(()))) => {
                let store = read(&root).unwrap();
                prop_assert_eq!(&store.strays, &[]);
                let found: Vec<_> = store.folders.into_values().collect();
                prop_assert_eq!(found, [update.after], "what was written is what is read");
                for name in entries(&root) {
                    prop_assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-=,+%/".contains(&b)), "{}", name);
                }
            }
            (Ok(update), Some(Err(error))) => {
                prop_assert!(matches!(error, GoldenError::BadKey { .. } | GoldenError::LongKey { .. }), "{}", error);
                prop_assert!(update.write.keys().all(|name| name.len() <= MAX_NAME));
                prop_assert_eq!(entries(&root), BTreeSet::new());
            }
            (Err(error), _) => {
                prop_assert!(matches!(error, UpdateError::Minimise(_) | UpdateError::SameButCase { .. }), "{}", error);
            }
            (Ok(_), None) => unreachable!(),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_link_on_the_way_is_followed(
        parts in prop::collection::vec("[a-z .%]{1,3}", 2..5),
        link in any::<prop::sample::Index>(),
        dangling in any::<bool>(),
    ) {
        let tmp = tempfile::tempdir().unwrap();
        let (root, outside) = (tmp.path().join("golden"), tmp.path().join("outside"));
        let (folder, scenario) = parts.split_last().unwrap();
        let update = three(key(&scenario.join("/"), folder), "z");
        let Ok(path) = sdc_engine::golden::folder::path(&update.key) else { return Ok(()) };
        // Each folder on the way, and each file in the last one.
        let files = update.write.keys().map(|name| format!("{path}/{name}"));
        let folders = path.match_indices('/').map(|(end, _)| path[..end].to_owned()).chain([path.clone()]);
        let ways: Vec<String> = folders.chain(files).chain([format!("{path}/recorded.toml")]).collect();
        let at = &ways[link.index(ways.len())];
        fs::create_dir_all(root.join(at).parent().unwrap()).unwrap();
        fs::create_dir_all(outside.join("there")).unwrap();
        let target = if dangling { outside.join("not there") } else { outside.join("there") };
        std::os::unix::fs::symlink(target, root.join(at)).unwrap();
        let before = entries(tmp.path());
        let error = apply(&root, &[update]).unwrap_err();
        prop_assert!(matches!(&error, GoldenError::Symlink { path } if path == at), "{}", error);
        prop_assert_eq!(entries(tmp.path()), before);
        let found = read(&root);
        prop_assert!(matches!(&found, Err(GoldenError::Symlink { path }) if path == at), "{:?}", found);
    }
}

/// The update that records three cases, whose files are called after `value`.
fn three(folder: GoldenKey, value: &str) -> sdc_engine::golden::FolderUpdate {
    let cases = [seen(&[("mode", "x")], "x"), seen(&[("mode", "y")], "x"), seen(&[("mode", value)], "y")];
    update(&GoldenFolder::empty(folder), &cases, &recording()).unwrap()
}

fn same_but_case(error: &GoldenError) -> (&str, &str) {
    match error {
        GoldenError::SameButCase { first, second } => (first, second),
        other => panic!("{other}"),
    }
}

#[test]
fn folders_that_differ_by_letter_case_alone_are_refused_before_anything_is_written() {
    let tmp = tempfile::tempdir().unwrap();
    apply(tmp.path(), &[three(key("boot/plain", "list"), "z")]).unwrap();
    let before = entries(tmp.path());
    for (scenario, folder, expected) in [
        ("boot/plain", "LIST", ("boot/plain/list", "boot/plain/LIST")),
        ("boot/Plain", "list", ("boot/plain", "boot/Plain")),
        ("Boot/other", "list", ("boot", "Boot")),
    ] {
        let updates = [three(key("fresh", "list"), "z"), three(key(scenario, folder), "z")];
        assert_eq!(same_but_case(&apply(tmp.path(), &updates).unwrap_err()), expected);
        assert_eq!(entries(tmp.path()), before);
    }
    let both = [three(key("new/a", "list"), "z"), three(key("new/A", "list"), "z")];
    assert_eq!(same_but_case(&apply(tmp.path(), &both).unwrap_err()), ("new/a", "new/A"));
    assert_eq!(entries(tmp.path()), before);
}

#[test]
fn a_file_that_a_new_one_differs_from_by_letter_case_alone_must_go_first_or_the_new_one_is_refused() {
    let tmp = tempfile::tempdir().unwrap();
    apply(tmp.path(), &[three(key("s", "list"), "Z")]).unwrap();
    // Someone else wrote between the reading and the writing of this run.
    let late = three(key("s", "list"), "z");
    let error = apply(tmp.path(), std::slice::from_ref(&late)).unwrap_err();
    assert_eq!(same_but_case(&error), ("s/list/mode=Z.txt", "s/list/mode=z.txt"));
    let mut moved = late;
    moved.delete.insert("mode=Z.txt".into());
    apply(tmp.path(), &[moved]).unwrap();
    let files = ["s", "s/list", "s/list/base.txt", "s/list/mode=z.txt", "s/list/recorded.toml"];
    assert_eq!(entries(tmp.path()), files.map(str::to_owned).into());
}

#[test]
fn goldens_that_are_one_elsewhere_are_told_when_they_are_read() {
    let tmp = tempfile::tempdir().unwrap();
    apply(tmp.path(), &[three(key("a/s", "list"), "z"), three(key("b/s", "list"), "z")]).unwrap();
    let rename = |from: &str, to: &str| fs::rename(tmp.path().join(from), tmp.path().join(to)).unwrap();
    rename("b", "A");
    fs::write(tmp.path().join("a/s/list/MODE=z.txt"), "rival\n").unwrap();
    // Two strays are nobody's business; one that would take a golden's place is.
    fs::write(tmp.path().join("README.md"), "").unwrap();
    fs::write(tmp.path().join("readme.md"), "").unwrap();
    fs::write(tmp.path().join("a/s/list/Base.txt"), "").unwrap();
    let Err(GoldenError::Several { errors }) = read(tmp.path()) else { panic!("three errors") };
    let pairs: BTreeSet<_> = errors.iter().map(same_but_case).collect();
    let expected =
        [("A", "a"), ("a/s/list/Base.txt", "a/s/list/base.txt"), ("a/s/list/MODE=z.txt", "a/s/list/mode=z.txt")];
    assert_eq!(pairs, expected.into());
    assert_eq!(errors[0].to_string(), "A and a differ by letter case alone");
}

#[test]
fn a_golden_called_as_a_file_is_does_not_take_its_place() {
    let tmp = tempfile::tempdir().unwrap();
    apply(tmp.path(), &[three(key("s", "list"), "z")]).unwrap();
    let before = entries(tmp.path());
    for folder in ["base.txt", "recorded.toml"] {
        let error = apply(tmp.path(), &[three(key("s/list", folder), "z")]).unwrap_err();
        assert!(matches!(&error, GoldenError::InTheWay { path } if *path == format!("s/list/{folder}")), "{error}");
    }
    assert_eq!(entries(tmp.path()), before);
}

#[test]
fn a_name_of_a_file_is_of_one_condition_in_any_letter_case() {
    let values = ["a", "A", "É", "é", "%41", "%2f", "/"];
    let names: BTreeSet<String> =
        values.iter().map(|value| Condition::at(&seen(&[("k", value)], "").coordinates).file_name()).collect();
    let folded: BTreeSet<String> = names.iter().map(|name| name.to_lowercase()).collect();
    assert_eq!(names.len(), values.len());
    assert_eq!(folded.len(), values.len() - 1, "only `a` and `A` are one");
}
