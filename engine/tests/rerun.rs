//! Running failures again, by the program as users run it, on private engines (a skip says why).
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test that cannot go on panics")]

#[expect(dead_code, reason = "signals are for other tests")]
mod program;

use std::path::PathBuf;

use program::user::BOOTS;
use program::{Ended, able, run_with};

const LAB: &str = "docker-v1";

/// A user's folder with one scenario, of which the cases fail whose `n` is named.
struct User(tempfile::TempDir);

impl User {
    fn new() -> Self {
        let user = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(user.path("scenarios")).unwrap();
        user
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, values: &str, fail: &str) {
        let text = format!(
            "title = \"Which number is it?\"\n[matrix]\nn = [{values}]\n{BOOTS}\n[[step]]\nname = \"say\"\n\
             run = \"echo ${{{{ n }}}}\"\nexpect.stdout.not_regex = '^[{fail}]$'\n"
        );
        std::fs::write(self.path("scenarios/mine.toml"), text).unwrap();
    }

    fn run(&self, words: &[&str], variables: &[(&str, &str)]) -> Ended {
        let aside = self.path("aside").display().to_string();
        let arguments: Vec<String> = words.iter().chain(&["--aside", &aside]).map(ToString::to_string).collect();
        run_with(&arguments, "", variables)
    }

    fn check(&self, more: &[&str]) -> Ended {
        let scenarios = self.path("scenarios").display().to_string();
        self.run(&[&["check", &scenarios], more].concat(), &[])
    }

    fn rerun(&self, more: &[&str]) -> Ended {
        self.run(&[&["rerun", "--failed"], more].concat(), &[])
    }
}

fn ended(ended: &Ended, code: i32, words: &[&str]) {
    let said = format!("{}\n{}", ended.stdout, ended.stderr);
    assert_eq!(ended.code, Some(code), "{said}");
    words.iter().for_each(|word| assert!(said.contains(word), "{word}: {said}"));
}

#[test]
fn what_failed_runs_again_until_it_holds() {
    let Some(_alone) = able(LAB) else { return };
    let user = User::new();
    ended(&user.rerun(&[]), 2, &["no run is known", "run `sdc-engine check` first"]);
    user.write("1, 2, 3, 4", "23");
    ended(&user.check(&["--host", LAB]), 1, &["4 cases: 2 pass, 2 fail"]);
    ended(&user.rerun(&[]), 1, &["2 cases: 2 fail", "2 filtered"]);
    user.write("1, 2, 3, 4", "3");
    ended(&user.rerun(&[]), 1, &["2 cases: 1 pass, 1 fail"]);
    ended(&user.rerun(&[]), 1, &["1 case: 1 fail"]);
    // One that is gone is said, and the others run.
    user.write("1, 2, 3, 4", "24");
    ended(&user.check(&["--host", LAB]), 1, &["2 fail"]);
    user.write("1, 3, 4", "x");
    ended(&user.rerun(&[]), 0, &["no case any more: mine[n=2]", "1 case: 1 pass"]);
    ended(&user.rerun(&[]), 0, &["nothing failed in the run of ", "(3 cases)"]);
    user.write("1, 2", "2");
    ended(&user.check(&["--host", LAB]), 1, &["1 fail"]);
    user.write("1", "2");
    ended(&user.rerun(&[]), 2, &["no case any more: mine[n=2]", "the scenarios were changed since"]);
}

#[test]
fn what_passed_and_is_as_it_was_is_left_out() {
    let Some(_alone) = able(LAB) else { return };
    let user = User::new();
    let check = |more: &[&str]| user.check(&[&["--host", LAB, "--changed"], more].concat());
    user.write("1, 2", "2");
    ended(&check(&[]), 1, &["2 of 2 cases run (2: not known to pass)", "2 cases: 1 pass, 1 fail"]);
    // What failed runs again, and what passed does not.
    ended(&check(&[]), 1, &["1 of 2 cases run (1: not known to pass)", "1 case: 1 fail", "1 filtered"]);
    user.write("1, 2", "x");
    ended(&check(&[]), 0, &["2 of 2 cases run (1: not known to pass; 1: the scenario differs)", "2 pass"]);
    ended(&check(&[]), 0, &["0 of 2 cases run; of 2 nothing differs", "nothing had to run", "2 filtered"]);
    // An ordinary run runs all, and keeps for the next what it came to.
    ended(&user.check(&["--host", LAB]), 0, &["2 cases: 2 pass"]);
    user.write("1, 2, 3", "x");
    ended(&check(&[]), 0, &["1 of 3 cases run (1: not known to pass)", "1 case: 1 pass"]);
    // Asked for, it is kept in CI as well.
    let scenarios = user.path("scenarios").display().to_string();
    let ci = user.run(&["check", &scenarios, "--host", LAB, "--changed", "-k", "n=3"], &[("CI", "true")]);
    ended(&ci, 0, &["nothing had to run"]);
}

#[test]
fn each_host_has_its_own_failures_again_and_a_report_says_the_same() {
    let (Some(_alone), other) = (able(LAB), "docker-v2") else { return };
    let user = User::new();
    user.write("1, 2", "x");
    let path = user.path("scenarios/mine.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("'^[x]$'", "\"^${{ 1 if host.cgroups == 'v1' else 2 }}$\"")).unwrap();
    let report = user.path("run.json").display().to_string();
    ended(&user.check(&["--host", LAB, "--host", other, "--json", &report]), 1, &["4 cases: 2 pass, 2 fail"]);
    let again = user.rerun(&["-v"]);
    ended(&again, 1, &["2 cases: 2 fail", "mine[n=1,host=docker-v1]", "mine[n=2,host=docker-v2]"]);
    assert!(!again.stdout.contains("mine[n=2,host=docker-v1]  "), "{}", again.stdout);
    let scenarios = user.path("scenarios").display().to_string();
    let of_report = user.rerun(&[&report, "--scenarios", &scenarios]);
    ended(&of_report, 1, &["2 cases: 2 fail", "mine[n=1,host=docker-v1]", "mine[n=2,host=docker-v2]"]);
    // On a host that is named the failures of all run.
    ended(&user.rerun(&["--host", LAB]), 1, &["2 cases: 1 pass, 1 fail"]);
}

#[test]
fn in_ci_nothing_is_kept_and_that_is_said() {
    let Some(_alone) = able(LAB) else { return };
    let user = User::new();
    user.write("1", "1");
    let scenarios = user.path("scenarios").display().to_string();
    let ci = [("CI", "true")];
    ended(&user.run(&["check", &scenarios, "--host", LAB], &ci), 1, &["1 fail"]);
    assert!(!user.path("aside").exists());
    ended(&user.run(&["rerun", "--failed"], &ci), 2, &["CI is set, so check keeps nothing"]);
}
