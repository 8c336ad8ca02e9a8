//! A stranger's JSON Schema in the form of 2020-12: keywords of the wrong shape are left out, those
//! of older drafts are said in newer words. Not a validator: a schema that it has mended admits what
//! the upstream meant, or more.

use serde_json::{Value, json};

use super::changes::Changes;
use super::references;
use crate::model::JsonObject;

/// Keywords whose value is a schema.
const SCHEMAS: [&str; 11] = [
    "items",
    "additionalProperties",
    "contains",
    "not",
    "if",
    "then",
    "else",
    "propertyNames",
    "additionalItems",
    "unevaluatedItems",
    "unevaluatedProperties",
];
/// Those whose value is a list of schemas.
const LISTS: [&str; 4] = ["anyOf", "oneOf", "allOf", "prefixItems"];
/// Those whose value is schemas by names of their own.
const MAPS: [&str; 5] = [
    "properties",
    "patternProperties",
    "dependentSchemas",
    "$defs",
    "definitions",
];
type Fits = fn(&Value) -> bool;

const TYPES: [&str; 7] = [
    "string", "number", "integer", "boolean", "array", "object", "null",
];

/// Mends a schema at any depth. Its depth is bounded by whoever read it.
pub(super) fn mend(schema: &mut Value, changes: &mut Changes) {
    if let Some(members) = schema.as_object_mut() {
        // a client whose validator knows another draft refuses all of the list for this word; a
        // dialect of nobody's is refused later
        let known = |dialect: &Value| dialect.as_str().is_none_or(references::is_known);
        if members.get("$schema").is_some_and(known) {
            members.remove("$schema");
        }
    }
    below(schema, changes);
}

fn below(schema: &mut Value, changes: &mut Changes) {
    let Some(members) = schema.as_object_mut() else {
        return;
    };
    nulls(members, changes);
    older_words(members, changes);
    shapes(members, changes);
    for key in MAPS {
        if let Some(Value::Object(named)) = members.get_mut(key) {
            named.values_mut().for_each(|one| as_object(one, changes));
        }
    }
    for key in LISTS {
        if let Some(Value::Array(list)) = members.get_mut(key) {
            list.iter_mut().for_each(|one| as_object(one, changes));
        }
    }
    for key in SCHEMAS {
        match members.get_mut(key) {
            // these two may be a boolean for every client
            Some(Value::Bool(_)) if key.starts_with("additional") => {}
            Some(one) => as_object(one, changes),
            None => {}
        }
    }
}

/// A schema that is an object: clients take no other where a schema stands.
fn as_object(schema: &mut Value, changes: &mut Changes) {
    if !schema.is_object() {
        *schema = match schema {
            Value::Bool(false) => json!({"not": {}}),
            _ => json!({}),
        };
        changes.add("schemas that are no objects as such that admit anything");
    }
    below(schema, changes);
}

/// Null stands for what is not said.
fn nulls(members: &mut JsonObject, changes: &mut Changes) {
    let may_be_null = match members.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "null"),
        Some(kind) => kind == "null",
        None => true,
    };
    let names: Vec<String> = members
        .iter()
        .filter(|(key, value)| {
            value.is_null() && *key != "const" && !(*key == "default" && may_be_null)
        })
        .map(|(key, _)| key.clone())
        .collect();
    for name in names {
        members.remove(&name);
        changes.add(format!("without `{name}: null`"));
    }
}

/// What draft 4 and draft 7 said otherwise.
fn older_words(members: &mut JsonObject, changes: &mut Changes) {
    for (exclusive, bound) in [
        ("exclusiveMinimum", "minimum"),
        ("exclusiveMaximum", "maximum"),
    ] {
        if let Some(Value::Bool(is)) = members.get(exclusive) {
            let limit = if *is { members.remove(bound) } else { None };
            match limit {
                Some(limit) => members.insert(exclusive.to_owned(), limit),
                None => members.remove(exclusive),
            };
            changes.add(format!("`{exclusive}` as a number"));
        }
    }
    if members.get("items").is_some_and(Value::is_array) {
        let places = members.remove("items").unwrap_or_default();
        members.insert("prefixItems".to_owned(), places);
        if let Some(rest) = members.remove("additionalItems") {
            members.insert("items".to_owned(), rest);
        }
        changes.add("`items` as `prefixItems`");
    }
}

/// Keywords of another shape than theirs are left out.
fn shapes(members: &mut JsonObject, changes: &mut Changes) {
    if let Some(Value::Array(kinds)) = members.get_mut("type") {
        kinds.retain(is_type);
        if let [only] = kinds.as_slice() {
            let only = only.clone();
            members.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(names)) = members.get_mut("required") {
        let before = names.len();
        names.retain(Value::is_string);
        if names.len() < before {
            changes.add("without what is no name in `required`");
        }
    }
    let text = [
        "title",
        "description",
        "format",
        "pattern",
        "$anchor",
        "$comment",
    ];
    // a language without maps writes an empty one as a list
    let map: Fits = Value::is_object;
    let list: Fits = |value| value.as_array().is_some_and(|list| !list.is_empty());
    let schema: Fits = |value| value.is_object() || value.is_boolean();
    let kind: Fits =
        |value| is_type(value) || value.as_array().is_some_and(|list| !list.is_empty());
    let mut remove = |key: &str, fits: Fits| {
        if members.get(key).is_some_and(|value| !fits(value)) {
            members.remove(key);
            changes.add(format!("without `{key}` of another form"));
        }
    };
    text.iter().for_each(|key| remove(key, Value::is_string));
    MAPS.iter().for_each(|key| remove(key, map));
    LISTS.iter().for_each(|key| remove(key, list));
    SCHEMAS.iter().for_each(|key| remove(key, schema));
    remove("required", Value::is_array);
    remove("enum", list);
    remove("type", kind);
}

fn is_type(kind: &Value) -> bool {
    kind.as_str().is_some_and(|kind| TYPES.contains(&kind))
}
