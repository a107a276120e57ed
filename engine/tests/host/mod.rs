//! What the tests of hosts share: a small image and the ways to a real engine.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use sdc_engine::host::{CreateRequest, Host, Lab, PrivateOptions, private};
use sdc_engine::plan::ContainerSpec;

/// Programs of the test image: those of this machine, with their libraries.
const PROGRAMS: [&str; 5] = ["/bin/sh", "/bin/sleep", "/bin/cat", "/bin/head", "/bin/id"];

/// A tar file with a shell and a few programs.
pub(crate) fn rootfs(folder: &Path) -> PathBuf {
    let file = folder.join("rootfs.tar");
    let mut files = std::collections::BTreeSet::new();
    for program in PROGRAMS {
        files.insert(program.to_owned());
        let ldd = Command::new("ldd").arg(program).output().expect("ldd");
        let ldd = String::from_utf8(ldd.stdout).expect("text");
        files.extend(ldd.split_whitespace().filter(|word| word.starts_with('/')).map(ToOwned::to_owned));
    }
    let mut archive = tar::Builder::new(std::fs::File::create(&file).expect("a file"));
    for name in files {
        let mut source = std::fs::File::open(&name).expect("a program or library");
        archive.append_file(name.trim_start_matches('/'), &mut source).expect("appended");
    }
    for (name, text) in
        [("etc/passwd", "root:x:0:0::/:/bin/sh\nuser:x:1000:1000::/:/bin/sh\n"), ("etc/group", "root:x:0:\n")]
    {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, text.as_bytes()).expect("appended");
    }
    archive.finish().expect("finished");
    file
}

/// The label of the containers of a test.
pub(crate) const LABEL: &str = "sdc-engine.contract";

/// Runs until it is killed, and says so.
pub(crate) const DEAF: &str = "trap '' TERM; echo ready; while :; do sleep 0.1; done";

/// Runs a test on a private engine with the test image, or says why not.
pub(crate) async fn on_real(lab: &str, image: &str, test: impl AsyncFnOnce(&Arc<dyn Host>)) {
    let shipped = Lab::shipped(lab).expect("a lab host");
    let host: Arc<dyn Host> =
        match private::open(&shipped, &PrivateOptions::default(), &|words| eprintln!("{words}")).await {
            Ok(host) => Arc::new(host),
            Err(error) => {
                eprintln!("SKIPPED on {}: {error}", lab);
                assert!(std::env::var_os("SDC_ENGINE_MUST_RUN").is_none(), "{error}");
                return;
            }
        };
    let folder = tempfile::tempdir().expect("a folder");
    // An earlier run's would stay without a name.
    host.remove_image(image).await.expect("no image");
    host.import(image, &rootfs(folder.path())).await.expect("an image");
    test(&host).await;
}

/// A container that runs a shell line.
pub(crate) fn shell(image: &str, name: &str, tty: bool, line: &str) -> CreateRequest {
    CreateRequest {
        spec: ContainerSpec { tty, ..ContainerSpec::default() },
        image: image.to_owned(),
        name: format!("sdc-contract-{}-{name}", std::process::id()),
        argv: ["/bin/sh", "-c", line].map(ToOwned::to_owned).to_vec(),
        labels: vec![(LABEL.to_owned(), std::process::id().to_string())],
    }
}
