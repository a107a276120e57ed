//! The answers are real: docker 20.10 and podman 4.3 on a Debian 12 machine with a hybrid layout.

use super::capabilities::capabilities;
use super::machine::add_machine;
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
    assert!(facts.default_capabilities.contains("MKNOD") && facts.default_capabilities.len() == 14);
}

#[test]
fn podman_says_so_in_its_components() {
    let version = json(include_str!("../testdata/podman-4.3-version.json"));
    let facts = from_answers("podman", &version, &json(include_str!("../testdata/podman-4.3-info.json")));
    assert_eq!((facts.engine, facts.engine_version.as_str()), (EngineKind::Podman, "4.3.1"));
    assert_eq!((facts.runtime.as_str(), facts.runtime_version.as_str()), ("crun", "1.8.1"));
    assert_eq!(facts.arch, "x86_64");
}

fn podman(own: &str) -> Facts {
    let version = json(include_str!("../testdata/podman-4.3-version.json"));
    let mut facts = from_answers("podman", &version, &json(include_str!("../testdata/podman-4.3-info.json")));
    podman::complete(&mut facts, &json(own));
    facts
}

#[test]
fn podmans_own_words_complete_what_docker_has_no_words_for() {
    let facts = podman(include_str!("../testdata/podman-4.3-own-info.json"));
    assert_eq!((facts.runtime.as_str(), facts.runtime_version.as_str()), ("runc", "1.1.5+ds1"));
    assert_eq!((facts.cgroups, facts.cgroup_layout), (CgroupVersion::V2, CgroupLayout::V2));
    // The docker-compatible answer tells of limits that the machine does not have.
    assert_eq!(facts.controllers, set(&["hugetlb"]));
    assert_eq!(facts.seccomp_profile, "/usr/share/containers/seccomp.json");
    assert_eq!((facts.security, facts.rootless), (set(&["seccomp"]), false));
    assert!(facts.default_capabilities.contains("MKNOD") && facts.default_capabilities.len() == 14);
    assert_eq!((facts.os.as_str(), facts.machine.as_str(), facts.id_map.as_str()), ("debian 12", "build7", ""));

    let facts = podman(include_str!("../testdata/podman-4.3-own-info-rootless.json"));
    assert!(facts.rootless);
    assert_eq!(facts.id_map, "0 64999 1, 1 524288 65536");
    assert_eq!(facts.runtime, "crun");
}

#[test]
fn what_podman_says_of_security_replaces_what_was_guessed() {
    let own =
        r#"{"host": {"security": {"apparmorEnabled": true, "seccompEnabled": false, "seccompProfilePath": "/x"}}}"#;
    let facts = podman(own);
    assert_eq!((facts.security, facts.seccomp_profile.as_str()), (set(&["apparmor"]), ""));
    let before = from_answers("x", &Value::Null, &json(r#"{"SecurityOptions": ["name=seccomp,profile=default"]}"#));
    let mut after = before.clone();
    podman::complete(&mut after, &Value::Null);
    assert_eq!(after, before);
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
    let mut facts = docker();
    add_machine(&mut facts, &machine);
    assert_eq!((facts.lsms.clone(), facts.host_systemd.as_str()), (set(&["lockdown", "apparmor"]), "252"));
    assert_eq!(facts.rlimits.get("nofile").map(String::as_str), Some("1024:4096"));
    assert_eq!(facts.apparmor_profile, Some(true));
    assert_eq!(docker().seccomp_profile, "default");
    // What is told later changes nothing that it is not about.
    let before = facts.clone();
    add_machine(&mut facts, &Machine::parse(""));
    assert_eq!(facts, before);
}

#[test]
fn the_default_profile_of_apparmor_needs_a_kernel_a_loader_and_a_right() {
    let told = |facts: Facts, lsm: &str, parser: &str| {
        let mut facts = Facts { security: set(&["seccomp"]), ..facts };
        let machine = Machine { lsm: lsm.into(), apparmor_parser: Some(parser.into()), ..Machine::default() };
        add_machine(&mut facts, &machine);
        facts.apparmor_profile
    };
    let (lsm, parser) = ("lockdown,apparmor", "/sbin/apparmor_parser");
    assert_eq!(told(docker(), lsm, parser), Some(true));
    assert_eq!(told(docker(), "lockdown", parser), Some(false));
    assert_eq!(told(docker(), lsm, ""), Some(false));
    assert_eq!(told(Facts { rootless: true, ..docker() }, lsm, parser), Some(false));
    assert_eq!(told(Facts { missing_capabilities: set(&["MAC_ADMIN"]), ..docker() }, lsm, parser), Some(false));
}

#[test]
fn delegated_is_what_is_turned_on_for_containers() {
    let v2 = || Facts { cgroups: CgroupVersion::V2, ..docker() };
    let mut facts = v2();
    let text = "==> command <==\ndockerd\n--cgroup-parent\n/mine\n==> cgroup.controllers <==\ncpu memory pids\n\
        ==> mountinfo <==\n60 31 0:38 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n\
        ==> enabled <==\n/ cpu memory pids\n/docker memory\n/mine cpu memory\n";
    add_machine(&mut facts, &Machine::parse(text));
    assert_eq!(facts.controllers, set(&["cpu", "memory", "pids"]));
    assert_eq!(facts.delegated, set(&["cpu", "memory"]));
    // Who started the engine knows better.
    add_machine(&mut facts, &Machine::parse("==> parent <==\n/its\n==> enabled <==\n/its pids\n"));
    assert_eq!(facts.delegated, set(&["pids"]));
    let mut unknown = v2();
    add_machine(&mut unknown, &Machine::parse(&text.replace("/mine\n==>", "low\n==>")));
    // Then docker's own words hold.
    assert_eq!(unknown.delegated, docker().controllers);
    let mut hybrid = docker();
    add_machine(&mut hybrid, &Machine { mountinfo: HYBRID.into(), ..Machine::default() });
    assert_eq!(hybrid.delegated, hybrid.controllers);
}

#[test]
fn ids_limits_and_the_system_are_read_from_the_engines_process() {
    let text = "==> uid_map <==\n         0       1000          1\n         1     100000      65536\n\
        ==> os-release <==\nID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n";
    let mut facts = podman(include_str!("../testdata/podman-4.3-own-info.json"));
    add_machine(&mut facts, &Machine::parse(text));
    assert_eq!(facts.id_map, "0 1000 1, 1 100000 65536");
    assert_eq!(facts.os, "Debian GNU/Linux 12 (bookworm)");
    let mut facts = docker();
    assert_eq!(facts.os, "Debian GNU/Linux 12 (bookworm)");
    add_machine(&mut facts, &Machine::parse("==> uid_map <==\n         0          0 4294967295\n"));
    assert_eq!(facts.id_map, "");
}

#[tokio::test]
async fn the_script_for_other_machines_reads_what_is_read_here() {
    let pid = i32::try_from(std::process::id()).expect("a number");
    let facts = Facts { cgroups: CgroupVersion::V2, cgroup_driver: "cgroupfs".into(), ..docker() };
    let here = Machine::of(Some(pid), &facts).await;
    let script = format!("{LOOK}look {pid}");
    let output = tokio::process::Command::new("sh").args(["-c", &script]).output().await.expect("a shell");
    let there = Machine::parse(&String::from_utf8_lossy(&output.stdout));
    let same = |here: &str, there: &str| assert_eq!(here.trim(), there.trim());
    for (here, there) in [
        (&here.limits, &there.limits),
        (&here.uid_map, &there.uid_map),
        (&here.command, &there.command),
        (&here.daemon, &there.daemon),
        (&here.cgroup, &there.cgroup),
        (&here.mountinfo, &there.mountinfo),
        (&here.controllers, &there.controllers),
        (&here.last_capability, &there.last_capability),
        (&here.lsm, &there.lsm),
        (&here.os_release, &there.os_release),
    ] {
        same(here, there);
    }
    same(here.apparmor_parser.as_deref().expect("looked for"), there.apparmor_parser.as_deref().expect("looked for"));
    same(here.systemd.lines().next().unwrap_or_default(), &there.systemd);
    assert!(here.limits.contains("Max open files") && here.mountinfo.contains("/proc"), "{here:?}");
    assert_eq!(capabilities(&here.status, &here.last_capability), capabilities(&there.status, &there.last_capability));
    assert!(capabilities(&here.status, &here.last_capability).is_some());
    let there = cgroup::enabled(&there.enabled);
    for (cgroup, controllers) in cgroup::enabled(&here.enabled) {
        assert_eq!(there.get(&cgroup), Some(&controllers), "{cgroup}");
    }
}

#[tokio::test]
async fn without_the_process_the_machine_is_read() {
    let machine = Machine::of(None, &docker()).await;
    assert_eq!((machine.status.as_str(), machine.limits.as_str()), ("", ""));
    assert!(machine.mountinfo.contains("/proc") && !machine.last_capability.is_empty(), "{machine:?}");
    let output = tokio::process::Command::new("sh").args(["-c", &format!("{LOOK}look none")]).output().await;
    let there = Machine::parse(&String::from_utf8_lossy(&output.expect("a shell").stdout));
    assert_eq!((there.status.trim(), there.limits.trim()), ("", ""));
    assert!(there.mountinfo.contains("/proc") && !there.last_capability.trim().is_empty(), "{there:?}");
}
