//! From a difference to a decision, by the program as users run it, on a private engine: what check sets aside, and what
//! review, accept and reject do with it.
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test that cannot go on panics")]

#[expect(dead_code, reason = "signals are for other tests")]
mod program;

use std::collections::BTreeMap;
use std::path::PathBuf;

use program::user::BOOTS;
use program::{Ended, able, run_with};

const LAB: &str = "docker-v1";

/// A user's folder whose one scenario prints what it is told to.
struct User(tempfile::TempDir);

impl User {
    fn new(prints: &str) -> Self {
        let user = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(user.path("scenarios")).unwrap();
        user.write(prints, "");
        user
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, prints: &str, more: &str) {
        let text = format!(
            r#"title = "What does it say?"
{more}
[matrix]
n = [1, 2, 3]
{BOOTS}
[[step]]
name = "say"
run = '''{prints}'''
expect.stdout.golden = true
"#
        );
        std::fs::write(self.path("scenarios/mine.toml"), text).unwrap();
    }

    fn run(&self, words: &[&str], input: &str, variables: &[(&str, &str)]) -> Ended {
        let [scenarios, golden, aside] =
            ["scenarios", "golden", "aside"].map(|name| self.path(name).display().to_string());
        let own = [scenarios.as_str(), "--golden", &golden, "--aside", &aside];
        let arguments: Vec<String> = words.iter().chain(&own).map(ToString::to_string).collect();
        run_with(&arguments, input, variables)
    }

    fn check(&self) -> Ended {
        self.run(&["check", "--host", LAB], "", &[])
    }

    /// The goldens' texts by file name.
    fn goldens(&self) -> BTreeMap<String, String> {
        let entries = std::fs::read_dir(self.path("golden/mine/say")).into_iter().flatten().filter_map(Result::ok);
        let read = |entry: std::fs::DirEntry| {
            (entry.file_name().display().to_string(), std::fs::read_to_string(entry.path()).unwrap())
        };
        entries.map(read).filter(|(name, _)| name != "recorded.toml").collect()
    }

    fn recorded(&self) -> String {
        std::fs::read_to_string(self.path("golden/mine/say/recorded.toml")).unwrap_or_default()
    }
}

fn ended(ended: &Ended, code: i32, words: &[&str]) {
    assert_eq!(ended.code, Some(code), "{}\n{}", ended.stdout, ended.stderr);
    for word in words {
        assert!(
            ended.stdout.contains(word) || ended.stderr.contains(word),
            "{word}: {}\n{}",
            ended.stdout,
            ended.stderr
        );
    }
}

#[test]
fn what_is_accepted_was_seen_three_times_and_the_rest_stays() {
    let Some(_alone) = able(LAB) else { return };
    let user = User::new("echo same; seq 50");
    ended(&user.run(&["accept", "--all", "--reason", "r"], "", &[]), 2, &["nothing that is set aside"]);
    ended(&user.check(), 1, &["3 new", "3 texts wait for a decision: sdc-engine review"]);
    assert!(user.goldens().is_empty());
    let listed = user.run(&["review", "--list"], "", &[]);
    ended(
        &listed,
        1,
        &["1 of 1  first text in 3 cases of mine/say", "mine[n=2]", "runs that saw it: 1; 3 must say the same"],
    );

    let accepted = user.run(&["accept", "--all", "--reason", "as it should be"], "", &[]);
    ended(
        &accepted,
        0,
        &[
            "running 3 cases 2 times more on docker-v1",
            "wrote    golden/mine/say/base.txt",
            "recorded 3 texts in 1 file",
        ],
    );
    assert!(user.recorded().contains("runs = 3\nreason = \"as it should be\""), "{}", user.recorded());
    ended(&user.run(&["review"], "", &[]), 0, &["nothing is set aside"]);
    ended(&user.check(), 0, &["3 pass"]);

    // One line of fifty changes in all cases: one decision, and one line of one file.
    let before = user.goldens()["base.txt"].clone();
    user.write("echo same; seq 50 | sed s/^25$/twentyfive/", "");
    ended(&user.check(), 1, &["3 fail"]);
    let listed = user.run(&["review", "--list"], "", &[]);
    ended(
        &listed,
        1,
        &["1 of 1  change in 3 cases of mine/say", "    -25\n    +twentyfive\n", "golden/mine/say/base.txt"],
    );
    ended(
        &user.run(&["accept", "--case", "mine[n=1]", "--case", "n=2", "--case", "n=3", "--reason", "words"], "", &[]),
        0,
        &[],
    );
    assert_eq!(user.goldens().len(), 1);
    let after = user.goldens()["base.txt"].clone();
    let changed: Vec<(&str, &str)> = before.lines().zip(after.lines()).filter(|(old, new)| old != new).collect();
    assert_eq!((changed, before.lines().count()), (vec![("25", "twentyfive")], after.lines().count()));
}

#[test]
fn answers_are_read_and_only_what_was_decided_is_done() {
    let Some(_alone) = able(LAB) else { return };
    let user = User::new("echo ${{ n if n < 3 else 'x' }}");
    ended(&user.check(), 1, &["3 new"]);
    let input = "?\nt\nc\nf\no\nb\na\n\na\nfirst is right\nr\nl\n";
    let reviewed = user.run(&["review"], input, &[]);
    let words = [
        "1 of 3  first text",
        "2 of 3",
        "3 of 3",
        "a reason is needed",
        "as it was printed",
        "docker create",
        "systemd",
    ];
    ended(&reviewed, 1, &words);
    ended(&reviewed, 1, &["recorded 1 text in 1 file; 0 cases refused", "1 text set aside still"]);
    assert_eq!(user.goldens(), [("base.txt".to_owned(), "1\n".to_owned())].into());
    assert!(user.recorded().contains("first is right"), "{}", user.recorded());
    // The one that was left for later is there, the rejected one is not.
    let listed = user.run(&["review", "--list", "--json"], "", &[]);
    let groups: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
    assert_eq!((groups.as_array().unwrap().len(), groups[0][0]["case"].as_str()), (1, Some("mine[n=3]")), "{groups:#}");
    ended(&user.run(&["reject", "--all"], "", &[]), 0, &["rejected 1 text"]);
    ended(&user.run(&["review", "--list"], "", &[]), 0, &["nothing is set aside"]);
    assert_eq!(user.goldens().len(), 1);
}

#[test]
fn what_varies_is_shown_and_never_accepted() {
    let Some(_alone) = able(LAB) else { return };
    let user = User::new("echo always; tr -d -c g-z0-9 </proc/sys/kernel/random/uuid; echo");
    ended(&user.check(), 1, &["3 new"]);
    let accepted = user.run(&["accept", "--case", "n=1", "--reason", "r"], "", &[]);
    ended(
        &accepted,
        1,
        &["refused  mine[n=1]: its runs gave different texts for mine/say", "--- one run", "0 files; 1 case refused"],
    );
    assert!(user.goldens().is_empty());
    let updated = user.run(&["update", "--host", LAB, "--reason", "r", "-k", "n=1"], "", &[]);
    ended(&updated, 1, &["refused  mine[n=1]", "+++ another run"]);
    assert!(user.goldens().is_empty());
}

#[test]
fn better_evidence_takes_the_place_of_worse_and_a_case_without_a_text_is_refused() {
    let Some(_alone) = able(LAB) else { return };
    let user = User::new("echo same");
    let update = |more: &[&str]| user.run(&[&["update", "--host", LAB, "--reason", "r"], more].concat(), "", &[]);
    ended(&update(&["--repeat", "1"]), 0, &["recorded 3 texts in 1 file"]);
    assert!(user.recorded().contains("runs = 1\n"), "{}", user.recorded());
    assert!(user.recorded().contains("systemd = \"252."), "the banner's version: {}", user.recorded());
    ended(&update(&["--repeat", "2"]), 0, &["recorded 3 texts in 0 files; 0 cases refused"]);
    assert!(user.recorded().contains("runs = 2\n") && !user.recorded().contains("runs = 1\n"), "{}", user.recorded());
    let before = user.recorded();
    ended(&update(&["--repeat", "1"]), 0, &["the goldens are as they were"]);
    assert_eq!(user.recorded(), before);

    // What fails in another way shows no text, though it has a golden.
    user.write("echo same; exit ${{ 3 if n == 2 else 0 }}", "");
    let words = ["refused  mine[n=2]: it showed no text for mine/say: ", "expected exit code 0, saw exit code 3"];
    ended(&update(&["--repeat", "1"]), 1, &words);
    assert_eq!(user.recorded(), before);
}

#[test]
fn a_rule_that_is_edited_in_review_settles_what_it_takes_out() {
    let Some(_alone) = able(LAB) else { return };
    let user = User::new("echo build 17");
    ended(&user.run(&["update", "--host", LAB, "--reason", "r", "--repeat", "1"], "", &[]), 0, &[]);
    user.write("echo build 18", "");
    ended(&user.check(), 1, &["3 fail"]);
    // The golden as the rule would have written it.
    std::fs::write(user.path("golden/mine/say/base.txt"), "build <build>\n").unwrap();
    let rule = "normalise = [\"build\"]\n[normalise_rule.build]\nregex = 'build (\\d+)'\nreplace = 'build <build>'\n";
    let editor = user.path("editor");
    user.write("echo build 18", rule);
    std::fs::rename(user.path("scenarios/mine.toml"), user.path("edited.toml")).unwrap();
    user.write("echo build 18", "");
    std::fs::write(&editor, format!("#!/bin/sh\ncp {} \"$1\"\n", user.path("edited.toml").display())).unwrap();
    std::process::Command::new("chmod").args(["+x"]).arg(&editor).status().unwrap();
    let editor = editor.display().to_string();
    let reviewed = user.run(&["review"], "e\n", &[("EDITOR", &editor), ("VISUAL", "")]);
    ended(&reviewed, 0, &["change in 3 cases", "the goldens are as they were"]);
    ended(&user.check(), 0, &["3 pass"]);
}

#[test]
fn explain_shows_what_a_golden_text_is_made_of() {
    let Some(_alone) = able(LAB) else { return };
    let rule = "normalise = [\"build\"]\n[normalise_rule.build]\nregex = 'build (\\d+)'\nreplace = 'build <build>'\n";
    let user = User::new("echo build 17");
    user.write("echo build 17", rule);
    let own = ["scenarios", "golden", "aside"].map(|name| user.path(name).display().to_string());
    let explain = |case: &str| {
        let words = ["explain", "--goldens", case, &own[0], "--golden", &own[1], "--aside", &own[2], "--host", LAB];
        run_with(&words.map(ToOwned::to_owned), "", &[])
    };
    ended(&explain("n=4"), 2, &["no case is selected"]);
    // Nothing is set aside: the case runs now.
    let lines =
        ["mine[n=2]  new now, on docker-v1", "nothing recorded in golden/mine/say", "build 17", "build <build>"];
    ended(&explain("mine[n=2]"), 0, &lines);
    assert!(!user.path("golden").exists() && !user.path("aside").exists(), "explaining writes nothing");
    ended(&user.check(), 1, &["3 new"]);
    ended(&explain("mine[n=2]"), 0, &["mine[n=2]  as set aside, on docker-v1", "build 17", "build <build>"]);
    ended(&user.run(&["update", "--host", LAB, "--reason", "r", "--repeat", "1"], "", &[]), 0, &[]);
    ended(&user.run(&["review"], "", &[]), 0, &["nothing is set aside"]);
    ended(&explain("mine[n=2]"), 0, &["mine[n=2]  pass now", "golden/mine/say/base.txt", "build <build>"]);
}

#[test]
fn prune_removes_what_no_case_needs_after_a_clean_run_and_only_then() {
    let Some(_alone) = able(LAB) else { return };
    let user = User::new("echo ${{ 'three' if n == 3 else 'few' }}");
    ended(&user.run(&["update", "--host", LAB, "--reason", "r", "--repeat", "1"], "", &[]), 0, &["in 2 files"]);
    let prune = |more: &[&str]| user.run(&[&["prune", "--host", LAB], more].concat(), "", &[]);
    ended(&prune(&["--yes"]), 0, &["every golden is needed"]);
    assert_eq!(user.goldens().len(), 2);

    let scenario = std::fs::read_to_string(user.path("scenarios/mine.toml")).unwrap();
    let without = |text: &str| std::fs::write(user.path("scenarios/mine.toml"), text).unwrap();
    without(&scenario.replace("n = [1, 2, 3]", "n = [1, 2]"));
    ended(&prune(&[]), 1, &["1 case and 1 file are not needed: --yes removes them", "golden/mine/say/n=3.txt"]);
    assert_eq!(user.goldens().len(), 2, "without --yes nothing is removed");
    // A run that is not clean says nothing of what is needed.
    without(&scenario.replace("n = [1, 2, 3]", "n = [1, 2]").replace("'few'", "'other'"));
    ended(&prune(&["--yes"]), 1, &["nothing is removed"]);
    assert_eq!(user.goldens().len(), 2);
    ended(&user.run(&["prune", "--yes", "--host", LAB], "", &[("CI", "1")]), 2, &["CI is set"]);
    without(&scenario.replace("n = [1, 2, 3]", "n = [1, 2]"));
    ended(&prune(&["--yes"]), 0, &["removed 1 case and 1 file"]);
    assert_eq!(user.goldens(), [("base.txt".to_owned(), "few\n".to_owned())].into());
    assert!(!user.recorded().contains("n=3"), "{}", user.recorded());
    ended(&user.check(), 0, &["2 pass"]);
}

#[test]
fn in_ci_nothing_is_written() {
    let Some(_alone) = able(LAB) else { return };
    let user = User::new("echo x");
    let ci = [("CI", "true")];
    ended(&user.run(&["check", "--host", LAB], "", &ci), 1, &["3 new"]);
    assert!(!user.path("aside").exists() && !user.path("golden").exists());
    for command in
        [&["update", "--reason", "r"][..], &["accept", "--all", "--reason", "r"], &["reject", "--all"], &["review"]]
    {
        ended(&user.run(command, "", &ci), 2, &["CI is set"]);
    }
    assert!(!user.path("aside").exists() && !user.path("golden").exists());
}
