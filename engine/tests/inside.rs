//! The program in a container of the engine that it uses, whose socket is mounted into it: what it can know from there, and
//! that runs of several containers leave each other's containers alone. On a private engine (a skip says why).
#![expect(clippy::expect_used, clippy::print_stderr, reason = "a test")]

#[expect(dead_code, reason = "some helpers are for other tests")]
mod host;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use host::on_real;
use sdc_engine::host::{ContainerId, CreateRequest, Host};
use sdc_engine::plan::ContainerSpec;
use sdc_engine::runner::{Owner, RUN_LABEL, Sweep, sweep};
use serde_json::Value;

const LAB: &str = "docker-v1";
const IMAGE: &str = "sdc-test/shell:inside";
const SOCKET: &str = "unix:///var/run/docker.sock";

/// An image that never comes up, and a scenario that waits for it.
fn files(folder: &Path) {
    let image = folder.join("images/shell");
    let mode = folder.join("images/setup/default");
    for place in [&image, &mode, &folder.join("golden")] {
        std::fs::create_dir_all(place).expect("a folder");
    }
    let declared = "title = 'x'\nsystemd = 252\ninit = ['/bin/sh', '-c', 'sleep 1000']\nstop_signal = 'SIGTERM'\n\
        [bootstrap]\nsuite = 'none'\nvariant = 'none'\npackages = ['none']\n";
    std::fs::write(image.join("image.toml"), declared).expect("written");
    std::fs::write(mode.join("mode.toml"), "title = 'x'\n").expect("written");
    let scenario = "title = 'x'\ncontainer = { image = 'shell', network = 'none' }\nboot = { timeout = '5m', expect.state = 'running' }\n";
    std::fs::write(folder.join("waits.toml"), scenario).expect("written");
}

/// What is needed to start the program in containers.
struct Inside<'a> {
    host: &'a Arc<dyn Host>,
    folder: &'a Path,
}

impl Inside<'_> {
    /// Starts the program in a container of its own.
    async fn start(&self, name: &str, arguments: &str) -> ContainerId {
        let socket = self.host.address();
        let program = assert_cmd::cargo::cargo_bin("sdc-engine");
        let bind = |from: &Path, to: &str| format!("{}:{to}", from.display());
        let spec = ContainerSpec {
            network: Some("none".to_owned()),
            // What an image gives it that has no privileges.
            cap_drop: vec!["ALL".to_owned()],
            volumes: vec![
                bind(Path::new(socket.trim_start_matches("unix://")), "/var/run/docker.sock"),
                bind(&program, "/sdc-engine:ro"),
                bind(self.folder, "/work:ro"),
                "/lib:/lib:ro".to_owned(),
                "/lib64:/lib64:ro".to_owned(),
                "/usr/lib:/usr/lib:ro".to_owned(),
            ],
            env: [("CI".to_owned(), "true".to_owned())].into(),
            ..ContainerSpec::default()
        };
        let line = format!("exec /sdc-engine --images /work/images --golden /work/golden {arguments} --host {SOCKET}");
        let request = CreateRequest {
            spec,
            image: IMAGE.to_owned(),
            name: format!("sdc-inside-{}-{name}", std::process::id()),
            argv: ["/bin/sh", "-c", &line].map(ToOwned::to_owned).to_vec(),
            labels: vec![(host::LABEL.to_owned(), std::process::id().to_string())],
        };
        let id = self.host.create(&request).await.expect("a container");
        self.host.start(&id).await.expect("started");
        id
    }

    /// Runs the program to its end: its exit code and what it said.
    async fn run(&self, name: &str, arguments: &str) -> (i64, String) {
        let id = self.start(name, arguments).await;
        let code = self.host.wait(&id).await.expect("an end");
        let said = self.host.logs(&id, 1 << 20).await.expect("a log");
        self.host.remove(&id).await.expect("removed");
        (code, String::from_utf8_lossy(&said).into_owned())
    }

    /// The containers of runs.
    async fn of_runs(&self) -> Vec<String> {
        self.host.list(RUN_LABEL).await.expect("a list").into_iter().map(|listed| listed.name).collect()
    }

    /// Starts a run in a container, and waits until it has a container of its own.
    async fn run_under_way(&self, name: &str) -> ContainerId {
        let id = self.start(name, "check /work/waits.toml").await;
        let before = Instant::now();
        while self.of_runs().await.is_empty() {
            let said = self.host.logs(&id, 1 << 20).await.expect("a log");
            assert!(before.elapsed() < Duration::from_secs(60), "{}", String::from_utf8_lossy(&said));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        id
    }

    async fn killed(&self, id: &ContainerId) {
        self.host.kill(id, "KILL").await.expect("killed");
        self.host.wait(id).await.expect("an end");
    }
}

#[tokio::test]
async fn runs_in_containers_leave_each_other_alone_and_nothing_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    files(folder.path());
    on_real(LAB, IMAGE, async |host| {
        let catalogue = sdc_engine::images::load(&folder.path().join("images")).expect("images");
        let tag = catalogue.images.get("shell").expect("the image").tag();
        host.import(&tag, &host::rootfs(folder.path())).await.expect("an image");
        let inside = Inside { host, folder: folder.path() };

        // Another container's process 1 is not the one that made what is there, and yet that is no orphan.
        let run = inside.run_under_way("first").await;
        let there = inside.of_runs().await;
        let (code, said) = inside.run("other", "clean").await;
        assert!(code == 0 && said.contains("nothing was left by dead runs"), "{code}: {said}");
        let owner = Owner::on(host.as_ref()).await;
        assert_eq!(sweep(host.as_ref(), &owner, Sweep::Everything).await.expect("swept"), [""; 0]);
        assert_eq!(inside.of_runs().await, there);

        // Until it is killed with its container: then any other run sees that it is.
        inside.killed(&run).await;
        assert_eq!(inside.of_runs().await, there);
        let (code, said) = inside.run("next", "clean").await;
        assert!(code == 0 && said.contains("removed 1 containers of dead runs"), "{code}: {said}");
        assert_eq!(inside.of_runs().await, [""; 0]);
        host.remove(&run).await.expect("removed");

        // … one that is outside too, and where the container is gone altogether.
        let run = inside.run_under_way("second").await;
        let there = inside.of_runs().await;
        inside.killed(&run).await;
        host.remove(&run).await.expect("removed");
        assert_eq!(sweep(host.as_ref(), &owner, Sweep::Left).await.expect("swept"), there);
        host.remove_image(&tag).await.expect("removed");
    })
    .await;
}

#[tokio::test]
async fn from_inside_the_engine_is_asked_and_the_container_is_not_taken_for_the_machine() {
    let folder = tempfile::tempdir().expect("a folder");
    files(folder.path());
    on_real(LAB, IMAGE, async |host| {
        let inside = Inside { host, folder: folder.path() };
        let (code, said) = inside.run("facts", "host --json").await;
        assert_eq!(code, 0, "{said}");
        let told: Value = serde_json::from_str(&said).expect("json");
        let facts = told.get("facts").unwrap_or(&told);
        let (fact, seen) = (|name: &str| facts[name].clone(), host.facts());
        assert_eq!(fact("engine_version"), seen.engine_version.as_str());
        assert_eq!(fact("cgroups"), seen.cgroups.to_string());
        assert_eq!(fact("kernel"), seen.kernel.as_str());
        // Of this container these would be: another number of capabilities, no controller that can be written to.
        assert_eq!(fact("capabilities"), serde_json::json!([]));
        assert_eq!(fact("missing_capabilities"), serde_json::json!([]));
        assert_eq!(fact("rlimits"), serde_json::json!({}));
        assert_eq!(fact("apparmor_profile"), Value::Null);
        // Scenarios ask whether a container can be given these.
        for name in ["memory", "pids"] {
            let given = |fact: Value| fact.as_array().is_some_and(|all| all.iter().any(|one| one == name));
            assert!(given(fact("delegated")) == seen.delegated.contains(name), "{name}: {facts}");
        }
    })
    .await;
}
