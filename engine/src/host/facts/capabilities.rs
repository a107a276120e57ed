//! Capabilities by their numbers.

use std::collections::BTreeSet;

/// Capabilities by number, without `CAP_`.
const CAPABILITIES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

/// The bounding set, and what of the kernel's capabilities it lacks.
pub(super) fn capabilities(status: &str, last: &str) -> Option<(BTreeSet<String>, BTreeSet<String>)> {
    let bits = status.lines().find_map(|line| line.strip_prefix("CapBnd:"))?;
    let bits = u64::from_str_radix(bits.trim(), 16).ok()?;
    let last: u32 = last.trim().parse().ok().filter(|last| *last < 64)?;
    let name = |number: u32| CAPABILITIES.get(number as usize).map_or_else(|| number.to_string(), |n| (*n).to_owned());
    let (has, lacks): (Vec<u32>, Vec<u32>) = (0..=last).partition(|number| bits & (1 << number) != 0);
    Some((has.into_iter().map(name).collect(), lacks.into_iter().map(name).collect()))
}
