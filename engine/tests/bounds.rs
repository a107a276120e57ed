//! What a scenario folder of others can't do: lead out of itself, hold the program up, or take the machine's memory.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use assert_cmd::Command;
use tempfile::TempDir;

const SCENARIO: &str = "title = 'Does it?'\ncontainer.image = 'debian-12'\nstep = [{ name = 'a', run = 'true' }]\n";

/// A folder of a user's, and beside it what is none of the scenarios' business.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::create_dir_all(place.path("scenarios/sub")).unwrap();
        fs::create_dir_all(place.path("outside")).unwrap();
        fs::write(place.path("outside/secret.toml"), "password = 'hunter2'\n").unwrap();
        fs::write(place.path("scenarios/a.toml"), SCENARIO).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn list(&self, more: &[&str]) -> (Option<i32>, String) {
        self.list_with("tests/images".into(), more)
    }

    fn list_with(&self, images: PathBuf, more: &[&str]) -> (Option<i32>, String) {
        let mut command = Command::cargo_bin("sdc-engine").unwrap();
        command.args(["list", "--assume", "cgroups=v2", "--images"]).arg(images).arg(self.path("scenarios")).args(more);
        // A hang guard, wider than anything that ends.
        let output = command.timeout(std::time::Duration::from_secs(120)).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        (output.status.code(), text)
    }
}

#[track_caller]
fn refused((code, text): &(Option<i32>, String), words: &str) {
    // miette breaks its lines anywhere.
    let flat: String = text.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
    assert!(*code == Some(2) && flat.contains(words), "{code:?} {words}\n{text}");
    assert!(!text.contains("hunter2") && !text.contains("password"), "{text}");
}

#[test]
fn links_stay_in_the_folder_of_scenarios() {
    for (target, link) in
        [("outside/secret.toml", "b.toml"), ("outside", "sub/out"), ("outside/secret.toml", "sub/defaults.toml")]
    {
        let place = Place::new();
        fs::write(place.path("scenarios/sub/c.toml"), SCENARIO).unwrap();
        symlink(place.path(target), place.path("scenarios").join(link)).unwrap();
        refused(&place.list(&[]), "is a link that leads out of");
    }
    let place = Place::new();
    symlink("../a.toml", place.path("scenarios/sub/within.toml")).unwrap();
    symlink(place.path("outside"), place.path("scenarios/.hidden")).unwrap();
    let (code, text) = place.list(&[]);
    assert!(code == Some(0) && text.contains("sub/within"), "{code:?} {text}");
}

#[test]
fn a_loop_of_links_and_a_link_to_nowhere_end() {
    let place = Place::new();
    symlink(".", place.path("scenarios/sub/loop")).unwrap();
    refused(&place.list(&[]), "File system loop found");
    let place = Place::new();
    symlink("nowhere.toml", place.path("scenarios/b.toml")).unwrap();
    refused(&place.list(&[]), "No such file or directory");
}

#[test]
fn links_stay_in_the_folder_of_images() {
    let make = || {
        let place = Place::new();
        for folder in ["images/debian-12", "images/setup/default", "images/hosts"] {
            fs::create_dir_all(place.path(folder)).unwrap();
        }
        for file in ["debian-12/image.toml", "debian-12/Dockerfile", "setup/default/mode.toml"] {
            fs::copy(format!("tests/images/{file}"), place.path("images").join(file)).unwrap();
        }
        place
    };
    let place = make();
    let fine = place.list_with(place.path("images"), &[]);
    assert_eq!(fine.0, Some(0), "{}", fine.1);
    for (target, link) in [
        ("outside/secret.toml", "debian-12/script"),
        ("outside/secret.toml", "setup/lib.sh"),
        ("outside/secret.toml", "setup/default/setup.sh"),
        ("outside", "debian-13"),
    ] {
        let place = make();
        symlink(place.path(target), place.path("images").join(link)).unwrap();
        refused(&place.list_with(place.path("images"), &[]), "is a link that leads out of");
    }
    let place = make();
    symlink(place.path("outside/secret.toml"), place.path("images/hosts/mine.toml")).unwrap();
    let mut command = Command::cargo_bin("sdc-engine").unwrap();
    let output = command.args(["host", "--list", "--images"]).arg(place.path("images")).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    refused(&(output.status.code(), text), "is a link that leads out of");
}

#[test]
fn pipes_and_what_is_too_large_are_not_read() {
    let place = Place::new();
    let pipe = place.path("scenarios/sub/pipe.toml");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert_eq!(place.list(&[]).0, Some(0), "it is passed over where it is not asked for");
    refused(&place.list(&[pipe.to_str().unwrap()]), "it is no plain file");
    fs::write(place.path("scenarios/b.toml"), "#".repeat((1 << 20) + 1)).unwrap();
    refused(&place.list(&[]), "it has more than 1 MiB");
}

#[test]
fn names_of_images_and_setup_modes_lead_nowhere() {
    for line in ["image = '../outside'", "image = '/etc'", "setup_mode = '../../outside'", "setup_mode = 'a/b'"] {
        let place = Place::new();
        let base = if line.starts_with("image") { "" } else { "image = 'debian-12'\n" };
        let text = format!(
            "title = 'Does it?'\nboot.timeout = '1s'\nstep = [{{ name = 'a', run = 'true' }}]\n[container]\n{base}{line}\n"
        );
        fs::write(place.path("scenarios/a.toml"), text).unwrap();
        let (code, text) = place.list(&[]);
        assert!(
            code == Some(2) && (text.contains("sdc::unknown_image") || text.contains("sdc::unknown_setup_mode")),
            "{text}"
        );
    }
}

#[test]
fn a_matrix_has_a_limit_that_can_be_raised() {
    let place = Place::new();
    let matrix = format!("{SCENARIO}[matrix]\n");
    let values = |n: usize| (0..n).map(|i| i.to_string()).collect::<Vec<_>>().join(", ");
    fs::write(place.path("scenarios/a.toml"), format!("{matrix}x = [{}]\ny = [{}]\n", values(6), values(5))).unwrap();
    refused(&place.list(&["--max-cases", "29"]), "has 30 cases (6 × 5), and 29 is the most");
    refused(&place.list(&["--max-cases", "29"]), "raise the limit: --max-cases 30");
    assert_eq!(place.list(&["--max-cases", "30"]).0, Some(0));
    // Nothing is expanded before it is counted.
    let axes: String = (0..40).map(|i| format!("a{i} = [{}]\n", values(50))).collect();
    fs::write(place.path("scenarios/a.toml"), matrix + &axes).unwrap();
    refused(&place.list(&[]), "has more than can be counted cases (50 × 50");
}

#[test]
fn deep_and_long_toml_is_an_error_or_fine_and_never_a_crash() {
    let deep = 100_000;
    for (text, code) in [
        (format!("{SCENARIO}x = {}", "[".repeat(deep)), 2),
        (format!("{SCENARIO}x = {}{}", "[".repeat(deep), "]".repeat(deep)), 2),
        (format!("{SCENARIO}x = {}", "{a=".repeat(deep)), 2),
        (format!("{SCENARIO}{}b = 1", "a.".repeat(deep)), 2),
        (format!("{SCENARIO}[{}b]", "a.".repeat(deep)), 2),
        (format!("{SCENARIO}{}", "[[a]]\n".repeat(deep)), 2),
        (format!("{SCENARIO}{}", (0..30_000).map(|i| format!("k{i} = 1\n")).collect::<String>()), 2),
        (format!("{SCENARIO}description = '{}'", "x".repeat(900_000)), 0),
        (format!("{SCENARIO}#{}", "x".repeat(900_000)), 0),
    ] {
        let place = Place::new();
        fs::write(place.path("scenarios/a.toml"), &text).unwrap();
        let (found, said) = place.list(&[]);
        assert_eq!(found, Some(code), "{:.100}\n{said:.2000}", &text[SCENARIO.len()..]);
    }
}
