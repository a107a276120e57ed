//! What is wrong with a user's file: labelled spans, help and a code, rendered by miette.
//!
//! Decoders and checks push [`Diagnostic`]s into one [`Sink`] and go on, so that a report holds every error of every
//! file. An error here is the author's (exit code 2): never the host's, and never a verdict about the subject.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use miette::{LabeledSpan, NamedSource, SourceCode};

use super::Templates;
use crate::source::{FileId, Loc, Sources};

/// The most errors that are kept: a file with more is none of ours.
const MOST: usize = 1_000;
/// The most errors that are shown: nobody reads more, and each is shown with its text.
const SHOWN: usize = 100;

/// The kind of an error in a file; [`Code::as_str`] is what a report shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Code {
    /// The text is no TOML.
    Syntax,
    /// A TOML key stands twice in one table.
    DuplicateKey,
    /// A key that nothing reads.
    UnknownKey,
    /// A string where a list is needed, and so on.
    WrongType,
    /// A key that must be there.
    MissingKey,
    /// A value of the right type that means nothing.
    BadValue,
    /// A duration that humantime can't read, or that is zero.
    BadDuration,
    /// A pattern that is no regular expression.
    BadRegex,
    /// A `${{ … }}` that does not compile.
    BadTemplate,
    /// A condition that does not compile.
    BadCondition,
    /// A template or condition reads something that does not exist.
    UnknownName,
    /// `@{name}` of a value that no earlier step captures.
    UnknownCapture,
    /// An image that `images/` lacks.
    UnknownImage,
    /// A setup mode that `images/setup/` lacks.
    UnknownSetupMode,
    /// A normalising rule that is neither built in nor declared.
    UnknownRule,
    /// Two scenarios, steps or values with one name.
    Duplicate,
    /// An expectation that holds whatever happens.
    AssertsNothing,
    /// A scenario that looks at nothing.
    NoSteps,
    /// An axis without values.
    EmptyAxis,
    /// A name that would leave its folder, or that some file system can't hold.
    UnsafeName,
    /// Two settings that can't both hold.
    Contradiction,
    /// A setting that changes nothing where it stands.
    NoEffect,
    /// A file or folder that can't be read, or holds no scenario.
    Unreadable,
}

impl Code {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::Syntax,
        Self::DuplicateKey,
        Self::UnknownKey,
        Self::WrongType,
        Self::MissingKey,
        Self::BadValue,
        Self::BadDuration,
        Self::BadRegex,
        Self::BadTemplate,
        Self::BadCondition,
        Self::UnknownName,
        Self::UnknownCapture,
        Self::UnknownImage,
        Self::UnknownSetupMode,
        Self::UnknownRule,
        Self::Duplicate,
        Self::AssertsNothing,
        Self::NoSteps,
        Self::EmptyAxis,
        Self::UnsafeName,
        Self::Contradiction,
        Self::NoEffect,
        Self::Unreadable,
    ];

    /// The code in a report.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Syntax => "sdc::syntax",
            Self::DuplicateKey => "sdc::duplicate_key",
            Self::UnknownKey => "sdc::unknown_key",
            Self::WrongType => "sdc::wrong_type",
            Self::MissingKey => "sdc::missing_key",
            Self::BadValue => "sdc::bad_value",
            Self::BadDuration => "sdc::bad_duration",
            Self::BadRegex => "sdc::bad_regex",
            Self::BadTemplate => "sdc::bad_template",
            Self::BadCondition => "sdc::bad_condition",
            Self::UnknownName => "sdc::unknown_name",
            Self::UnknownCapture => "sdc::unknown_capture",
            Self::UnknownImage => "sdc::unknown_image",
            Self::UnknownSetupMode => "sdc::unknown_setup_mode",
            Self::UnknownRule => "sdc::unknown_rule",
            Self::Duplicate => "sdc::duplicate",
            Self::AssertsNothing => "sdc::asserts_nothing",
            Self::NoSteps => "sdc::no_steps",
            Self::EmptyAxis => "sdc::empty_axis",
            Self::UnsafeName => "sdc::unsafe_name",
            Self::Contradiction => "sdc::contradiction",
            Self::NoEffect => "sdc::no_effect",
            Self::Unreadable => "sdc::unreadable",
        }
    }

    /// Whether an error of this kind is certain though the rest of its file could not be parsed.
    const fn stands_alone(self) -> bool {
        matches!(
            self,
            Self::Syntax
                | Self::DuplicateKey
                | Self::UnknownKey
                | Self::WrongType
                | Self::BadDuration
                | Self::BadRegex
                | Self::BadTemplate
                | Self::BadCondition
                | Self::UnsafeName
                | Self::Unreadable
        )
    }
}

/// One error in one file (or about one path, without a span).
#[derive(Debug, Clone)]
pub struct Diagnostic {
    /// Its kind.
    pub code: Code,
    /// One line.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
    /// The place that the error is about; `None` where there is no text to point into.
    pub at: Option<Loc>,
    /// The path that it is about, with `/`.
    pub path: String,
    labels: Vec<(Loc, String)>,
    source: Option<NamedSource<Arc<str>>>,
}

impl Diagnostic {
    /// An error at a place, with the words under the caret.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>, at: &Loc, label: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            help: None,
            at: Some(at.clone()),
            path: String::new(),
            labels: vec![(at.clone(), label.into())],
            source: None,
        }
    }

    /// An error about a path whose text can't be shown.
    #[must_use]
    pub fn of_path(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: Code::Unreadable,
            message: message.into(),
            help: None,
            at: None,
            path: path.into(),
            labels: Vec::new(),
            source: None,
        }
    }

    /// Adds how to mend it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds a second place.
    #[must_use]
    pub fn also(mut self, at: &Loc, label: impl Into<String>) -> Self {
        self.labels.push((at.clone(), label.into()));
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Diagnostic {}

impl miette::Diagnostic for Diagnostic {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.code.as_str()))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.source.as_ref()?;
        Some(Box::new(self.labels.iter().map(|(loc, text)| {
            let text = (!text.is_empty()).then(|| text.clone());
            LabeledSpan::new(text, loc.span.start, loc.span.len())
        })))
    }
}

/// Where errors are collected, with what every check needs.
pub(crate) struct Sink<'s> {
    /// The texts.
    pub(crate) sources: &'s Sources,
    /// The template engine, to compile templates and conditions.
    pub(crate) templates: Templates,
    found: RefCell<Vec<Diagnostic>>,
    count: Cell<usize>,
}

impl<'s> Sink<'s> {
    /// An empty one.
    pub(crate) fn new(sources: &'s Sources) -> Self {
        Self { sources, templates: Templates::new(), found: RefCell::default(), count: Cell::new(0) }
    }

    /// Adds an error.
    pub(crate) fn push(&self, diagnostic: Diagnostic) {
        self.count.set(self.count.get() + 1);
        if self.found.borrow().len() < MOST {
            self.found.borrow_mut().push(diagnostic);
        }
    }

    /// How many errors there are by now, to see whether a part had any.
    pub(crate) fn count(&self) -> usize {
        self.count.get()
    }

    /// Whether a file is no TOML, so that what lacks in it says nothing.
    pub(crate) fn is_broken(&self, file: FileId) -> bool {
        self.found.borrow().iter().any(|d| d.code == Code::Syntax && d.at.as_ref().is_some_and(|at| at.file == file))
    }

    /// All errors, each once, by file and place, with their texts.
    pub(crate) fn finish(self) -> Vec<Diagnostic> {
        let mut found = self.found.into_inner();
        drop_guesses(self.sources, &mut found);
        let mut texts: BTreeMap<FileId, Arc<str>> = BTreeMap::new();
        for diagnostic in &mut found {
            let Some(at) = &diagnostic.at else { continue };
            let file = self.sources.get(at.file);
            diagnostic.path.clone_from(&file.path);
            let text = texts.entry(at.file).or_insert_with(|| Arc::from(file.text.as_str()));
            diagnostic.source = Some(NamedSource::new(&file.path, Arc::clone(text)));
            for (loc, label) in diagnostic.labels.extract_if(.., |(loc, _)| loc.file != at.file) {
                let note = format!("{label}: {}", self.sources.place(&loc));
                diagnostic.help = Some(match diagnostic.help.take() {
                    Some(help) => format!("{help}\n({note})"),
                    None => note,
                });
            }
        }
        found.sort_by(|a, b| key(a).cmp(&key(b)));
        found.dedup_by(|b, a| a.code == b.code && a.at == b.at && a.message == b.message);
        found
    }
}

fn key(diagnostic: &Diagnostic) -> (&str, usize) {
    (&diagnostic.path, diagnostic.at.as_ref().map_or(0, |at| at.span.start))
}

/// In a file that is no TOML, only what is certain is left: nothing about what lacks, and nothing on a broken line.
fn drop_guesses(sources: &Sources, found: &mut Vec<Diagnostic>) {
    let line = |at: &Loc| (at.file, sources.place(at).line);
    let broken: BTreeSet<(FileId, usize)> =
        found.iter().filter(|d| d.code == Code::Syntax).filter_map(|d| d.at.as_ref()).map(line).collect();
    let files: BTreeSet<FileId> = broken.iter().map(|(file, _)| *file).collect();
    found.retain(|d| match &d.at {
        Some(at) if files.contains(&at.file) && d.code != Code::Syntax => {
            d.code.stands_alone() && !broken.contains(&line(at))
        }
        _ => true,
    });
}

/// Everything that is wrong with the user's files, in one report.
#[derive(Debug, Clone)]
pub struct LoadError {
    /// At least one, by file and place.
    pub diagnostics: Vec<Diagnostic>,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files = self.diagnostics.iter().map(|d| &d.path).collect::<BTreeSet<_>>().len();
        let errors = self.diagnostics.len();
        let s = |n: usize| if n == 1 { "" } else { "s" };
        let least = if errors >= MOST { "at least " } else { "" };
        write!(f, "{least}{errors} error{} in {files} file{}", s(errors), s(files))?;
        if errors > SHOWN { write!(f, "; the first {SHOWN} are shown") } else { Ok(()) }
    }
}

impl std::error::Error for LoadError {}

impl miette::Diagnostic for LoadError {
    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn miette::Diagnostic> + 'a>> {
        Some(Box::new(self.diagnostics.iter().take(SHOWN).map(|d| d as &dyn miette::Diagnostic)))
    }
}
