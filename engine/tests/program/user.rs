//! A user's folder, and what the program reports of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Ended, run};

/// The flags that systemd needs here, as the shipped scenarios have them.
pub(crate) const BOOTS: &str = r#"
[container]
image = "debian-12"
setup_mode = "unmount"
cap_add = ["SYS_ADMIN"]
cgroupns = "private"
tmpfs = ["/run", "/run/lock"]
env = { container = "docker" }
stop_signal = "SIGRTMIN+3"
network = "none"

[boot]
unknown_lines = "ignore"
"#;

/// A user's folder: scenarios and goldens.
pub(crate) struct User(tempfile::TempDir);

impl User {
    pub(crate) fn with(title: &str, steps: &str) -> Self {
        let user = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(user.scenarios()).unwrap();
        user.write(title, steps);
        user
    }

    pub(crate) fn write(&self, title: &str, steps: &str) {
        std::fs::write(self.scenarios().join("mine.toml"), format!("title = '{title}'\n{BOOTS}\n{steps}\n")).unwrap();
    }

    pub(crate) fn scenarios(&self) -> PathBuf {
        self.0.path().join("scenarios")
    }

    pub(crate) fn golden(&self) -> PathBuf {
        self.0.path().join("golden")
    }

    /// Where check sets aside what differs.
    fn aside(&self) -> PathBuf {
        self.0.path().join("aside")
    }

    pub(crate) fn json(&self) -> PathBuf {
        self.0.path().join("report.json")
    }

    pub(crate) fn report(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.json()).unwrap()).unwrap()
    }

    /// The arguments of a command on this folder.
    pub(crate) fn arguments(&self, command: &[&str], more: &[&str]) -> Vec<String> {
        let [scenarios, golden, json] =
            [self.scenarios(), self.golden(), self.json()].map(|path| path.display().to_string());
        let aside = self.aside().display().to_string();
        let own = [scenarios.as_str(), "--golden", &golden, "--json", &json, "--aside", &aside];
        command.iter().chain(&own).chain(more).map(ToString::to_string).collect()
    }

    pub(crate) fn run(&self, command: &[&str], more: &[&str]) -> Ended {
        run(&self.arguments(command, more))
    }

    pub(crate) fn files(&self) -> BTreeMap<String, String> {
        tree(&self.golden())
    }
}

/// Every file below a folder, with its text.
pub(crate) fn tree(root: &Path) -> BTreeMap<String, String> {
    walkdir::WalkDir::new(root)
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let name = entry.path().strip_prefix(root).unwrap().display().to_string();
            (name, String::from_utf8_lossy(&std::fs::read(entry.path()).unwrap()).into_owned())
        })
        .collect()
}

/// The verdicts and details of a report's cases on a host.
pub(crate) fn verdicts(report: &Value, host: &str) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let cases = report["cases"].as_array().unwrap().iter().filter(|case| case["host"] == host);
    cases.map(|case| (text(&case["verdict"]), text(&case["detail"]))).collect()
}
