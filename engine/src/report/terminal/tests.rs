use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use indicatif::{ProgressDrawTarget, TermLike};

use crate::events::{Event, Summary};
use crate::judge::{CaseResult, Verdict};
use crate::plan::Share;
use crate::report::run::Run;
use crate::report::{Reporter, sample};

use super::{Options, Terminal, Verbosity};

/// A stream that is read after the reporter wrote it; also a terminal for indicatif.
#[derive(Debug, Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl TermLike for Shared {
    fn width(&self) -> u16 {
        80
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.write_str(&format!("<up {n}>"))
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.write_str(&format!("<down {n}>"))
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.write_str(&format!("<right {n}>"))
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.write_str(&format!("<left {n}>"))
    }

    fn write_line(&self, s: &str) -> io::Result<()> {
        self.write_str(&format!("{s}\n"))
    }

    fn write_str(&self, s: &str) -> io::Result<()> {
        self.0.lock().unwrap().write_all(s.as_bytes())
    }

    fn clear_line(&self) -> io::Result<()> {
        self.write_str("<clear>")
    }

    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

const PLAIN: Options = Options { verbosity: Verbosity::Normal, watched: false, colour: false, columns: None };

fn told(options: Options, events: &[Event]) -> String {
    let out = Shared::default();
    let mut terminal = Terminal::new(Box::new(out.clone()), options);
    events.iter().for_each(|event| terminal.event(event));
    terminal.finish().unwrap();
    out.text()
}

/// A run of these results alone.
fn run_of(results: Vec<CaseResult>, summary: Summary) -> Vec<Event> {
    let mut events: Vec<_> =
        sample::events().into_iter().filter(|event| matches!(event, Event::RunStarted { .. })).collect();
    if let Some(Event::RunStarted { cases, left_out, .. }) = events.first_mut() {
        *cases = results.len() + summary.stopped_early.iter().count();
        left_out.clear();
    }
    events.extend(results.into_iter().map(|result| Event::CaseFinished { result: Box::new(result) }));
    events.push(Event::RunFinished { summary });
    events
}

#[test]
fn an_empty_share_is_told_as_one() {
    let mut events = run_of(vec![], Summary::default());
    if let Some(Event::RunStarted { share, .. }) = events.first_mut() {
        let partition = "hash:2/3".parse().unwrap();
        *share = Some(Share { partition, whole: 4, digest: String::new() });
    }
    let text = told(PLAIN, &events);
    assert!(text.contains("nothing ran: all cases are in other shares"), "{text}");
    let mut run = Run::default();
    events.iter().for_each(|event| run.event(event));
    assert_eq!(run.outcome().exit_code(), 2);
}

#[test]
fn off_a_terminal_every_case_is_a_line() {
    insta::assert_snapshot!(told(PLAIN, &sample::events()));
}

#[test]
fn a_narrow_watched_terminal() {
    let options = Options { watched: true, columns: Some(44), ..PLAIN };
    let text = told(options, &sample::events());
    insta::assert_snapshot!(text);
    let by_hand = "    docker run";
    for line in text.lines().filter(|line| !line.starts_with(by_hand)) {
        assert!(crate::report::text::width(line) <= 44, "{line:?}");
    }
}

#[test]
fn quiet_tells_what_differs_and_the_numbers() {
    insta::assert_snapshot!(told(Options { verbosity: Verbosity::Quiet, ..PLAIN }, &sample::events()));
}

#[test]
fn with_colours_only_styles_reach_the_terminal() {
    let text = told(Options { colour: true, ..PLAIN }, &sample::events());
    insta::assert_snapshot!(text.replace('\x1b', "⟪ESC⟫"));
    for (at, _) in text.match_indices('\x1b') {
        let sequence = &text[at + 1..];
        let end = sequence.find(|c: char| c.is_ascii_alphabetic()).unwrap();
        assert!(sequence.starts_with('[') && &sequence[end..=end] == "m", "{:?}", &sequence[..=end]);
    }
    assert_eq!(anstream::adapter::strip_str(&text).to_string(), told(PLAIN, &sample::events()));
}

#[test]
fn without_colours_no_escape_is_written() {
    for verbosity in [Verbosity::Quiet, Verbosity::Normal, Verbosity::Verbose] {
        let text = told(Options { verbosity, ..PLAIN }, &sample::events());
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
    }
}

#[test]
fn a_calm_run_is_short() {
    let pass = sample::case("boot/privileged", &[("setup_mode", "default")], Verdict::Pass);
    let events = run_of(vec![pass], Summary { boots: 1, ..Summary::default() });
    insta::assert_snapshot!(told(Options { watched: true, ..PLAIN }, &events));
}

#[test]
fn an_interruption_and_what_was_left_behind_are_loud() {
    let pass = sample::case("boot/privileged", &[], Verdict::Pass);
    let summary = Summary {
        boots: 1,
        stopped_early: Some("interrupted".into()),
        left_behind: vec!["container sdc-1234: removal timed out\x1b[2J".into()],
        ..Summary::default()
    };
    insta::assert_snapshot!(told(Options { verbosity: Verbosity::Quiet, ..PLAIN }, &run_of(vec![pass], summary)));
}

#[test]
fn a_run_without_an_end_says_so() {
    let events = run_of(Vec::new(), Summary::default());
    let text = told(PLAIN, &events[..1]);
    assert!(text.contains("stopped early: the run broke off"), "{text}");
}

#[test]
fn nothing_ran_is_said() {
    let text = told(PLAIN, &run_of(Vec::new(), Summary::default()));
    assert!(text.contains("nothing ran: no case is left by the filters and rules"), "{text}");
}

#[test]
fn live_progress_is_drawn_on_its_target_and_gone_at_the_end() {
    let (out, screen) = (Shared::default(), Shared::default());
    let target = ProgressDrawTarget::term_like_with_hz(Box::new(screen.clone()), 255);
    let options = Options { watched: true, columns: Some(80), ..PLAIN };
    let mut terminal = Terminal::new(Box::new(out.clone()), options).with_live(target);
    let events = sample::events();
    for event in &events {
        terminal.event(event);
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    terminal.finish().unwrap();
    let drawn = screen.text();
    assert!(drawn.contains("steps  +1 cgroups/mounts[cgroupns=host,cgroup_mode=legacy,setup_mode=unm"), "{drawn}");
    assert!(drawn.contains("/16  ") && drawn.contains("4 fail"), "{drawn}");
    let told = out.text();
    assert!(!told.contains("<up") && !told.contains("pass    cgroups/mounts"), "{told}");
    assert!(told.contains("fail    cgroups/mounts"), "{told}");
    assert!(!drawn.trim_end_matches("<clear>").ends_with("fail"), "{drawn}");
}

struct Full;

impl Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::Error::from(io::ErrorKind::StorageFull))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_told_at_the_end() {
    let mut terminal = Terminal::new(Box::new(Full), PLAIN);
    sample::events().iter().for_each(|event| terminal.event(event));
    assert_eq!(terminal.finish().unwrap_err().kind(), io::ErrorKind::StorageFull);
}
