//! Names that a schema gives to its parts (`$anchor`), and the fragments of references that lead to
//! them. Nothing outside the document is found: nothing is fetched.

use std::collections::HashMap;

use serde_json::Value;

use crate::error::CompileError;
use crate::path::escaped;

/// As deep as serde_json reads.
const MAX_NESTING: usize = 128;

/// Keywords by where their subschemas are.
const ONE: [&str; 10] = [
    "additionalProperties",
    "contains",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];
const LIST: [&str; 4] = ["allOf", "anyOf", "oneOf", "prefixItems"];
const MAP: [&str; 4] = [
    "$defs",
    "dependentSchemas",
    "patternProperties",
    "properties",
];

/// Adds every anchor in a schema and the JSON pointer of the schema that it names.
pub(super) fn find<'s>(
    schema: &'s Value,
    at: &str,
    depth: usize,
    anchors: &mut HashMap<&'s str, String>,
) -> Result<(), CompileError> {
    if depth > MAX_NESTING {
        return Err(CompileError::new(at, "the schema is nested too deeply"));
    }
    for keyword in ["$anchor", "$dynamicAnchor"] {
        let Some(anchor) = schema.get(keyword) else {
            continue;
        };
        let name = anchor
            .as_str()
            .ok_or_else(|| CompileError::new(format!("{at}/{keyword}"), "must be a string"))?;
        if anchors.insert(name, at.to_owned()).is_some() {
            return Err(CompileError::new(
                format!("{at}/{keyword}"),
                format!("`{name}` is the name of two schemas"),
            ));
        }
    }
    let Some(members) = schema.as_object() else {
        return Ok(());
    };
    for (keyword, value) in members {
        let at = format!("{at}/{}", escaped(keyword));
        match (keyword.as_str(), value) {
            (keyword, value) if ONE.contains(&keyword) => find(value, &at, depth + 1, anchors)?,
            (keyword, Value::Array(list)) if LIST.contains(&keyword) => {
                for (position, value) in list.iter().enumerate() {
                    find(value, &format!("{at}/{position}"), depth + 2, anchors)?;
                }
            }
            (keyword, Value::Object(map)) if MAP.contains(&keyword) => {
                for (name, value) in map {
                    find(
                        value,
                        &format!("{at}/{}", escaped(name)),
                        depth + 2,
                        anchors,
                    )?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// `%7E` and the like in the fragment of a URI.
pub(super) fn percent_decoded(fragment: &str) -> String {
    let mut bytes = Vec::with_capacity(fragment.len());
    let mut rest = fragment.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = tail
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        match hex
            .and_then(|hex| u8::from_str_radix(hex, 16).ok())
            .filter(|_| *first == b'%')
        {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
