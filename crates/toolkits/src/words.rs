//! The words of a person's text, cleaned, and without those that say nothing. What becomes of them
//! is for each toolkit. What is given has letters, digits and accents alone, so that no word is
//! ever an operator of a search.

use crate::analysis::{Term, asked, folded, is_dense, words_of};

/// More words than this do not make a search better.
const MAX_WORDS: usize = 12;

/// A question without spaces has as many pairs of characters as others have letters of words.
const MAX_TERMS: usize = 32;

/// The longest word that is searched for, in characters.
const MAX_WORD_LENGTH: usize = 40;

/// The longest text without spaces that is searched for, in characters.
const MAX_DENSE_LENGTH: usize = 120;

/// Words that say nothing about a subject or a product.
const SMALL_WORDS: &str = " a about am an and any are as at be been being but by can could did do does find for from get had has have how \
    i if in into is it its many may me much must my need no not of on or our shall should so some than that the their them then there these \
    they this those to us want was we were what when where which who whom whose why will with would you your ";

/// Characters that say nothing where both of a pair are among them: Chinese, and all Hiragana.
const SMALL_CHARACTERS: &str =
    "的了是吗呢在有和与我你您他她们这那什么怎么样多少几可以能会不要请哪里何";

/// Endings of Korean questions and sentences.
const SMALL_PAIRS: &str =
    " 니다 습니 입니 세요 나요 가요 해요 어요 아요 까요 인가 하나 어떻 떻게 무엇 언제 ";

/// The words of a text that say what it is about, each once, folded; none when it has no letter
/// and no digit. A run without spaces is one word.
pub(crate) fn words(text: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for word in words_of(&folded(text)).take(MAX_WORDS * 4) {
        let most = if is_dense(word) {
            MAX_DENSE_LENGTH
        } else {
            MAX_WORD_LENGTH
        };
        let word: String = word.chars().take(most).collect();
        if !all.contains(&word) {
            all.push(word);
        }
    }
    let large: Vec<String> = all
        .iter()
        .filter(|word| !SMALL_WORDS.contains(&format!(" {word} ")))
        .take(MAX_WORDS)
        .cloned()
        .collect();
    // a search for small words alone is a search for them
    if large.is_empty() {
        all.into_iter().take(MAX_WORDS).collect()
    } else {
        large
    }
}

/// What an index is asked for in the place of words, each once.
pub(crate) fn terms(words: &[String]) -> Vec<Term> {
    let mut all: Vec<Term> = Vec::new();
    for term in words.iter().flat_map(|word| asked(word)) {
        if !all.contains(&term) {
            all.push(term);
        }
    }
    let (mut large, small): (Vec<Term>, Vec<Term>) =
        all.into_iter().partition(|term| !is_small(&term.text));
    if large.is_empty() {
        large = small;
    }
    large.truncate(MAX_TERMS);
    large
}

fn is_small(pair: &str) -> bool {
    let is_small = |character: char| {
        matches!(character, '\u{3041}'..='\u{309f}') || SMALL_CHARACTERS.contains(character)
    };
    pair.chars().all(is_small) || SMALL_PAIRS.contains(&format!(" {pair} "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_reduced_to_what_it_is_about() {
        for (text, expected) in [
            (
                "How much do we keep of the invoices of a customer?",
                &["keep", "invoices", "customer"][..],
            ),
            (
                "I want to find a Keyboard for the office keyboard",
                &["keyboard", "office"],
            ),
            ("to be or not to be", &["to", "be", "or", "not"]),
            ("\"quoted\" OR 1=1 --", &["quoted", "1"]),
            (
                "name:x* NEAR(y z) ^w {a b} -v",
                &["name", "x", "near", "y", "z", "w", "b", "v"],
            ),
            ("x\0y' | !mat:*", &["x", "y", "mat"]),
            (
                "cafe\u{301}tière ½ 充電器",
                &["cafetiere", "1", "2", "充電器"],
            ),
            ("\"*^() \u{301}\u{302} \0", &[]),
            ("", &[]),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
    }

    #[test]
    fn a_long_text_gives_few_words() {
        let many: String = (0..100_000)
            .map(|number| format!("word{number} "))
            .collect();
        assert_eq!(words(&many).len(), MAX_WORDS);
        assert_eq!(words(&"x".repeat(1_000_000))[0].len(), MAX_WORD_LENGTH);
    }
}
