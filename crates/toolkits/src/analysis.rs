//! The one analysis of text for searches: what is stored and what is asked become the same words
//! in every database. Knows no database and no question.
//!
//! | text | becomes |
//! |---|---|
//! | full-width letters, ligatures | the usual letters (NFKC) |
//! | capitals, `ß` | small letters, `ss` (full case folding) |
//! | accents, `ё`, vowel signs of Arabic and Hebrew | the bare letters; `й` stays |
//! | Russian, Arabic, Greek | without their endings (Snowball) |
//! | Chinese, Japanese, Korean | pairs of characters, and the last one of a run alone |
//! | Thai, Lao, Khmer, Burmese | the same of clusters, as code points in ASCII |
//! | other scripts | words, as code points in ASCII |
//!
//! English words stay as they are: FTS5 and PostgreSQL stem them. Code points stand for scripts
//! whose marks a tokenizer takes for the end of a word.

use std::fmt::Write as _;

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use rust_stemmers::{Algorithm, Stemmer};

/// Text as it is compared: NFKC, without case, and without accents that people leave out.
pub(crate) fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let decomposed = DecomposingNormalizerBorrowed::new_nfkd().normalize(text);
    let mut bare = String::with_capacity(decomposed.len());
    let mut last = ' ';
    for character in decomposed.chars() {
        match character {
            // a letter of its own, not an accent
            '\u{306}' if matches!(last, 'и' | 'И') => bare.push(character),
            '\u{300}'..='\u{36f}'
            | '\u{591}'..='\u{5bd}'
            | '\u{5bf}'..='\u{5c7}'
            | '\u{610}'..='\u{61a}'
            | '\u{64b}'..='\u{65f}'
            | '\u{670}'
            | '\u{640}' => {}
            // soft hyphens, joiners and marks of direction are not seen
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' => {}
            _ => push_folded(&mut bare, character),
        }
        last = character;
    }
    ComposingNormalizerBorrowed::new_nfc()
        .normalize(&bare)
        .into_owned()
}

fn push_folded(text: &mut String, character: char) {
    match character {
        // no decomposition, though people write them so
        'ł' | 'Ł' => text.push('l'),
        'ø' | 'Ø' => text.push('o'),
        'đ' | 'Đ' => text.push('d'),
        'ı' => text.push('i'),
        'æ' | 'Æ' => text.push_str("ae"),
        'œ' | 'Œ' => text.push_str("oe"),
        'ة' => text.push('ه'),
        'ى' => text.push('ي'),
        // full case folding, but for Cherokee
        _ => text.extend(character.to_uppercase().flat_map(char::to_lowercase)),
    }
}

/// Whether a character is part of a word: a letter, a digit, or a mark on one.
pub(crate) fn is_part_of_word(character: char) -> bool {
    character.is_alphanumeric() || is_mark(character)
}

/// Marks that belong to the character before them and are not alphabetic.
fn is_mark(character: char) -> bool {
    match character {
        '\u{300}'..='\u{36f}' | '\u{3099}' | '\u{309a}' => true,
        '\u{591}'..='\u{5c7}' | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}' | '\u{670}' => true,
        // nukta and virama of each script of India
        '\u{900}'..='\u{dff}' => matches!(u32::from(character) & 0x7f, 0x3c | 0x4a | 0x4d),
        '\u{e31}' | '\u{e34}'..='\u{e3a}' | '\u{e47}'..='\u{e4e}' => true,
        '\u{eb1}' | '\u{eb4}'..='\u{ebc}' | '\u{ec8}'..='\u{ece}' => true,
        '\u{102b}'..='\u{103e}' | '\u{17b4}'..='\u{17d3}' | '\u{17dd}' => true,
        _ => false,
    }
}

/// How words of a character's script are found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum WritingSystem {
    /// Every tokenizer reads it.
    Plain,
    /// Stemmed here.
    Stemmed(u8),
    /// Without spaces, or with words that endings are stuck to.
    Dense,
    /// The same, with marks.
    Clusters,
    /// With spaces, and with marks.
    Other,
}

const RUSSIAN: u8 = 0;
const ARABIC: u8 = 1;
const GREEK: u8 = 2;

fn writing_system(character: char) -> WritingSystem {
    match character {
        '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => WritingSystem::Stemmed(GREEK),
        '\u{400}'..='\u{52f}' => WritingSystem::Stemmed(RUSSIAN),
        '\u{620}'..='\u{6ff}' => WritingSystem::Stemmed(ARABIC),
        '\0'..='\u{24f}' | '\u{591}'..='\u{5f4}' | '\u{1e00}'..='\u{1eff}' => WritingSystem::Plain,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' => {
            WritingSystem::Clusters
        }
        '\u{1100}'..='\u{11ff}'
        | '\u{2e80}'..='\u{2fdf}'
        | '\u{3005}'..='\u{3007}'
        | '\u{3041}'..='\u{318f}'
        | '\u{31f0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7ff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}' => WritingSystem::Dense,
        _ => WritingSystem::Other,
    }
}

/// A word as an index has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Term {
    pub(crate) text: String,
    /// Only the beginning is known: a question of one character, where an index has pairs.
    pub(crate) begun: bool,
}

/// What a database's own tokenizer needs in the place of a text; nothing where it needs nothing.
pub(crate) fn indexed(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    let mut words = String::with_capacity(text.len() * 2);
    for word in words_of(&folded(text)) {
        for run in runs(word) {
            each_term(run, true, |term| {
                words.push_str(term);
                words.push(' ');
            });
        }
    }
    words.pop();
    Some(words)
}

/// What is looked for in the place of a folded word.
pub(crate) fn asked(word: &str) -> Vec<Term> {
    let mut terms = Vec::new();
    for run in runs(word) {
        let mut of_run = 0;
        each_term(run, false, |term| {
            of_run += 1;
            terms.push(Term {
                text: term.to_owned(),
                begun: false,
            });
        });
        let is_short = of_run == 1 && units(run).nth(1).is_none();
        if is_short && is_dense(run) {
            let last = terms.last_mut().expect("one was pushed");
            last.begun = true;
            if last.text.starts_with(CODED) && last.text.ends_with(END) {
                last.text.pop();
            }
        }
    }
    terms
}

/// Whether a word is of a script without spaces.
pub(crate) fn is_dense(word: &str) -> bool {
    word.chars().any(|character| {
        matches!(
            writing_system(character),
            WritingSystem::Dense | WritingSystem::Clusters
        )
    })
}

/// The words of a folded text; a run without spaces is one.
pub(crate) fn words_of(folded: &str) -> impl Iterator<Item = &str> {
    folded
        .split(|character| !is_part_of_word(character))
        .filter(|word| word.chars().any(char::is_alphanumeric))
}

/// Parts of a word of one kind of script each: `usb充電器` is two.
fn runs(word: &str) -> impl Iterator<Item = &str> {
    let mut rest = word;
    std::iter::from_fn(move || {
        let kind = |character| match writing_system(character) {
            WritingSystem::Dense => 1,
            WritingSystem::Clusters => 2,
            _ => 0,
        };
        let first = kind(rest.chars().next()?);
        let end = rest
            .char_indices()
            .find(|(_, character)| !is_mark(*character) && kind(*character) != first)
            .map_or(rest.len(), |(at, _)| at);
        let (run, later) = rest.split_at(end);
        rest = later;
        Some(run)
    })
}

/// Characters, each with its marks.
fn units(run: &str) -> impl Iterator<Item = &str> {
    let mut rest = run;
    std::iter::from_fn(move || {
        rest.chars().next()?;
        let end = rest
            .char_indices()
            .skip(1)
            .find(|(_, character)| !is_mark(*character))
            .map_or(rest.len(), |(at, _)| at);
        let (unit, later) = rest.split_at(end);
        rest = later;
        Some(unit)
    })
}

/// The terms of a run. An index also has the last unit, so that every one begins a term.
fn each_term(run: &str, is_index: bool, mut take: impl FnMut(&str)) {
    let Some(first) = run.chars().next() else {
        return;
    };
    match writing_system(first) {
        WritingSystem::Plain => take(run),
        WritingSystem::Stemmed(language) => {
            let (algorithm, word) = match language {
                RUSSIAN => (Algorithm::Russian, run),
                ARABIC => (Algorithm::Arabic, without_article(run)),
                _ => (Algorithm::Greek, run),
            };
            take(&Stemmer::create(algorithm).stem(word));
        }
        WritingSystem::Other => take(&coded(&[run])),
        kind @ (WritingSystem::Dense | WritingSystem::Clusters) => {
            let written = |units: &[&str]| match kind {
                WritingSystem::Dense => units.concat(),
                _ => coded(units),
            };
            let mut units = units(run);
            let mut last = units.next().unwrap_or_default();
            let mut is_alone = true;
            for unit in units {
                take(&written(&[last, unit]));
                last = unit;
                is_alone = false;
            }
            if is_index || is_alone {
                take(&written(&[last]));
            }
        }
    }
}

/// An Arabic word without the article and the particles that are written onto it.
fn without_article(word: &str) -> &str {
    ["وال", "فال", "بال", "كال", "ولل", "ال", "لل"]
        .into_iter()
        .find_map(|prefix| word.strip_prefix(prefix))
        .filter(|rest| rest.chars().nth(2).is_some())
        .unwrap_or(word)
}

/// How a term in code points begins, and how it ends: no rule of English has this ending.
const CODED: char = 'u';
const END: char = '0';

fn coded(parts: &[&str]) -> String {
    let mut text = String::from(CODED);
    for character in parts.iter().flat_map(|part| part.chars()) {
        // writing to a String can't fail
        let _ = write!(text, "{:04x}", u32::from(character));
    }
    text.push(END);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_people_take_for_the_same() {
        for (one, other) in [
            ("große", "GROSSE"),
            ("ёлка", "ЕЛКА"),
            ("ＵＳＢ－Ｃ １２", "usb-c 12"),
            ("ﾊﾟｽﾜｰﾄﾞ", "パスワード"),
            ("café", "CAFE\u{301}"),
            ("Łódź", "lodz"),
            ("ﬁn", "FIN"),
            ("الإجازة", "الاجازه"),
            ("كَلِمَة", "كلمة"),
            ("ΌΔΌΣ", "οδος"),
            ("İstanbul", "istanbul"),
            ("한글", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}"),
            ("co\u{ad}operate", "cooperate"),
        ] {
            assert_eq!(folded(one), folded(other), "{one} {other}");
        }
        assert_ne!(folded("чай"), folded("чаи"));
        assert_ne!(folded("が"), folded("か"));
    }

    #[test]
    fn texts_become_terms() {
        for (text, expected) in [
            ("plain English text", None),
            ("Größe XL", Some("grosse xl")),
            ("充電器", Some("充電 電器 器")),
            ("usb充電器 茶", Some("usb 充電 電器 器 茶")),
            ("отпуска", Some("отпуск")),
            ("ที่นี่", Some("u0e170e350e480e190e350e480 u0e190e350e480")),
            ("नमस्ते", Some("u0928092e0938094d0924094704d0")),
        ] {
            let expected = expected.map(str::to_owned);
            // the last is compared by its beginning
            let found = indexed(text);
            if text == "नमस्ते" {
                assert!(found.unwrap().starts_with("u0928092e0938094d0924"));
            } else {
                assert_eq!(found, expected, "{text}");
            }
        }
    }

    #[test]
    fn a_question_of_one_character_is_a_beginning() {
        let begun = |word: &str| {
            let [term] = asked(&folded(word)).try_into().unwrap();
            assert!(term.begun, "{word}");
            let text = indexed(&format!("{word}{word} {word}")).unwrap();
            assert!(text.split(' ').all(|one| one.starts_with(&term.text)));
        };
        begun("茶");
        begun("ข้");
        assert!(asked("tea").iter().all(|term| !term.begun));
        assert_eq!(asked("充電器").len(), 2);
    }
}
