//! What is said where: results on stdout, mistakes and remarks on stderr.

use std::fmt;
use std::io::Write as _;
use std::process::ExitCode;

/// What went wrong, in a sentence that says what to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CliError(pub(crate) String);

pub(crate) type CliResult<T = ExitCode> = Result<T, CliError>;

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<String> for CliError {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for CliError {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// Prints a result. A reader that went away wants no more of it.
pub(crate) fn say(text: impl fmt::Display) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Prints a remark, which is no part of the result.
pub(crate) fn remark(text: impl fmt::Display) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

pub(crate) fn fail(failure: &CliError) -> ExitCode {
    remark(format_args!("error: {failure}"));
    ExitCode::FAILURE
}
