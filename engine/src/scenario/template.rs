//! The template language of scenario files: minijinja with delimiters that clash with neither shell nor Go templates.

use std::collections::BTreeSet;
use std::ops::Range;

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, ErrorKind, UndefinedBehavior, Value};

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

impl From<minijinja::Error> for TemplateError {
    fn from(error: minijinja::Error) -> Self {
        let message = match error.detail() {
            Some(detail) => detail.to_string(),
            None => error.kind().to_string(),
        };
        Self { message, range: error.range() }
    }
}

/// The template engine with our syntax: `${{ expression }}`, `${% statement %}`, `${{# comment #}}`.
pub struct Templates {
    env: Environment<'static>,
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
    /// Makes the engine: strict about undefined names, bounded in work.
    #[must_use]
    pub fn new() -> Self {
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
        env.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        Self { env }
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
        Ok(self.env.render_str(text, context.clone())?)
    }

    /// Whether a condition holds.
    ///
    /// # Errors
    /// As for [`Templates::render`], and where the result is no boolean.
    pub fn holds(&self, condition: &str, context: &Value) -> Result<bool, TemplateError> {
        let value = self.env.compile_expression(condition)?.eval(context.clone())?;
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
        Ok(self.env.template_from_str(text)?.undeclared_variables(true).into_iter().collect())
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
            let result = self.env.compile_expression(&probe).and_then(|probe| probe.eval(()));
            result.is_err_and(|e| e.kind() == error)
        };
        operators(text).into_iter().filter(|(kind, range)| unknown(kind, &text[range.clone()])).collect()
    }

    /// The names that a condition reads, with their path.
    ///
    /// # Errors
    /// A syntax error.
    pub fn condition_names(&self, condition: &str) -> Result<BTreeSet<String>, TemplateError> {
        Ok(self.env.compile_expression(condition)?.undeclared_variables(true).into_iter().collect())
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
    fn work_is_bounded() {
        let text = "${% for a in range(9999) %}${% for b in range(9999) %}x${% endfor %}${% endfor %}";
        assert!(Templates::new().render(text, &context! {}).is_err());
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
