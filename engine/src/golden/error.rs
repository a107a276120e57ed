//! What can be wrong with the golden folder: its texts, its names, or the file system below it.
//!
//! None of these says anything of the subject: a text that differs from its golden is a judgement, not an error.

use std::io;

use miette::{Diagnostic, NamedSource, SourceSpan};
use thiserror::Error;

use super::folder::MAX_FOLDER;
use super::resolve::Ambiguity;

/// What is wrong.
#[derive(Debug, Error, Diagnostic)]
pub enum GoldenError {
    /// A file's text is at fault.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Text(#[from] Box<TextFault>),
    /// A golden file that is no text.
    #[error("{path} is not UTF-8: byte {offset} is the first that is not")]
    #[diagnostic(help("goldens hold normalised text; restore the file, or delete it and record its cases again"))]
    NotUtf8 {
        /// The file, below the root.
        path: String,
        /// Where, from 0.
        offset: usize,
    },
    /// A symbolic link below the root.
    #[error("{path} is a symbolic link")]
    #[diagnostic(help("golden folders hold plain files, so that no name leads out of them"))]
    Symlink {
        /// The link, below the root.
        path: String,
    },
    /// Something that is neither a file nor a folder where one should be.
    #[error("{path} is in the way")]
    InTheWay {
        /// The path, below the root.
        path: String,
    },
    /// A scenario or golden name that is no folder name.
    #[error("`{scenario}` and `{folder}` do not name a golden folder")]
    BadKey {
        /// The scenario's name.
        scenario: String,
        /// The golden's name.
        folder: String,
    },
    /// Two names that some file systems take for one.
    #[error("{first} and {second} differ by letter case alone")]
    #[diagnostic(help(
        "on some file systems they are one: rename one of the scenarios, steps, axes or values that they are called after"
    ))]
    SameButCase {
        /// A path below the root.
        first: String,
        /// The other.
        second: String,
    },
    /// A scenario or golden name that no file system takes.
    #[error("`{part}` is too long for the name of a golden folder")]
    #[diagnostic(help("a part of it may have {MAX_FOLDER} bytes, percent-encoded"))]
    LongKey {
        /// The part of it.
        part: String,
    },
    /// Two files say different things of a case.
    #[error("in {folder}: {ambiguity}")]
    #[diagnostic(help("delete the one that is wrong, or record the case again"))]
    Ambiguous {
        /// The golden folder.
        folder: String,
        /// Which files.
        ambiguity: Ambiguity,
    },
    /// A recording lists a case and no file stands for it.
    #[error("{folder}/recorded.toml lists {case}, and no file in {folder} stands for it")]
    #[diagnostic(help("restore the file that was deleted, or record the case again"))]
    Missing {
        /// The golden folder.
        folder: String,
        /// The case.
        case: String,
    },
    /// The file system would not.
    #[error("failed to {doing} {path}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Several things are wrong.
    #[error("{} golden files can't be used", errors.len())]
    Several {
        /// Each of them.
        #[related]
        errors: Vec<GoldenError>,
    },
}

impl GoldenError {
    /// One error for all of these, if there are any.
    pub(super) fn all(mut errors: Vec<Self>) -> Result<(), Self> {
        match errors.len() {
            0 => Ok(()),
            1 => Err(errors.remove(0)),
            _ => Err(Self::Several { errors }),
        }
    }
}

/// A place in a file's text, and what is wrong there.
#[derive(Debug, Error, Diagnostic)]
#[error("{path}:{line}: {message}")]
pub struct TextFault {
    /// The file, below the root.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
    #[source_code]
    source_code: NamedSource<String>,
    #[label("here")]
    span: SourceSpan,
    #[help]
    help: Option<String>,
}

impl TextFault {
    /// A fault at these bytes of a text.
    pub(super) fn new(path: &str, text: &str, span: std::ops::Range<usize>, message: impl Into<String>) -> Self {
        let start = span.start.min(text.len());
        let line = text.as_bytes()[..start].iter().filter(|byte| **byte == b'\n').count() + 1;
        Self {
            path: path.into(),
            line,
            message: message.into(),
            source_code: NamedSource::new(path, text.to_owned()),
            span: (start, span.end.min(text.len()).saturating_sub(start)).into(),
            help: None,
        }
    }

    /// The same, with help.
    pub(super) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
