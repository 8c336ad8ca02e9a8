//! What is wrong with a value, as lines that a person or a model can act on: bounded, and iterable
//! one by one. Does not find violations.

use std::error::Error;
use std::fmt::{self, Write as _};

use crate::path::ValuePath;

/// Violations that are listed; the rest is counted.
const MAX_LINES: usize = 20;
/// Bytes of all lines together.
const MAX_BYTES: usize = 4096;
/// Characters of one line.
const MAX_CHARACTERS: usize = 600;
/// Bytes that a few lines have room in.
const FEW_LINES: usize = 256;

const BULLET: &str = "- ";
const COLON: &str = ": ";

/// Why a value does not fit a schema.
///
/// Displayed as one line for each violation, `- POINTER: MESSAGE`, at most 20 lines and 4 KB
/// together; `and N more` follows when there are more. The text is safe to repeat to the sender of
/// the value: long parts of it are cut, unprintable characters replaced.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Violations {
    /// The lines, without a line break after the last.
    text: String,
    lines: Vec<LineSpan>,
    unlisted: usize,
    /// Nothing more is listed.
    full: bool,
    unchecked: bool,
}

/// Where a line and its pointer are in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct LineSpan {
    start: usize,
    pointer_end: usize,
    end: usize,
}

/// One thing that is wrong with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation<'a> {
    /// Where, as a JSON pointer for reading: `/` for the whole value, cut in the middle after 160
    /// characters, unprintable characters replaced.
    pub pointer: &'a str,
    /// What was expected there, and what is there instead.
    pub message: &'a str,
}

impl Violations {
    /// The violations that are listed, in the order of the schema's rules.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Violation<'_>> {
        self.lines.iter().map(|line| Violation {
            pointer: &self.text[line.start + BULLET.len()..line.pointer_end],
            message: &self.text[line.pointer_end + COLON.len()..line.end],
        })
    }

    /// How many more there are than are listed. The count is of what was looked at: once nothing
    /// more is listed, a part that does not fit counts as one.
    #[must_use]
    pub fn unlisted(&self) -> usize {
        self.unlisted
    }

    /// Whether the value was too large or too deeply nested to be checked, which counts as not
    /// fitting. The one violation that is listed says so.
    #[must_use]
    pub fn is_unchecked(&self) -> bool {
        self.unchecked
    }

    pub(crate) fn unchecked() -> Self {
        let mut violations = Self {
            unchecked: true,
            ..Self::default()
        };
        violations.add(
            &ValuePath::ROOT,
            format_args!("too large or too deeply nested to be checked"),
        );
        violations
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.full
    }

    /// Listed or not.
    pub(crate) fn total(&self) -> usize {
        self.lines.len() + self.unlisted
    }

    /// Counts a violation that is not listed.
    pub(crate) fn count(&mut self) {
        self.unlisted += 1;
    }

    /// Lists a violation that is not yet listed, or counts it if there is no room.
    pub(crate) fn add(&mut self, at: &ValuePath<'_>, message: fmt::Arguments<'_>) {
        if self.full {
            return self.count();
        }
        let before = self.text.len();
        if self.lines.is_empty() {
            self.text.reserve(FEW_LINES);
        } else {
            self.text.push('\n');
        }
        let line = self.write_line(at, message);
        let is_listed = self
            .lines
            .iter()
            .any(|known| self.text[known.start..known.end] == self.text[line.start..line.end]);
        if is_listed {
            self.text.truncate(before);
        } else if self.lines.len() == MAX_LINES || line.end >= MAX_BYTES {
            self.text.truncate(before);
            self.full = true;
            self.count();
        } else {
            self.lines.push(line);
        }
    }

    fn write_line(&mut self, at: &ValuePath<'_>, message: fmt::Arguments<'_>) -> LineSpan {
        let start = self.text.len();
        self.text.push_str(BULLET);
        at.write_pointer(&mut self.text);
        let pointer_end = self.text.len();
        self.text.push_str(COLON);
        if at.is_name() {
            self.text.push_str("the name does not fit: ");
        }
        // writing to a String can't fail
        let _ = self.text.write_fmt(message);
        let line = &self.text[start..];
        if line.len() > MAX_CHARACTERS
            && let Some((cut, _)) = line.char_indices().nth(MAX_CHARACTERS)
        {
            self.text.truncate(start + cut);
            self.text.push('…');
        }
        LineSpan {
            start,
            pointer_end,
            end: self.text.len(),
        }
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        match self.unlisted {
            0 => Ok(()),
            more => write!(f, "\nand {more} more"),
        }
    }
}

impl Error for Violations {}
