//! The template language of scenario files: minijinja with delimiters that clash with neither shell nor Go templates.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, ErrorKind, Expression, UndefinedBehavior, Value};

use super::extent::bounded;
use crate::facts;

/// How many instructions one template or condition may take before it is stopped.
const FUEL: u64 = 50_000;

/// What is wrong with a template or condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TemplateError {
    /// One line.
    pub message: String,
    /// Where in the text, in bytes, if known.
    pub range: Option<Range<usize>>,
}

impl TemplateError {
    /// minijinja's words on a text.
    fn of(text: &str) -> impl Fn(minijinja::Error) -> Self {
        let length = text.len();
        move |error| {
            let message = error.detail().map_or_else(|| error.kind().to_string(), ToOwned::to_owned);
            // Of a text that is built while it runs, minijinja may tell a place that the text does not have.
            let range = error.range().filter(|range| range.start <= range.end && range.end <= length);
            Self { message, range }
        }
    }
}

/// The template engine with our syntax: strict about undefined names, bounded in work.
static ENGINE: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut env = Environment::new();
    let syntax = SyntaxConfig::builder()
        .variable_delimiters("${{", "}}")
        .block_delimiters("${%", "%}")
        .comment_delimiters("${{#", "#}}")
        .build();
    // The delimiters are constants that differ from each other, which is all that `build` checks.
    if let Ok(syntax) = syntax {
        env.set_syntax(syntax);
    }
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_debug(true);
    env.set_fuel(Some(FUEL));
    env.set_recursion_limit(50);
    // It would print what the engine is made of.
    env.remove_global("debug");
    env.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    env.add_test("at_least", at_least);
    env
});

/// `host.kernel is at_least('6.18')`, by [`facts::at_least`].
fn at_least(version: &str, least: &str) -> Result<bool, minijinja::Error> {
    let known = |text: &str| {
        let odd = || minijinja::Error::new(ErrorKind::InvalidOperation, format!("{text:?} is no version"));
        let numbers = facts::numbers(text);
        if numbers.is_empty() && !text.is_empty() { Err(odd()) } else { Ok(numbers) }
    };
    known(version)?;
    Ok(facts::at_least(version, &known(least)?))
}

/// Templates with our syntax: `${{ expression }}`, `${% statement %}`, `${{# comment #}}`. What was compiled is kept: a plan
/// renders the same few texts for each of its cases.
pub struct Templates {
    /// Has the compiled templates, each by its text. No template can name another: minijinja is built without that.
    env: RefCell<Environment<'static>>,
    conditions: RefCell<HashMap<String, Expression<'static, 'static>>>,
}

impl std::fmt::Debug for Templates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Templates")
    }
}

impl Default for Templates {
    fn default() -> Self {
        Self::new()
    }
}

impl Templates {
    /// Makes one that has compiled nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self { env: RefCell::new(ENGINE.clone()), conditions: RefCell::default() }
    }

    /// Whether a text has anything to render.
    #[must_use]
    pub fn is_plain(text: &str) -> bool {
        !text.contains("${{") && !text.contains("${%")
    }

    /// Renders a text.
    ///
    /// # Errors
    /// A syntax error, an undefined name, or too much work.
    pub fn render(&self, text: &str, context: &Value) -> Result<String, TemplateError> {
        if Self::is_plain(text) {
            return Ok(text.to_string());
        }
        if self.env.borrow().get_template(text).is_err() {
            bounded(text, false)?;
            let compiled = self.env.borrow_mut().add_template_owned(text.to_owned(), text.to_owned());
            compiled.map_err(TemplateError::of(text))?;
        }
        let env = self.env.borrow();
        env.get_template(text).and_then(|compiled| compiled.render(context.clone())).map_err(TemplateError::of(text))
    }

    /// Whether a condition holds.
    ///
    /// # Errors
    /// As for [`Templates::render`], and where the result is no boolean.
    pub fn holds(&self, condition: &str, context: &Value) -> Result<bool, TemplateError> {
        if !self.conditions.borrow().contains_key(condition) {
            bounded(condition, true)?;
            let compiled =
                ENGINE.compile_expression_owned(condition.to_owned()).map_err(TemplateError::of(condition))?;
            self.conditions.borrow_mut().insert(condition.to_owned(), compiled);
        }
        let conditions = self.conditions.borrow();
        let value = conditions[condition].eval(context.clone()).map_err(TemplateError::of(condition))?;
        bool::try_from(value.clone()).map_err(|_| TemplateError {
            message: format!("a condition must be true or false, and this is {value} ({})", value.kind()),
            range: None,
        })
    }

    /// The names that a text reads and does not define itself, with their path (`host.cgroups`, `setup_mode`).
    ///
    /// # Errors
    /// A syntax error.
    pub fn names(&self, text: &str) -> Result<BTreeSet<String>, TemplateError> {
        bounded(text, false)?;
        let compiled = ENGINE.template_from_str(text).map_err(TemplateError::of(text))?;
        Ok(compiled.undeclared_variables(true).into_iter().collect())
    }

    /// Filters (`| name`) and tests (`is name`) that do not exist: "filter" or "test", and where. Compiling does not
    /// notice them.
    #[must_use]
    pub fn unknown_operators(&self, text: &str) -> Vec<(&'static str, Range<usize>)> {
        let unknown = |kind: &str, name: &str| {
            let (probe, error) = match kind {
                "filter" => (format!("1|{name}"), ErrorKind::UnknownFilter),
                _ => (format!("1 is {name}"), ErrorKind::UnknownTest),
            };
            let result = ENGINE.compile_expression(&probe).and_then(|probe| probe.eval(()));
            result.is_err_and(|e| e.kind() == error)
        };
        operators(text).into_iter().filter(|(kind, range)| unknown(kind, &text[range.clone()])).collect()
    }

    /// The names that a condition reads, with their path.
    ///
    /// # Errors
    /// A syntax error.
    pub fn condition_names(&self, condition: &str) -> Result<BTreeSet<String>, TemplateError> {
        bounded(condition, true)?;
        let compiled = ENGINE.compile_expression(condition).map_err(TemplateError::of(condition))?;
        Ok(compiled.undeclared_variables(true).into_iter().collect())
    }
}

/// The filters and tests of a template or condition, without what stands in quotes or outside of the delimiters.
fn operators(text: &str) -> Vec<(&'static str, Range<usize>)> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut inside = Templates::is_plain(text);
    let (mut at, mut before) = (0, "");
    while at < bytes.len() {
        let rest = &text[at..];
        if !inside {
            at = rest.find("${").map_or(text.len(), |start| at + start + 2);
            inside = true;
        } else if rest.starts_with("}}") || rest.starts_with("%}") {
            (inside, before) = (false, "");
            at += 2;
        } else if let Some(quote) = rest.chars().next().filter(|c| matches!(c, '\'' | '"')) {
            at += rest[1..].find(quote).map_or(rest.len(), |end| end + 2);
            before = "";
        } else if bytes[at].is_ascii_alphabetic() || bytes[at] == b'_' {
            let word = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
            let length = rest.find(word).unwrap_or(rest.len());
            match (before, &rest[..length]) {
                ("|", _) => found.push(("filter", at..at + length)),
                ("is", "not") => {
                    at += length;
                    continue;
                }
                ("is", _) => found.push(("test", at..at + length)),
                _ => {}
            }
            before = if &rest[..length] == "is" { "is" } else { "" };
            at += length;
        } else {
            let character = rest.chars().next().unwrap_or(' ');
            if !character.is_whitespace() {
                before = if character == '|' { "|" } else { "" };
            }
            at += character.len_utf8();
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use minijinja::context;

    use super::super::extent::{MOST_CODE, MOST_DEPTH};
    use super::*;

    #[test]
    fn renders_our_delimiters_and_leaves_shell_and_go_alone() {
        let templates = Templates::new();
        let context = context! { a => "x" };
        assert_eq!(
            templates.render("${{ a }} ${HOME} {{.ID}} $(id)", &context).as_deref(),
            Ok("x ${HOME} {{.ID}} $(id)")
        );
        assert_eq!(templates.render("${% if a == 'x' %}yes${% endif %}${{# no #}}", &context).as_deref(), Ok("yes"));
    }

    #[test]
    fn undefined_names_are_errors() {
        let error = Templates::new().render("${{ nope }}", &context! {}).unwrap_err();
        assert!(error.message.contains("undefined"), "{error}");
        assert_eq!(error.range, Some(4..8));
    }

    #[test]
    fn a_condition_must_be_boolean() {
        let templates = Templates::new();
        assert_eq!(templates.holds("a == 'x'", &context! { a => "x" }), Ok(true));
        assert!(templates.holds("a", &context! { a => "x" }).is_err());
        assert!(templates.holds("a == 'y' or nope", &context! { a => "x" }).is_err());
    }

    #[test]
    fn versions_are_compared_by_their_numbers() {
        let holds = |version: &str, least: &str| {
            Templates::new().holds("v is at_least(least)", &context! { v => version, least => least })
        };
        for (version, least, wanted) in [
            ("6.18.44", "6.18", true),
            ("6.9.1", "6.18", false),
            ("20.10.24+dfsg1", "20.10.24", true),
            ("20.10.24+dfsg1", "28", false),
            ("v28", "28", false),
            ("28", "28.0.0", true),
            ("27.5.1", "28.0", false),
            ("252.39-1~deb12u1", "252", true),
            ("", "0", false),
        ] {
            match holds(version, least) {
                Ok(held) => assert_eq!(held, wanted, "{version} {least}"),
                Err(error) => assert_eq!((version, error.message.as_str()), ("v28", "\"v28\" is no version")),
            }
        }
        assert!(Templates::new().holds("5 is at_least('4')", &context! {}).is_err(), "a number is no version");
    }

    #[test]
    fn work_and_memory_are_bounded() {
        let doubled = "${% set x = x ~ x %}".repeat(60);
        let wide = format!("${{{{ {} }}}}", "a ~ ".repeat(100_000) + "a");
        let deep = format!("${{{{ {}a{} }}}}", "(".repeat(100_000), ")".repeat(100_000));
        let nested = format!("{}{}", "${% if true %}".repeat(50_000), "${% endif %}".repeat(50_000));
        let replaced = format!("${{{{ a{} }}}}", "|replace('x', 'xxxxxxxxxx')".repeat(30));
        for bomb in [
            "${% for a in range(9999) %}${% for b in range(9999) %}x${% endfor %}${% endfor %}",
            "${{ range(1000000000) | list }}",
            "${{ range(100000) | join(range(100000) | join) }}",
            "${{ 'x' * 1000000000000 }}",
            "${{ 'x' * 99999999 }}",
            "${{ [1, 2] * 99999999 }}",
            "${{ ('x' * 10000) | replace('x', 'x' * 10000) }}",
            "${{ 'a\nb' | indent(9999999999) }}",
            "${{ 1 | string | batch(9999999999, 'x') | list }}",
            "${{ [1] | slice(9999999999, 'x') | list }}",
            "${{ '%999999999d' | format(1) }}",
            &format!("${{% set {}a{} = 1 %}}", "(".repeat(900), ")".repeat(900)),
            &format!("${{% for {}a{} in [] %}}${{% endfor %}}", "(".repeat(900), ")".repeat(900)),
            "${% macro m(n) %}${{ m(n + 1) }}${% endmacro %}${{ m(1) }}",
            "${% for a in [a] recursive %}${{ loop([a ~ a]) }}${% endfor %}",
            "${% set ns = namespace(x='x') %}${% for i in range(99) %}${% set ns.x = ns.x ~ ns.x %}${% endfor %}",
            &format!("${{% set x = a %}}{doubled}${{{{ x }}}}"),
            &wide,
            &deep,
            &nested,
            &replaced,
        ] {
            let rendered = Templates::new().render(bomb, &context! { a => "x" });
            assert!(rendered.is_err(), "{bomb:.80}: {:?}", rendered.map(|text| text.len()));
        }
    }

    #[test]
    fn the_longest_code_is_walked_through() {
        let templates = Templates::new();
        let known = |text: &str| templates.names(text).map(|_| ());
        let filled = |start: &str, item: &str, end: &str| {
            format!("{start}{}{end}", item.repeat((MOST_CODE - start.len() - end.len()) / item.len()))
        };
        for longest in [
            filled("${{a", "~a", "}}"),
            filled("${{a", "|e", "}}"),
            filled("${{a", ".a", "}}"),
            filled("${{a", "[0]", "}}"),
            filled("${{a", "()", "}}"),
            filled("${{a", " is a", "}}"),
            filled("${{a", "==a", "}}"),
            filled("${{a", " if a", "}}"),
            filled("${% if a %}", "${%elif a%}", "${% endif %}"),
            filled("${{ a", "[0]", "}}"),
            format!("${{{{ {}a{} }}}}", "(".repeat(MOST_DEPTH - 1), ")".repeat(MOST_DEPTH - 1)),
        ] {
            // What it comes to does not matter.
            let _either = templates.render(&longest, &context! { a => "" });
            assert_eq!(known(&longest), Ok(()), "{longest:.40}");
            let _either =
                templates.holds(longest.trim_start_matches("${{").trim_end_matches("}}"), &context! { a => "" });
        }
        let longer = format!("a{}", "==a".repeat(MOST_CODE / 3 + 1));
        let error = templates.condition_names(&longer).unwrap_err();
        assert!(error.message.ends_with("2048 are the most"), "{error}");
    }

    #[test]
    fn templates_reach_no_file_and_no_environment() {
        let templates = Templates::new();
        for text in [
            "${% include '/etc/passwd' %}",
            "${% import '/etc/passwd' as x %}",
            "${% extends '/etc/passwd' %}",
            "${% from '/etc/passwd' import x %}",
            "${{ env.PATH }}",
            "${{ env('PATH') }}",
            "${{ getenv('PATH') }}",
            "${{ open('/etc/passwd') }}",
            "${{ self.__init__ }}",
            "${{ cycler.__globals__ }}",
            "${{ lipsum() }}",
            "${{ debug() }}",
        ] {
            let rendered = templates.render(text, &context! { a => "x" });
            assert!(rendered.is_err(), "{text}: {rendered:?}");
        }
    }

    #[test]
    fn filters_and_tests_must_exist() {
        let templates = Templates::new();
        let unknown = |text: &str| {
            let found = templates.unknown_operators(text).into_iter();
            found.map(|(kind, range)| format!("{kind} {}", &text[range])).collect::<Vec<_>>()
        };
        assert_eq!(unknown("a | nope ${{ 'x | y' | upper | nope }} b is bad"), ["filter nope"]);
        assert_eq!(unknown("a is not odd and b is bad and c|join(',') == 'is é'"), ["test bad"]);
        assert_eq!(unknown("${% if a is defined %}is b${% endif %}"), Vec::<String>::new());
    }

    #[test]
    fn names_are_found_with_their_path() {
        let names = Templates::new().condition_names("host.cgroups == 'v1' and setup_mode in ['a']").unwrap();
        assert_eq!(names.into_iter().collect::<Vec<_>>(), ["host.cgroups", "setup_mode"]);
    }
}
