//! Short forms of Workers, as most of them are.

use super::workerd::{Service, What};

/// What was built, with variables and no bindings.
pub(super) const fn built<'a>(name: &'a str, variables: &'a [(&'a str, &'a str)]) -> Service<'a> {
    Service {
        name,
        what: What::Built(variables),
    }
}

/// The same with bindings as they stand.
pub(super) const fn bound<'a>(
    name: &'a str,
    variables: &'a [(&'a str, &'a str)],
    bindings: &'a [(&'a str, &'a str)],
) -> Service<'a> {
    let what = What::Bound {
        variables,
        bindings,
    };
    Service { name, what }
}

/// The same with objects of idempotent writes and of tasks.
pub(super) const fn running<'a>(
    name: &'a str,
    variables: &'a [(&'a str, &'a str)],
    objects_of: &'a str,
) -> Service<'a> {
    let what = What::Running {
        variables,
        objects_of,
    };
    Service { name, what }
}

/// A script that asks no other.
pub(super) const fn alone<'a>(name: &'a str, text: &'a str) -> Service<'a> {
    let what = What::Script {
        text,
        service: None,
    };
    Service { name, what }
}
