//! What the program is built of, checked without a network: where it comes from, under which licences it may be given on,
//! and, where `SDC_ENGINE_ADVISORIES` names a clone of RustSec's advisory database, what is known to be wrong with it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Licences that allow the program to be given on as MIT or Apache-2.0.
const LICENCES: &[&str] = &[
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "ISC",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every package of the lock file.
fn locked() -> Vec<toml::Table> {
    let lock: toml::Table = std::fs::read_to_string(root().join("Cargo.lock")).unwrap().parse().unwrap();
    lock["package"].as_array().unwrap().iter().map(|package| package.as_table().unwrap().clone()).collect()
}

/// Every package that is built on this kind of machine, as cargo describes it.
fn built() -> Vec<Value> {
    let said = |command: &mut Command| {
        let output = command.current_dir(root()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let version = said(Command::new("rustc").arg("-vV"));
    let platform = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let arguments = ["metadata", "--locked", "--offline", "--format-version", "1", "--filter-platform", platform];
    let metadata: Value = serde_json::from_str(&said(Command::new(env!("CARGO")).args(arguments))).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

#[test]
fn everything_comes_from_one_registry_and_is_what_was_locked() {
    let mut sources = BTreeSet::new();
    for package in locked() {
        let Some(source) = package.get("source").and_then(toml::Value::as_str) else {
            assert_eq!(package["name"].as_str(), Some("engine"), "a package of a path");
            continue;
        };
        assert!(source.starts_with("registry+"), "{package:?}");
        assert!(package.contains_key("checksum"), "{package:?}");
        sources.insert(source.to_owned());
    }
    assert_eq!(sources.len(), 1, "{sources:?}");
}

/// The licences of an expression that are not allowed; each that is named counts, for which one is taken is not ours to say.
fn refused(expression: &str) -> Vec<&str> {
    let parts =
        expression.split(['(', ')', '/']).flat_map(|part| part.split(" OR ")).flat_map(|part| part.split(" AND "));
    parts
        .map(str::trim)
        .filter(|part| !matches!(*part, "" | "OR" | "AND"))
        .filter(|part| !LICENCES.contains(part))
        .collect()
}

#[test]
fn every_licence_is_allowed() {
    assert_eq!(refused("(MIT OR GPL-3.0-only) AND Apache-2.0/Zlib"), ["GPL-3.0-only"]);
    assert_eq!(refused("(MIT OR Apache-2.0) AND Unicode-3.0"), [""; 0]);
    let packages = built();
    assert!(packages.len() > 50);
    let bad = packages.iter().filter_map(|package| {
        let licence = package["license"].as_str().unwrap_or("none is told");
        let refused = refused(licence);
        (!refused.is_empty()).then(|| format!("{} {}: {}", package["name"], package["version"], refused.join(", ")))
    });
    assert_eq!(bad.collect::<Vec<_>>(), Vec::<String>::new());
}

/// The numbers of a version, without what stands behind `-` or `+`.
fn numbers(version: &str) -> [u64; 3] {
    let mut parts =
        version.split(['-', '+']).next().unwrap_or_default().split('.').map(|part| part.parse().unwrap_or(0));
    [(); 3].map(|()| parts.next().unwrap_or(0))
}

/// Whether a version is one of a requirement's, such as `>=1.2.3, <2` or `^0.4.1`.
fn meets(version: &str, requirement: &str) -> bool {
    let version = numbers(version);
    requirement.split(',').map(str::trim).all(|part| {
        let (operator, than) = part.split_at(part.find(|c: char| c.is_ascii_digit()).unwrap_or(part.len()));
        let than = numbers(than);
        match operator.trim() {
            ">=" => version >= than,
            ">" => version > than,
            "<=" => version <= than,
            "<" => version < than,
            "=" => version == than,
            _ => version >= than && version[0] == than[0] && (than[0] > 0 || version[1] == than[1]),
        }
    })
}

/// What an advisory says of these packages; `None` where it says nothing of them.
fn concerns(advisory: &str, packages: &BTreeMap<String, Vec<String>>) -> Option<String> {
    let text = advisory.split_once("```toml\n")?.1.split_once("```")?.0;
    let advisory: toml::Table = text.parse().unwrap();
    let about = advisory["advisory"].as_table()?;
    let name = about["package"].as_str()?;
    let told = |key: &str| {
        let versions = advisory.get("versions").and_then(|versions| versions.get(key)).and_then(toml::Value::as_array);
        versions.into_iter().flatten().filter_map(toml::Value::as_str).collect::<Vec<_>>()
    };
    let fine = [told("patched"), told("unaffected")].concat();
    let affected = |version: &&String| !fine.iter().any(|requirement| meets(version, requirement));
    let version = packages.get(name)?.iter().find(affected)?;
    (!about.contains_key("withdrawn")).then(|| format!("{name} {version}: {}", about["id"]))
}

#[test]
fn no_advisory_concerns_what_is_locked() {
    let mut packages: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in locked() {
        let text = |key: &str| package[key].as_str().unwrap().to_owned();
        packages.entry(text("name")).or_default().push(text("version"));
    }
    let known = BTreeMap::from([("a".to_owned(), vec!["1.2.3".to_owned()])]);
    let about = |fine: &str| {
        format!("```toml\n[advisory]\nid = \"R-1\"\npackage = \"a\"\n[versions]\npatched = [{fine}]\n```\n")
    };
    assert_eq!(concerns(&about("\">=1.2.4\", \"^1.1.9, <1.2\""), &known).as_deref(), Some("a 1.2.3: \"R-1\""));
    assert_eq!(concerns(&about("\">=1.2.4\", \"^1.2.3\""), &known), None);
    let Some(database) = std::env::var_os("SDC_ENGINE_ADVISORIES") else { return };
    let mut found = Vec::new();
    let mut read = 0;
    for name in packages.keys() {
        let Ok(files) = std::fs::read_dir(Path::new(&database).join("crates").join(name)) else { continue };
        for file in files {
            read += 1;
            found.extend(concerns(&std::fs::read_to_string(file.unwrap().path()).unwrap(), &packages));
        }
    }
    assert!(read > 0, "there are no advisories in {}", database.display());
    assert_eq!(found, Vec::<String>::new());
}
