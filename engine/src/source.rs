//! Where a value was written: files, spans and the places that messages point to. Reads nothing.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// A file's number in [`Sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub usize);

/// A span of bytes in one file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Loc {
    /// The file.
    pub file: FileId,
    /// Byte offsets into the file's text.
    pub span: Range<usize>,
}

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sp<T> {
    /// The value.
    pub value: T,
    /// Where it was written: for a string, its quotes are included.
    pub loc: Loc,
}

impl<T> Sp<T> {
    /// Puts a value and its place together.
    pub const fn new(value: T, loc: Loc) -> Self {
        Self { value, loc }
    }

    /// The same place with another value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Sp<U> {
        Sp { value: f(self.value), loc: self.loc }
    }
}

/// A line of a file, for messages and reports that outlive the text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The file's path as the user named it, with `/`.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// One file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// The path as the user named it, with `/`.
    pub path: String,
    /// The whole text.
    pub text: String,
}

/// Every file that was read, by number.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
    /// Where each file's lines end.
    ends: Vec<Vec<usize>>,
}

impl Sources {
    /// Adds a file and gives its number.
    pub fn add(&mut self, path: impl Into<String>, text: impl Into<String>) -> FileId {
        let text = text.into();
        self.ends.push(text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(at, _)| at).collect());
        self.files.push(SourceFile { path: path.into(), text });
        FileId(self.files.len() - 1)
    }

    /// The file of that number; numbers come from [`Sources::add`] alone.
    #[must_use]
    pub fn get(&self, id: FileId) -> &SourceFile {
        &self.files[id.0]
    }

    /// The line on which a span starts.
    #[must_use]
    pub fn place(&self, loc: &Loc) -> Place {
        let file = self.get(loc.file);
        let line = self.ends[loc.file.0].partition_point(|end| *end < loc.span.start) + 1;
        Place { file: file.path.clone(), line }
    }
}
