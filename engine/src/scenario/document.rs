//! A file's text as a spanned TOML tree, and what is wrong with it as TOML.

use toml::de::DeTable;

use super::cursor::{Cx, Fields};
use super::diagnostic::{Code, Diagnostic};
use crate::schema::Table;
use crate::source::Loc;

/// Parses a file's text and hands the root table to `decode`; syntax errors go to the sink, and the rest is still read.
pub(crate) fn with_root<T>(cx: Cx<'_>, of: &'static Table, decode: impl FnOnce(&Fields<'_, '_>) -> T) -> T {
    let text = &cx.sink.sources.get(cx.file).text;
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let span = span.start.min(text.len())..span.end.min(text.len());
        cx.sink.push(syntax(text, cx.loc(span), error.message()));
    }
    let fields = Fields::new(cx, of, root.get_ref(), 0..0);
    let decoded = decode(&fields);
    fields.finish();
    decoded
}

/// A syntax error in words of ours; a key that stands twice is one that TOML itself forbids.
fn syntax(text: &str, at: Loc, message: &str) -> Diagnostic {
    if message.starts_with("duplicate key") {
        let key = text[at.span.clone()].trim_matches(['"', '\'']).to_string();
        let message = format!("`{key}` stands twice in one table");
        return Diagnostic::new(Code::DuplicateKey, message, &at, "again here")
            .help("keep one of the two; a list takes several values, and `[[step]]` (two brackets) starts a new step");
    }
    let help = if message.contains("string") || message.contains("quote") {
        "strings stand in quotes; in 'single quotes' nothing is escaped, which suits regular expressions"
    } else if message.contains("newline") || message.contains("array") || message.contains("table") {
        "see that every quote, bracket and brace is closed; https://toml.io shows the syntax"
    } else {
        "https://toml.io shows the syntax"
    };
    Diagnostic::new(Code::Syntax, format!("this is no TOML: {message}"), &at, "here").help(help)
}
