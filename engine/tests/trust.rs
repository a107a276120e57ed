//! What a container prints, on a real engine: it steers no terminal, and a secret that it was given is told nowhere.
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test that cannot go on panics")]

#[expect(dead_code, reason = "signals are for other tests")]
mod program;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use program::{Ended, able, run_with, start};

const LAB: &str = "docker-v1";
/// Quotes and a backslash, which JSON and Rust write otherwise.
const SECRET: &str = r#"s3cret-"quoted"-b\ack-0123456789"#;
/// No writing of it may be seen.
const TELLTALE: [&str; 2] = ["s3cret", "ack-0123456789"];

/// As `printf` takes it: the title, the screen, C1 as bytes and as characters, a link, direction, and what hides.
const HOSTILE: &str = r"\033]0;pwned\007\033[2J\033[31mred\033[0m\233\061m\302\233\062m\033]8;;http://x\033\\link\342\200\256bidi\342\200\213\010\177\033P+q\033\\end";

/// A user's folder whose one scenario prints what is hostile and what is secret, on its console and by a step.
struct User(tempfile::TempDir);

impl User {
    fn new() -> Self {
        let user = Self(tempfile::tempdir().unwrap());
        fs::create_dir(user.path("scenarios")).unwrap();
        let text = format!(
            r#"title = "What does it say?"
[container]
image = "debian-12"
setup_mode = "unmount"
cap_add = ["SYS_ADMIN"]
cgroupns = "private"
tmpfs = ["/run", "/run/lock"]
env = {{ container = "docker", TOKEN = {{ secret = "SDC_TEST_TOKEN" }} }}
stop_signal = "SIGRTMIN+3"
network = "none"

[boot]
before = '''printf '{HOSTILE} %s\n' "$TOKEN"'''
unknown_lines = "warn"

[[step]]
name = "say"
run = '''printf '{HOSTILE} %s\n' "$TOKEN"; printf '{HOSTILE} %s\n' "$TOKEN" >&2'''
expect.stdout.golden = true
expect.stderr.empty = true

[[step]]
name = "length"
run = 'printf %s "$TOKEN" | wc -c'
expect.stdout.equals = "{}"

[[step]]
name = "inspect"
engine = "inspect"
expect.stdout.contains = "TOKEN=<secret>"

[[step]]
name = "argument"
run = ["printf", '{HOSTILE} %s']
expect.stdout.contains = "nothing of the kind"
"#,
            SECRET.len()
        );
        fs::write(user.path("scenarios/mine.toml"), text).unwrap();
        user
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, words: &[&str], variables: &[(&str, &str)]) -> Ended {
        let [scenarios, golden, aside] =
            ["scenarios", "golden", "aside"].map(|name| self.path(name).display().to_string());
        let own = [scenarios.as_str(), "--golden", &golden, "--aside", &aside];
        let arguments: Vec<String> = words.iter().chain(&own).map(ToString::to_string).collect();
        run_with(&arguments, "", variables)
    }

    /// Every file that the program wrote.
    fn written(&self) -> Vec<(PathBuf, String)> {
        let files = walkdir::WalkDir::new(self.0.path()).into_iter().filter_map(Result::ok);
        let files = files.filter(|entry| entry.file_type().is_file() && !entry.path().ends_with("mine.toml"));
        files.map(|entry| (entry.path().to_owned(), fs::read_to_string(entry.path()).unwrap())).collect()
    }
}

/// Whether a character does anything to a terminal but end a line.
fn steers(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[track_caller]
fn harmless(what: &str, text: &str) {
    if let Some(at) = text.find(steers) {
        panic!(
            "{what} steers: {:?}",
            &text[text[..at].rfind('\n').unwrap_or(0)..].chars().take(200).collect::<String>()
        );
    }
    untold(what, text);
}

#[track_caller]
fn untold(what: &str, text: &str) {
    for word in TELLTALE {
        if let Some(at) = text.find(word) {
            panic!(
                "{what} tells the secret: {:?}",
                text[at.saturating_sub(80)..].chars().take(200).collect::<String>()
            );
        }
    }
}

/// Looks at every process's words until it is told to stop; those that tell.
fn watched<T>(work: impl FnOnce() -> T) -> (T, Vec<String>) {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut told = Vec::new();
            while !over.load(Ordering::Relaxed) {
                for process in fs::read_dir("/proc").unwrap().filter_map(Result::ok) {
                    let words = fs::read(process.path().join("cmdline")).unwrap_or_default();
                    let words = String::from_utf8_lossy(&words).into_owned();
                    if TELLTALE.iter().any(|word| words.contains(word)) && !told.contains(&words) {
                        told.push(words);
                    }
                }
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            told
        });
        let done = work();
        over.store(true, Ordering::Relaxed);
        (done, watch.join().unwrap())
    })
}

#[test]
fn what_a_container_prints_steers_nothing_and_its_secret_is_told_nowhere() {
    let Some(_alone) = able(LAB) else { return };
    let user = User::new();
    let secret = [("SDC_TEST_TOKEN", SECRET)];
    let [json, junit] = ["report.json", "report.xml"].map(|name| user.path(name).display().to_string());
    let words = ["check", "--host", LAB, "--json", &json, "--junit", &junit, "--log-level"];
    for more in [&["info"][..], &["info", "-v"], &["trace,sdc_engine=trace", "-v"], &["info", "-q"]] {
        let (ended, told) = watched(|| user.run(&[&words[..], more].concat(), &secret));
        assert_eq!(ended.code, Some(1), "{}\n{}", ended.stdout, ended.stderr);
        assert!(
            (ended.stdout.contains("bidi") || more.contains(&"-q")) && told.is_empty(),
            "{more:?} {told:?} {}",
            ended.stdout
        );
        harmless(&format!("stdout of {more:?}"), &ended.stdout);
        harmless(&format!("stderr of {more:?}"), &ended.stderr);
        let result: serde_json::Value = serde_json::from_str(&fs::read_to_string(&json).unwrap()).unwrap();
        let text = result.to_string();
        assert!(
            text.contains("<secret>") && text.contains("pwned") && !text.contains("\"length\",\"verdict\":\"fail\"")
        );
    }
    // Forced colours are ours and nothing else.
    let coloured = user.run(&["check", "--host", LAB, "-v"], &[secret[0], ("CLICOLOR_FORCE", "1")]);
    assert!(coloured.stdout.contains("\u{1b}["));
    let colour = regex::Regex::new("\u{1b}\\[[0-9;]*m").unwrap();
    harmless("colours", &colour.replace_all(&coloured.stdout, ""));
    assert!(!coloured.stdout.contains("\u{1b}[31mred"));

    for words in [&["review", "--list"][..], &["review", "--list", "--json"], &["explain", "--goldens", "mine"]] {
        let ended = user.run(words, &secret);
        assert!(
            ended.stdout.contains("pwned") || ended.stdout.contains("red"),
            "{words:?} {} {}",
            ended.stdout,
            ended.stderr
        );
        harmless(&format!("{words:?}"), &ended.stdout);
        harmless(&format!("{words:?}"), &ended.stderr);
    }
    let by_hand = fs::read_to_string(&json).unwrap();
    assert!(by_hand.contains(r#"TOKEN=\"$SDC_TEST_TOKEN\" docker"#) && by_hand.contains("--env TOKEN "), "{by_hand}");
    let written = user.written();
    assert!(written.iter().any(|(path, _)| path.ends_with("pending.json")));
    for (path, text) in &written {
        harmless(&path.display().to_string(), text);
    }
}

#[test]
fn a_secret_without_a_value_skips_its_cases() {
    let Some(_alone) = able(LAB) else { return };
    let user = User::new();
    for (variables, why) in [
        (&[][..], "SDC_TEST_TOKEN is not set"),
        (&[("SDC_TEST_TOKEN", "short")], "is shorter than 8 bytes"),
        (&[("SDC_TEST_TOKEN", "two lines\nof text")], "has a line end"),
    ] {
        let ended = user.run(&["check", "--host", LAB, "-v"], variables);
        assert_eq!(ended.code, Some(3), "{}\n{}", ended.stdout, ended.stderr);
        let said = (ended.stdout + &ended.stderr).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains("the secret TOKEN") && said.contains(why) && said.contains("skipped"), "{said}");
    }
}

/// Sockets and folders of a private engine that others than its owner could open or look into.
fn open_to_others(run: &Path) -> Vec<String> {
    let mode = |path: &Path| path.symlink_metadata().unwrap().permissions().mode() & 0o777;
    // What is below a folder that is closed is closed.
    let closed = run.ancestors().any(|folder| folder.exists() && mode(folder) & 0o077 == 0);
    let mut open = if closed { vec![] } else { vec![format!("{} {:o}", run.display(), mode(run))] };
    if mode(run) != 0o700 {
        open.push(format!("{} has the mode {:o}", run.display(), mode(run)));
    }
    open
}

#[test]
fn a_private_engine_is_closed_to_others() {
    for lab in [LAB, "podman-v2"] {
        let Some(_alone) = able(lab) else { continue };
        let serving = start(&["host", "--host", lab, "--serve"].map(String::from));
        serving.until_said("up until Ctrl-C");
        let run = Path::new("/run/sdc-engine").join(&serving.name);
        assert_eq!(open_to_others(&run), Vec::<String>::new());
        let data = Path::new("/var/lib/sdc-engine/engines").join(lab);
        let mode = data.metadata().unwrap().permissions().mode() & 0o777;
        // dockerd opens its own to its group, which is root's.
        assert!(mode & 0o027 == 0, "{} {mode:o}", data.display());
        serving.signal(rustix::process::Signal::INT);
        let ended = serving.end();
        program::nothing_left(&ended.name, std::time::Duration::from_secs(60));
    }
}
