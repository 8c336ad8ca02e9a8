//! What is said where: results on stdout, mistakes and remarks on stderr. Nothing that a terminal would
//! obey is among it, whoever wrote it.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
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
    let _ = writeln!(std::io::stdout(), "{}", harmless(&text.to_string()));
}

/// Prints a remark, which is no part of the result.
pub(crate) fn remark(text: impl fmt::Display) {
    let _ = writeln!(std::io::stderr(), "{}", harmless(&text.to_string()));
}

/// Texts of servers are in what is printed. What a terminal obeys, or what turns the order of letters
/// round, is written as JSON writes it: so that it means the same where the text is JSON.
fn harmless(text: &str) -> Cow<'_, str> {
    let obeyed = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\t'))
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(obeyed) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if obeyed(character) {
            // writing to a String can't fail; all of these have four digits
            let _ = write!(shown, "\\u{:04x}", u32::from(character));
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

pub(crate) fn fail(failure: &CliError) -> ExitCode {
    remark(format_args!("error: {failure}"));
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_obeys_nothing_and_json_stays_what_it_was() {
        assert_eq!(harmless("a\tü\n"), "a\tü\n");
        assert_eq!(harmless("\u{1b}[2J\r\u{202e}"), "\\u001b[2J\\u000d\\u202e");
        let text = "\u{7f}\u{9b}31m\u{2066}\u{85}x";
        let json = serde_json::json!({ "text": text });
        let shown = harmless(&json.to_string()).into_owned();
        assert!(shown.chars().all(|c| c.is_ascii_graphic()), "{shown}");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&shown).unwrap(),
            json
        );
    }
}
