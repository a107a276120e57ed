//! `[boot]`.

use super::super::cursor::Item;
use super::super::diagnostic::{Code, Diagnostic};
use super::super::draft::BootDraft;
use super::super::keys::{BOOT, BOOT_EXPECT};
use super::super::model::{BootExpectation, BootState, Readiness, Stream, UnknownLines};
use super::expect::{asserts_nothing, level, stream, tables};
use super::golden::Owner;
use crate::source::Sp;

/// The words of `ready`.
pub(in crate::scenario) const READY: &[(Readiness, &str)] =
    &[(Readiness::Console, "console"), (Readiness::Exec, "exec")];
/// The words of `unknown_lines`.
pub(in crate::scenario) const UNKNOWN: &[(UnknownLines, &str)] =
    &[(UnknownLines::Warn, "warn"), (UnknownLines::Fail, "fail"), (UnknownLines::Ignore, "ignore")];

/// Decodes the table.
pub(super) fn boot(item: &Item<'_, '_>) -> BootDraft {
    let Some(fields) = item.table(&BOOT, "write [boot] with `timeout` or `expect`") else {
        return BootDraft { expect: Some(Vec::new()), ..BootDraft::default() };
    };
    let known = fields.get("known_lines").and_then(|item| item.list("a list of patterns", "known_lines = ['…']"));
    let boot = BootDraft {
        timeout: fields.get("timeout").and_then(|item| item.duration()),
        ready: fields.get("ready").and_then(|item| Some(Sp::new(item.word(READY)?, item.loc()))),
        before: fields.get("before").and_then(|item| item.text().and_then(|_| item.template())),
        expect: fields.get("expect").map(|item| tables(&item).iter().filter_map(expectation).collect()),
        unknown_lines: fields.get("unknown_lines").and_then(|item| item.word(UNKNOWN)),
        known_lines: known.unwrap_or_default().iter().filter_map(Item::regex).collect(),
    };
    fields.finish();
    boot
}

fn expectation(item: &Item<'_, '_>) -> Option<BootExpectation> {
    let fields = item.table(&BOOT_EXPECT, "such as expect.state = \"running\"")?;
    let when = fields.get("when").map(|item| item.condition());
    let level = level(&fields);
    let before = fields.cx.sink.count();
    let state_item = fields.get("state");
    let state: Vec<BootState> =
        state_item.iter().flat_map(Item::one_or_many).filter_map(|item| item.word(BootState::ALL)).collect();
    let exit_item = fields.get("exit");
    let exit: Vec<i64> = exit_item.iter().flat_map(Item::one_or_many).filter_map(|item| item.int(0..=255)).collect();
    let checks = fields.get("console").map_or_else(Vec::new, |item| stream(&item, Stream::Console, Owner::Boot));
    fields.finish();
    let clean = fields.cx.sink.count() == before;
    if let Some(exit_item) = &exit_item
        && !exit.is_empty()
        && !state.is_empty()
        && !state.contains(&BootState::Exited)
        && let Some(state_item) = &state_item
    {
        let message = "a boot has an exit code only when its state is \"exited\"";
        fields.cx.sink.push(
            Diagnostic::new(Code::Contradiction, message, &exit_item.loc(), "an exit code is demanded here")
                .also(&state_item.loc(), "and PID 1 must live here")
                .help("expect.state = \"exited\", or leave `exit` out"),
        );
    }
    if clean && state.is_empty() && exit.is_empty() && checks.is_empty() {
        asserts_nothing(fields.cx, &item.loc(), "add `state`, `exit` or `console`, or leave it out");
    }
    // A condition that does not compile was reported; without it the expectation would mean something else.
    let when = match when {
        Some(None) => return None,
        other => other.flatten(),
    };
    Some(BootExpectation { loc: item.loc(), when, level, state, exit, checks })
}
