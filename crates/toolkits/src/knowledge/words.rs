//! From a question to a query of FTS5 that is never expensive. What is built has letters and digits in quotation marks, so nothing that
//! a client writes is ever an operator.

use mcpfn_core::{Sql, SqlError, SqlValue};

/// More words than this do not make a search better.
const MOST_WORDS: usize = 12;

/// The longest word that is searched for, in characters.
const LONGEST_WORD: usize = 40;

/// The most passages that are ranked, unless the words are all common.
const MOST_RANKED: i64 = 6000;

/// Words that say nothing about a subject.
const SMALL_WORDS: &str = " a about am an and any are as at be been being but by can could did do does for from get had has have how i if \
    in into is it its long many may me much must my need no not of on or our shall should so some than that the their them then there these \
    they this those to us was we were what when where which who whom whose why will with would you your ";

/// The words of a question that say what it is about; none when it has no letter and no digit.
pub(crate) fn words(text: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let parts = text.split(|character: char| !character.is_alphanumeric() && !('\u{300}'..='\u{36f}').contains(&character));
    for word in parts.filter(|word| word.chars().any(char::is_alphanumeric)).take(MOST_WORDS * 4) {
        let word = word.chars().take(LONGEST_WORD).collect::<String>().to_lowercase();
        if !all.contains(&word) {
            all.push(word);
        }
    }
    let large: Vec<String> = all.iter().filter(|word| !SMALL_WORDS.contains(&format!(" {word} "))).take(MOST_WORDS).cloned().collect();
    // a search for small words alone is a search for them
    if large.is_empty() { all.into_iter().take(MOST_WORDS).collect() } else { large }
}

/// A query for passages with any of the words, or with all of them when each alone is in too many passages. `None` when no passage
/// has any.
pub(crate) async fn query(database: &dyn Sql, words: &[String]) -> Result<Option<String>, SqlError> {
    if words.is_empty() {
        return Ok(None);
    }
    // the engine stops counting at the bound
    let counts: Vec<String> = (1..=words.len())
        .map(|n| format!("(SELECT count(*) FROM (SELECT 1 FROM passage_search WHERE passage_search MATCH ?{n} LIMIT {}))", MOST_RANKED + 1))
        .collect();
    let terms: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    let parameters: Vec<SqlValue> = terms.iter().map(|term| term.as_str().into()).collect();
    let rows = database.query(&format!("SELECT {}", counts.join(", ")), &parameters, 1).await?;
    let counts = rows.rows.first().map(Vec::as_slice).unwrap_or_default();
    let mut counted: Vec<(i64, &str)> = counts.iter().filter_map(SqlValue::as_i64).zip(terms.iter().map(String::as_str)).collect();
    counted.retain(|(count, _)| *count > 0);
    counted.sort_by_key(|(count, _)| *count);
    let Some((rarest, _)) = counted.first() else { return Ok(None) };
    if *rarest > MOST_RANKED {
        return Ok(Some(counted.iter().map(|(_, term)| *term).collect::<Vec<_>>().join(" AND ")));
    }
    // common words cost most and say least
    let mut left = MOST_RANKED;
    counted.retain(|(count, _)| {
        left -= count;
        left >= 0
    });
    Ok(Some(counted.iter().map(|(_, term)| *term).collect::<Vec<_>>().join(" OR ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_reduced_to_what_it_is_about() {
        assert_eq!(words("How long do we keep the invoices of a customer?"), ["keep", "invoices", "customer"]);
        assert_eq!(words("to be or not to be"), ["to", "be", "or", "not"]);
        assert_eq!(words("x\" OR NEAR(y z) -a* ^w {c}:d"), ["x", "near", "y", "z", "w", "c", "d"]);
        assert!(words("\"*^() \u{301} \0").is_empty());
        assert!(words(&"x y".repeat(100_000)).len() <= MOST_WORDS);
    }
}
