//! The published form of a derived input schema: what every client can convert. Clients turn schemas
//! into those of their model's API, and one that their API refuses fails all of their requests. What
//! is checked is the schema that the type has: it admits all that is published, and null where an
//! argument is optional.

use serde_json::{Value, json};

use crate::model::JsonObject;

/// The type that is published of a property whose own type is a union: `"string"`, say, for a value
/// that may be written as text.
const PUBLISHED: &str = "x-published-type";

/// Optional means not required: no null. An enum is an enum, also where its values have words of
/// their own.
pub(crate) fn published(schema: &Value) -> Value {
    let mut plain = schema.clone();
    simplify(&mut plain);
    plain
}

fn simplify(schema: &mut Value) {
    let Some(members) = schema.as_object_mut() else {
        return;
    };
    let required = members.get("required").cloned().unwrap_or_default();
    let is_required = |name: &str| {
        let names = required.as_array();
        names.is_some_and(|names| names.iter().any(|known| known == name))
    };
    if let Some(Value::Object(properties)) = members.get_mut("properties") {
        for (name, property) in properties.iter_mut() {
            simplify(property);
            if !is_required(name) {
                without_null(property);
            }
        }
    }
    for key in ["items", "additionalProperties"] {
        if let Some(below) = members.get_mut(key) {
            simplify(below);
        }
    }
    for key in ["anyOf", "oneOf", "allOf", "prefixItems"] {
        if let Some(Value::Array(below)) = members.get_mut(key) {
            below.iter_mut().for_each(simplify);
        }
    }
    if let Some(Value::String(text)) = members.get("const") {
        let only = json!([text]);
        members.remove("const");
        members.insert("enum".to_owned(), only);
    }
    if let Some(kind) = members.remove(PUBLISHED) {
        members.insert("type".to_owned(), kind);
    }
    for union in ["anyOf", "oneOf"] {
        as_enum(members, union);
    }
    // of the alternatives of a type, at most one fits
    if !members.contains_key("anyOf")
        && let Some(alternatives) = members.remove("oneOf")
    {
        members.insert("anyOf".to_owned(), alternatives);
    }
    unwrap_single(members, "allOf");
    unwrap_single(members, "anyOf");
}

/// Alternatives that are texts are one enum; what each means goes into the description.
fn as_enum(members: &mut JsonObject, union: &str) {
    let Some(Value::Array(alternatives)) = members.get(union) else {
        return;
    };
    let mut values = Vec::new();
    let mut lines = String::new();
    for alternative in alternatives {
        let texts = alternative.get("enum").and_then(Value::as_array);
        let Some(texts) = texts.filter(|texts| texts.iter().all(Value::is_string)) else {
            return;
        };
        let means = alternative.get("description").and_then(Value::as_str);
        if let (Some(means), [Value::String(text)]) = (means, texts.as_slice()) {
            lines += &format!("\n- {text}: {means}");
        }
        values.extend_from_slice(texts);
    }
    members.remove(union);
    members.insert("type".to_owned(), json!("string"));
    members.insert("enum".to_owned(), Value::Array(values));
    if !lines.is_empty() {
        let description = members.get("description").and_then(Value::as_str);
        let described = description.unwrap_or_default().to_owned() + &lines;
        let described = described.trim_start().to_owned();
        members.insert("description".to_owned(), Value::String(described));
    }
}

/// A schema of one alternative is that one; what stands beside it goes before.
fn unwrap_single(members: &mut JsonObject, union: &str) {
    let Some(Value::Array(alternatives)) = members.get_mut(union) else {
        return;
    };
    if let [Value::Object(only)] = alternatives.as_mut_slice() {
        let only = std::mem::take(only);
        members.remove(union);
        for (key, value) in only {
            members.entry(key).or_insert(value);
        }
    }
}

fn without_null(property: &mut Value) {
    let Some(members) = property.as_object_mut() else {
        return;
    };
    if members.get("default").is_some_and(Value::is_null) {
        members.remove("default");
    }
    if let Some(Value::Array(kinds)) = members.get_mut("type") {
        kinds.retain(|kind| kind != "null");
        if let [only] = kinds.as_slice() {
            let only = only.clone();
            members.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(values)) = members.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    if let Some(Value::Array(alternatives)) = members.get_mut("anyOf") {
        alternatives.retain(|one| one.get("type").is_none_or(|kind| kind != "null"));
    }
    unwrap_single(members, "anyOf");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn becomes(schema: Value, plain: Value) {
        let object = |property| json!({"type": "object", "properties": {"a": property}});
        assert_eq!(published(&object(schema)), object(plain));
    }

    #[test]
    fn optional_means_not_required() {
        becomes(
            json!({"type": ["string", "null"], "default": null, "maxLength": 9}),
            json!({"type": "string", "maxLength": 9}),
        );
        becomes(
            json!({"type": ["array", "null"], "items": {"type": "string"}}),
            json!({"type": "array", "items": {"type": "string"}}),
        );
        becomes(
            json!({"description": "A", "anyOf": [{"type": "object", "description": "B"}, {"type": "null"}]}),
            json!({"description": "A", "type": "object"}),
        );
        becomes(
            json!({"type": ["string", "null"], "enum": ["x", null]}),
            json!({"type": "string", "enum": ["x"]}),
        );
        // what is required says that it may be null
        let required = json!({
            "type": "object",
            "properties": {"a": {"type": ["string", "null"]}},
            "required": ["a"],
        });
        assert_eq!(published(&required), required);
    }

    #[test]
    fn an_enum_is_an_enum() {
        let described = |text: &str, means: &str| json!({"type": "string", "const": text, "description": means});
        let both = json!([described("open", "Not closed."), described("all", "Both.")]);
        let plain = json!({
            "type": "string",
            "enum": ["open", "all"],
            "description": "Which.\n- open: Not closed.\n- all: Both.",
        });
        becomes(
            json!({"oneOf": both, "description": "Which."}),
            plain.clone(),
        );
        becomes(
            json!({"anyOf": [{"oneOf": both}, {"type": "null"}], "description": "Which."}),
            json!({"type": "string", "enum": ["open", "all"], "description": "Which."}),
        );
        becomes(
            json!({"oneOf": [{"type": "string", "enum": ["a", "b"]}, described("c", "C.")]}),
            json!({"type": "string", "enum": ["a", "b", "c"], "description": "- c: C."}),
        );
        becomes(
            json!({"const": "x", "type": "string"}),
            json!({"type": "string", "enum": ["x"]}),
        );
    }

    #[test]
    fn a_union_is_published_as_its_author_says() {
        becomes(
            json!({"type": ["string", "number", "null"], "x-published-type": "string"}),
            json!({"type": "string"}),
        );
    }
}
