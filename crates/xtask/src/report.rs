//! What a run says about itself: errors as sentences, and counts. It starts nothing; the summary of
//! several steps is in `steps`.

use std::{fmt, io, io::Write};

pub(crate) type Result<T> = std::result::Result<T, Error>;

/// A sentence for the person at the terminal. Nothing in here is matched on, so it needs no kinds.
#[derive(Debug)]
pub(crate) struct Error(String);

impl Error {
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

/// Says what was being done when the operating system refused.
pub(crate) trait While<T> {
    fn while_doing(self, what: impl fmt::Display) -> Result<T>;
}

impl<T> While<T> for io::Result<T> {
    fn while_doing(self, what: impl fmt::Display) -> Result<T> {
        self.map_err(|cause| Error::new(format!("could not {what}: {cause}")))
    }
}

/// Checks that ran. Only what a tool reported is added; a step never invents a count.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// Counts a check and says that it passed; its failure is an error with the check's name.
pub(crate) fn checked<T>(name: &str, result: Result<T>, counts: &mut Counts) -> Result<T> {
    match &result {
        Ok(_) => {
            println!("ok {name}");
            counts.passed += 1;
        }
        Err(_) => counts.failed += 1,
    }
    result.map_err(|error| Error::new(format!("{name}: {error}")))
}

/// Our own check scripts print `ok NAME` or `not ok NAME: why` for every check.
pub(crate) fn count_line(line: &str, counts: &mut Counts) {
    if line.starts_with("ok ") {
        counts.passed += 1;
    } else if line.starts_with("not ok ") {
        counts.failed += 1;
    }
}

/// Our own lines must come before those of the tool started next, which writes to the same terminal
/// or file.
pub(crate) fn flush() {
    // A closed standard output is noticed by the next write; there is nothing to do about it here.
    let _ = io::stdout().flush();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_that_state_a_check_are_counted() {
        let mut counts = Counts::default();
        for line in [
            "ok one",
            "not ok two: why",
            "okay",
            "  ok indented",
            "ok three",
        ] {
            count_line(line, &mut counts);
        }
        assert_eq!(
            counts,
            Counts {
                passed: 2,
                failed: 1
            }
        );
    }
}
