//! How a golden's text is made: rules, and what comparing demands. Pure.

use super::table::{self, TableError};
use super::trace::{self, Trace};
use super::{NormaliseError, Normalised, Normaliser, tidy, used_by};
use crate::scenario::model::{Compare, NormaliseRule};

/// Everything that makes a golden's text out of what was seen.
#[derive(Debug, Clone)]
pub struct Form {
    pub(super) rules: Normaliser,
    pub(super) compare: Compare,
}

/// Lines of a canonical text, each with the number from 0 of the line that it was made from.
pub(super) type Lines = Vec<(usize, String)>;

impl Form {
    /// The rules of these names, and a way of comparing.
    ///
    /// # Errors
    /// See [`Normaliser::new`].
    pub fn new(names: &[String], own: &[NormaliseRule], compare: Compare) -> Result<Self, NormaliseError> {
        Ok(Self { rules: Normaliser::new(names, own)?, compare })
    }

    /// Every built-in rule, and the text as it is.
    #[must_use]
    pub fn builtin() -> Self {
        Self { rules: Normaliser::builtin(), compare: Compare::Exact }
    }

    /// The golden's text of what was seen: the one that is compared and written.
    ///
    /// The columns of a table are looked for before any rule but `ansi` is applied: a placeholder is no wider or narrower
    /// than what it stands for by chance only. So rules see a table as the golden shows it.
    ///
    /// # Errors
    /// Why the text is no table, where it is to be one.
    pub fn apply(&self, text: &str) -> Result<Normalised, TableError> {
        let mut used = vec![false; self.rules.steps.len()];
        let shaped = match &self.compare {
            Compare::Exact | Compare::Unordered => None,
            Compare::Table(_) => {
                Some(joined(&self.canonical(&self.rules.run_ansi(text, &mut |by, _| used_by(&mut used, by)))?))
            }
        };
        let text = self.rules.run(shaped.as_deref().unwrap_or(text), &mut |by, _| used_by(&mut used, by));
        let text = match &self.compare {
            Compare::Exact => text,
            Compare::Unordered | Compare::Table(_) => joined(&self.canonical(&text)?),
        };
        Ok(Normalised { text, used: self.rules.names(&used) })
    }

    /// A golden's text as it must be to be compared: a person may have edited the file, and it may be older than the way
    /// of comparing.
    #[must_use]
    pub fn recorded(&self, text: &str) -> String {
        let text = tidy(text);
        match self.canonical(&text) {
            Ok(lines) if self.compare != Compare::Exact => joined(&lines),
            _ => text,
        }
    }

    /// As [`Form::apply`], with all that happened to each line on the way.
    ///
    /// # Errors
    /// See [`Form::apply`].
    pub fn trace(&self, text: &str) -> Result<Trace, TableError> {
        trace::of(self, text)
    }

    /// The lines of a text in their canonical form; doing it twice is doing it once.
    pub(super) fn canonical(&self, text: &str) -> Result<Lines, TableError> {
        match &self.compare {
            Compare::Exact => Ok(text.lines().map(str::to_owned).enumerate().collect()),
            Compare::Unordered => Ok(unordered(text)),
            Compare::Table(table) => table::canonical(text, table),
        }
    }
}

/// The lines that are not blank, sorted.
fn unordered(text: &str) -> Lines {
    let mut lines: Lines = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(at, line)| (at, line.to_owned()))
        .collect();
    lines.sort_by(|(_, a), (_, b)| a.cmp(b));
    lines
}

/// Lines as a tidy text.
pub(super) fn joined(lines: &Lines) -> String {
    tidy(&lines.iter().flat_map(|(_, line)| [line.as_str(), "\n"]).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::Form;
    use crate::observe::normalise::TableError;
    use crate::scenario::model::{Compare, NormaliseRule, TableForm};
    use proptest::prelude::{prop, prop_assert_eq, proptest};
    use proptest::strategy::{Just, Strategy};
    use std::sync::LazyLock;

    fn form(rules: &[&str], compare: Compare) -> Form {
        let own = [NormaliseRule { name: "unit".into(), regex: r"session-\d+".into(), replace: "session-N".into() }];
        Form::new(&rules.iter().map(ToString::to_string).collect::<Vec<_>>(), &own, compare).unwrap()
    }

    fn table(columns: &[&str], sort_rows: bool) -> Compare {
        Compare::Table(TableForm { columns: columns.iter().map(ToString::to_string).collect(), sort_rows })
    }

    #[test]
    fn lines_in_any_order_are_one_text() {
        let form = form(&["pids"], Compare::Unordered);
        let text = form.apply("b\n\na pid 7\r\nb\n").unwrap();
        assert_eq!(text.text, "a pid <pid>\nb\nb\n", "sorted after the rules, and nothing is left out but blank lines");
        assert_eq!(text.used, ["pids"]);
        assert_eq!(form.recorded("b\nb\na pid <pid>"), text.text, "an older golden, or an edited one");
    }

    #[test]
    fn rules_do_not_shift_the_columns_of_a_table() {
        let form = form(&["ansi", "ids", "unit"], table(&["NAME", "ID", "STATE"], true));
        let text = "\u{1b}[1mID            NAME       STATE\u{1b}[0m\n602bcd6aba38  session-12 up\n000000000001  a          down\n";
        let text = form.apply(text).unwrap();
        assert_eq!(text.text, "NAME | ID | STATE\na | 000000000001 | down\nsession-N | <id> | up\n");
        assert_eq!(text.used, ["ansi", "ids", "unit"]);
        assert_eq!(form.recorded(&text.text), text.text);
        assert_eq!(form.recorded("no table"), "no table\n");
        assert_eq!(form.apply(" \n").unwrap_err(), TableError::Empty);
    }

    #[test]
    fn a_golden_holds_no_byte_that_steers() {
        let seen = crate::observe::escape::text(b"b \x00\xff\na \x1b[1m\n");
        assert_eq!(form(&[], Compare::Exact).apply(&seen).unwrap().text, "b \\x00\\xff\na \\x1b[1m\n");
        assert_eq!(form(&["ansi"], Compare::Unordered).apply(&seen).unwrap().text, "a\nb \\xff\n");
    }

    fn lines() -> impl Strategy<Value = (Vec<String>, Vec<String>)> {
        let line = "[ab]{0,2}|pid [0-9]{1,3}|\t[ab]\r| \\|[ab]";
        prop::collection::vec(line, 0..9).prop_flat_map(|lines| (Just(lines.clone()), Just(lines).prop_shuffle()))
    }

    static SORTED: LazyLock<Form> = LazyLock::new(|| form(&["ansi", "pids"], Compare::Unordered));

    proptest! {
        #[test]
        fn the_order_of_lines_does_not_matter(both in lines()) {
            let (lines, shuffled) = both;
            let form = &*SORTED;
            let text = form.apply(&lines.join("\n")).unwrap().text;
            prop_assert_eq!(&form.apply(&shuffled.join("\n")).unwrap().text, &text);
            prop_assert_eq!(&form.apply(&text).unwrap().text, &text, "canonical already");
            prop_assert_eq!(form.recorded(&text), text);
        }
    }
}
