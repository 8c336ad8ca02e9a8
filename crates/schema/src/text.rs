//! A client's words made safe to repeat in a message, and slips of the hand recognised. Not an
//! escaper for any format.

use std::fmt;

/// How much of a client's text is ever repeated, in characters.
const MAX_SHOWN: usize = 80;

/// A client's text between backticks, cut after 80 characters, control characters and backticks
/// replaced.
#[must_use]
pub fn quoted(text: &str) -> impl fmt::Display + '_ {
    Quoted(text)
}

struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`")?;
        shown(self.0, MAX_SHOWN).fmt(f)?;
        f.write_str("`")
    }
}

/// The same without the backticks around it, cut after `most` characters.
pub fn shown(text: &str, most: usize) -> impl fmt::Display + '_ {
    Shown { text, most }
}

/// The same, cut as in [`quoted`].
pub(crate) fn clean(text: &str) -> impl fmt::Display + '_ {
    shown(text, MAX_SHOWN)
}

struct Shown<'a> {
    text: &'a str,
    most: usize,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        // what nearly every text is: short, and of characters that are safe
        if self.text.len() <= self.most
            && self
                .text
                .bytes()
                .all(|byte| matches!(byte, b' '..=b'~') && byte != b'`')
        {
            return f.write_str(self.text);
        }
        for (position, character) in self.text.chars().enumerate() {
            if position == self.most {
                return f.write_char('…');
            }
            f.write_char(if unsafe_to_show(character) {
                '\u{fffd}'
            } else {
                character
            })?;
        }
        Ok(())
    }
}

/// Control characters, line separators, what is invisible or turns the direction of writing (models
/// read it, people do not see it), and the backtick that would end the quotation.
#[must_use]
pub fn unsafe_to_show(character: char) -> bool {
    character == '`' || is_hidden(character)
}

/// What people do not see of a text, and models read: control characters, line separators, and every
/// character that Unicode says to leave out where it is not supported
/// (`Default_Ignorable_Code_Point`), among them those that turn the direction of writing, tags and
/// variation selectors.
#[must_use]
pub fn is_hidden(character: char) -> bool {
    if character < '\u{ad}' {
        return character.is_control();
    }
    matches!(
        character,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// The candidate nearest to `given`, if one is near enough to be a slip of the hand.
#[must_use]
pub fn nearest<'a>(given: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // an edit distance costs the product of both lengths, so a client's long name is not compared
    // at all
    if given.len() > MAX_NAME_LENGTH {
        return None;
    }
    let limit = (given.chars().count() / 3).max(1);
    // likewise a hint is not worth comparing with thousands of names
    candidates
        .take(500)
        .filter(|candidate| candidate.len() <= MAX_NAME_LENGTH)
        .map(|candidate| (distance(given, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The longest name that is compared, in bytes.
const MAX_NAME_LENGTH: usize = 64;

/// Edits (insert, delete, replace, swap of neighbours) between two names of at most
/// [`MAX_NAME_LENGTH`] bytes, ignoring case.
fn distance(a: &str, b: &str) -> usize {
    let (mut a_letters, mut b_letters) = (['\0'; MAX_NAME_LENGTH], ['\0'; MAX_NAME_LENGTH]);
    let (a, b) = (lowered(a, &mut a_letters), lowered(b, &mut b_letters));
    let [mut before, mut previous, mut current] = [[0_u8; MAX_NAME_LENGTH + 1]; 3];
    for (j, edits) in (0..=MAX_NAME_LENGTH as u8).zip(previous.iter_mut()) {
        *edits = j;
    }
    for i in 1..=a.len() {
        current[0] = i as u8;
        for j in 1..=b.len() {
            let replace = previous[j - 1] + u8::from(a[i - 1] != b[j - 1]);
            current[j] = replace.min(previous[j] + 1).min(current[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                current[j] = current[j].min(before[j - 2] + 1);
            }
        }
        (before, previous, current) = (previous, current, before);
    }
    usize::from(previous[b.len()])
}

/// The letters of a name in lower case, as many as there is room for.
fn lowered<'a>(name: &str, letters: &'a mut [char; MAX_NAME_LENGTH]) -> &'a [char] {
    let mut length = 0;
    for (letter, place) in name
        .chars()
        .flat_map(char::to_lowercase)
        .zip(letters.iter_mut())
    {
        *place = letter;
        length += 1;
    }
    &letters[..length]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_is_cut_and_cleaned() {
        assert_eq!(
            quoted("a\nb`c\u{202e}d").to_string(),
            "`a\u{fffd}b\u{fffd}c\u{fffd}d`"
        );
        let long = quoted(&"x".repeat(500)).to_string();
        assert_eq!(long.chars().count(), 83);
    }

    #[test]
    fn slips_find_their_word() {
        let names = ["query", "limit", "category"];
        assert_eq!(nearest("qurey", names.into_iter()), Some("query"));
        assert_eq!(nearest("Limits", names.into_iter()), Some("limit"));
        assert_eq!(nearest("colour", names.into_iter()), None);
        assert_eq!(nearest(&"q".repeat(100_000), names.into_iter()), None);
    }
}
