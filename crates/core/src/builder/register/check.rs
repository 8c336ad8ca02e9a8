//! Checks that tools, prompts and resources share. Each adds its mistakes and goes on, so that an
//! author sees all of them at once.

use std::collections::HashSet;

use crate::model::name::is_name;
use crate::scope;

pub(super) const NO_HANDLER: &str = "it has no handler: add `.handler(..)`";

/// A name stands for one thing.
pub(crate) fn unique<'a>(
    kind: &str,
    names: impl Iterator<Item = &'a String>,
    mistakes: &mut Vec<String>,
) {
    let mut seen = HashSet::new();
    for name in names {
        if !seen.insert(name) {
            mistakes.push(format!("{kind} `{name}` is registered twice"));
        }
    }
}

/// Adds mistakes under the name of the thing that they are about.
pub(crate) fn report(kind: &str, name: &str, found: &[String], mistakes: &mut Vec<String>) {
    mistakes.extend(
        found
            .iter()
            .map(|found| format!("{kind} `{name}`: {found}")),
    );
}

pub(crate) fn check_name(name: &str, found: &mut Vec<String>) {
    // what the specification recommends for tools since 2025-11-25
    if !is_name(name) {
        found.push("a name has 1 to 128 of the characters A-Z a-z 0-9 _ - .".to_owned());
    }
}

pub(crate) fn check_scopes(scopes: &[String], found: &mut Vec<String>) {
    found.extend(
        scopes
            .iter()
            .filter_map(|scope| scope::mistake(scope))
            .map(str::to_owned),
    );
}

pub(crate) fn check_description(description: Option<&String>, found: &mut Vec<String>) {
    if description.is_none_or(|description| description.trim().is_empty()) {
        found.push(
            "it has no description: add a doc comment or `.description(..)`, a model chooses by it"
                .to_owned(),
        );
    }
}
