//! From a person's words to queries of FTS5 and of PostgreSQL's text search. Builds text only: what
//! is built contains letters and digits in quotation marks, so nothing that a client writes is ever
//! an operator.

use mcpfn_ports::Dialect;

use crate::words::words;

/// The words of a search, folded.
pub(super) struct Words(pub(super) Vec<String>);

impl Words {
    /// Reads words out of a client's text. `None` when it has no letter and no digit.
    pub(super) fn read(text: &str) -> Option<Self> {
        let words = words(text);
        (!words.is_empty()).then_some(Self(words))
    }

    /// Products that have every word, in any form that the index's stemmer takes for the same.
    pub(super) fn all(&self, dialect: Dialect) -> String {
        self.join(dialect, true, false)
    }

    /// Products that have a word beginning with each of these.
    pub(super) fn all_begun(&self, dialect: Dialect) -> String {
        self.join(dialect, true, true)
    }

    /// Products that have a word beginning with any of these.
    pub(super) fn any_begun(&self, dialect: Dialect) -> String {
        self.join(dialect, false, true)
    }

    /// Whether "all" and "any" differ.
    pub(super) fn are_several(&self) -> bool {
        self.0.len() > 1
    }

    fn join(&self, dialect: Dialect, all: bool, begun: bool) -> String {
        let (mark, and, or, prefix) = if dialect == Dialect::Postgres {
            ('\'', " & ", " | ", ":*")
        } else {
            ('"', " AND ", " OR ", "*")
        };
        let suffix = if begun { prefix } else { "" };
        let terms: Vec<String> = self
            .0
            .iter()
            .map(|word| format!("{mark}{word}{mark}{suffix}"))
            .collect();
        terms.join(if all { and } else { or })
    }
}

/// The text as a SKU, if it could be one or the beginning of one: a dash, capitals and digits, no
/// spaces.
pub(super) fn as_sku(text: &str) -> Option<String> {
    let text = text.trim();
    let fits = (5..=40).contains(&text.len())
        && text.contains('-')
        && text.bytes().any(|byte| byte.is_ascii_digit())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    fits.then(|| text.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_and_nothing_else_is_left() {
        let words = Words::read("a keyboard OR \"mouse\" -mat*").unwrap();
        assert_eq!(
            words.all(Dialect::Sqlite),
            r#""keyboard" AND "mouse" AND "mat""#
        );
        assert_eq!(
            words.any_begun(Dialect::Sqlite),
            r#""keyboard"* OR "mouse"* OR "mat"*"#
        );
        assert!(Words::read("\"*^()").is_none());
    }

    #[test]
    fn postgres_gets_its_own_operators() {
        let words = Words::read("a wireless keyb' | !mat:*").unwrap();
        assert_eq!(words.all(Dialect::Postgres), "'wireless' & 'keyb' & 'mat'");
        assert_eq!(
            words.any_begun(Dialect::Postgres),
            "'wireless':* | 'keyb':* | 'mat':*"
        );
    }

    #[test]
    fn skus_are_recognised() {
        for (text, expected) in [
            ("hdp-1032-mib", Some("HDP-1032-MIB")),
            (" STO-1272 ", Some("STO-1272")),
            ("noise-cancelling", None),
            ("4-way", Some("4-WAY")),
            ("HDP 1032", None),
            ("x-1' OR 1=1", None),
        ] {
            assert_eq!(as_sku(text).as_deref(), expected, "{text}");
        }
    }
}
