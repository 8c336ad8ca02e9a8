//! What clients are known to refuse of a tool: its name, and shapes of its arguments that their
//! model's API does not take. Such a tool can fail every request of a client, also those that do not
//! use it. Knows no way to mend one.

use serde_json::{Map, Value};

/// Places that are named of one tool.
const MOST: usize = 8;
/// How deep a schema is looked at.
const DEEPEST: usize = 32;

/// Keywords that a converter leaves out or an API refuses.
const UNCONVERTED: [&str; 15] = [
    "oneOf",
    "allOf",
    "not",
    "if",
    "then",
    "else",
    "prefixItems",
    "contains",
    "patternProperties",
    "propertyNames",
    "dependentSchemas",
    "dependentRequired",
    "unevaluatedProperties",
    "unevaluatedItems",
    "$ref",
];

/// Whether every client takes a name: 1 to 64 of `A-Z a-z 0-9 _ -`.
#[must_use]
pub fn is_portable_name(name: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    (1..=64).contains(&name.len()) && name.bytes().all(legal)
}

/// Whether every client takes a property's name: 1 to 64 of `A-Z a-z 0-9 _ . -`.
#[must_use]
pub fn is_portable_key(name: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    (1..=64).contains(&name.len()) && name.bytes().all(legal)
}

/// What clients are known to refuse of a published input schema, in sentences that say where and
/// what to change; at most eight.
#[must_use]
pub fn refused_shapes(schema: &Value) -> Vec<String> {
    let mut found = Found(Vec::new());
    let union = ["anyOf", "oneOf", "allOf", "not", "enum", "if"];
    if let Some(keyword) = union.iter().find(|keyword| schema.get(keyword).is_some()) {
        found.add(
            "",
            &format!(
                "`{keyword}` at the top is refused: take one object, with a property that says \
                      which alternative is meant"
            ),
        );
    }
    if let Some(members) = schema.as_object() {
        found.of_object(members, "", 0);
    }
    found.0
}

struct Found(Vec<String>);

impl Found {
    fn add(&mut self, place: &str, what: &str) {
        if self.0.len() < MOST {
            let place = if place.is_empty() { "/" } else { place };
            self.0.push(format!("{place}: {what}"));
        }
    }

    /// The properties of an object, and what else it may have.
    fn of_object(&mut self, members: &Map<String, Value>, place: &str, depth: usize) {
        let properties = members.get("properties").and_then(Value::as_object);
        for (name, property) in properties.into_iter().flatten() {
            let place = format!("{place}/{}", mcpfn_schema::text::shown(name, 64));
            if !is_portable_key(name) {
                self.add(
                    &place,
                    "a property's name may have 1 to 64 of `A-Z a-z 0-9 _ . -`: rename it",
                );
            }
            self.of_value(property, &place, depth);
        }
        if members
            .get("additionalProperties")
            .is_some_and(Value::is_object)
        {
            self.add(
                place,
                "names of properties that are not known are left out: take a list of objects, each \
                 with its name",
            );
        }
    }

    fn of_value(&mut self, schema: &Value, place: &str, depth: usize) {
        let Some(members) = schema.as_object().filter(|members| {
            ["type", "anyOf", "enum", "oneOf", "$ref"]
                .iter()
                .any(|key| members.contains_key(*key))
        }) else {
            return self.add(place, "any value is no type: give it one, such as a string");
        };
        if depth == DEEPEST {
            return self.add(place, "it is nested too deeply: flatten it");
        }
        for keyword in UNCONVERTED {
            if members.contains_key(keyword) {
                self.add(
                    place,
                    &format!("`{keyword}` is refused: say it in the description"),
                );
            }
        }
        if members.get("default").is_some_and(Value::is_null) {
            self.add(place, "null is no default: leave `default` out");
        }
        if let Some(Value::Array(kinds)) = members.get("type") {
            let what = if kinds.iter().any(|kind| kind == "null") {
                "null beside a type is refused: let the property be optional"
            } else {
                "several types are refused: take one, or publish one with the annotation \
                 `\"x-published-type\" = \"string\"`"
            };
            self.add(place, what);
        }
        let texts = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
        let values = members.get("enum").and_then(Value::as_array);
        if values.is_some_and(|values| !values.iter().all(texts)) || members.contains_key("const") {
            self.add(
                place,
                "an enum has texts only, none of them empty: name its values",
            );
        }
        if members.contains_key("anyOf") && members.contains_key("type") {
            self.add(
                place,
                "a type beside `anyOf` is refused: leave one of them out",
            );
        }
        if let Some(Value::Array(alternatives)) = members.get("anyOf") {
            self.of_alternatives(alternatives, place, depth);
        }
        match members.get("items") {
            Some(items @ Value::Object(_)) => {
                self.of_value(items, &format!("{place}/items"), depth + 1);
            }
            _ if is(members, "array") => {
                self.add(place, "an array needs the type of its items: `items`");
            }
            _ => {}
        }
        self.of_object(members, place, depth + 1);
    }

    fn of_alternatives(&mut self, alternatives: &[Value], place: &str, depth: usize) {
        let kind = |kind: &str| {
            let mut kinds = alternatives.iter().filter_map(|one| one.get("type"));
            kinds.any(|known| known == kind)
        };
        if kind("array") || kind("null") {
            self.add(
                place,
                "a union with an array or null in it is refused: take two properties, one for each",
            );
        }
        for alternative in alternatives {
            self.of_value(alternative, place, depth + 1);
        }
    }
}

fn is(members: &Map<String, Value>, kind: &str) -> bool {
    members.get("type").is_some_and(|known| known == kind)
}

#[cfg(test)]
#[expect(
    clippy::needless_pass_by_value,
    reason = "`json!({..})` reads better as an argument than a reference to it"
)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn names(property: Value, said: &str) {
        let found = refused_shapes(&json!({"type": "object", "properties": {"a": property}}));
        assert!(
            found.len() == 1 && found[0].starts_with("/a") && found[0].contains(said),
            "{found:?}"
        );
    }

    #[test]
    fn each_shape_that_clients_refuse_is_named_with_its_change() {
        names(json!({"type": ["string", "null"]}), "optional");
        names(
            json!({"type": ["string", "array"], "items": {"type": "string"}}),
            "take one",
        );
        names(
            json!({"type": "string", "default": null}),
            "leave `default` out",
        );
        names(json!({"type": "array"}), "`items`");
        names(json!({"type": "array", "items": true}), "`items`");
        names(json!({"type": "array", "items": {}}), "give it one");
        names(json!({"description": "Anything."}), "give it one");
        names(json!(true), "give it one");
        names(json!({"type": "integer", "enum": [1, 2]}), "texts only");
        names(json!({"type": "string", "enum": [""]}), "texts only");
        names(json!({"$ref": "#/$defs/x"}), "`$ref`");
        names(json!({"type": "string", "not": {"enum": ["a"]}}), "`not`");
        names(
            json!({"type": "object", "additionalProperties": {"type": "string"}}),
            "list of objects",
        );
        names(
            json!({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
            "two properties",
        );
        names(
            json!({"type": "object", "properties": {"b c": {"type": "string"}}}),
            "rename",
        );
        for top in ["anyOf", "oneOf", "allOf"] {
            let found = refused_shapes(&json!({"type": "object", top: [{"properties": {}}]}));
            assert!(found[0].contains("at the top"), "{found:?}");
        }
    }

    #[test]
    fn plain_shapes_are_not_named() {
        let plain = json!({"type": "object", "properties": {
            "query": {"type": "string", "minLength": 1, "format": "date"},
            "state": {"type": "string", "enum": ["open", "all"], "default": "open"},
            "list": {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer"}}}},
            "either": {"anyOf": [{"type": "object", "properties": {}}, {"type": "string"}]},
        }, "required": ["query"], "additionalProperties": false});
        assert_eq!(refused_shapes(&plain), Vec::<String>::new());
        assert!(is_portable_name("a_B-9") && !is_portable_name("a.b") && !is_portable_name(""));
        assert!(!is_portable_name(&"x".repeat(65)) && is_portable_key("a.b-c_d"));
    }
}
