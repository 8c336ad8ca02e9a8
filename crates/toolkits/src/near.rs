//! Words that may be meant by a misspelt one: by how many groups of letters they share, then by how
//! many letters lie between them. Knows no database.

use mcpfn_ports::Dialect;
use strsim::osa_distance;

use crate::analysis::is_dense;
use crate::say::quoted;

/// The most words that are compared letter by letter.
pub(crate) const MOST_COMPARED: usize = 300;

/// The most that are suggested for one word.
const MOST_SUGGESTED: usize = 3;

/// Shorter words are like too many others, and longer ones are no words.
const LETTERS: std::ops::RangeInclusive<usize> = 4..=24;

/// Whether a folded word has letters alone, and can be misspelt.
pub(crate) fn is_spelt(word: &str) -> bool {
    LETTERS.contains(&word.chars().count())
        && word.chars().all(char::is_alphabetic)
        && !is_dense(word)
}

/// How many letters may be wrong.
fn allowed(word: &str) -> usize {
    match word.chars().count() {
        ..=4 => 1,
        5..=9 => 2,
        _ => 3,
    }
}

/// The shortest and the longest word that may be meant, in characters.
pub(crate) fn lengths(word: &str) -> [i64; 2] {
    let (count, allowed) = (word.chars().count() as i64, allowed(word) as i64);
    [(count - allowed).max(1), count + allowed]
}

/// An expression of SQL: how many groups of letters of the word are in a column, groups of two of a
/// short word and of three of a long one. The word has letters alone, so it stands in the text.
pub(crate) fn likeness(dialect: Dialect, column: &str, word: &str) -> String {
    let letters: Vec<char> = word.chars().collect();
    let group = if letters.len() < 7 { 2 } else { 3 };
    let function = match dialect {
        Dialect::Postgres => "strpos",
        _ => "instr",
    };
    let groups = letters.windows(group).map(|group| {
        let group: String = group.iter().collect();
        format!("CASE WHEN {function}({column}, '{group}') > 0 THEN 1 ELSE 0 END")
    });
    format!("({})", groups.collect::<Vec<_>>().join(" + "))
}

/// Those of these words that are close enough, the closest first; none where the word itself is
/// among them.
pub(crate) fn closest<'a>(word: &str, among: impl Iterator<Item = &'a str>) -> Vec<String> {
    let allowed = allowed(word);
    let mut found: Vec<(usize, bool, &str)> = among
        .filter(|other| is_spelt(other))
        .filter_map(|other| {
            let distance = osa_distance(word, other);
            // people know how a word begins
            let begins_otherwise = word.chars().next() != other.chars().next();
            (distance + usize::from(begins_otherwise) <= allowed).then_some((
                distance,
                begins_otherwise,
                other,
            ))
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    if found.first().is_some_and(|(distance, ..)| *distance == 0) {
        return Vec::new();
    }
    found
        .into_iter()
        .take(MOST_SUGGESTED)
        .map(|(.., other)| other.to_owned())
        .collect()
}

/// The most misspelt words of one question that are looked up.
const MOST_SLIPS: usize = 3;

/// A question's words, with what may be meant by some of them.
#[derive(Default)]
pub(crate) struct Slips {
    words: Vec<String>,
    said: Vec<String>,
    looked_up: usize,
}

impl Slips {
    /// Whether so many words were looked up that the rest stays as it is.
    pub(crate) fn is_full(&self) -> bool {
        self.looked_up >= MOST_SLIPS
    }

    /// Adds a word as it was asked, and what is close to it.
    pub(crate) fn push(&mut self, word: &str, meant: Option<String>) {
        if is_spelt(word) {
            self.looked_up += 1;
        }
        if let Some(meant) = &meant {
            let (meant, word) = (quoted(meant), quoted(word));
            self.said.push(format!("{meant} in place of {word}"));
        }
        self.words.push(meant.unwrap_or_else(|| word.to_owned()));
    }

    /// What to say, and the words to search for instead; nothing when all are as they were.
    pub(crate) fn corrected(self) -> Option<(String, Vec<String>)> {
        let said = self.said.join(", ");
        let sentence = format!(
            "Nothing has the words as they are spelt; this was found with {said}. Tell the user."
        );
        (!said.is_empty()).then_some((sentence, self.words))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspelt_words_are_near_what_was_meant() {
        let known = [
            "headphones",
            "keyboard",
            "wireless",
            "mouse",
            "house",
            "laptop",
            "reimbursement",
            "наушники",
            "certificate",
        ];
        for (slip, meant) in [
            ("headphnes", Some("headphones")),
            ("haedphones", Some("headphones")),
            ("keybord", Some("keyboard")),
            ("wirless", Some("wireless")),
            ("mosue", Some("mouse")),
            ("reimbursment", Some("reimbursement")),
            ("наушнеки", Some("наушники")),
            ("sertificate", Some("certificate")),
            ("zzzzzz", None),
            ("mouse", None),
        ] {
            let found = closest(slip, known.into_iter());
            assert_eq!(found.first().map(String::as_str), meant, "{slip}");
        }
    }

    #[test]
    fn nothing_but_letters_stands_in_a_statement() {
        for word in ["a'b'cd", "100%", "x_yz", "充電器充電", "it", ""] {
            assert!(!is_spelt(word), "{word}");
        }
    }
}
