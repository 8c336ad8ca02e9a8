//! What is said where: results on stdout, mistakes and remarks on stderr. Nothing that a terminal would
//! obey is among it, whoever wrote it.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::process::ExitCode;

use mcpfn_core::text::is_hidden;

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

/// Texts of servers are in what is printed. What a terminal obeys, what turns the order of letters
/// round and what nobody sees is written as JSON writes it: so that it means the same where the text
/// is JSON. What joins letters and styles pictures stays.
fn harmless(text: &str) -> Cow<'_, str> {
    let harmful = |c: char| {
        is_hidden(c)
            && !matches!(
                c,
                '\n' | '\t' | '\u{200c}' | '\u{200d}' | '\u{fe0e}' | '\u{fe0f}'
            )
    };
    if !text.contains(harmful) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if harmful(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // writing to a String can't fail
                let _ = write!(shown, "\\u{unit:04x}");
            }
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
        // all that is `Bidi_Control` in Unicode, C0 without line ends and tabs, DEL, C1, and tags
        let bidi = "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\
                    \u{2067}\u{2068}\u{2069}";
        let controls = ('\0'..='\u{1f}').filter(|c| !"\n\t".contains(*c));
        let all = bidi.chars().chain(controls).chain('\u{7f}'..='\u{9f}');
        for character in all.chain(['\u{2028}', '\u{e0041}']) {
            let json = serde_json::json!({ "text": format!("a{character}b") });
            let shown = harmless(&json.to_string()).into_owned();
            assert!(shown.chars().all(|c| c.is_ascii_graphic()), "{shown}");
            assert_eq!(
                serde_json::from_str::<serde_json::Value>(&shown).unwrap(),
                json
            );
        }
        let written = "👨‍👩‍👧 🏳️‍🌈 می‌خواهم עברית";
        assert_eq!(harmless(written), written);
    }
}
