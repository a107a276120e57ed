//! Which line of a console log shows why a boot came to nothing: the one that a person would quote.

use std::sync::LazyLock;

use regex::Regex;

use super::reader::PREFIX;
use crate::observe::pattern;

/// The last line of a setup script that gave up; see `images/setup/lib.sh`.
static SETUP: LazyLock<Regex> = LazyLock::new(|| pattern::builtin(r"^sdc-setup\[[^\]]*\]: (?:FAILED|NOT SUPPORTED): "));

/// systemd's first line, of whatever version.
pub(super) static BANNER: LazyLock<Regex> =
    LazyLock::new(|| pattern::builtin(&format!(r"{PREFIX}systemd v?[0-9].* running in .*mode\b")));

/// PID 1 gives up, and names the outermost thing that failed; the group is the error's text where there is one.
static GAVE_UP: LazyLock<Regex> = LazyLock::new(|| {
    pattern::builtin(&format!(
        r"{PREFIX}(?:\[!!!!!!\] |Failed to (?:allocate manager object|fully start up daemon|mount API filesystems|start up manager)(?:: (.+))?$)"
    ))
});

/// Of these, the line itself says the cause.
static CAUSE_ITSELF: LazyLock<Regex> =
    LazyLock::new(|| pattern::builtin(r"(?i)refus(?:ing|ed)|unsupported|not supported|Caught <"));

/// An error with its reason, in systemd's manner.
static ERROR: LazyLock<Regex> = LazyLock::new(|| {
    pattern::builtin(&format!(
        r"{PREFIX}(?:[\w@.\\:-]+: )?(?:Failed to|Cannot|Can't|Couldn't|Could not|Unable to) .*: ([^:]+)$"
    ))
});

/// Errors that systemd lives with.
static HARMLESS: LazyLock<Regex> = LazyLock::new(|| {
    pattern::builtin(r"(?i)\bignoring\b|Failed to create symlink|compat systemd cgroup|Attaching egress BPF")
});

/// The first unit that failed, while systemd goes on.
static UNIT_FAILED: LazyLock<Regex> = LazyLock::new(|| pattern::builtin(r"^\[(?:FAILED| TIME )\] "));

static WAITING: LazyLock<Regex> = LazyLock::new(|| pattern::builtin(r"A (?:start|stop) job is running for "));

/// What PID 1 says last of all: it shows that it ended, never why.
static FAREWELL: LazyLock<Regex> =
    LazyLock::new(|| pattern::builtin(&format!(r"{PREFIX}(?:Exiting PID 1|Freezing execution)")));

/// The line of a plain console log that shows why a boot failed; `None` where the log is empty. It is for boots that did
/// fail: of any other log it names some line all the same. `setup_failed` says that
/// the setup script ended before systemd, so that its last words count where none of them is the script's own verdict.
///
/// Looked for since systemd last started, in this order: the setup script's verdict; the error behind PID 1's giving up
/// (the nearest one before it with the same reason); the line where it gives up; the first unit that failed; the start job
/// that the boot waits for; the first error that systemd does not go on from; the last line that is not empty.
#[must_use]
pub fn deciding_line(plain_console: &str, setup_failed: bool) -> Option<String> {
    let all: Vec<&str> = plain_console.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let start = all.iter().rposition(|line| BANNER.is_match(line)).unwrap_or(0);
    let lines = &all[start..];
    let first = |pattern: &Regex| lines.iter().find(|line| pattern.is_match(line)).copied();
    let last = || {
        let last = lines.iter().rev().find(|line| !FAREWELL.is_match(line));
        last.or(lines.last()).copied()
    };
    let found = lines.iter().rev().find(|line| SETUP.is_match(line)).copied();
    let found = found.or_else(|| if setup_failed { last() } else { None });
    found
        .or_else(|| gave_up(lines))
        .or_else(|| first(&UNIT_FAILED))
        .or_else(|| lines.last().filter(|line| WAITING.is_match(line)).copied())
        .or_else(|| lines.iter().find(|line| ERROR.is_match(line) && !HARMLESS.is_match(line)).copied())
        .or_else(last)
        .map(str::to_owned)
}

fn gave_up<'l>(lines: &[&'l str]) -> Option<&'l str> {
    let at = lines.iter().position(|line| GAVE_UP.is_match(line))?;
    let line = lines[at];
    if CAUSE_ITSELF.is_match(line) {
        return Some(line);
    }
    let reason = GAVE_UP.captures(line).and_then(|groups| groups.get(1)).map(|reason| reason.as_str());
    let cause = lines[..at].iter().rev().find(|before| {
        ERROR.captures(before).is_some_and(|groups| match reason {
            Some(reason) => &groups[1] == reason,
            None => !HARMLESS.is_match(before),
        })
    });
    Some(cause.copied().unwrap_or(line))
}

#[cfg(test)]
mod tests {
    use super::deciding_line;
    use crate::observe::console::plain;

    fn decides(log: &str) -> String {
        deciding_line(&plain(log), false).unwrap_or_default()
    }

    #[test]
    fn real_boots() {
        for (log, line) in [
            (
                include_str!("../testdata/debian12-v2-read-only.log"),
                "Failed to create /init.scope control group: Read-only file system",
            ),
            (
                include_str!("../testdata/debian12-v1-host-pin-file.log"),
                "Failed to open pin file: No such file or directory",
            ),
        ] {
            assert_eq!(decides(log), line);
        }
        let setup = decides(include_str!("../testdata/debian12-v2-setup-not-supported.log"));
        assert!(
            setup.starts_with("sdc-setup[inner_cgroup]: NOT SUPPORTED: /sys/fs/cgroup is mounted read-only"),
            "{setup}"
        );
    }

    /// Logs as people reported them; each after a banner.
    #[test]
    fn known_signatures() {
        for (log, line) in [
            (
                "Failed to create /init.scope control group: No such file or directory\n\
                 Failed to allocate manager object: No such file or directory\n\
                 [!!!!!!] Failed to allocate manager object.\nExiting PID 1...",
                "Failed to create /init.scope control group: No such file or directory",
            ),
            (
                "Failed to mount tmpfs at /run: Permission denied\nFailed to mount tmpfs at /run/lock: Permission denied\n\
                 [!!!!!!] Failed to mount API filesystems, freezing.\nFreezing execution.",
                "Failed to mount tmpfs at /run/lock: Permission denied",
            ),
            (
                "Failed to mount tmpfs at /run: Operation not permitted\n[!!!!!!] Failed to mount API filesystems.",
                "Failed to mount tmpfs at /run: Operation not permitted",
            ),
            (
                "Failed to mount cgroup at /sys/fs/cgroup/systemd: Operation not permitted\n\
                 [!!!!!!] Failed to mount API filesystems.\nExiting PID 1...",
                "Failed to mount cgroup at /sys/fs/cgroup/systemd: Operation not permitted",
            ),
            (
                "Cannot determine cgroup we are running in: No medium found\n\
                 Failed to allocate manager object: No medium found\n\
                 [!!!!!!] Failed to allocate manager object, freezing.\nFreezing execution.",
                "Cannot determine cgroup we are running in: No medium found",
            ),
            (
                "[  161.003113] systemd[1]: Failed to allocate manager object: No data available\n\
                 [!!!!!!] Failed to allocate manager object, freezing.",
                "[  161.003113] systemd[1]: Failed to allocate manager object: No data available",
            ),
            (
                "Failed to create /init.scope control group: Permission denied\nFailed to set up a: Invalid argument\n\
                 Failed to allocate manager object: Permission denied\n[!!!!!!] Failed to allocate manager object.",
                "Failed to create /init.scope control group: Permission denied",
            ),
            (
                "Failed to create symlink /sys/fs/cgroup/cpu: File exists\n\
                 Detected cgroup v1 hierarchy at /sys/fs/cgroup/, which is no longer supported by current version of systemd.\n\
                 [!!!!!!] Detected unsupported legacy cgroup hierarchy, refusing execution.\nExiting PID 1...",
                "[!!!!!!] Detected unsupported legacy cgroup hierarchy, refusing execution.",
            ),
            (
                "Failed to create /user.slice/user-1000.slice/session-3.scope/init.scope control group: Permission denied\n\
                 Failed to allocate manager object: Permission denied\n[!!!!!!] Failed to allocate manager object.",
                "Failed to create /user.slice/user-1000.slice/session-3.scope/init.scope control group: Permission denied",
            ),
            (
                "Failed to create symlink /a: File exists\n[  OK  ] Created slice a.\n[FAILED] Failed to start b.service - B.\n\
                 See 'systemctl status b.service' for details.\n[DEPEND] Dependency failed for c.",
                "[FAILED] Failed to start b.service - B.",
            ),
            (
                "[  OK  ] Created slice a.\r\nx.service: Failed to y, ignoring: Input/output error\r\n\
                 [ ***  ] A start job is running for dev-x.device (9s / 1min 30s)\r",
                "[ ***  ] A start job is running for dev-x.device (9s / 1min 30s)",
            ),
            (
                "user@0.service: Failed to attach to cgroup /a: Device or resource busy\n[  OK  ] Started b.",
                "user@0.service: Failed to attach to cgroup /a: Device or resource busy",
            ),
            (
                "Caught <SEGV>, dumped core as pid 12.\n[!!!!!!] Caught <SEGV>, core dump failed.\nFreezing execution.",
                "[!!!!!!] Caught <SEGV>, core dump failed.",
            ),
            ("Welcome to Debian!\n\nExiting PID 1...\n", "Welcome to Debian!"),
        ] {
            assert_eq!(decides(&format!("systemd 252 running in system mode (+PAM)\n{log}\n")), line);
        }
    }

    #[test]
    fn setup_scripts() {
        let failed = "sdc-setup[remount]: + mount -o remount,rw /sys/fs/cgroup\n\
            sdc-setup[remount]: FAILED: 'mount -o remount,rw /sys/fs/cgroup' exited with 32: mount: /sys/fs/cgroup: permission denied.\n\
            sdc-setup[remount]:        dmesg(1) may have more information after failed mount system call.";
        assert_eq!(deciding_line(failed, true).unwrap(), failed.lines().nth(1).unwrap());
        assert_eq!(
            deciding_line("setting up\nexec: /sbin/init: not found\n\n", true).unwrap(),
            "exec: /sbin/init: not found"
        );
    }

    #[test]
    fn only_the_last_start_counts() {
        let log = "systemd 252 running in system mode\n[FAILED] Failed to start a.\n\
            systemd 252 running in system mode\n[FAILED] Failed to start b.\n";
        assert_eq!(decides(log), "[FAILED] Failed to start b.");
    }

    #[test]
    fn an_empty_log_decides_nothing() {
        assert_eq!(deciding_line("\n  \n", false), None);
        assert_eq!(deciding_line("Exiting PID 1...", false).as_deref(), Some("Exiting PID 1..."));
    }
}
