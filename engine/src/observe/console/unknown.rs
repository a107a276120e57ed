//! Console lines of a boot that no rule knows: worth showing to a person.

use std::collections::HashSet;
use std::sync::LazyLock;

use regex::{Regex, RegexSet};

use super::deciding::BANNER;
use crate::observe::pattern;

/// A console line that is harmless wherever it stands after systemd's banner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownLine {
    /// The pattern, matched against the line without white space after it.
    pub pattern: &'static str,
    /// What it is.
    pub what: &'static str,
}

/// The built-in ones, for systemd 245 to 262.
const KNOWN: &[KnownLine] = &[
    known(r"^Detected (?:virtualization|architecture|confidential virtualization) \S+\.$", "where systemd runs"),
    known(r"^Welcome to .*!$", "the distribution's name"),
    known(r"^(?:Set hostname to|Hostname set to) <.*>\.$", "the container's host name"),
    known(r"^No hostname configured, using default hostname\.$", "the container's host name"),
    known(r"^Initializing machine ID from .*\.$", "an image without a machine id"),
    known(r"^Installed transient /?etc/machine-id file\.$", "an image without a machine id"),
    known(r"^(?:Detected first boot|First boot)\b.*$", "an image without a machine id"),
    known(r"^Running with unpopulated /etc\.$", "an image without a machine id"),
    known(r"^(?:Populated /etc with preset unit settings|Applying preset policy)\.$", "an image without a machine id"),
    known(r"^Queued start job for default target .*\.$", "what systemd boots to"),
    known(r"^\[ {2}OK {2}\] ", "a unit that is up"),
    known(r"^\[ INFO \] ", "a unit that was not needed"),
    known(r"^ {9}\S", "a unit that starts, or more of the line before"),
    known(
        r"^\[[ *]{6}\] (?:\([0-9]+ of [0-9]+\) )?(?:An? (?:start|stop) job is running for |Job \S+/[a-z-]+ running \()",
        "a unit that takes long",
    ),
    known(
        r"^modprobe@\S+\.service: (?:Succeeded|Deactivated successfully)\.$",
        "a kernel module, which no container loads",
    ),
    known(r"^Startup finished in ", "the end of the boot"),
    known(
        r"^[A-Z][\w./() -]* \(?(?:console|tty[0-9A-Za-z_]*|pts/[0-9]+)\)?$",
        "the line that stands over a login prompt",
    ),
    known(r"^(?:AlmaLinux|CentOS|Fedora|Red Hat|Rocky)\b[\w ./()-]*$", "the line that stands over a login prompt"),
    known(r"^\[sdc-engine: [0-9]+ bytes left out here\]$", "where this program cut the log"),
];

const fn known(pattern: &'static str, what: &'static str) -> KnownLine {
    KnownLine { pattern, what }
}

static KNOWN_SET: LazyLock<RegexSet> = LazyLock::new(|| known_set(KNOWN));
static PROMPT: LazyLock<Regex> = LazyLock::new(|| pattern::builtin(r"^\S+ login: ?"));

#[expect(clippy::expect_used, reason = "the patterns are constants, and a test compiles them")]
fn known_set(lines: &[KnownLine]) -> RegexSet {
    RegexSet::new(lines.iter().map(|line| line.pattern)).expect("built-in patterns")
}

/// The built-in known lines, for the documentation.
#[must_use]
pub const fn known_lines() -> &'static [KnownLine] {
    KNOWN
}

/// The lines of a plain console log that neither the built-in rules nor `known` know, each once, in their order.
///
/// Before systemd's banner every line is unknown unless `known` has it: a setup script that succeeds says nothing. Units
/// that failed (`[FAILED]`, `[DEPEND]`, `[ TIME ]`) are unknown at any place, which makes them seen. A login prompt has no
/// line end, so what stands behind it on its line is looked at by itself.
#[must_use]
pub fn unknown_lines(plain_console: &str, known: &[Regex]) -> Vec<String> {
    let mut started = false;
    let (mut unknown, mut seen): (Vec<String>, HashSet<&str>) = (Vec::new(), HashSet::new());
    for line in plain_console.lines().map(str::trim_end) {
        let line = PROMPT.find(line).filter(|_| started).map_or(line, |prompt| &line[prompt.end()..]);
        let banner = BANNER.is_match(line);
        started |= banner;
        let is_known = line.is_empty()
            || banner
            || (started && KNOWN_SET.is_match(line))
            || known.iter().any(|pattern| pattern.is_match(line));
        // A set: a log may consist of nothing else.
        if !is_known && seen.insert(line) {
            unknown.push(line.to_owned());
        }
    }
    unknown
}

#[cfg(test)]
mod tests {
    use super::{known_lines, unknown_lines};
    use crate::observe::console::plain;
    use regex::Regex;

    const BANNER: &str = "systemd 257.9-1~deb13u1 running in system mode (+PAM -GNUTLS)\n";

    fn unknown(log: &str) -> Vec<String> {
        unknown_lines(&plain(log), &[])
    }

    #[test]
    fn a_real_boot_with_its_oddities() {
        assert_eq!(
            unknown(include_str!("../testdata/debian12-v1-passthrough-ro.log")),
            [
                "Failed to create symlink /sys/fs/cgroup/net_cls: Read-only file system",
                "Failed to create symlink /sys/fs/cgroup/net_prio: Read-only file system",
                "Failed to create symlink /sys/fs/cgroup/cpuacct: File exists",
                "Failed to create symlink /sys/fs/cgroup/cpu: File exists",
                "Couldn't move remaining userspace processes, ignoring: Input/output error",
                "-.slice: Failed to migrate controller cgroups from /, ignoring: Input/output error",
            ]
        );
    }

    #[test]
    fn every_built_in_rule_is_needed() {
        for (line, what) in [
            ("Detected virtualization podman.", "where systemd runs"),
            ("Welcome to Debian GNU/Linux 13 (trixie)!", "the distribution's name"),
            ("Hostname set to <1a2b3c4d5e6f>.", "the container's host name"),
            ("Initializing machine ID from random generator.", "an image without a machine id"),
            ("Queued start job for default target multi-user.target.", "what systemd boots to"),
            ("[  OK  ] Reached target swap.target - Swaps.", "a unit that is up"),
            ("[ INFO ] Skipping x.service: condition check failed.", "a unit that was not needed"),
            (
                "         Mounting tmp.mount - Temporary Directory /tmp...",
                "a unit that starts, or more of the line before",
            ),
            ("[ ***  ] (1 of 2) A start job is running for a.service (12s / 1min 30s)", "a unit that takes long"),
            ("[**    ] Job systemd-sysctl.service/start running (10s / no limit)", "a unit that takes long"),
            ("modprobe@fuse.service: Deactivated successfully.", "a kernel module, which no container loads"),
            ("Ubuntu 20.04.6 LTS 1a2b3c4d5e6f console", "the line that stands over a login prompt"),
            ("Kernel 6.8.5-301.fc40.x86_64 on x86_64 (console)", "the line that stands over a login prompt"),
            ("Fedora Linux 40 (Container Image)", "the line that stands over a login prompt"),
            ("[sdc-engine: 12 bytes left out here]", "where this program cut the log"),
        ] {
            assert_eq!(unknown(&format!("{BANNER}{line}\n")), [""; 0], "{line}");
            assert_eq!(unknown(line), [line], "before the banner");
            assert!(
                known_lines()
                    .iter()
                    .any(|known| known.what == what && Regex::new(known.pattern).unwrap().is_match(line))
            );
        }
    }

    #[test]
    fn what_went_wrong_is_shown_once() {
        let log = "[  OK  ] Started a.\n[FAILED] Failed to start b.\nSee 'systemctl status b' for details.\n\
            [DEPEND] Dependency failed for c.\n[ TIME ] Timed out waiting for d.\n[FAILED] Failed to start b.\n\
            x.service: Attaching egress BPF program to cgroup /a failed: Invalid argument\n";
        let shown: Vec<_> = unknown(&format!("{BANNER}{log}"));
        assert_eq!(
            shown,
            [
                "[FAILED] Failed to start b.",
                "See 'systemctl status b' for details.",
                "[DEPEND] Dependency failed for c.",
                "[ TIME ] Timed out waiting for d.",
                "x.service: Attaching egress BPF program to cgroup /a failed: Invalid argument",
            ]
        );
    }

    #[test]
    fn setup_scripts_that_say_something_are_shown() {
        let log = format!("sdc-setup[x]: FAILED: y\ndebian login: z\n{BANNER}");
        assert_eq!(unknown(&log), ["sdc-setup[x]: FAILED: y", "debian login: z"]);
    }

    #[test]
    fn a_login_prompt_hides_nothing() {
        let log = format!(
            "{BANNER}[  OK  ] Started a.\n\nDebian GNU/Linux 12 debian console\n\ndebian login: [  OK  ] Reached b.\n\
            debian login: [FAILED] c\ndebian login: "
        );
        assert_eq!(unknown(&log), ["[FAILED] c"]);
    }

    #[test]
    fn own_rules_are_known_everywhere() {
        let own = [Regex::new("^hello").unwrap(), Regex::new("IP firewall").unwrap()];
        let log = format!("hello world\n{BANNER}a.service: unit configures an IP firewall, but\nother\n");
        assert_eq!(unknown_lines(&log, &own), ["other"]);
    }
}
