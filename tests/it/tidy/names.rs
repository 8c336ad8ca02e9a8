//! One type, one name: a reader who meets a type's name knows which it is. Not about methods and
//! modules.

use std::collections::BTreeMap;

use super::code::{bare, tokens};
use super::source::library;

/// Of a hundred type names, so many may stand for more than one type.
const MAX_IN_A_HUNDRED: usize = 4;

/// Types that stand at the level of a module in a file.
fn types(text: &str) -> Vec<String> {
    let code = bare(text);
    let tokens = tokens(&code);
    let mut depth = 0usize;
    let mut types = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token.text {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth = depth.saturating_sub(1),
            "struct" | "enum" | "trait" | "type" | "union" if depth == 0 => {
                let name = tokens.get(at + 1).filter(|next| next.is_name());
                types.extend(name.map(|name| name.text.to_owned()));
            }
            _ => {}
        }
    }
    types
}

/// Where each name stands, of those that stand more than once.
fn repeated(files: &[(String, String)]) -> (usize, BTreeMap<String, Vec<String>>) {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (path, text) in files {
        let mut names = types(text);
        // twice in one file is one type in the shapes of two targets
        names.sort_unstable();
        names.dedup();
        for name in names {
            places.entry(name).or_default().push(path.clone());
        }
    }
    let names = places.len();
    places.retain(|_, places| places.len() > 1);
    (names, places)
}

#[test]
fn a_type_has_a_name_of_its_own() {
    let files: Vec<(String, String)> = library()
        .into_iter()
        .map(|source| (source.path, source.text))
        .collect();
    let (names, repeated) = repeated(&files);
    let allowed = names * MAX_IN_A_HUNDRED / 100;
    let lines: Vec<String> = repeated
        .iter()
        .map(|(name, places)| format!("{name}: {}", places.join(", ")))
        .collect();
    assert!(
        lines.len() <= allowed,
        "{} of {names} type names stand for more than one type, and {allowed} may. Say in a type's \
         name what it is (`AccountRow`, not `Row`):\n  {}\n",
        lines.len(),
        lines.join("\n  ")
    );
}

#[test]
fn a_name_that_stands_twice_is_found() {
    let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    let files = [
        file(
            "a.rs",
            "pub struct Row; trait Send; trait Send; impl Row { type Item = u8; } fn f() { struct Local; }",
        ),
        file(
            "b.rs",
            "enum Row { A } type Item = u8; #[cfg(test)] mod t { struct Item; }",
        ),
        file("c.rs", "pub(crate) trait Other {} // struct Other"),
    ];
    let (names, repeated) = repeated(&files);
    assert_eq!(names, 4);
    let expected = BTreeMap::from([("Row".to_owned(), vec!["a.rs".to_owned(), "b.rs".to_owned()])]);
    assert_eq!(repeated, expected);
}
