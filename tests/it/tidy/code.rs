//! Rust as far as the rules look into it: code without comments, literals and tests, and its
//! tokens. Not a parser: it relies on rustfmt and on code that compiles.

/// Code in which comments, the insides of literals and everything below `#[cfg(test)]` are spaces.
/// Lines stay where they are.
pub(super) fn bare(text: &str) -> String {
    let mut code: Vec<char> = text.chars().collect();
    blank_words(&mut code);
    blank_tests(&mut code);
    code.into_iter().collect()
}

/// What is no code: comments and the insides of literals.
fn blank_words(code: &mut [char]) {
    let mut at = 0;
    while at < code.len() {
        let next = code.get(at + 1).copied().unwrap_or_default();
        let end = match (code[at], next) {
            ('/', '/') => find(code, at, |rest| rest[0] == '\n'),
            ('/', '*') => end_of_block(code, at),
            ('"', _) => end_of_string(code, at),
            ('r', '"' | '#') if !follows_word(code, at) => match end_of_raw(code, at + 1) {
                Some(end) => end,
                None => {
                    at += 1;
                    continue;
                }
            },
            ('\'', '\\') => find(code, at + 3, |rest| rest[0] == '\'') + 1,
            ('\'', _) if code.get(at + 2) == Some(&'\'') => at + 3,
            _ => {
                at += 1;
                continue;
            }
        };
        blank(code, at, end);
        at = end.max(at + 1);
    }
}

fn find(code: &[char], from: usize, is_it: impl Fn(&[char]) -> bool) -> usize {
    (from..code.len())
        .find(|at| is_it(&code[*at..]))
        .unwrap_or(code.len())
}

fn blank(code: &mut [char], from: usize, to: usize) {
    let end = to.min(code.len());
    for character in &mut code[from.min(end)..end] {
        if *character != '\n' {
            *character = ' ';
        }
    }
}

fn follows_word(code: &[char], at: usize) -> bool {
    // a `b` before it belongs to the literal
    let before = |back: usize| at.checked_sub(back).map(|at| code[at]);
    match before(1) {
        Some('b') => before(2).is_some_and(is_word),
        Some(character) => is_word(character),
        None => false,
    }
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn end_of_block(code: &[char], from: usize) -> usize {
    let (mut at, mut depth) = (from, 0);
    while at < code.len() {
        match (code[at], code.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn end_of_string(code: &[char], from: usize) -> usize {
    let mut at = from + 1;
    while at < code.len() && code[at] != '"' {
        at += if code[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// `None` for a raw identifier such as `r#type`.
fn end_of_raw(code: &[char], from: usize) -> Option<usize> {
    let hashes = code[from..].iter().take_while(|hash| **hash == '#').count();
    if code.get(from + hashes) != Some(&'"') {
        return None;
    }
    let closes = |rest: &[char]| {
        rest[0] == '"' && rest[1..].iter().take_while(|hash| **hash == '#').count() >= hashes
    };
    Some(find(code, from + hashes + 1, closes) + 1 + hashes)
}

/// Items below `#[cfg(test)]`, wherever they are.
fn blank_tests(code: &mut [char]) {
    let mark: Vec<char> = "#[cfg(test)]".chars().collect();
    let mut at = 0;
    loop {
        let start = find(code, at, |rest| rest.starts_with(&mark));
        if start == code.len() {
            return;
        }
        let body = find(code, start + mark.len(), |rest| {
            matches!(rest[0], '{' | ';')
        });
        let mut end = if code.get(body) == Some(&'{') {
            end_of_braces(code, body)
        } else {
            body + 1
        };
        // `use a::{b, c};`
        if code.get(end) == Some(&';') {
            end += 1;
        }
        blank(code, start, end);
        at = end.min(code.len());
    }
}

fn end_of_braces(code: &[char], from: usize) -> usize {
    let mut depth = 0;
    for (at, character) in code.iter().enumerate().skip(from) {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    code.len()
}

/// A word, `::`, or one other character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) text: &'a str,
    /// Counted from 1.
    pub(super) line: usize,
}

impl Token<'_> {
    pub(super) fn is_name(&self) -> bool {
        self.text
            .starts_with(|first: char| first.is_alphabetic() || first == '_')
    }
}

pub(super) fn tokens(code: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    for (number, line) in code.lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let length = if is_word(first) {
                rest.find(|character| !is_word(character))
                    .unwrap_or(rest.len())
            } else if rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            let (text, after) = rest.split_at(length);
            tokens.push(Token {
                text,
                line: number + 1,
            });
            rest = after.trim_start();
        }
    }
    tokens
}

#[test]
fn only_code_is_left() {
    let text = r##"use a::b; // use c::d;
/* x /* y */ z */ let t = "crate::no \" {"; let r = r#"crate::"no""#; let r#type = b"x";
let (brace, quote, tick): (char, char, &'static str) = ('{', '\'', "'");
#[cfg(test)]
use e::{f, g};
#[cfg(test)]
mod tests {
    fn h() { panic!("}") }
}
fn i() {}
"##;
    let bare = bare(text);
    let words: Vec<(&str, usize)> = tokens(&bare)
        .into_iter()
        .filter(Token::is_name)
        .map(|token| (token.text, token.line))
        .collect();
    let expected = [
        ("use", 1),
        ("a", 1),
        ("b", 1),
        ("let", 2),
        ("t", 2),
        ("let", 2),
        ("r", 2),
        ("let", 2),
        ("r", 2),
        ("type", 2),
        ("b", 2),
        ("let", 3),
        ("brace", 3),
        ("quote", 3),
        ("tick", 3),
        ("char", 3),
        ("char", 3),
        ("static", 3),
        ("str", 3),
        ("fn", 10),
        ("i", 10),
    ];
    assert_eq!(words, expected);
}
