//! No function of the library is longer than one can read at once.

use super::code::{Token, bare, tokens};
use super::source::{library, none};

/// Lines from `fn` to the closing brace, as rustfmt sets them.
const MAX_LINES: usize = 60;

/// Functions that are still longer: each may become shorter, and none longer.
const NOT_YET: &[(&str, &str, usize)] = &[];

/// Functions with a body: their names and lines.
fn lengths(text: &str) -> Vec<(String, usize)> {
    let code = bare(text);
    let tokens = tokens(&code);
    let functions = tokens.windows(2).enumerate().filter(|(_, pair)| {
        // not the type `fn(..)`
        pair[0].text == "fn" && pair[1].is_name()
    });
    functions
        .filter_map(|(at, pair)| {
            let end = end_of_body(&tokens[at..])?;
            Some((pair[1].text.to_owned(), end + 1 - pair[0].line))
        })
        .collect()
}

/// The line of the brace that closes a function's body; none for a function without one.
fn end_of_body(tokens: &[Token<'_>]) -> Option<usize> {
    let mut depth = 0usize;
    for token in tokens {
        match token.text {
            // an array's length may stand in brackets before the body: `[u8; 4]`
            "(" | "[" | "{" => depth += 1,
            ")" | "]" => depth = depth.saturating_sub(1),
            "}" => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(token.line);
                }
            }
            ";" if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

#[test]
fn functions_are_short() {
    let mut longer = Vec::new();
    let mut known = Vec::new();
    for source in library() {
        for (name, lines) in lengths(&source.text) {
            let is_it = |(file, function, _): &&(&str, &str, usize)| {
                *file == source.path && *function == name
            };
            match NOT_YET.iter().find(is_it) {
                Some(listed) if lines > MAX_LINES && lines <= listed.2 => known.push(listed),
                _ if lines > MAX_LINES => longer.push(format!("{}: {name}: {lines}", source.path)),
                _ => {}
            }
        }
    }
    none(
        &longer,
        "a function has at most 60 lines: give the parts of it names of their own",
    );
    let gone = NOT_YET.iter().filter(|listed| !known.contains(listed));
    none(
        &gone.map(|listed| format!("{listed:?}")).collect::<Vec<_>>(),
        "well done: take these functions off NOT_YET",
    );
}

#[test]
fn a_function_is_counted_from_its_name_to_its_end() {
    let text = "trait T {\n    fn none(&self) -> [u8; 4];\n    fn one(&self) {}\n}\n\
        fn three(x: fn(u8)) -> [u8; 2] {\n    let y = \"}\"; // }\n}\n\
        fn outer() {\n    fn inner() {\n    }\n}\n";
    let expected = [("one", 1), ("three", 3), ("outer", 4), ("inner", 2)];
    assert_eq!(
        lengths(text),
        expected.map(|(name, lines)| (name.to_owned(), lines))
    );
}
