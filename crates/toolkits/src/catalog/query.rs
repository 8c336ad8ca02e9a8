//! From a person's words to queries of FTS5 and of PostgreSQL's text search. Builds text only: what is built contains letters and
//! digits in quotation marks, so nothing that a client writes is ever an operator.

use mcpfn_core::Dialect;

/// More words than this do not make a search better.
const MOST_WORDS: usize = 12;

/// The longest word that is searched for, in characters.
const LONGEST_WORD: usize = 40;

/// Words that say nothing about a product.
const SMALL_WORDS: [&str; 28] = [
    "a", "an", "and", "any", "are", "at", "by", "do", "find", "for", "from", "have", "i", "in", "is", "me", "my", "need", "of", "on", "or",
    "our", "some", "that", "the", "to", "want", "with",
];

/// The words of a search, cleaned.
pub(super) struct Words(Vec<String>);

impl Words {
    /// Reads words out of a client's text. `None` when it has no letter and no digit.
    pub(super) fn read(text: &str) -> Option<Self> {
        let words: Vec<String> = text
            .split(|character| !is_part_of_word(character))
            .filter(|word| word.chars().any(char::is_alphanumeric))
            .map(|word| word.chars().take(LONGEST_WORD).collect())
            .take(MOST_WORDS * 4)
            .collect();
        let large: Vec<String> =
            words.iter().filter(|word| !SMALL_WORDS.contains(&word.to_lowercase().as_str())).take(MOST_WORDS).cloned().collect();
        // a search for small words alone is a search for them
        let words = if large.is_empty() { words.into_iter().take(MOST_WORDS).collect() } else { large };
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
        let (mark, and, or, prefix) = if dialect == Dialect::Postgres { ('\'', " & ", " | ", ":*") } else { ('"', " AND ", " OR ", "*") };
        let suffix = if begun { prefix } else { "" };
        let terms: Vec<String> = self.0.iter().map(|word| format!("{mark}{word}{mark}{suffix}")).collect();
        terms.join(if all { and } else { or })
    }
}

/// Letters, digits and the accents that stand after a letter.
fn is_part_of_word(character: char) -> bool {
    character.is_alphanumeric() || ('\u{300}'..='\u{36f}').contains(&character)
}

/// The text as a SKU, if it could be one or the beginning of one: a dash, capitals and digits, no spaces.
pub(super) fn as_sku(text: &str) -> Option<String> {
    let text = text.trim();
    let fits = (5..=40).contains(&text.len())
        && text.contains('-')
        && text.bytes().any(|byte| byte.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    fits.then(|| text.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_and_nothing_else_is_left() {
        for (text, expected) in [
            ("wireless keyboard", r#""wireless" AND "keyboard""#),
            ("a keyboard for the office", r#""keyboard" AND "office""#),
            ("to have and to be", r#""be""#),
            ("the", r#""the""#),
            ("\"quoted\" OR 1=1 --", r#""quoted" AND "1" AND "1""#),
            ("name:x* NEAR(y z) ^w {a b}", r#""name" AND "x" AND "NEAR" AND "y" AND "z" AND "w" AND "b""#),
            ("x\0y", r#""x" AND "y""#),
            ("cafe\u{301}tière ½ 充電器", "\"cafe\u{301}tière\" AND \"½\" AND \"充電器\""),
        ] {
            assert_eq!(Words::read(text).map(|words| words.all(Dialect::Sqlite)).as_deref(), Some(expected), "{text}");
        }
        for text in ["", "   ", "\"*^()", "\u{301}\u{302}", "\0"] {
            assert!(Words::read(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_long_text_gives_a_short_query() {
        let query = Words::read(&"keyboard ".repeat(100_000)).unwrap().any_begun(Dialect::Sqlite);
        assert!(query.len() < 300, "{}", query.len());
        assert!(Words::read(&"x".repeat(1_000_000)).unwrap().all(Dialect::Sqlite).len() < 50);
    }

    #[test]
    fn postgres_gets_its_own_operators() {
        let words = Words::read("a wireless keyb' | !mat:*").unwrap();
        assert_eq!(words.all(Dialect::Postgres), "'wireless' & 'keyb' & 'mat'");
        assert_eq!(words.any_begun(Dialect::Postgres), "'wireless':* | 'keyb':* | 'mat':*");
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
