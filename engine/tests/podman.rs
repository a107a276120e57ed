//! podman's own flags, as its containers see them, on private engines; a skipped engine says why.
#![expect(clippy::expect_used, clippy::print_stderr, reason = "a test")]
#![allow(dead_code, reason = "the helpers are shared with other tests")]

mod host;

use std::collections::BTreeSet;
use std::path::PathBuf;

use host::{on_real, shell};
use sdc_engine::host::{Host, HostErrorKind, not_applied};
use sdc_engine::plan::ContainerSpec;

const IMAGE: &str = "sdc-test/shell:podman";
/// The first identity that a private engine gives to user namespaces.
const FIRST: &str = "1879048192";

/// What a container with these flags prints of a shell line; the engine's words where it refuses it.
async fn seen(host: &dyn Host, spec: ContainerSpec, line: &str) -> Result<String, String> {
    let refused = |error: sdc_engine::host::HostError| match error.kind {
        HostErrorKind::Refused { message, .. } => message,
        other => unreachable!("{other}"),
    };
    let mut request = shell(IMAGE, "flags", false, line);
    request.spec = spec;
    let id = host.create(&request).await.map_err(refused)?;
    let started = host.start(&id).await;
    let text = match &started {
        Ok(()) => {
            host.wait(&id).await.expect("an end");
            let shown = host.inspect(&id).await.expect("a description");
            assert_eq!(not_applied(&request.spec, &shown), []);
            String::from_utf8_lossy(&host.logs(&id, 1 << 20).await.expect("a log")).into_owned()
        }
        Err(_) => String::new(),
    };
    host.remove(&id).await.expect("removed");
    started.map(|()| text).map_err(refused)
}

fn with(change: impl FnOnce(&mut ContainerSpec)) -> ContainerSpec {
    let mut spec = ContainerSpec { network: Some("none".into()), ..ContainerSpec::default() };
    change(&mut spec);
    spec
}

fn userns(mode: &str) -> ContainerSpec {
    with(|spec| spec.userns = Some(mode.into()))
}

/// The lines of a map of identities, without their spaces: inside, outside, how many.
fn map(text: &str) -> Vec<Vec<&str>> {
    text.lines().map(|line| line.split_whitespace().collect()).collect()
}

const UIDS: &str = "cat /proc/self/uid_map";
const MOUNTS: &str = "cat /proc/self/mountinfo";
const CGROUP: &str = "cat /proc/self/cgroup";

/// The mount options of a path that is a mount of its own.
fn options<'t>(mountinfo: &'t str, path: &str) -> Option<&'t str> {
    let fields = |line: &'t str| line.split(' ').collect::<Vec<_>>();
    mountinfo.lines().map(fields).find(|fields| fields[4] == path).map(|fields| fields[5])
}

/// The folders that podman makes in the tree of cgroups for itself.
fn podmans_cgroups() -> BTreeSet<PathBuf> {
    let all = walkdir::WalkDir::new("/sys/fs/cgroup").into_iter().filter_map(Result::ok);
    all.map(walkdir::DirEntry::into_path).filter(|path| path.ends_with("init") || path.ends_with("runtime")).collect()
}

#[tokio::test]
async fn flags_reach_the_container() {
    let before = podmans_cgroups();
    on_real("podman-v2", IMAGE, async |host| {
        let host = host.as_ref();
        let plain = seen(host, with(|_| ()), MOUNTS).await.expect("a start");
        assert_eq!(options(&plain, "/proc/sys").map(|o| &o[..2]), Some("ro"), "{plain}");
        assert!(options(&plain, "/sys/firmware").is_some(), "{plain}");

        let all = seen(host, with(|spec| spec.unmask = vec!["ALL".into()]), MOUNTS).await.expect("a start");
        assert_eq!(options(&all, "/proc/sys"), None, "{all}");
        let one = seen(host, with(|spec| spec.unmask = vec!["/sys/firmware".into()]), MOUNTS).await.expect("a start");
        assert!(options(&one, "/sys/firmware").is_none() && options(&one, "/proc/sys").is_some(), "{one}");

        let systemd = seen(host, with(|spec| spec.systemd = Some("always".into())), MOUNTS).await.expect("a start");
        assert_eq!(options(&systemd, "/sys/fs/cgroup").map(|o| &o[..2]), Some("rw"), "{systemd}");
        assert!(options(&systemd, "/run").is_some() && options(&plain, "/run").is_none(), "{systemd}");

        let cgroups =
            |mode: &str| with(|spec| (spec.cgroups, spec.cgroupns) = (Some(mode.into()), Some("host".into())));
        let split = seen(host, cgroups("split"), CGROUP).await.expect("a start");
        assert!(split.contains("/service/libpod-payload-"), "{split}");
        let enabled = seen(host, cgroups("enabled"), CGROUP).await.expect("a start");
        assert!(enabled.contains("/libpod-") && !enabled.contains("/service/"), "{enabled}");
        // runc can't, and podman says so.
        let refused = seen(host, cgroups("disabled"), CGROUP).await.expect_err("a refusal");
        assert!(refused.contains("not compatible with NoCgroups"), "{refused}");
        assert_eq!(host.close().await, Vec::<String>::new());
    })
    .await;
    let left: Vec<_> = podmans_cgroups().difference(&before).cloned().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn automatic_user_namespaces() {
    for lab in ["podman-v2", "podman-5-v2"] {
        on_real(lab, IMAGE, async |host| {
            let host = host.as_ref();
            let text = seen(host, userns("auto"), UIDS).await.expect("a start");
            assert_eq!(map(&text)[0][..2], ["0", FIRST], "{text}");
            let text = seen(host, userns("auto:size=3000"), UIDS).await.expect("a start");
            assert_eq!(map(&text), [["0", FIRST, "3000"]], "{text}");
            assert_eq!(host.close().await, Vec::<String>::new());
        })
        .await;
    }
}

#[tokio::test]
async fn a_rootless_podman_keeps_an_identity() {
    on_real("podman-rootless-v2", IMAGE, async |host| {
        let host = host.as_ref();
        let text = seen(host, userns("keep-id"), "id -u; cat /proc/self/uid_map").await.expect("a start");
        let (id, rest) = text.split_once('\n').expect("two lines");
        assert_eq!(map(rest)[1], [id, "0", "1"], "{text}");
        let text = seen(host, userns("keep-id:uid=5,gid=7"), "id -u; cat /proc/self/gid_map").await.expect("a start");
        assert!(text.starts_with("5\n") && map(&text)[2] == ["7", "0", "1"], "{text}");
        let text = seen(host, userns("nomap"), UIDS).await.expect("a start");
        assert_eq!(map(&text)[0][..2], ["0", "1"], "{text}");
        let text = seen(host, userns("auto:size=3000,uidmapping=9:7:1"), UIDS).await.expect("a start");
        assert!(map(&text).contains(&vec!["9", "7", "1"]), "{text}");
        let none = with(|spec| (spec.cgroups, spec.cgroupns) = (Some("disabled".into()), Some("host".into())));
        let text = seen(host, none, CGROUP).await.expect("a start");
        assert!(text.trim().ends_with("/user/service"), "{text}");
        assert_eq!(host.close().await, Vec::<String>::new());
    })
    .await;
    on_real("podman-v2", IMAGE, async |host| {
        let refused = seen(host.as_ref(), userns("keep-id"), UIDS).await.expect_err("a refusal");
        assert!(refused.contains("only supported in rootless mode"), "{refused}");
        host.close().await;
    })
    .await;
}
