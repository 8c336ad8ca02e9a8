//! Modules of a crate do not use each other in circles: each can be read, moved and tested with
//! what stands below it.

use super::modules::{circles, graph};
use super::source::{files, none, packages};

/// Circles that are still there: the crate, and the modules of the circle. A circle that lost
/// modules is one of these still; one that won some is new.
const NOT_YET: &[(&str, &[&str])] = &[];

#[test]
fn modules_use_each_other_in_one_direction() {
    let mut new = Vec::new();
    let mut known = Vec::new();
    for (package, _) in packages() {
        let folder = format!("crates/{package}/src");
        let sources = files(&folder, "rs");
        let code = sources.iter().filter(|source| !source.is_test());
        let files = code.map(|source| (&source.path[folder.len() + 1..], source.text.as_str()));
        for circle in circles(&graph(files)) {
            match NOT_YET
                .iter()
                .find(|listed| is_left_of(listed, &package, &circle))
            {
                Some(listed) => known.push(listed),
                None => new.push(format!("(\"{package}\", &{circle:?})")),
            }
        }
    }
    none(
        &new,
        "these modules use each other in a circle: move what both need below them, or an `impl` \
         to the module that it uses",
    );
    let gone = NOT_YET.iter().filter(|listed| !known.contains(listed));
    none(
        &gone.map(|listed| format!("{listed:?}")).collect::<Vec<_>>(),
        "well done: take these circles off NOT_YET",
    );
}

fn is_left_of(listed: &(&str, &[&str]), package: &str, circle: &[String]) -> bool {
    let (listed_package, modules) = listed;
    *listed_package == package
        && circle
            .iter()
            .all(|module| modules.contains(&module.as_str()))
}

#[test]
fn a_circle_may_shrink_and_not_grow() {
    let listed: (&str, &[&str]) = ("core", &["a", "b", "c"]);
    let circle = |modules: &[&str]| modules.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert!(is_left_of(&listed, "core", &circle(&["a", "c"])));
    assert!(!is_left_of(&listed, "core", &circle(&["a", "c", "d"])));
    assert!(!is_left_of(&listed, "http", &circle(&["a", "c"])));
}
