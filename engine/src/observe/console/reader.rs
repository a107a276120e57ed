//! Reads a console log while it comes, in chunks cut anywhere, in bounded memory.

use std::collections::VecDeque;
use std::sync::LazyLock;

use regex::Regex;

use super::plain::{decode, plain};
use super::strip::Strip;
use crate::observe::{escape, pattern};

/// How much of a line is looked at; the lines that signals come from are far shorter.
const LINE_LIMIT: usize = 4096;

/// Where systemd's log lines may have more in front: the kernel's stamp, and systemd's name.
pub(super) const PREFIX: &str = r"^(?:\[\s*[0-9]+\.[0-9]+\] )?(?:systemd\[1\]: )?";

static BANNER: LazyLock<Regex> = LazyLock::new(|| {
    pattern::builtin(&format!(
        r"{PREFIX}systemd v?([0-9][0-9A-Za-z_.~+-]*)(?: \([^)]*\))? running in (?:system|test system) mode"
    ))
});
static MULTI_USER: LazyLock<Regex> = LazyLock::new(|| {
    pattern::builtin(&format!(
        r"{PREFIX}(?:\S+ login: )?(?:\[ *OK *\] )?Reached target (?:multi-user\.target|Multi-User System)(?:[ .\u{{2026}}]|$)"
    ))
});
static GETTY: LazyLock<Regex> =
    LazyLock::new(|| pattern::builtin(&format!(r"{PREFIX}(?:\[ *OK *\] )?Started .*\b[Gg]etty\b")));
static FROZEN: LazyLock<Regex> =
    LazyLock::new(|| pattern::builtin(&format!(r"{PREFIX}(?:Freezing execution\b|\[!!!!!!\] .*, freezing\.?$)")));
static EXITING: LazyLock<Regex> = LazyLock::new(|| pattern::builtin(&format!(r"{PREFIX}Exiting PID 1\b")));

/// Something that a line of the console says of the boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signal {
    /// systemd started (again, after a restart or a re-execution); its version as the banner has it, without `v`.
    Banner {
        /// Such as `252.39-1~deb12u1`.
        version: String,
    },
    /// `multi-user.target` was reached.
    MultiUser,
    /// A getty takes the console over and hangs it up; engines have been seen to read nothing more from then on.
    Getty,
    /// PID 1 froze: the container goes on and nothing happens in it.
    Frozen,
    /// PID 1 gave up and ends.
    ExitingPid1,
}

impl Signal {
    fn of(line: &str) -> Option<Self> {
        if let Some(groups) = BANNER.captures(line) {
            let version = groups.get(1).map_or("", |version| version.as_str()).to_owned();
            Some(Self::Banner { version })
        } else if MULTI_USER.is_match(line) {
            Some(Self::MultiUser)
        } else if GETTY.is_match(line) {
            Some(Self::Getty)
        } else if FROZEN.is_match(line) {
            Some(Self::Frozen)
        } else if EXITING.is_match(line) {
            Some(Self::ExitingPid1)
        } else {
            None
        }
    }
}

/// Whether so much of a line is a getty's prompt: `882bc4d7d8e8 login: `.
fn is_prompt(line: &[u8]) -> bool {
    line.strip_suffix(b"login: ").is_some_and(|name| match name {
        [] => true,
        [name @ .., b' '] => !name.contains(&b' '),
        _ => false,
    })
}

/// The version of the systemd that started last, as its banner has it, in a console's plain text; none where no banner
/// is there.
#[must_use]
pub fn systemd_version(console: &str) -> Option<&str> {
    let banner = console.lines().rev().find_map(|line| BANNER.captures(line))?;
    banner.get(1).map(|version| version.as_str())
}

/// Reads a console log while it comes. Signals depend on the bytes alone, not on how they were cut into chunks.
#[derive(Debug, Clone)]
pub struct ConsoleReader {
    strip: Strip,
    line: Vec<u8>,
    head: Vec<u8>,
    head_limit: usize,
    tail: VecDeque<u8>,
    tail_limit: usize,
    total: u64,
}

impl ConsoleReader {
    /// A reader that keeps at most `limit` bytes of the log: its first half and its last.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            strip: Strip::default(),
            line: Vec::new(),
            head: Vec::new(),
            head_limit: limit / 2,
            tail: VecDeque::new(),
            tail_limit: limit - limit / 2,
            total: 0,
        }
    }

    /// Takes the next bytes and says what the lines that they completed mean.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Signal> {
        self.keep(bytes);
        let mut signals = Vec::new();
        for byte in bytes {
            let line = &mut self.line;
            self.strip.push(*byte, |b| {
                if b == b'\n' {
                    signals.extend(Signal::of(&decode(line)));
                    line.clear();
                } else if line.len() < LINE_LIMIT {
                    line.push(b);
                    // It has no line end, and may be the last that is ever read: the getty has the console before systemd says so.
                    signals.extend(is_prompt(line).then_some(Signal::Getty));
                }
            });
        }
        signals
    }

    /// Says what the last line means if the log ended without a line end. The log is over after that.
    pub fn finish(&mut self) -> Vec<Signal> {
        let line = std::mem::take(&mut self.line);
        Signal::of(&decode(&line)).into_iter().collect()
    }

    /// The log as it came, as text ([`escape::text`]); where it was cut, a line in the middle says so.
    #[must_use]
    pub fn raw(&self) -> String {
        let tail: Vec<u8> = self.tail.iter().copied().collect();
        if !self.cut() {
            let whole = [self.head.as_slice(), &tail].concat();
            return escape::text(&whole);
        }
        let head = whole_lines_before(&self.head);
        let tail = whole_lines_after(&tail);
        let left_out = self.total - (head.len() + tail.len()) as u64;
        let line_end = if head.is_empty() || head.ends_with(b"\n") { "" } else { "\n" };
        format!("{}{line_end}[sdc-engine: {left_out} bytes left out here]\n{}", escape::text(head), escape::text(tail))
    }

    /// The log as a person reads it; see [`plain`].
    #[must_use]
    pub fn text(&self) -> String {
        plain(&self.raw())
    }

    /// Whether the log was longer than the limit.
    #[must_use]
    pub fn cut(&self) -> bool {
        self.total > (self.head.len() + self.tail.len()) as u64
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.total += bytes.len() as u64;
        let room = self.head_limit - self.head.len();
        let (head, rest) = bytes.split_at(room.min(bytes.len()));
        self.head.extend_from_slice(head);
        let rest = &rest[rest.len().saturating_sub(self.tail_limit)..];
        let excess = (self.tail.len() + rest.len()).saturating_sub(self.tail_limit);
        self.tail.drain(..excess);
        self.tail.extend(rest);
    }
}

/// Without the started last line, unless that is most of it.
fn whole_lines_before(head: &[u8]) -> &[u8] {
    match head.iter().rposition(|b| *b == b'\n') {
        Some(end) if end + 1 >= head.len() / 2 => &head[..=end],
        _ => head,
    }
}

/// Without the rest of the first line, unless that is most of it.
fn whole_lines_after(tail: &[u8]) -> &[u8] {
    match tail.iter().position(|b| *b == b'\n') {
        Some(end) if end < tail.len() / 2 => &tail[end + 1..],
        _ => tail,
    }
}

#[cfg(test)]
mod tests {
    use super::{ConsoleReader, Signal, systemd_version};
    use crate::observe::escape;
    use proptest::prelude::{ProptestConfig, any, prop, prop_assert, prop_assert_eq, proptest};

    const BOOTED: &[u8] = include_bytes!("../testdata/debian12-v1-passthrough-ro.log");
    const READ_ONLY: &[u8] = include_bytes!("../testdata/debian12-v2-read-only.log");

    fn signals(log: &[u8]) -> Vec<Signal> {
        let mut reader = ConsoleReader::new(1 << 20);
        let mut signals = reader.feed(log);
        signals.extend(reader.finish());
        signals
    }

    #[test]
    fn the_last_banner_says_the_version() {
        let console = "x\nsystemd 252.39-1~deb12u2 running in system mode (+PAM)\nWelcome to Debian!\n";
        assert_eq!(systemd_version(console), Some("252.39-1~deb12u2"));
        let again = format!("{console}systemd 257.9 running in system mode (+PAM)\n");
        assert_eq!(systemd_version(&again), Some("257.9"));
        assert_eq!(systemd_version("systemd is not here\n"), None);
    }

    fn banner(version: &str) -> Signal {
        Signal::Banner { version: version.to_owned() }
    }

    #[test]
    fn real_boots() {
        assert_eq!(signals(BOOTED), [banner("252.39-1~deb12u2"), Signal::Getty, Signal::MultiUser]);
        assert_eq!(signals(READ_ONLY), [banner("252.39-1~deb12u2"), Signal::ExitingPid1]);
    }

    #[test]
    fn banners_of_many_versions() {
        for (line, version) in [
            ("systemd 247.3-7+deb11u5 running in system mode. (+PAM +AUDIT)", "247.3-7+deb11u5"),
            ("systemd v245.7-1.fc32 running in system mode. (+PAM)", "245.7-1.fc32"),
            ("systemd 239 (239-41.el8_3.2) running in system mode. (+PAM)", "239"),
            ("systemd 250-12.el9_1 running in system mode (+PAM)", "250-12.el9_1"),
            ("systemd 257.9-1~deb13u1 running in system mode (+PAM)", "257.9-1~deb13u1"),
            ("systemd 219 running in system mode. (+PAM)", "219"),
            ("[    1.234567] systemd[1]: systemd 262~rc1-1 running in system mode (+PAM)", "262~rc1-1"),
        ] {
            assert_eq!(signals(format!("{line}\r\n").as_bytes()), [banner(version)], "{line}");
        }
        assert_eq!(signals(b"journald: systemd 252 running in user mode\n"), []);
    }

    #[test]
    fn multi_user_of_many_versions() {
        for line in [
            "[  OK  ] Reached target multi-user.target - Multi-User System.",
            "[\x1b[0;32m  OK  \x1b[0m] Reached target \x1b[0;1;39mMulti-User System\x1b[0m.",
            "[  OK  ] Reached target multi-user.target\u{2026}User System.",
            "systemd[1]: Reached target multi-user.target - Multi-User System.",
        ] {
            assert_eq!(signals(format!("{line}\r\r\n").as_bytes()), [Signal::MultiUser], "{line}");
        }
        let prompted = b"debian login: [  OK  ] Reached target multi-user.target - Multi-User System.\r\r\n";
        assert_eq!(signals(prompted), [Signal::Getty, Signal::MultiUser]);
        for line in ["echo Reached target multi-user.target", "[FAILED] Reached target multi-user.target.", "Reached"] {
            assert_eq!(signals(format!("{line}\n").as_bytes()), [], "{line}");
        }
    }

    #[test]
    fn a_getty_of_many_versions() {
        for line in [
            "[  OK  ] Started console-getty.service - Console Getty.",
            "[\x1b[0;32m  OK  \x1b[0m] Started \x1b[0;1;39mConsole Getty\x1b[0m.",
            "[  OK  ] Started serial-getty@ttyS0.service - Serial Getty on ttyS0.",
            "[  OK  ] Started Getty on tty1.",
        ] {
            assert_eq!(signals(format!("{line}\r\r\n").as_bytes()), [Signal::Getty], "{line}");
        }
        assert_eq!(signals(b"[  OK  ] Reached target getty.target - Login Prompts.\n"), []);
    }

    #[test]
    fn a_getty_that_has_the_console_before_systemd_says_so() {
        // Seen with 257 on a busy machine: nothing came after it.
        let log = b"[  OK  ] Finished systemd-user-sessions.service - Permit User Sessions.\r\r\n\r\r\nDebian GNU/Linux 13 882bc4d7d8e8 console\r\n\r\n882bc4d7d8e8 login: ";
        assert_eq!(signals(log), [Signal::Getty]);
        assert_eq!(signals(b"login: "), [Signal::Getty]);
        for line in ["a failed login: ", "user of login: no", "host login"] {
            assert_eq!(signals(format!("{line}\n").as_bytes()), [], "{line}");
        }
    }

    #[test]
    fn pid_1_that_gave_up() {
        let old = b"[!!!!!!] Failed to mount API filesystems, freezing.\nFreezing execution.\n";
        assert_eq!(signals(old), [Signal::Frozen, Signal::Frozen]);
        assert_eq!(signals(b"\x1b[0;1;31mExiting PID 1...\x1b[0m\r\r\n"), [Signal::ExitingPid1]);
        assert_eq!(signals(b"Exiting PID 1..."), [Signal::ExitingPid1], "no line end");
    }

    #[test]
    fn a_long_log_keeps_its_head_and_tail() {
        let mut reader = ConsoleReader::new(64);
        let mut found = reader.feed(b"first line\n");
        let mut left_out = 0;
        for n in 0..10_000 {
            let line = format!("line {n}\n");
            found.extend(reader.feed(line.as_bytes()));
            left_out += if (3..9999).contains(&n) { line.len() } else { 0 };
        }
        found.extend(reader.feed(b"Freezing execution.\n"));
        assert_eq!(found, [Signal::Frozen]);
        assert!(reader.cut());
        let text = reader.text();
        assert!(text.starts_with("first line\nline 0\n"), "{text}");
        assert!(text.ends_with("line 9999\nFreezing execution.\n"), "{text}");
        assert!(text.contains(&format!("\n[sdc-engine: {left_out} bytes left out here]\n")), "{text}");
    }

    #[test]
    fn a_line_without_an_end_takes_no_memory() {
        let mut reader = ConsoleReader::new(1000);
        for _ in 0..1000 {
            assert_eq!(reader.feed(&[b'x'; 1000]), []);
        }
        assert!(reader.line.capacity() <= 2 * super::LINE_LIMIT);
        assert!(reader.raw().len() < 1100);
        assert_eq!(reader.feed(b"\nExiting PID 1...\n"), [Signal::ExitingPid1]);
    }

    #[test]
    fn an_uncut_log_comes_back_whole() {
        let mut reader = ConsoleReader::new(BOOTED.len());
        reader.feed(BOOTED);
        assert!(!reader.cut());
        assert_eq!(escape::bytes(&reader.raw()), BOOTED);
        assert!(reader.text().contains("\n[  OK  ] Reached target multi-user.target - Multi-User System.\n"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn chunks_do_not_matter(cuts in prop::collection::vec(0..BOOTED.len(), 0..40), limit in 0..6000_usize) {
            let mut cuts = cuts;
            cuts.extend([0, BOOTED.len()]);
            cuts.sort_unstable();
            let (mut whole, mut parts) = (ConsoleReader::new(limit), ConsoleReader::new(limit));
            let expected = whole.feed(BOOTED);
            let found: Vec<_> = cuts.windows(2).flat_map(|w| parts.feed(&BOOTED[w[0]..w[1]])).collect();
            prop_assert_eq!(found, expected);
            prop_assert_eq!(parts.raw(), whole.raw());
        }

        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..300), limit in 0..200_usize) {
            let mut reader = ConsoleReader::new(limit);
            reader.feed(&bytes);
            reader.finish();
            prop_assert_eq!(reader.cut(), bytes.len() > limit);
            prop_assert!(reader.head.len() + reader.tail.len() <= limit);
            prop_assert!(reader.text().chars().all(|c| !c.is_control() || c == '\n' || c == '\t'));
        }
    }
}
