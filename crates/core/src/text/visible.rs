//! A stranger's text as people see it: without what is hidden from them and read by models. The one
//! cleaning for every text that comes from outside; not an escaper for any format.

use std::borrow::Cow;

use super::is_hidden;

/// Joins letters or pictures, or keeps them apart.
const JOINERS: [char; 2] = ['\u{200c}', '\u{200d}'];
/// Ask for a picture as text, or as a picture.
const STYLES: [char; 2] = ['\u{fe0e}', '\u{fe0f}'];

/// A text without what people would not see of it.
///
/// Line ends and tabs stay. Joiners stay between two characters of other scripts than ASCII, and
/// one choice of a picture's style stays behind what is no letter: writing and pictures need them
/// there, and nothing can be spelled with them.
///
/// ```
/// use mcpfn_core::text::visible;
///
/// assert_eq!(visible("pay\u{202e} \u{e0041}now"), "pay now");
/// assert_eq!(visible("a\r\nb\u{2028}c"), "a\r\nb\nc");
/// assert_eq!(visible("❤\u{fe0f}\u{200d}🔥"), "❤\u{fe0f}\u{200d}🔥");
/// assert_eq!(visible("a\u{fe0f}b\u{200d}c"), "abc");
/// ```
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    // what nearly every text is
    if is_visible(text) {
        return Cow::Borrowed(text);
    }
    let mut seen = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    let mut last = None;
    while let Some(character) = characters.next() {
        let character = match character {
            '\u{2028}' | '\u{2029}' => '\n',
            other => other,
        };
        if stays(last, character, characters.peek().copied()) {
            seen.push(character);
            last = Some(character);
        }
    }
    Cow::Owned(seen)
}

/// Whether [`visible`] leaves all of a text.
#[must_use]
pub fn is_visible(text: &str) -> bool {
    let mut characters = text.chars().peekable();
    let mut last = None;
    while let Some(character) = characters.next() {
        if !stays(last, character, characters.peek().copied()) {
            return false;
        }
        last = Some(character);
    }
    true
}

/// Whether a character stays between the one that stayed before it and the one that comes next.
fn stays(last: Option<char>, character: char, next: Option<char>) -> bool {
    if matches!(character, '\n' | '\t') || !is_hidden(character) {
        return true;
    }
    if character == '\r' {
        return next == Some('\n');
    }
    let Some(last) = last else {
        return false;
    };
    if JOINERS.contains(&character) {
        let joined = |other: char| !other.is_ascii() && !is_hidden(other);
        return (joined(last) || STYLES.contains(&last)) && next.is_some_and(joined);
    }
    STYLES.contains(&character) && !is_hidden(last) && !last.is_alphabetic() && last != ' '
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_can_be_spelled_with_what_stays() {
        // every hidden character, alone and repeated, behind letters of ASCII and before them
        for hidden in ('\0'..=char::MAX).filter(|character| is_hidden(*character)) {
            if matches!(hidden, '\n' | '\t' | '\u{2028}' | '\u{2029}') {
                continue;
            }
            for text in [
                format!("{hidden}"),
                format!("a{hidden}"),
                format!("{hidden}a"),
                format!("a{hidden}{hidden}{hidden}b"),
            ] {
                let letters = text.replace(hidden, "");
                assert_eq!(visible(&text), letters, "{text:?}");
                assert!(!is_visible(&text));
            }
        }
    }

    #[test]
    fn what_stays_is_one_at_a_time_and_cleaning_is_done_once() {
        let marks = [
            '\u{200c}', '\u{200d}', '\u{fe0e}', '\u{fe0f}', 'क', '❤', 'a', '\r', '\n',
        ];
        let mut texts = vec![String::new()];
        for _ in 0..5 {
            let longer = texts
                .iter()
                .flat_map(|text| marks.map(|mark| format!("{text}{mark}")));
            texts = longer.collect();
        }
        for text in texts {
            let seen = visible(&text).into_owned();
            assert!(is_visible(&seen), "{seen:?} of {text:?} is not clean");
            let hidden = seen
                .chars()
                .map(|one| is_hidden(one) && !"\r\n".contains(one));
            let row: Vec<bool> = hidden.collect();
            // a style and a joiner may follow each other, no more
            assert!(!row.windows(3).any(|three| three == [true; 3]), "{seen:?}");
        }
    }

    #[test]
    fn writing_and_pictures_stay() {
        for text in [
            "क्‍ष",
            "می‌خواهم",
            "👨‍👩‍👧",
            "🏳️‍🌈",
            "1️⃣",
            "⚠️",
            "naïve",
            "日本語",
            "עברית",
            "a\r\n\tb",
        ] {
            assert_eq!(visible(text), text);
        }
    }
}
