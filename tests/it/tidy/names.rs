//! One type, one name: a reader who meets a type's name knows which it is. Not about methods and
//! modules.

use std::collections::BTreeMap;

use super::code::{bare, tokens};
use super::source::library;

/// Of a hundred type names, so many may stand for more than one type.
const MAX_IN_A_HUNDRED: usize = 4;

/// Names that a crate may export at its root, modules and macros included.
const MAX_AT_A_ROOT: usize = 41;

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

/// Names that a crate's root exports, of the text of its `lib.rs`: each is a word that ends a
/// path of a `pub use`, or stands behind `pub mod`, `pub fn`, `pub struct` and so on.
fn exported(text: &str) -> Vec<String> {
    let code = bare(text);
    let tokens = tokens(&code);
    let (mut depth, mut names, mut in_use) = (0usize, Vec::new(), false);
    for (at, token) in tokens.iter().enumerate() {
        let next = tokens.get(at + 1).map_or("", |next| next.text);
        match token.text {
            "pub" if depth == 0 && next == "use" => in_use = true,
            "pub" if depth == 0 && next != "(" => {
                names.extend(tokens.get(at + 2).map(|name| name.text.to_owned()));
            }
            ";" => in_use = false,
            "{" if !in_use => depth += 1,
            "}" if !in_use => depth = depth.saturating_sub(1),
            _ if in_use && token.is_name() && [",", "}", ";"].contains(&next) => {
                names.push(token.text.to_owned());
            }
            _ => {}
        }
    }
    names
}

#[test]
fn a_root_exports_few_names() {
    let many: Vec<String> = library()
        .into_iter()
        .filter(|source| source.path.ends_with("/src/lib.rs"))
        .map(|source| (exported(&source.text).len(), source.path))
        .filter(|(names, _)| *names > MAX_AT_A_ROOT)
        .map(|(names, path)| format!("{path}: {names}"))
        .collect();
    assert!(
        many.is_empty(),
        "a root exports at most {MAX_AT_A_ROOT} names: group them in modules that say what they \
         are for:\n  {}\n",
        many.join("\n  ")
    );
}

#[test]
fn exported_names_are_counted() {
    let text = "mod a; pub mod b; pub(crate) mod c; pub use a::{One, two::Two};\n\
        pub use three::Three; pub fn four() { pub struct Inner; } use x::Y;";
    assert_eq!(exported(text), ["b", "One", "Two", "Three", "four"]);
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
