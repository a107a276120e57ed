//! The built-in normalising rules.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::{By, Changing};
use crate::observe::console::{controls, sequences};
use crate::observe::edit::Edit;
use crate::observe::pattern;

/// A built-in rule.
#[derive(Debug)]
pub struct Rule {
    /// The name by which steps use it.
    pub name: &'static str,
    /// What it replaces.
    pub description: &'static str,
    does: Does,
}

/// What a rule does.
enum Does {
    /// Takes terminal sequences out, then control characters.
    Plain,
    /// Replaces what each pattern finds, one after another.
    Parts(&'static Parts),
}

impl std::fmt::Debug for Does {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Plain => "Plain",
            Self::Parts(_) => "Parts",
        })
    }
}

impl Rule {
    /// Replaces what the rule is about; whether there was any.
    pub(super) fn run(&self, by: By, text: &mut Changing<'_>) -> bool {
        match self.does {
            Does::Plain => text.replace(by, sequences) | text.replace(by, controls),
            Does::Parts(parts) => {
                parts.iter().fold(false, |changed, part| text.replace(by, |t| part.edits(t)) | changed)
            }
        }
    }

    pub(super) const fn is_ansi(&self) -> bool {
        matches!(self.does, Does::Plain)
    }
}

/// The built-in rules, in the order in which they are best used.
pub const RULES: &[Rule] = &[
    Rule { name: "ansi", description: "terminal sequences and control characters are taken out", does: Does::Plain },
    Rule {
        name: "cgroup",
        description: "the path of a container's own cgroup, whatever parent and name the engine gave it, becomes \
                      `/<container>`; best used before `ids`",
        does: Does::Parts(&CGROUP),
    },
    Rule {
        name: "ids",
        description: "container, machine and invocation ids, UUIDs, private folders of services and namespace numbers (but \
                      not those of the host's first namespaces) become `<id>`",
        does: Does::Parts(&IDS),
    },
    Rule {
        name: "pids",
        description: "process ids, where the text says that they are some, become `<pid>`; PID 1 stays",
        does: Does::Parts(&PIDS),
    },
    Rule { name: "times", description: "points in time and durations become `<time>`", does: Does::Parts(&TIMES) },
    Rule { name: "sizes", description: "sizes with a unit become `<size>`", does: Does::Parts(&SIZES) },
    Rule {
        name: "paths",
        description: "folders that the engine chose (layers, volumes, its data and state) become `<path>`",
        does: Does::Parts(&PATHS),
    },
];

/// Whether a built-in rule has this name.
#[must_use]
pub fn is_builtin(name: &str) -> bool {
    RULES.iter().any(|rule| rule.name == name)
}

/// A pattern, and what stands in its place: `None` leaves a match as it is.
struct Part {
    pattern: Regex,
    by: fn(&Captures<'_>) -> Option<String>,
}

type Parts = LazyLock<Vec<Part>>;

fn part(pattern: &str, by: fn(&Captures<'_>) -> Option<String>) -> Part {
    Part { pattern: pattern::builtin(pattern), by }
}

impl Part {
    fn edits(&self, text: &str) -> Vec<Edit> {
        let edit = |groups: Captures<'_>| {
            let by = (self.by)(&groups)?;
            groups.get(0).map(|whole| Edit { at: whole.range(), by })
        };
        self.pattern.captures_iter(text).filter_map(edit).collect()
    }
}

/// docker's and podman's own names, under cgroupfs and under systemd: `/docker/ID`, `/system.slice/docker-ID.scope`,
/// `/machine.slice/libpod-ID.scope/container`. A path below `/sys/fs/cgroup` keeps the name of its hierarchy.
static CGROUP: Parts = LazyLock::new(|| {
    const V1: &str = "blkio|cpu|cpuacct|cpu,cpuacct|cpuset|devices|freezer|hugetlb|memory|misc|net_cls|net_prio|\
                      net_cls,net_prio|perf_event|pids|rdma|systemd|unified";
    let own = r"(?:/[\w.@-]+)*/(?:docker-|libpod-)?[0-9a-f]{64}(?:\.scope)?(?:/container)?\b";
    vec![part(&format!("((?:/sys/fs/cgroup(?:/(?:{V1}))?)?){own}"), |groups| {
        Some(format!("{}/<container>", &groups[1]))
    })]
});

static IDS: Parts = LazyLock::new(|| {
    vec![
        part(r"\b(systemd-private-)[0-9a-f]{32}(-[\w.@\\-]+?\.service-)[A-Za-z0-9]{6}\b", |groups| {
            Some(format!("{}<id>{}<id>", &groups[1], &groups[2]))
        }),
        part(r"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b", |groups| {
            groups[0].contains(|c: char| c.is_ascii_digit()).then(|| "<id>".to_owned())
        }),
        part(r"\b(?:[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32}|[0-9a-f]{12})\b", |groups| {
            // Engines see to it that the short form of an id is no number, so a number of twelve digits is none.
            let digit = groups[0].contains(|c: char| c.is_ascii_digit());
            let letter = groups[0].contains(|c: char| c.is_ascii_alphabetic());
            (digit && (letter || groups[0].len() > 12)).then(|| "<id>".to_owned())
        }),
        part(r"\b(cgroup|ipc|mnt|net|pid|pid_for_children|time|time_for_children|user|uts):\[(\d+)\]", |groups| {
            // The kernel gives the first namespaces of a host fixed numbers: there "host" and "private" differ.
            let fixed = groups[2].parse().is_ok_and(|number: u64| (0xEFFF_FFFA..=0xEFFF_FFFF).contains(&number));
            (!fixed).then(|| format!("{}:[<id>]", &groups[1]))
        }),
    ]
});

/// All have the text before a process id as their first group, the id as their second and what follows as their third.
static PIDS: Parts = LazyLock::new(|| {
    [
        r#"(?i)\b(\w*pid"?[ \t]*[=:][ \t]*)(\d{1,10})()\b"#,
        r"(?i)\b(p?pid[ \t]+)(\d{1,10})()\b",
        r"\b([A-Za-z][\w.@-]*\[)(\d{1,10})(\]:)",
        r"(/proc/)(\d{1,10})()\b",
        r"\b(process )(\d{1,10})()\b",
        r"\b([Aa]ttach )(\d{1,10})( to)\b",
    ]
    .into_iter()
    .map(|pattern| part(pattern, |groups| other_pid(&groups[2]).then(|| format!("{}<pid>{}", &groups[1], &groups[3]))))
    .collect()
});

/// Whether it is neither PID 1 nor the 0 of a process outside.
fn other_pid(digits: &str) -> bool {
    digits.parse().is_ok_and(|pid: u64| pid > 1)
}

static TIMES: Parts = LazyLock::new(|| {
    const DAY: &str = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)";
    const MONTH: &str = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)";
    const CLOCK: &str = r"\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?";
    const ZONE: &str = r"(?: ?(?:UTC|[A-Z]{1,3}T|Z|[+-]\d{2}:?\d{2})\b)?";
    const SHORT: &str = r"\d+(?:\.\d+)?(?:ns|us|µs|ms|s|min|h)\b";
    let time: fn(&Captures<'_>) -> Option<String> = |_| Some("<time>".to_owned());
    vec![
        part(
            &format!(r"\b(?:{DAY} )?\d{{4}}-\d{{2}}-\d{{2}}(?:[T ]\d{{2}}:\d{{2}}(?::\d{{2}}(?:[.,]\d+)?)?{ZONE})?\b"),
            time,
        ),
        part(&format!(r"\b(?:{DAY},? )?{MONTH} [ \d]\d {CLOCK}(?:{ZONE} \d{{4}})?\b"), time),
        part(&format!(r"\b{CLOCK}{ZONE}\b"), time),
        part(r"\[ *\d+\.\d{6}\]", |_| Some("[<time>]".to_owned())),
        part(&format!(r"\b{SHORT}(?: {SHORT})*"), time),
        part(
            r"\b\d+(?:\.\d+)? ?(?:(?:nano|micro|milli)?seconds?|secs?|minutes?|mins?|hours?|days?|weeks?|months?|years?)\b",
            time,
        ),
        // Seconds since 1970, from 2020 to 2033.
        part(r"\b1[6-9]\d{8}(?:\.\d+)?\b", time),
    ]
});

static SIZES: Parts = LazyLock::new(|| {
    let size: fn(&Captures<'_>) -> Option<String> = |_| Some("<size>".to_owned());
    vec![
        part(r"\b(size|nr_inodes|nr_blocks)=\d+(?:\.\d+)?[A-Za-z%]*", |groups| Some(format!("{}=<size>", &groups[1]))),
        part(r"\b\d+(?:\.\d+)?(?:[KMGT](?:i?B)?|kB?|B)\b", size),
        part(r"\b\d+(?:\.\d+)?[ \t]+(?:[kKMGT]i?B|[Bb]ytes?)\b", size),
    ]
});

static PATHS: Parts = LazyLock::new(|| {
    const ABOVE: &str = r"(?:/[\w.@+~<>-]+)*";
    const REST: &str = r#"(?:/[^\s,:;"'\[\](){}]*)?"#;
    let path: fn(&Captures<'_>) -> Option<String> = |_| Some("<path>".to_owned());
    vec![
        part(r"\b(lowerdir|upperdir|workdir)=[^,\s<)][^,\s)]*", |groups| Some(format!("{}=<path>", &groups[1]))),
        part(
            &format!(
                r"{ABOVE}/(?:var/lib|run|share)/(?:docker|containerd?|containers|crun|runc|libpod|podman)\b{REST}"
            ),
            path,
        ),
        part(
            &format!(
                r"{ABOVE}/(?:overlay2?|overlay-(?:containers|layers)|vfs|containers|volumes)/(?:[0-9a-f]{{64}}|<id>){REST}"
            ),
            path,
        ),
        part(r"/tmp/tmp\.[A-Za-z0-9]{10}\b", path),
    ]
});

#[cfg(test)]
mod tests {
    use super::{RULES, is_builtin};
    use crate::observe::normalise::Normaliser;

    fn apply(rule: &str, text: &str) -> String {
        Normaliser::new(&[rule.to_owned()], &[]).unwrap().apply(text).text.trim_end().to_owned()
    }

    fn check(rule: &str, table: &[(&str, &str)]) {
        for (text, normalised) in table {
            assert_eq!(apply(rule, text), *normalised);
        }
    }

    const ID: &str = "602bcd6aba38a8a0d8f14256a302a000dd28d2f4a56d78484aed999fa25e92b5";

    #[test]
    fn ids() {
        check(
            "ids",
            &[
                (&format!("0::/docker/{ID}/init.scope"), "0::/docker/<id>/init.scope"),
                (&format!("/system.slice/docker-{ID}.scope"), "/system.slice/docker-<id>.scope"),
                ("Hostname set to <602bcd6aba38>.", "Hostname set to <<id>>."),
                ("a 3F2504E0-4F89-11D3-9A0C-0305E82C3301 b", "a <id> b"),
                ("Machine ID: b5e191444e9eb25c65faf153f42c4df8", "Machine ID: <id>"),
                (
                    "/tmp/systemd-private-b5e191444e9eb25c65faf153f42c4df8-systemd-logind.service-Ab12Cd/tmp",
                    "/tmp/systemd-private-<id>-systemd-logind.service-<id>/tmp",
                ),
                ("cgroup:[4026532251] pid_for_children:[4026532999]", "cgroup:[<id>] pid_for_children:[<id>]"),
                ("host cgroup:[4026531835]", "host cgroup:[4026531835]"),
                (
                    "deadbeefcafe 107374182400 602bcd6aba3 602bcd6aba38a",
                    "deadbeefcafe 107374182400 602bcd6aba3 602bcd6aba38a",
                ),
                ("xdeadbeef0123 deadbeef0123x", "xdeadbeef0123 deadbeef0123x"),
            ],
        );
    }

    #[test]
    fn pids() {
        check(
            "pids",
            &[
                ("Main PID: 123 (dbus)", "Main PID: <pid> (dbus)"),
                ("MainPID=77\nExecMainPID=1\nPPid:\t12", "MainPID=<pid>\nExecMainPID=1\nPPid:\t<pid>"),
                (r#""Pid": 4711,"#, r#""Pid": <pid>,"#),
                ("systemd-logind[45]: x, systemd[1]: y", "systemd-logind[<pid>]: x, systemd[1]: y"),
                ("/proc/123/cgroup /proc/1/cgroup /proc/self", "/proc/<pid>/cgroup /proc/1/cgroup /proc/self"),
                (
                    "Failed to attach 36 to compat systemd cgroup /a",
                    "Failed to attach <pid> to compat systemd cgroup /a",
                ),
                ("rapid 12, pids 5, 42 a[3] pids.max 10", "rapid 12, pids 5, 42 a[3] pids.max 10"),
            ],
        );
    }

    #[test]
    fn times() {
        check(
            "times",
            &[
                ("2026-08-01T10:11:12.123456Z started", "<time> started"),
                ("since Sat 2026-08-01 10:11:12 UTC; 5s ago", "since <time>; <time> ago"),
                ("Aug  1 10:11:12 host a", "<time> host a"),
                ("Sat Aug  1 10:11:12 CEST 2026", "<time>"),
                ("[   12.345678] systemd[1]", "[<time>] systemd[1]"),
                ("Startup finished in 1min 2.345s.", "Startup finished in <time>."),
                ("took 250 milliseconds, then 3 days", "took <time>, then <time>"),
                ("ActiveEnterTimestamp=1785578000.5", "ActiveEnterTimestamp=<time>"),
                ("mode=755, 1:2:3, 10:20, 5 s, 0-3, v252s", "mode=755, 1:2:3, 10:20, 5 s, 0-3, v252s"),
            ],
        );
    }

    #[test]
    fn sizes() {
        check(
            "sizes",
            &[
                ("tmpfs rw,size=4096k,nr_inodes=1024,mode=755", "tmpfs rw,size=<size>,nr_inodes=<size>,mode=755"),
                ("MemTotal:       16384256 kB", "MemTotal:       <size>"),
                ("Memory: 1.5G (peak: 12.3M), 12 bytes", "Memory: <size> (peak: <size>), <size>"),
                ("268435456 4 KB4 100% 5 K", "268435456 4 KB4 100% 5 K"),
            ],
        );
    }

    #[test]
    fn paths() {
        check(
            "paths",
            &[
                (
                    "overlay rw,lowerdir=/a/l/X:/a/l/Y,upperdir=/a/diff,workdir=/a/work,xino=off",
                    "overlay rw,lowerdir=<path>,upperdir=<path>,workdir=<path>,xino=off",
                ),
                ("/dev/vda[/var/lib/docker/volumes/x/_data] /run", "/dev/vda[<path>] /run"),
                ("/lab/v1/var/lib/docker/x, b", "<path>, b"),
                (&format!("/work/data/overlay2/{ID}/merged on /"), "<path> on /"),
                ("/tmp/tmp.Ab12Cd34Ef/x", "<path>/x"),
                ("/var/lib/dockerish /var/lib/dbus /overlay2/x", "/var/lib/dockerish /var/lib/dbus /overlay2/x"),
            ],
        );
    }

    #[test]
    fn cgroup() {
        check(
            "cgroup",
            &[
                (&format!("0::/docker/{ID}/init.scope"), "0::/<container>/init.scope"),
                (&format!("1:name=systemd:/sdc-engine-docker-v1-7/{ID}"), "1:name=systemd:/<container>"),
                (&format!("0::/system.slice/docker-{ID}.scope"), "0::/<container>"),
                (&format!("0::/machine.slice/libpod-{ID}.scope/container/x"), "0::/<container>/x"),
                (&format!("cgroup[/docker/{ID}] cgroup rw"), "cgroup[/<container>] cgroup rw"),
                (&format!("cgroup[/../../docker/{ID}]"), "cgroup[/<container>]"),
                (&format!("/sys/fs/cgroup/cpu,cpuacct/docker/{ID} x"), "/sys/fs/cgroup/cpu,cpuacct/<container> x"),
                (&format!("/sys/fs/cgroup/system.slice/docker-{ID}.scope x"), "/sys/fs/cgroup/<container> x"),
                ("0::/init.scope /docker/abc", "0::/init.scope /docker/abc"),
            ],
        );
    }

    #[test]
    fn the_loader_knows_the_same_rules() {
        let names: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
        assert_eq!(names, crate::scenario::model::BUILTIN_RULES);
    }

    #[test]
    fn ansi() {
        check("ansi", &[("\u{1b}[0;1;31mFailed\u{1b}[0m\r\r\nb", "Failed\nb")]);
    }

    #[test]
    fn names_are_unique_and_known() {
        for (at, rule) in RULES.iter().enumerate() {
            assert!(is_builtin(rule.name) && !rule.description.is_empty());
            assert!(RULES[..at].iter().all(|other| other.name != rule.name));
        }
        assert!(!is_builtin("id"));
    }
}
