//! What is wrong with settings: everything at once. Reads none.

use std::error::Error;
use std::fmt;

/// What was asked for and can't be had: sentences without full stops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistakes(Vec<String>);

impl Mistakes {
    pub(crate) fn new(mistakes: Vec<String>) -> Self {
        Self(mistakes)
    }

    /// Each mistake.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("; "))
    }
}

impl Error for Mistakes {}
