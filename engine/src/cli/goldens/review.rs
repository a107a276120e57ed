//! `sdc-engine review`: walks through what is set aside, one change at a time, and asks.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, IsTerminal};

use super::super::Setting;
use super::super::args::ReviewArgs;
use super::super::exit::{Exit, Failure};
use super::super::{json, print};
use super::accept::settle;
use super::desk::Desk;
use super::{count, not_in_ci};
use crate::pending::{Entry, Group, Item, Name, group, refusal};
use crate::report::{plain_log, review as show};

const KEYS: &str = "\
  a  accept: these texts become the goldens; a reason is asked for
  r  reject: they are forgotten; the next run that sees them sets them aside again
  l  later: they stay set aside
  e  edit the scenario (VISUAL, EDITOR), such as its normalising rules, and look again
  c  all cases         t  the text, as it was printed and as it is compared
  o  the console's last lines    f  the host's facts    b  the commands that repeat it by hand
  q  decide nothing more: what was decided so far is carried out
";

/// Shows what is set aside, and asks what to do with it.
pub(in super::super) async fn review(args: ReviewArgs, setting: Setting<'_>) -> Result<Exit, Failure> {
    if !args.list && !args.json {
        not_in_ci("review")?;
    }
    let desk = Desk::lay(setting, &args.paths)?;
    if args.list || args.json {
        return list(&desk, &args);
    }
    let mut session = Session { desk, runs: args.runs, decisions: Decisions::default(), reason: None };
    session.walk()?;
    let Session { mut desk, decisions, .. } = session;
    desk.forget_settled()?;
    let Decisions { accepted, rejected, later } = decisions;
    let exit = settle(&mut desk, accepted, &rejected, args.runs).await?;
    let left = desk.held.pending.entries.len();
    if left > 0 {
        print(&format!("{} set aside still, {} of them for later\n", count(left, "text"), later.len().min(left)))?;
    }
    Ok(if left == 0 { exit } else { Exit::Differs })
}

/// Prints what is set aside; nothing set aside is success.
fn list(desk: &Desk<'_>, args: &ReviewArgs) -> Result<Exit, Failure> {
    let (items, stale) = desk.items()?;
    let nothing = items.is_empty();
    let groups = group(items);
    if args.json {
        let of = |group: &Group<'_>| {
            let item = |item: &Item<'_>| {
                serde_json::json!({
                    "case": item.entry.case, "golden": item.entry.key, "host": desk.held.pending.facts(item.entry).map(|f| &f.name),
                    "runs": item.entry.runs, "file": item.golden.as_ref().map(|(file, _)| file), "expected": item.golden.as_ref().map(|(_, text)| text),
                    "text": item.text, "refused": refusal(item, args.runs),
                })
            };
            group.items.iter().map(item).collect::<Vec<_>>()
        };
        print(&json(&groups.iter().map(of).collect::<Vec<_>>())?)?;
    } else {
        for (i, group) in groups.iter().enumerate() {
            print(&shown(desk, group, show::Place { number: i + 1, of: groups.len() }, args.runs))?;
        }
        for stale in stale.iter().filter(|stale| !stale.settled) {
            print(&format!("stale  {}: {}\n", stale.entry.case, stale.why))?;
        }
        if nothing {
            print("nothing is set aside\n")?;
        }
    }
    Ok(if nothing { Exit::Held } else { Exit::Differs })
}

fn shown(desk: &Desk<'_>, group: &Group<'_>, place: show::Place, runs: u32) -> String {
    let facts = |entry: &Entry| desk.held.pending.facts(entry).map(|facts| show::seen_on(entry, facts));
    let lines = show::lines(group, place, &facts, runs, columns());
    lines.join("\n") + "\n\n"
}

pub(super) fn columns() -> Option<usize> {
    let out = std::io::stdout();
    let size = if out.is_terminal() { terminal_size::terminal_size_of(&out) } else { None };
    size.map(|(width, _)| usize::from(width.0).max(20))
}

#[derive(Default)]
struct Decisions {
    accepted: BTreeMap<Name, String>,
    rejected: BTreeSet<Name>,
    later: BTreeSet<Name>,
}

impl Decisions {
    fn has(&self, name: &Name) -> bool {
        self.accepted.contains_key(name) || self.rejected.contains(name) || self.later.contains(name)
    }
}

struct Session<'a> {
    desk: Desk<'a>,
    runs: u32,
    decisions: Decisions,
    /// The last reason, which an empty answer repeats.
    reason: Option<String>,
}

/// What to do after an answer.
enum Next {
    Ask,
    Look,
    End,
}

impl Session<'_> {
    /// Asks until everything is decided, or nothing more is to be.
    fn walk(&mut self) -> Result<(), Failure> {
        let mut done = 0;
        loop {
            let (items, _) = self.desk.items()?;
            let open = items.into_iter().filter(|item| !self.decisions.has(&item.entry.name())).collect();
            let groups = group(open);
            let Some(first) = groups.first() else {
                return if done == 0 { print("nothing is set aside\n") } else { Ok(()) };
            };
            let place = show::Place { number: done + 1, of: done + groups.len() };
            print(&shown(&self.desk, first, place, self.runs))?;
            let names: Vec<Name> = first.items.iter().map(|item| item.entry.name()).collect();
            let more = More::of(&self.desk, first);
            drop(groups);
            let decided = self.decisions.accepted.len() + self.decisions.rejected.len() + self.decisions.later.len();
            loop {
                match self.answer(&names, &more)? {
                    Next::Ask => {}
                    Next::Look => break,
                    Next::End => return Ok(()),
                }
            }
            let now = self.decisions.accepted.len() + self.decisions.rejected.len() + self.decisions.later.len();
            done += usize::from(now > decided);
        }
    }

    fn answer(&mut self, names: &[Name], more: &More) -> Result<Next, Failure> {
        let Some(answer) =
            ask("[a]ccept [r]eject [l]ater [e]dit [c]ases [t]ext [o]utput [f]acts [b]y hand [q]uit [?] ")?
        else {
            return Ok(Next::End);
        };
        match answer.as_str() {
            "a" | "accept" | "y" | "yes" => {
                let Some(reason) = self.ask_reason()? else { return Ok(Next::Ask) };
                self.decisions.accepted.extend(names.iter().map(|name| (name.clone(), reason.clone())));
                return Ok(Next::Look);
            }
            "r" | "reject" | "n" | "no" => self.decisions.rejected.extend(names.iter().cloned()),
            "l" | "later" => self.decisions.later.extend(names.iter().cloned()),
            "e" | "edit" => {
                self.edit(more)?;
                return Ok(Next::Look);
            }
            "q" | "quit" => return Ok(Next::End),
            other => {
                print(match other {
                    "c" | "cases" => &more.cases,
                    "t" | "text" => &more.text,
                    "o" | "output" => &more.log,
                    "f" | "facts" => &more.facts,
                    "b" | "by hand" => &more.by_hand,
                    _ => KEYS,
                })?;
                return Ok(Next::Ask);
            }
        }
        Ok(Next::Look)
    }

    fn ask_reason(&mut self) -> Result<Option<String>, Failure> {
        let prompt = match &self.reason {
            Some(last) => format!("reason [{last}]: "),
            None => "reason: ".to_owned(),
        };
        let given = ask(&prompt)?.filter(|given| !given.is_empty()).or_else(|| self.reason.clone());
        if given.is_none() {
            print("a reason is needed: it is kept beside the goldens\n")?;
        }
        self.reason.clone_from(&given);
        Ok(given)
    }

    /// Opens the scenario in the user's editor until it can be read again.
    fn edit(&mut self, more: &More) -> Result<(), Failure> {
        let editor = ["VISUAL", "EDITOR"].iter().find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
        let (Some(editor), Some(file)) = (editor, &more.file) else {
            return print("set VISUAL or EDITOR to the editor to use\n");
        };
        loop {
            let words =
                shell_words::split(&editor).map_err(|error| Failure::input(miette::miette!("EDITOR: {error}")))?;
            let Some((program, arguments)) = words.split_first() else { return Ok(()) };
            let ended = std::process::Command::new(program).args(arguments).arg(file).status();
            if !ended.map_err(|error| Failure::environment(format!("{program}: {error}")))?.success() {
                return print(&format!("{program} failed; the scenario is read as it is now\n"));
            }
            match self.desk.read_scenarios() {
                Ok(()) => return Ok(()),
                Err(failure) => print(&format!("{:?}\n", failure.report))?,
            }
            if ask("edit again? [y/n] ")?.is_none_or(|answer| answer != "y") {
                return Ok(());
            }
        }
    }
}

/// What is shown of a group when it is asked for.
struct More {
    cases: String,
    text: String,
    log: String,
    facts: String,
    by_hand: String,
    /// The first case's scenario file.
    file: Option<String>,
}

impl More {
    fn of(desk: &Desk<'_>, group: &Group<'_>) -> Self {
        let lines = |text: &str| plain_log(text).lines().map(|line| format!("    │ {line}\n")).collect::<String>();
        let Some(item) = group.items.first() else {
            return Self {
                cases: String::new(),
                text: String::new(),
                log: String::new(),
                facts: String::new(),
                by_hand: String::new(),
                file: None,
            };
        };
        let entry = item.entry;
        let facts = desk.held.pending.facts(entry).and_then(|facts| serde_json::to_string_pretty(facts).ok());
        let cases = group.items.iter().map(|item| format!("    {}\n", item.entry.case));
        Self {
            cases: cases.collect(),
            text: format!("  as it was printed\n{}  as it is compared\n{}", lines(&entry.raw), lines(&item.text)),
            log: lines(&entry.log),
            facts: lines(&facts.unwrap_or_default()),
            by_hand: lines(&entry.by_hand),
            file: desk.file_of(entry),
        }
    }
}

/// A line from standard input without its white space; `None` at its end.
fn ask(prompt: &str) -> Result<Option<String>, Failure> {
    print(prompt)?;
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line).map_err(Failure::environment)?;
    if read == 0 {
        print("\n")?;
        return Ok(None);
    }
    if !std::io::stdin().is_terminal() {
        print("\n")?;
    }
    Ok(Some(line.trim().to_owned()))
}
