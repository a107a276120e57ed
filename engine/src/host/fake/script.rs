//! What a fake container does: values, and the choice of an answer to a command.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;

use crate::host::{ExecRequest, HostErrorKind};

/// A method of [`crate::host::Host`], for diaries and failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is the method of its name")]
pub enum Call {
    Create,
    Put,
    Get,
    Console,
    Start,
    Wait,
    Exec,
    Inspect,
    Logs,
    Top,
    Stats,
    Stop,
    Kill,
    Remove,
    List,
    Image,
    Import,
    Build,
    Images,
    RemoveImage,
}

impl std::fmt::Display for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&format!("{self:?}").to_lowercase())
    }
}

/// How a call fails.
#[derive(Debug, Clone)]
pub struct Failure {
    /// How long it takes.
    pub after: Duration,
    /// The error.
    pub kind: HostErrorKind,
}

impl Failure {
    /// The engine says no at once.
    #[must_use]
    pub fn refuses(message: &str) -> Self {
        Self { after: Duration::ZERO, kind: HostErrorKind::Refused { status: 400, message: message.to_owned() } }
    }

    /// The engine is silent until the call's limit.
    #[must_use]
    pub fn hangs(limit: Duration) -> Self {
        Self { after: limit, kind: HostErrorKind::TimedOut(limit) }
    }

    /// The engine is gone.
    #[must_use]
    pub fn unreachable() -> Self {
        Self { after: Duration::ZERO, kind: HostErrorKind::Unreachable("connection refused".to_owned()) }
    }
}

/// The answer to a command.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// How long the command takes; past the request's limit it times out.
    pub after: Duration,
    /// The exit code.
    pub code: i64,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
    /// The command could not be started.
    pub refused: Option<HostErrorKind>,
    /// The container ends with it, with this code.
    pub ends: Option<i64>,
}

impl Reply {
    /// A command that prints and succeeds.
    #[must_use]
    pub fn prints(text: &str) -> Self {
        Self { stdout: text.into(), ..Self::default() }
    }

    /// A command that fails, with words on standard error.
    #[must_use]
    pub fn fails(code: i64, text: &str) -> Self {
        Self { code, stderr: text.into(), ..Self::default() }
    }

    /// A command that never ends.
    #[must_use]
    pub fn hangs() -> Self {
        Self { after: Duration::from_secs(365 * 24 * 3600), ..Self::default() }
    }

    /// The same, but it takes a while.
    #[must_use]
    pub fn after(self, after: Duration) -> Self {
        Self { after, ..self }
    }
}

type Answer = Arc<dyn Fn(&ExecRequest) -> Option<Reply> + Send + Sync>;

/// What a container does. The default prints nothing and runs until it is stopped; every command succeeds silently.
#[derive(Clone, Default)]
pub struct Script {
    /// What comes on the console: the pause before it, and the bytes.
    pub console: Vec<(Duration, Vec<u8>)>,
    /// PID 1 ends by itself after the console's last bytes, with this code.
    pub exits: Option<i64>,
    /// PID 1's exit code when it is told to stop.
    pub stop_code: i64,
    /// How long it takes to stop.
    pub stop_takes: Duration,
    /// Calls that fail, such as a refused [`Call::Start`].
    pub failures: BTreeMap<Call, Failure>,
    /// Files, by absolute path.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Merged over what inspect shows, to let a flag be not applied.
    pub inspect: Value,
    /// Cgroups that are left on the host when it is removed, hierarchy first.
    pub leaves: Vec<String>,
    answers: Vec<Answer>,
}

impl std::fmt::Debug for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Script").field("console", &self.console).field("exits", &self.exits).finish_non_exhaustive()
    }
}

impl Script {
    /// Lines on the console, all at once, and then it runs until it is stopped.
    #[must_use]
    pub fn says(lines: &[&str]) -> Self {
        Self::default().then(Duration::ZERO, &lines.iter().map(|line| format!("{line}\r\n")).collect::<String>())
    }

    /// More on the console, after a pause.
    #[must_use]
    pub fn then(mut self, pause: Duration, text: &str) -> Self {
        self.console.push((pause, text.into()));
        self
    }

    /// A cgroup of the host's is left when it is removed, such as `unified:/init.scope`.
    #[must_use]
    pub fn leaving(mut self, cgroup: &str) -> Self {
        self.leaves.push(cgroup.to_owned());
        self
    }

    /// PID 1 ends by itself after its last words.
    #[must_use]
    pub fn exiting(mut self, code: i64) -> Self {
        self.exits = Some(code);
        self
    }

    /// PID 1 ends with this code, this long after it is told to stop.
    #[must_use]
    pub fn stopping(mut self, code: i64, takes: Duration) -> Self {
        self.stop_code = code;
        self.stop_takes = takes;
        self
    }

    /// A call that fails.
    #[must_use]
    pub fn failing(mut self, call: Call, failure: Failure) -> Self {
        self.failures.insert(call, failure);
        self
    }

    /// The answer to commands whose words, joined as for a shell, contain a text. Earlier answers come first.
    #[must_use]
    pub fn on(self, words: &str, reply: Reply) -> Self {
        self.on_in_turn(words, vec![reply])
    }

    /// As [`Self::on`], a reply a call; the last one stays. Clones of the script share the count.
    #[must_use]
    pub fn on_in_turn(self, words: &str, replies: Vec<Reply>) -> Self {
        let words = words.to_owned();
        let turn = Mutex::new(replies.into_iter().peekable());
        self.answer(move |request| {
            if !shell_words::join(&request.argv).contains(&words) && !request.argv.join(" ").contains(&words) {
                return None;
            }
            let mut turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
            let reply = turn.peek().cloned();
            if turn.len() > 1 {
                turn.next();
            }
            reply
        })
    }

    /// An answer by a function; `None` leaves the request to those that follow.
    #[must_use]
    pub fn answer(mut self, answer: impl Fn(&ExecRequest) -> Option<Reply> + Send + Sync + 'static) -> Self {
        self.answers.push(Arc::new(answer));
        self
    }

    /// As [`Self::answer`], asked before all others.
    #[must_use]
    pub fn answer_first(mut self, answer: impl Fn(&ExecRequest) -> Option<Reply> + Send + Sync + 'static) -> Self {
        self.answers.insert(0, Arc::new(answer));
        self
    }

    pub(super) fn reply(&self, request: &ExecRequest) -> Reply {
        self.answers.iter().find_map(|answer| answer(request)).unwrap_or_default()
    }
}
