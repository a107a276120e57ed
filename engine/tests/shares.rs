//! A run in shares, and their reports joined, by the program as users run it, on a private engine (a skip says why).
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test that cannot go on panics")]

#[expect(dead_code, reason = "some helpers are for other tests")]
mod program;

use std::collections::BTreeSet;
use std::path::Path;

use program::{Ended, able, run};
use serde_json::Value;

const LAB: &str = "docker-v1";

fn words(text: &[&str]) -> Vec<String> {
    text.iter().map(ToString::to_string).collect()
}

/// Scenarios of seven cases in five boots: `alike` asks twice of the containers of `axes`.
fn scenarios(folder: &Path, expected: &str) {
    let boots = "[container]\nimage = 'debian-12'\nsetup_mode = 'unmount'\ncgroupns = 'private'\ncap_add = ['SYS_ADMIN']\n\
        tmpfs = ['/run', '/run/lock', '/tmp']\nenv = { container = 'docker', N = '${{ n }}' }\nstop_signal = 'SIGRTMIN+3'\n\
        network = 'none'\n[boot]\nexpect.state = 'running'\n[[step]]\nname = 'n'\nrun = \"tr '\\\\0' '\\\\n' </proc/1/environ | grep ^N=\"\n";
    for (name, axis, rest) in [("axes", "[1, 2, 3, 4]", "N="), ("alike", "[1, 2, 5]", expected)] {
        let text = format!("title = 'x'\n[matrix]\nn = {axis}\n{boots}expect.stdout.contains = '{rest}'\n");
        std::fs::write(folder.join(format!("{name}.toml")), text).unwrap();
    }
}

fn json(path: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn ids(report: &Value) -> BTreeSet<String> {
    report["cases"].as_array().unwrap().iter().map(|case| case["id"].as_str().unwrap().to_owned()).collect()
}

/// Without what is measured, and what a merged report has besides.
fn timeless(mut report: Value) -> Value {
    fn calm(value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(calm),
            Value::Object(fields) => {
                fields.retain(|name, _| {
                    !["took", "console", "by_hand", "by_hand_elsewhere", "leaks", "merged", "why_host"]
                        .contains(&name.as_str())
                });
                fields.values_mut().for_each(calm);
            }
            _ => {}
        }
    }
    calm(&mut report);
    // The boots of a whole run are not more than those of its shares.
    for host in report["hosts"].as_array_mut().into_iter().flatten() {
        host.as_object_mut().unwrap().remove("share");
    }
    report
}

fn flat(ended: &Ended) -> String {
    ended.stderr.replace(['│', '\n'], " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_shares_of_a_run_merge_to_the_run() {
    let Some(_alone) = able(LAB) else { return };
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (cases, aside) = (at("cases"), at("aside"));
    std::fs::create_dir(&cases).unwrap();
    scenarios(Path::new(&cases), "N=");
    let check = |file: &str, more: &[&str]| {
        let mut arguments = words(&["check", &cases, "--host", LAB, "--aside", &aside, "--json", file]);
        arguments.extend(words(more));
        run(&arguments)
    };
    let merge = |arguments: &[&str]| {
        let mut all = words(&["merge", "--json", &at("merged.json")]);
        all.extend(words(arguments));
        run(&all)
    };
    let whole = at("whole.json");
    assert_eq!(check(&whole, &[]).code, Some(0));
    let shares = [1, 2, 3].map(|share| at(&format!("{share}.json")));
    for (number, share) in shares.iter().enumerate() {
        let ended = check(share, &["--partition", &format!("slice:{}/3", number + 1)]);
        assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
        // The whole plan stands in each.
        assert_eq!(json(share)["hosts"][0]["share"]["whole"], 7);
    }
    let [a, b, c] = &shares;
    let parts: Vec<_> = shares.iter().map(|share| ids(&json(share))).collect();
    assert!(parts[0].is_disjoint(&parts[1]) && parts[1].is_disjoint(&parts[2]) && parts[0].is_disjoint(&parts[2]));
    // Cases that share a boot are in one share.
    let both = ["alike[n=1]", "axes[n=1]"];
    assert!(parts.iter().any(|ids| both.iter().all(|id| ids.contains(*id))), "{parts:?}");

    let ended = merge(&[a, b, c, "--junit", &at("merged.xml")]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert!(ended.stdout.contains("merged 3 reports: 7 cases: 7 pass"), "{}", ended.stdout);
    assert_eq!(timeless(json(&at("merged.json"))), timeless(json(&whole)));
    assert!(std::fs::read_to_string(at("merged.xml")).unwrap().contains("tests=\"7\""));
    // Other commands read it like any report.
    let compared = run(&words(&["compare", &at("merged.json"), &whole]));
    assert_eq!(compared.code, Some(0), "{}{}", compared.stdout, compared.stderr);
    // How long the cases took is known to the next run.
    let known = json(&Path::new(&aside).join("durations.json").display().to_string());
    assert_eq!(known["hosts"][LAB].as_object().unwrap().len(), 7, "{known}");
    let page = run(&words(&["report", &at("merged.json"), "--markdown", "-"]));
    assert!(page.code == Some(0) && page.stdout.contains("alike"), "{}{}", page.stdout, page.stderr);

    std::fs::remove_file(at("merged.json")).unwrap();
    let ended = merge(&[a, c]);
    assert_eq!(ended.code, Some(2));
    assert!(flat(&ended).contains("missing: share 2 of 3 on docker-v1"), "{}", ended.stderr);
    assert!(!Path::new(&at("merged.json")).exists());
    let ended = merge(&[a, c, "--allow-missing"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(json(&at("merged.json"))["merged"]["missing"][0].as_str().unwrap().starts_with("share 2 of 3"));

    // The same again is kept once; another verdict is no part of the same run.
    let ended = merge(&[a, b, c, b]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(flat(&ended).contains("with the same verdict, kept once"), "{}", ended.stderr);
    scenarios(Path::new(&cases), "N=7");
    let other = at("other.json");
    assert_eq!(check(&other, &["--partition", "slice:1/3"]).code, Some(1));
    let ended = merge(&[a, b, c, &other]);
    assert_eq!(ended.code, Some(2));
    let told = flat(&ended);
    assert!(told.contains("has two results: pass in 1.json, and fail in other.json"), "{told}");
    assert!(told.contains("1.json and other.json are shares of other cases"), "{told}");
    // What differs in a share differs in the whole.
    assert_eq!(merge(&[&other, "--allow-missing"]).code, Some(1));
}

#[test]
fn what_is_no_share_or_no_report_is_2() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.json").display().to_string();
    std::fs::write(&file, "{}").unwrap();
    for (arguments, told) in [
        (vec!["list", "--partition", "slice:0/3"], "shares are counted from 1: 3 has 1 to 3"),
        (vec!["check", "--partition", "hash:4/3"], "there is no share 4 of 3"),
        (vec!["check", "--partition", "nonsense"], "write slice:1/3 or hash:1/3"),
        (vec!["merge", &file, "--json", "-"], "it is no report of `sdc-engine check --json`"),
        (vec!["merge", &file], "--json <FILE>"),
        (vec!["merge", "--json", "-"], "<FILE>..."),
        (vec!["merge", &file, "--json", "-", "--junit", "-"], "can't both go to stdout"),
    ] {
        let ended = run(&words(&arguments));
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{arguments:?}: {}", ended.stderr);
        assert!(flat(&ended).contains(told), "{arguments:?}: {}", ended.stderr);
    }
}
