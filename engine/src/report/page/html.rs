//! The page: one file with its style, its script and its data, which asks nothing of a network. Pure.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Value, context};
use sha2::{Digest, Sha256};

use super::grid;
use super::model::Page;

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
/// In the order in which they are read: later ones use what earlier ones define.
const SCRIPTS: [&str; 4] =
    [include_str!("state.js"), include_str!("details.js"), include_str!("table.js"), include_str!("page.js")];

/// The page as a whole file.
///
/// # Errors
/// None in practice: the template is part of the program, and all of a page can be said in JSON.
pub fn html(page: &Page) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
    let data = serde_json::to_string(page).map_err(|error| {
        minijinja::Error::new(minijinja::ErrorKind::BadSerialization, "the page is no JSON").with_source(error)
    })?;
    let script = format!("\"use strict\";\n{}", SCRIPTS.concat());
    environment.render_str(
        TEMPLATE,
        context! {
            style => Value::from_safe_string(STYLE.to_owned()),
            script => Value::from_safe_string(script.clone()),
            data => Value::from_safe_string(contained(&data)),
            style_hash => hash(STYLE),
            script_hash => hash(&script),
            table => Serde(grid::table(page)),
            page => context! {
                version => page.version,
                sources => Serde(&page.sources),
                notices => Serde(&page.notices),
                hosts => Serde(&page.hosts),
                cases => page.cases.iter().filter(|case| page.marks[case.mark].ran).count(),
                marks => Serde(&page.marks),
            },
        },
    )
}

/// JSON that can't end the element that it stands in, nor begin a comment there. Inside JSON these characters are found
/// in strings only, where an escape means the same.
fn contained(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => text.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => text.push(c),
        }
    }
    text
}

/// How a policy names an inline style or script that it allows.
fn hash(text: &str) -> String {
    format!("sha256-{}", BASE64_STANDARD.encode(Sha256::digest(text)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::Document;
    use crate::redact::Redaction;
    use crate::report::page::{Source, page};
    use crate::report::{document, sample};

    /// A page whose every text is hostile.
    fn hostile(words: &str) -> String {
        let mut run = sample::run();
        for case in &mut run.results {
            case.title = words.into();
            case.by_hand = words.into();
            case.recipe.tags = vec![words.into()];
            if let Some(boot) = &mut case.boot {
                (boot.console, boot.deciding_line) = (words.into(), Some(words.into()));
            }
            for judgement in &mut case.judgements {
                (judgement.expected, judgement.actual) = (words.into(), words.into());
            }
            case.point.insert(words.into(), crate::scenario::model::AxisValue::Str(words.into()));
        }
        run.started[0].host.name = words.into();
        run.started[0].host.os = words.into();
        run.results.iter_mut().for_each(|case| case.host = words.into());
        let document = Document::read(document(&run, &Redaction::off()).unwrap()).unwrap();
        html(&page(&[Source { name: words.into(), document }]).unwrap()).unwrap()
    }

    #[test]
    fn nothing_that_a_container_wrote_becomes_markup() {
        let words = "</script><img src=x onerror=alert(1)><!--<script>${{ 1 }}{{ 2 }}";
        let text = hostile(words);
        let scripts = |text: &str| text.matches("<script").count();
        assert_eq!((scripts(&text), text.matches("</script>").count(), text.matches("<img").count()), (2, 2, 0));
        assert!(!text.contains("<!--") && text.contains("\\u003cimg src=x") && text.contains("{{ 2 }}"));
    }

    #[test]
    fn nothing_that_steers_is_left() {
        use crate::observe::escape::steers;
        let text = hostile("\u{1b}[2J\u{9b}1m\u{202e}\u{2066}\u{200b}\u{7}\u{2028}");
        let found: Vec<char> = text.chars().filter(|c| steers(*c) && *c != '\n').collect();
        assert!(found.is_empty(), "{found:?}");
        assert!(["\\u001b", "\\u202e"].iter().all(|escape| !text.contains(escape)));
    }

    #[test]
    fn the_page_asks_nothing_of_a_network() {
        let text = hostile("x");
        assert!(text.contains("default-src &#x27;none&#x27;") || text.contains("default-src 'none'"));
        assert!(!text.contains("unsafe-inline") && !text.contains("http://") && !text.contains("https://"), "{text}");
    }
}
