//! Text between people, models and programs: comments unwrapped, and what `mcpfn-schema` has to
//! repeat a client's words safely.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Map, Value};

mod timestamp;
mod visible;

pub use mcpfn_schema::text::{is_hidden, nearest, quoted, shown, unsafe_to_show};
pub use timestamp::timestamp;
pub use visible::{is_visible, visible};

/// Different words in their order.
pub(crate) fn in_order<'a>(words: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
    let mut set = BTreeSet::new();
    // to collect them would sort them first, by five kilobytes of code of its own
    words.for_each(|word| _ = set.insert(word));
    set
}

/// The members of an object; to collect them would sort them first, as above.
#[must_use]
pub fn members(pairs: impl Iterator<Item = (String, Value)>) -> Map<String, Value> {
    let mut members = Map::new();
    pairs.for_each(|(name, value)| _ = members.insert(name, value));
    members
}

/// Text as a part of a path, a query, a form or a URL's credentials: whatever is not a letter of
/// ASCII, a digit or one of `-._~` by its bytes (RFC 3986, section 2.1).
///
/// ```
/// assert_eq!(mcpfn_core::text::percent_encoded("São/1"), "S%C3%A3o%2F1");
/// ```
#[must_use]
pub fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // writing to a String can't fail
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// A switch in a setting: on, true, 1 or yes, and off, false, 0 or no, in any case. `None` for any
/// other text.
#[must_use]
pub fn switch(text: &str) -> Option<bool> {
    let is = |words: [&str; 4]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is(["on", "true", "1", "yes"]) {
        Some(true)
    } else if is(["off", "false", "0", "no"]) {
        Some(false)
    } else {
        None
    }
}

/// Whether a setting says where a secret is, instead of the secret: `ssm:NAME` of SSM Parameter
/// Store, or `secretsmanager:NAME` of Secrets Manager.
#[must_use]
pub fn is_secret_reference(text: &str) -> bool {
    let text = text.trim();
    text.starts_with("ssm:") || text.starts_with("secretsmanager:")
}

/// A comment as it is meant: lines of a paragraph joined, since they were broken for the source's
/// width. Paragraphs, list items, headings, tables, quotations, indented lines and fenced code stay
/// lines.
#[must_use]
pub fn paragraphs(comment: &str) -> String {
    let mut out = String::with_capacity(comment.len());
    let (mut fenced, mut joins) = (false, false);
    for line in comment.lines() {
        let fence = line.trim_start().starts_with("```");
        if !out.is_empty() {
            out.push(if joins && !fenced && !fence && continues(line) {
                ' '
            } else {
                '\n'
            });
        }
        out.push_str(if fenced { line } else { line.trim_end() });
        fenced ^= fence;
        joins = !fence && !line.trim().is_empty() && !line.starts_with(['#', '|']);
    }
    out
}

/// Whether a line goes on with the one before it.
fn continues(line: &str) -> bool {
    let numbered = line.trim_start_matches(|digit: char| digit.is_ascii_digit());
    let marked = |text: &str, marks: &[&str]| marks.iter().any(|mark| text.starts_with(mark));
    let item = marked(line, &["- ", "* ", "+ "])
        || (numbered.len() < line.len() && marked(numbered, &[". ", ") "]));
    !item && !line.trim().is_empty() && !line.starts_with([' ', '\t', '#', '|', '>'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_are_joined_and_structure_stays() {
        let comment = "Search the catalog\nby words.\n\nUse it:\n- for prices,\n  say\n- for \
            stock\n1. first\n```\na\nb\n```\nThe\nend.";
        let expected = "Search the catalog by words.\n\nUse it:\n- for prices,\n  say\n- for \
            stock\n1. first\n```\na\nb\n```\nThe end.";
        assert_eq!(paragraphs(comment), expected);
    }
}
