//! What a case may do to the machine, on a real engine: it is skipped where nobody allowed it, and what it leaves is told
//! with its name.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot go on panics"
)]

#[expect(dead_code, reason = "other tests use the rest")]
mod host;
#[expect(dead_code, reason = "other tests use the rest")]
mod program;

use std::path::PathBuf;

use host::on_real;
use program::user::BOOTS;
use program::{Ended, able, run_with};

const LAB: &str = "docker-v2";

/// A folder with a scenario that makes a cgroup in the host's tree, and one that does not.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new(cgroup: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        let write = |name: &str, [risk, volumes]: [&str; 2], run: &str| {
            let step = format!("[[step]]\nname = 'say'\nrun = '{run}'\n");
            let text = format!("title = 'Does it leave something?'\n{risk}{BOOTS}\n{volumes}{step}");
            std::fs::write(folder.0.path().join(format!("{name}.toml")), text).unwrap();
        };
        let volumes = "[[container.when]]\nif = \"host.engine == 'docker'\"\nvolumes = ['/sys/fs/cgroup:/host:rw']\n";
        let risky = ["host_risk = 'it writes to the cgroup tree'\n", volumes];
        write("leaves", risky, &format!("mkdir /host/{cgroup}"));
        write("quiet", ["", ""], "true");
        folder
    }

    fn check(&self, host: &str, more: &[&str]) -> Ended {
        let path = self.0.path().display().to_string();
        let json = self.0.path().join("report.json").display().to_string();
        let aside = self.0.path().join("aside").display().to_string();
        let words = [&["check", "--host", host, "--json", &json, "--aside", &aside, &path][..], more].concat();
        run_with(&words.iter().map(ToString::to_string).collect::<Vec<_>>(), "", &[])
    }

    fn report(&self) -> serde_json::Value {
        serde_json::from_str(&std::fs::read_to_string(self.0.path().join("report.json")).unwrap()).unwrap()
    }
}

/// A cgroup that a case left: gone when the test is over.
struct Left(Vec<PathBuf>);

impl Left {
    fn named(cgroup: &str) -> Self {
        Self(["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].map(|root| PathBuf::from(root).join(cgroup)).into())
    }

    fn is_there(&self) -> bool {
        self.0.iter().any(|path| path.is_dir())
    }
}

impl Drop for Left {
    fn drop(&mut self) {
        for path in self.0.iter().filter(|path| path.is_dir()) {
            std::fs::remove_dir(path).unwrap_or_else(|error| eprintln!("{} is left: {error}", path.display()));
        }
    }
}

#[test]
fn what_a_case_left_on_the_machine_is_told_with_its_name() {
    let Some(_alone) = able(LAB) else { return };
    let cgroup = format!("sdc-test-left-{}", std::process::id());
    let left = Left::named(&cgroup);
    let folder = Folder::new(&cgroup);
    let ended = folder.check(LAB, &[]);
    assert_eq!(ended.code, Some(0), "{}\n{}", ended.stdout, ended.stderr);
    assert!(left.is_there(), "the case wrote to the machine's tree");
    let words = format!("the cgroup /{cgroup} of the hierarchy unified was left, and nothing is in it");
    assert!(ended.stdout.contains("! leaked  docker-v2 is not as it was, after leaves"), "{}", ended.stdout);
    assert!(ended.stdout.contains(&words), "{}", ended.stdout);
    let report = folder.report();
    let leaks = report["summary"]["leaks"].as_array().unwrap();
    let mine = leaks.iter().find(|leak| leak["changes"].to_string().contains(&cgroup)).unwrap();
    assert_eq!((&mine["cases"], &mine["declared"], &mine["lasting"]), (&["leaves"].into(), &true.into(), &true.into()));
}

/// The options of the machine's cgroup2 file system.
fn options() -> String {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    let line = mounts.lines().find(|line| line.contains(" - cgroup2 ")).unwrap_or_default();
    line.rsplit(' ').next().unwrap_or_default().to_owned()
}

/// Gives the machine's cgroup2 these options: a mount in a namespace of its own is enough.
fn set_options(options: &str) {
    let line =
        format!("point=$(mktemp -d) && mount -n -t cgroup2 -o {options} none $point && umount $point && rmdir $point");
    let words = ["--mount", "--propagation", "private", "sh", "-c", line.as_str()];
    assert!(std::process::Command::new("unshare").args(words).status().unwrap().success(), "{options}");
}

/// Whether other private engines run: the last of them brings the options back.
fn others_run() -> bool {
    std::fs::read_dir("/run/sdc-engine").unwrap().any(|entry| entry.unwrap().path().join("lock").exists())
}

/// As they were before.
struct Options(String);

impl Drop for Options {
    fn drop(&mut self) {
        set_options(&self.0);
    }
}

#[test]
fn the_machines_cgroup_options_are_as_they_were_after_a_run() {
    for lab in ["docker-v1", "docker-v2"] {
        let Some(_alone) = able(lab) else { return };
        let before = Options(options());
        for given in ["rw", "rw,nsdelegate"] {
            if others_run() {
                eprintln!("SKIPPED: other private engines run on this machine, and their containers set options");
                return;
            }
            set_options(given);
            if options() != given {
                eprintln!("SKIPPED: the machine's cgroup2 is {} whatever it is told", options());
                return;
            }
            // A private engine mounts the tree, and systemd in the host's namespace sets nsdelegate.
            let mode = if lab == "docker-v1" { "cgroup_mode=hybrid" } else { "cgroup_mode=unified" };
            let case = format!("boot/non_priv setup_mode=unmount cgroupns=host {mode}");
            let aside = tempfile::tempdir().unwrap();
            let aside = aside.path().display().to_string();
            let words = ["check", "scenarios", "--host", lab, "-k", &case, "--aside", &aside];
            let ended = run_with(&words.map(ToOwned::to_owned), "", &[]);
            assert_eq!(ended.code, Some(0), "{}\n{}", ended.stdout, ended.stderr);
            assert!(others_run() || options() == given, "{lab}: {given} became {}", options());
        }
        drop(before);
    }
}

#[test]
fn a_machine_that_nobody_gave_is_spared() {
    let Some(_alone) = able(LAB) else { return };
    let spared = on_real(LAB, "sdc-test/none:guard", async |host| {
        let cgroup = format!("sdc-test-spared-{}", std::process::id());
        let left = Left::named(&cgroup);
        let folder = Folder::new(&cgroup);
        // The same engine, by its address: somebody's, as far as the program can tell.
        let address = host.address();
        let ended = tokio::task::block_in_place(|| folder.check(&address, &[]));
        assert_eq!(ended.code, Some(0), "{}\n{}", ended.stdout, ended.stderr);
        for words in ["1 case: 1 pass; 1 skipped", "it has the host's /sys/fs/cgroup writable", "--allow-host-risk"] {
            assert!(ended.stdout.contains(words), "{words}: {}", ended.stdout);
        }
        assert!(!left.is_there());
        let ended = tokio::task::block_in_place(|| folder.check(&address, &["--allow-host-risk"]));
        assert!(ended.stdout.contains("2 cases: 2 pass"), "{}\n{}", ended.stdout, ended.stderr);
        assert!(left.is_there());
    });
    tokio::runtime::Runtime::new().unwrap().block_on(spared);
}
