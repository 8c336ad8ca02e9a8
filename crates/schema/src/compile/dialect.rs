//! Refuses schemas of other dialects, by what they say of themselves and by keywords that 2020-12
//! does not have. Knows nothing of what a keyword means.

use serde_json::{Map, Value};

use crate::error::CompileError;

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Keywords of other drafts whose meaning 2020-12 gives to other words: a silent one would be a
/// hole.
const GONE: [(&str, &str); 4] = [
    ("$dynamicRef", "is not supported: use `$ref`"),
    ("$recursiveRef", "is not in 2020-12: use `$ref`"),
    (
        "dependencies",
        "is not in 2020-12: use `dependentRequired` or `dependentSchemas`",
    ),
    (
        "additionalItems",
        "is not in 2020-12: use `prefixItems` and `items`",
    ),
];

pub(super) fn check(members: &Map<String, Value>, at: &str) -> Result<(), CompileError> {
    if let Some(dialect) = members.get("$schema")
        && dialect
            .as_str()
            .is_none_or(|dialect| dialect.trim_end_matches('#') != DIALECT)
    {
        return Err(CompileError::new(
            format!("{at}/$schema"),
            format!("only the dialect `{DIALECT}` is supported, which is also the default"),
        ));
    }
    if members.contains_key("$id") && !at.is_empty() {
        return Err(CompileError::new(
            format!("{at}/$id"),
            "only the root may have one, since references are resolved inside one schema",
        ));
    }
    match GONE
        .iter()
        .find(|(keyword, _)| members.contains_key(*keyword))
    {
        Some((keyword, advice)) => Err(CompileError::new(format!("{at}/{keyword}"), *advice)),
        None => Ok(()),
    }
}
