//! The answers are real: docker 20.10 and podman 4.3 on a Debian 12 machine with a hybrid layout.

use super::machine::{add_machine, capabilities};
use super::*;

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("json")
}

fn docker() -> Facts {
    let version = json(include_str!("../testdata/docker-20.10-version.json"));
    from_answers("docker-v1", &version, &json(include_str!("../testdata/docker-20.10-info.json")))
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(ToString::to_string).collect()
}

const HYBRID: &str = "\
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs ro,size=4096k,nr_inodes=1024,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime shared:7 - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,release_agent=/x,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
50 31 0:29 / /somewhere/else rw,relatime - cgroup cgroup rw,blkio
";

#[test]
fn docker_says_what_it_is() {
    let facts = docker();
    assert_eq!((facts.engine, facts.engine_version.as_str()), (EngineKind::Docker, "20.10.24+dfsg1"));
    assert_eq!((facts.runtime.as_str(), facts.runtime_version.as_str()), ("runc", "1.1.5+ds1"));
    assert_eq!((facts.api_version.as_str(), facts.cgroups), ("1.41", CgroupVersion::V1));
    assert_eq!((facts.security, facts.rootless, facts.userns_remap), (set(&["seccomp"]), false, false));
    assert_eq!((facts.arch.as_str(), facts.cgroup_driver.as_str()), ("x86_64", "cgroupfs"));
}

#[test]
fn podman_says_so_in_its_components() {
    let version = json(include_str!("../testdata/podman-4.3-version.json"));
    let facts = from_answers("podman", &version, &json(include_str!("../testdata/podman-4.3-info.json")));
    assert_eq!((facts.engine, facts.engine_version.as_str()), (EngineKind::Podman, "4.3.1"));
    assert_eq!((facts.runtime.as_str(), facts.runtime_version.as_str()), ("crun", "1.8.1"));
    assert_eq!(facts.arch, "x86_64");
}

#[test]
fn rootless_and_remapped_engines_say_so() {
    let info = json(r#"{"SecurityOptions": ["name=seccomp,profile=default", "name=rootless", "name=userns"]}"#);
    let facts = from_answers("x", &Value::Null, &info);
    assert!(facts.rootless && facts.userns_remap);
    assert!(from_answers("x", &Value::Null, &json(r#"{"Rootless": true}"#)).rootless);
}

#[test]
fn a_hybrid_layout_is_read_from_its_mounts() {
    let mut facts = docker();
    add_machine(&mut facts, &Machine { mountinfo: HYBRID.into(), ..Machine::default() });
    assert_eq!((facts.cgroup_layout, facts.systemd_hierarchy), (CgroupLayout::Hybrid, true));
    assert_eq!(facts.controllers, set(&["cpu", "cpuacct", "memory"]));
    let bare = HYBRID.lines().filter(|line| !line.contains("unified") && !line.contains("name=systemd"));
    let bare = bare.collect::<Vec<_>>().join("\n");
    add_machine(&mut facts, &Machine { mountinfo: bare, ..Machine::default() });
    assert_eq!((facts.cgroup_layout, facts.systemd_hierarchy), (CgroupLayout::V1, false));
}

#[test]
fn a_cgroup2_mount_hides_what_is_below_it() {
    let mountinfo = format!("{HYBRID}60 31 0:38 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    let mut facts = Facts { cgroups: CgroupVersion::V2, ..docker() };
    add_machine(&mut facts, &Machine { mountinfo, controllers: "cpu pids\n".into(), ..Machine::default() });
    assert_eq!((facts.cgroup_layout, facts.systemd_hierarchy), (CgroupLayout::V2, false));
    assert_eq!(facts.controllers, set(&["cpu", "pids"]));
}

#[test]
fn capabilities_are_named_by_their_bits() {
    let (has, lacks) = capabilities("Name:\tx\nCapBnd:\t000001fffeffffff\n", "40\n").expect("both sets");
    assert_eq!(lacks, set(&["SYS_RESOURCE"]));
    assert!(has.len() == 40 && has.contains("CHECKPOINT_RESTORE") && has.contains("CHOWN"));
    // A kernel newer than the table.
    assert_eq!(capabilities("CapBnd:\t3fffffffffff\n", "41").map(|(has, _)| has.contains("41")), Some(true));
    assert_eq!(capabilities("", "40"), None);
}

#[test]
fn a_machine_elsewhere_delivers_sections() {
    let text = "==> status <==\r\nCapBnd:\t01\n==> other <==\nx\n==> lsm <==\nlockdown,apparmor\n\
        ==> limits <==\nMax open files            1024                 4096                 files     \n\
        ==> systemd <==\nsystemd 252 (252.39-1~deb12u2)\n==> apparmor_parser <==\n/sbin/apparmor_parser\n";
    let machine = Machine::parse(text);
    let mut facts = Facts { security: set(&["apparmor"]), ..docker() };
    add_machine(&mut facts, &machine);
    assert_eq!((facts.lsms, facts.host_systemd.as_str()), (set(&["lockdown", "apparmor"]), "252"));
    assert_eq!(facts.rlimits.get("nofile").map(String::as_str), Some("1024:4096"));
    assert_eq!(facts.apparmor_profile, Some(true));
    assert_eq!(docker().seccomp_profile, "default");
}
