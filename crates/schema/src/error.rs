//! Why a schema can't be compiled. Not about values: these are [`Violations`](crate::Violations).

use std::error::Error;
use std::fmt;

/// Why a schema is refused: it is not valid, or something in it would go unchecked.
///
/// Displayed as `POINTER: MESSAGE`, where the pointer of the whole schema is shown as `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompileError {
    pointer: String,
    message: String,
}

impl CompileError {
    pub(crate) fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            message: message.into(),
        }
    }

    /// Where the mistake is in the schema: a JSON pointer (RFC 6901), empty for the whole schema.
    #[must_use]
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// What is wrong there, or what to use instead.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pointer = if self.pointer.is_empty() {
            "/"
        } else {
            &self.pointer
        };
        write!(f, "{pointer}: {}", self.message)
    }
}

impl Error for CompileError {}
