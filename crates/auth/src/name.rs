//! Which texts can be the name of a caller, in every record of what it does.

use mcpfn_core::text;

/// Most bytes of a subject: it goes into every record.
const MAX_SUBJECT: usize = 512;

/// Whether a text can be a caller's name: not empty, of a bounded length, and without characters
/// that would change how a line of the log is shown.
pub(crate) fn is_name(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= MAX_SUBJECT && !text.chars().any(is_deceptive)
}

/// Line and paragraph separators, and what people do not see.
fn is_deceptive(letter: char) -> bool {
    matches!(letter, '\u{2028}' | '\u{2029}') || text::is_hidden(letter)
}
