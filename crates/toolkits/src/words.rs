//! The words of a person's text, cleaned, and without those that say nothing. What becomes of them
//! is for each toolkit. What is given has letters, digits and accents alone, so that no word is
//! ever an operator of a search.

/// More words than this do not make a search better.
const MAX_WORDS: usize = 12;

/// The longest word that is searched for, in characters.
const MAX_WORD_LENGTH: usize = 40;

/// Words that say nothing about a subject or a product.
const SMALL_WORDS: &str = " a about am an and any are as at be been being but by can could did do does find for from get had has have how \
    i if in into is it its many may me much must my need no not of on or our shall should so some than that the their them then there these \
    they this those to us want was we were what when where which who whom whose why will with would you your ";

/// The words of a text that say what it is about, each once, in lower case; none when it has no
/// letter and no digit.
pub(crate) fn words(text: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let parts = text.split(|character| !is_part_of_word(character));
    for word in parts
        .filter(|word| word.chars().any(char::is_alphanumeric))
        .take(MAX_WORDS * 4)
    {
        let word = word
            .chars()
            .take(MAX_WORD_LENGTH)
            .collect::<String>()
            .to_lowercase();
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

/// Letters, digits and the accents that stand after a letter.
fn is_part_of_word(character: char) -> bool {
    character.is_alphanumeric() || ('\u{300}'..='\u{36f}').contains(&character)
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
                &["cafe\u{301}tière", "½", "充電器"],
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
