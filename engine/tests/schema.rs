//! The schemas and the reference: that they are what the program makes, and that they and the decoder are of one mind on which
//! keys there are. `UPDATE=1 cargo test --test schema` writes them anew.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use clap::ValueEnum as _;
use sdc_engine::cli::File;
use sdc_engine::facts::Facts;
use sdc_engine::images::{Catalogue, Folder, Folders};
use sdc_engine::matrix::{Filters, MAX_CASES};
use sdc_engine::plan::{Inputs, plan};
use sdc_engine::scenario::{Code, Diagnostic, Input, parse};
use sdc_engine::schema::{Shape, Table, json};
use sdc_engine::source::Sources;
use serde_json::{Map, Value};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn printed(arguments: &[&str]) -> String {
    let output = Command::cargo_bin("sdc-engine").unwrap().arg("schema").args(arguments).assert().success();
    String::from_utf8(output.get_output().stdout.clone()).unwrap()
}

/// Compares a committed file with what it must be, or writes it.
fn is_committed(path: &str, text: &str) {
    let file = root().join(path);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, text).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(committed == text, "{path} is stale: UPDATE=1 cargo test --test schema");
}

#[test]
fn committed_schemas_are_what_schema_prints() {
    for file in File::ALL {
        let name = file.to_possible_value().unwrap();
        let text = printed(&[name.get_name()]);
        let value: Value = serde_json::from_str(&text).unwrap();
        // It is held against its draft's own schema too.
        jsonschema::draft202012::new(&value).unwrap_or_else(|error| panic!("{file:?}: {error}"));
        is_committed(file.schema(), &text);
    }
    assert_eq!(printed(&[]), printed(&["scenario"]));
}

#[test]
fn the_reference_is_what_schema_prints() {
    let text = printed(&["--markdown"]);
    is_committed("engine/docs/scenario.md", &text);
    for target in text.split("](#").skip(1).map(|rest| rest.split(')').next().unwrap()) {
        assert!(text.contains(&format!("<a id=\"{target}\">")), "nothing is called {target}");
    }
}

/// What is wrong with a file.
fn errors(validator: &jsonschema::Validator, value: &Value) -> Vec<String> {
    match validator.validate(value) {
        Ok(()) => Vec::new(),
        Err(errors) => errors.map(|error| error.to_string()).collect(),
    }
}

/// What kind of file a path is.
fn kind(path: &Path) -> File {
    let name = path.file_name().unwrap().to_str().unwrap();
    match (name, path.strip_prefix(root()).unwrap()) {
        ("defaults.toml", _) => File::Defaults,
        (_, path) if path.starts_with("scenarios") => File::Scenario,
        ("image.toml", _) => File::Image,
        ("mode.toml", _) => File::Mode,
        ("diagnoses.toml", _) => File::Diagnoses,
        _ => File::Host,
    }
}

fn shipped() -> Vec<PathBuf> {
    let walk = ["scenarios", "images"].map(|folder| walkdir::WalkDir::new(root().join(folder)).sort_by_file_name());
    let paths = walk.into_iter().flatten().map(|entry| entry.unwrap().into_path());
    paths.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect()
}

#[test]
fn every_shipped_file_is_valid_and_names_its_schema() {
    let files = shipped();
    assert!(files.len() > 30, "{files:?}");
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let kind = kind(&path);
        let named = text.lines().next().unwrap().strip_prefix("#:schema ");
        let named = named.unwrap_or_else(|| panic!("{} names no schema", path.display()));
        let named = path.parent().unwrap().join(named).canonicalize().unwrap();
        assert_eq!(named, root().join(kind.schema()).canonicalize().unwrap(), "{}", path.display());
        let value: Value = toml::from_str(&text).unwrap();
        let validator = jsonschema::validator_for(&json(kind.table())).unwrap();
        let errors = errors(&validator, &value);
        assert!(errors.is_empty(), "{}: {errors:#?}", path.display());
    }
}

#[test]
fn files_with_unknown_keys_are_refused() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad/unknown_key/scenarios");
    for entry in walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap).filter(|entry| entry.path().is_file()) {
        let kind = if entry.file_name() == "defaults.toml" { File::Defaults } else { File::Scenario };
        let text = std::fs::read_to_string(entry.path()).unwrap();
        let value: Value = toml::from_str(&text).unwrap();
        assert!(!jsonschema::is_valid(&json(kind.table()), &value), "{}", entry.path().display());
    }
}

/// One value for each way in which a value of that shape may be written, with the path of keys to what is special in it.
fn variants(shape: &Shape, unknown: bool) -> Vec<(String, Value)> {
    let plain = |value: Value| vec![(String::new(), value)];
    match shape {
        // With `unknown` only tables count.
        Shape::Table(table) => tables(table, unknown),
        Shape::List(item) | Shape::Some(item) => {
            variants(item, unknown).into_iter().map(|(path, value)| (path, vec![value].into())).collect()
        }
        Shape::OneOrMany(item) => {
            let one = variants(item, unknown);
            let many = one.clone().into_iter().map(|(path, value)| (format!("[]{path}"), vec![value].into()));
            one.into_iter().chain(many).collect()
        }
        Shape::Any(shapes) => shapes.iter().flat_map(|shape| variants(shape, unknown)).collect(),
        _ if unknown => Vec::new(),
        Shape::Words(words) => words().into_iter().map(|word| (format!("={word}"), word.into())).collect(),
        Shape::Choice(words) => words.iter().map(|word| (format!("={word}"), (*word).into())).collect(),
        Shape::Switch => vec![("=true".into(), true.into()), ("=\"false\"".into(), "false".into())],
        Shape::Bool | Shape::True => plain(true.into()),
        Shape::Int(least, _) => plain((*least).max(1).into()),
        Shape::Duration => plain("2s".into()),
        Shape::Condition => plain("host.engine == 'podman'".into()),
        Shape::Text | Shape::Name | Shape::Template | Shape::Scalar | Shape::Regex => plain("x1".into()),
    }
}

/// Tables with what they need and one key more: each of those they know, or (`unknown`) one that nobody knows.
fn tables(table: &'static Table, unknown: bool) -> Vec<(String, Value)> {
    let needed = table.known().filter(|key| key.required);
    let base: Map<String, Value> =
        needed.map(|key| (key.name.to_owned(), variants(&key.shape, false).remove(0).1)).collect();
    let with = |key: &str, value: Value| {
        let mut table = base.clone();
        table.insert(key.to_owned(), value);
        Value::from(table)
    };
    let named = table.named.iter().map(|named| ("x2", &named.shape));
    let mut found: Vec<(String, Value)> = table
        .known()
        .map(|key| (key.name, &key.shape))
        .chain(named)
        .flat_map(|(key, shape)| variants(shape, unknown).into_iter().map(move |(path, value)| (key, path, value)))
        .map(|(key, path, value)| (format!(".{key}{path}"), with(key, value)))
        .collect();
    if unknown && table.named.is_none() {
        found.push((".zebra".to_owned(), with("zebra", 1.into())));
    }
    found
}

/// What the decoder says of a file.
fn decoded(file: File, text: &str) -> Vec<Diagnostic> {
    let mut sources = Sources::default();
    let id = sources.add("x.toml", text);
    let folder = |file| vec![Folder { name: "x".into(), file, beside: [("x1".into(), "x".into())].into() }];
    let scenario = |sources: &mut Sources, defaults: Vec<_>, file| {
        let catalogue = sdc_engine::images::load(Path::new("tests/images")).unwrap();
        parse(sources, &[Input { name: "x".into(), file, defaults }], &catalogue).err().unwrap_or_default()
    };
    let images = |folders| sdc_engine::images::parse(&sources, &folders).err().unwrap_or_default();
    match file {
        File::Scenario => scenario(&mut sources, Vec::new(), id),
        File::Defaults => {
            let own = sources.add("own.toml", "title = 'x'\n");
            scenario(&mut sources, vec![id], own)
        }
        File::Image => images(Folders { images: folder(id), ..Folders::default() }),
        File::Mode => images(Folders { setup_modes: folder(id), ..Folders::default() }),
        File::Diagnoses => sdc_engine::diagnose::parse(&sources, id).err().unwrap_or_default(),
        File::Host => {
            let images = tempfile::tempdir().unwrap();
            std::fs::create_dir(images.path().join("hosts")).unwrap();
            std::fs::write(images.path().join("hosts/x.toml"), text).unwrap();
            sdc_engine::host::lab::load(images.path()).err().map(|error| error.diagnostics).unwrap_or_default()
        }
    }
}

#[test]
fn the_schema_and_the_decoder_accept_every_key_of_the_tables() {
    for file in File::ALL {
        let validator = jsonschema::validator_for(&json(file.table())).unwrap();
        let all = tables(file.table(), false);
        assert!(!all.is_empty());
        for (path, value) in all {
            let errors = errors(&validator, &value);
            assert!(errors.is_empty(), "{file:?}{path}: {errors:#?}\n{value:#}");
            let text = toml::to_string(&value).unwrap();
            // What a value means is not looked at here: there is no image `x1`, and a rule `x1` is not declared.
            let unread = |found: &Diagnostic| {
                matches!(found.code, Code::UnknownKey | Code::WrongType | Code::MissingKey | Code::BadDuration)
                    || (path.contains('=') && found.message.contains("can't be \""))
            };
            let wrong: Vec<String> = decoded(file, &text)
                .into_iter()
                .filter(unread)
                .map(|found| found.message)
                // One of two keys is needed in some tables, and this is the other one.
                .filter(|message| !EITHER.iter().any(|either| message.contains(either)))
                .collect();
            assert!(wrong.is_empty(), "{file:?}{path}: {wrong:#?}\n{text}");
        }
    }
}

/// What is said where a table lacks what it needs besides keys that are always needed.
const EITHER: [&str; 5] = [
    "a step needs `run`",
    "a step needs `signal`",
    "`repeat` needs `times`",
    "an image.toml needs `bootstrap`",
    "does not say which image its container has",
];

#[test]
fn the_schema_and_the_decoder_refuse_unknown_keys_in_every_table() {
    let mut count = 0;
    for file in File::ALL {
        let validator = jsonschema::validator_for(&json(file.table())).unwrap();
        for (path, value) in tables(file.table(), true) {
            count += 1;
            assert!(!validator.is_valid(&value), "{file:?}{path}: {value:#}");
            let text = toml::to_string(&value).unwrap();
            let found = decoded(file, &text);
            assert!(found.iter().any(|found| found.code == Code::UnknownKey), "{file:?}{path}: {found:#?}\n{text}");
        }
    }
    assert!(count > 40, "{count}");
}

/// A scenario in which every key that has a default stands on a line of its own.
const EVERYTHING: &str = "\
title = 'x'
#scenario.inherit
#scenario.fresh
#scenario.select
#scenario.normalise
[container]
image = 'debian-12'
#container.setup_mode
#container.privileged
#container.read_only
#container.tty
[boot]
#boot.timeout
#boot.ready
#boot.unknown_lines
[boot.expect]
#boot_expect.level
state = 'running'
[[step]]
name = 'a'
run = 'true'
#step.at
#step.background
[step.wait]
limit = '5s'
#wait.every
[step.expect]
#expect.level
exit = 0
[step.expect.stdout]
golden = { compare = 'table' }
[[step]]
name = 'b'
engine = 'stop'
#step.grace
expect.stdout.lines = { max = 3 }
";

/// The plan of a scenario, as text.
fn planned(text: &str, catalogue: &Catalogue) -> String {
    let mut sources = Sources::default();
    let file = sources.add("x.toml", text);
    let input = Input { name: "x".into(), file, defaults: Vec::new() };
    let scenarios = parse(&sources, &[input], catalogue).unwrap_or_else(|found| panic!("{text}\n{found:#?}"));
    let (facts, filters) = (Facts::assumed(), Filters::default());
    let inputs = Inputs { sources: &sources, catalogue, facts: &facts, filters: &filters, max_cases: MAX_CASES };
    format!("{:#?}", plan(&scenarios, inputs).unwrap())
}

#[test]
fn a_default_is_what_a_key_has_that_is_not_written() {
    let catalogue = sdc_engine::images::load(Path::new("tests/images")).unwrap();
    // Every line is as long as any, so that places are the same.
    let padded = |text: &str| text.lines().map(|line| format!("{line:<60}\n")).collect::<String>();
    let without = padded(EVERYTHING);
    let plain = planned(&without, &catalogue);
    let mut keys = Vec::new();
    tables_of(File::Scenario.table(), &mut keys);
    let mut tried = 0;
    for (table, key) in keys.iter().filter_map(|(table, key)| Some((table, (key.name, key.default?)))) {
        let place = format!("#{}.{}\n", table.id, key.0);
        // Those of one table in another's place, and of tables in a line, stand nowhere here.
        if !EVERYTHING.contains(&place) {
            assert!(["container_when", "lines", "golden"].contains(&table.id), "{place} is not tried");
            continue;
        }
        tried += 1;
        let with = EVERYTHING.replace(&place, &format!("{} = {}\n", key.0, key.1));
        assert_eq!(planned(&padded(&with), &catalogue), plain, "{place}");
    }
    assert_eq!(tried, EVERYTHING.matches('#').count());
}

/// Every table below one, with its keys.
fn tables_of(table: &'static Table, found: &mut Vec<(&'static Table, &'static sdc_engine::schema::Key)>) {
    if found.iter().any(|(known, _)| known.id == table.id) {
        return;
    }
    found.extend(table.known().map(|key| (table, key)));
    let mut shapes: Vec<&Shape> = table.known().map(|key| &key.shape).collect();
    shapes.extend(table.named.iter().map(|named| &named.shape));
    while let Some(shape) = shapes.pop() {
        match shape {
            Shape::Table(table) => tables_of(table, found),
            Shape::List(item) | Shape::Some(item) | Shape::OneOrMany(item) => shapes.push(item),
            Shape::Any(all) => shapes.extend(*all),
            _ => {}
        }
    }
}

#[test]
fn new_names_the_schema_where_there_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let new = |name: &str| {
        Command::cargo_bin("sdc-engine").unwrap().current_dir(&folder).args(["new", name]).assert().success();
        std::fs::read_to_string(folder.path().join(format!("scenarios/{name}.toml"))).unwrap()
    };
    assert!(!new("a/none").contains("#:schema"), "there is none yet");
    std::fs::write(folder.path().join("scenarios/scenario.schema.json"), printed(&[])).unwrap();
    assert!(new("here").starts_with("#:schema ./scenario.schema.json\n"));
    let deep = new("a/b/deep");
    assert!(deep.starts_with("#:schema ../../scenario.schema.json\n"));
    let value: Value = toml::from_str(&deep).unwrap();
    assert!(jsonschema::is_valid(&json(File::Scenario.table()), &value));
}
