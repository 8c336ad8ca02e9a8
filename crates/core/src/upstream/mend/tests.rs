//! Whatever an upstream lists, what is passed on has the form of the protocol, as the TypeScript SDK
//! reads it, and none of the shapes that clients refuse.

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::model::list_kind::ListKind;
use crate::upstream::entry;

/// An entry as it is listed, and what was changed.
fn listed(kind: ListKind, entry: Value) -> Result<(Value, Option<String>), String> {
    let read = entry::read(kind, "bad", entry)?;
    let json = serde_json::from_slice(&read.json).unwrap();
    Ok((json, read.changes))
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "`json!({..})` reads better as an argument than a reference to it"
)]
fn tool(schema: Value) -> Value {
    let tool = json!({"name": "x", "description": "Does it.", "inputSchema": schema});
    listed(ListKind::Tools, tool).unwrap().0["inputSchema"].clone()
}

/// What the client's own reading asks of a member, if it is there.
fn is_or_absent(object: &Value, key: &str, fits: impl Fn(&Value) -> bool) -> bool {
    object.get(key).is_none_or(fits)
}

fn texts(object: &Value, keys: &[&str]) -> bool {
    keys.iter()
        .all(|key| is_or_absent(object, key, Value::is_string))
}

fn icons(entry: &Value) -> bool {
    is_or_absent(entry, "icons", |icons| {
        let theme = |theme: &Value| theme == "light" || theme == "dark";
        icons.as_array().is_some_and(|icons| {
            icons.iter().all(|icon| {
                icon["src"].is_string()
                    && texts(icon, &["mimeType"])
                    && is_or_absent(icon, "theme", theme)
            })
        })
    })
}

fn annotations(entry: &Value) -> bool {
    is_or_absent(entry, "annotations", |annotations| {
        let role = |role: &Value| role == "user" || role == "assistant";
        annotations.is_object()
            && HINTS
                .iter()
                .all(|hint| is_or_absent(annotations, hint, Value::is_boolean))
            && is_or_absent(annotations, "audience", |audience| {
                audience
                    .as_array()
                    .is_some_and(|roles| roles.iter().all(role))
            })
            && is_or_absent(annotations, "priority", |priority| {
                priority
                    .as_f64()
                    .is_some_and(|priority| (0.0..=1.0).contains(&priority))
            })
            && is_or_absent(annotations, "lastModified", is_time)
    })
}

/// A schema of a tool: an object whose properties are objects, and whose required are texts.
fn schema(schema: &Value) -> bool {
    let named = |properties: &Value| {
        properties
            .as_object()
            .is_some_and(|named| named.values().all(Value::is_object))
    };
    let names = |names: &Value| {
        names
            .as_array()
            .is_some_and(|names| names.iter().all(Value::is_string))
    };
    schema["type"] == "object"
        && is_or_absent(schema, "properties", named)
        && is_or_absent(schema, "required", names)
}

fn fits(kind: ListKind, entry: &Value) -> bool {
    let common = texts(
        entry,
        &[
            "name",
            "title",
            "description",
            "mimeType",
            "uri",
            "uriTemplate",
        ],
    ) && entry["name"].is_string()
        && icons(entry)
        && annotations(entry);
    common
        && match kind {
            ListKind::Tools => {
                let refused = portable::refused_shapes(&entry["inputSchema"]);
                schema(&entry["inputSchema"])
                    && is_or_absent(entry, "outputSchema", Value::is_object)
                    && portable::is_portable_name(entry["name"].as_str().unwrap())
                    && !refused
                        .iter()
                        .any(|one| one.contains("at the top") || one.contains("property's name"))
            }
            ListKind::Prompts => is_or_absent(entry, "arguments", |arguments| {
                arguments.as_array().is_some_and(|arguments| {
                    arguments.iter().all(|argument| {
                        argument["name"].is_string()
                            && texts(argument, &["title", "description"])
                            && is_or_absent(argument, "required", Value::is_boolean)
                    })
                })
            }),
            ListKind::Resources => {
                entry["uri"].is_string() && is_or_absent(entry, "size", Value::is_u64)
            }
            ListKind::Templates => entry["uriTemplate"].is_string(),
        }
}

fn good(kind: ListKind) -> Value {
    let icons = json!([{"src": "https://cdn.example.com/i.png", "mimeType": "image/png",
        "sizes": ["48x48"], "theme": "dark"}]);
    let annotations = json!({"audience": ["user"], "priority": 0.5,
        "lastModified": "2026-01-12T15:00:58Z"});
    match kind {
        ListKind::Tools => {
            json!({"name": "a.b", "title": "A", "description": "Does it.", "icons": icons,
            "inputSchema": {"type": "object", "$defs": {"d": {"type": "string"}},
                "properties": {"a": {"type": "array", "items": {"type": "object",
                    "properties": {"c": {"type": "string", "enum": ["x"], "default": "x"}},
                    "required": ["c"]}}, "b": {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/d"}]}},
                "required": ["a"], "additionalProperties": false,
                "oneOf": [{"properties": {"e": {"type": "integer", "minimum": 1}}}, {"required": ["b"]}]},
            "outputSchema": {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object",
                "properties": {"a": {"type": "string"}}, "required": ["a"]},
            "annotations": {"title": "A", "readOnlyHint": true, "openWorldHint": false}})
        }
        ListKind::Prompts => json!({"name": "p", "description": "A prompt.", "icons": icons,
            "arguments": [{"name": "a", "title": "A", "description": "One.", "required": true}]}),
        ListKind::Resources => json!({"uri": "file:///a", "name": "a", "title": "A", "size": 7,
            "mimeType": "text/plain", "icons": icons, "annotations": annotations}),
        ListKind::Templates => json!({"uriTemplate": "file:///{a}", "name": "a", "title": "A",
            "mimeType": "text/plain", "icons": icons, "annotations": annotations}),
    }
}

/// Every place in a value, as pointers.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(position, item)| (position.to_string(), item))
            .collect(),
        _ => Vec::new(),
    };
    for (key, value) in inner {
        let place = format!("{at}/{key}");
        places(value, &place, found);
        found.push(place);
    }
}

fn damage() -> impl Strategy<Value = Value> {
    proptest::sample::select(vec![
        json!(null),
        json!(7),
        json!(-1.5),
        json!(true),
        json!(false),
        json!(""),
        json!("text"),
        json!([]),
        json!([null, 7]),
        json!({}),
        json!({"a b": {"type": "string"}}),
        json!({"type": ["string", "null"], "default": null}),
        json!([{"type": "string"}, {"type": "array", "items": [{"type": "string"}]}]),
    ])
}

const KINDS: [ListKind; 4] = [
    ListKind::Tools,
    ListKind::Prompts,
    ListKind::Resources,
    ListKind::Templates,
];

#[test]
fn what_is_good_stays_as_it_is() {
    for kind in KINDS {
        let (entry, changes) = listed(kind, good(kind)).unwrap();
        assert!(fits(kind, &entry), "{entry}");
        assert_eq!(changes.is_some(), kind == ListKind::Tools, "{changes:?}");
    }
    let plain = json!({"name": "find", "description": "Finds.", "inputSchema": {"type": "object",
        "properties": {"q": {"type": "string", "minLength": 1}}, "required": ["q"]}});
    let (entry, changes) = listed(ListKind::Tools, plain.clone()).unwrap();
    assert_eq!(
        (&entry["inputSchema"], changes),
        (&plain["inputSchema"], None)
    );
}

proptest! {
    #[test]
    fn whatever_is_listed_has_the_form_of_the_protocol(
        kind in 0..4_usize,
        damages in prop::collection::vec((any::<Index>(), damage()), 1..4),
    ) {
        let kind = KINDS[kind];
        let mut entry = good(kind);
        for (at, damage) in damages {
            let mut found = Vec::new();
            places(&entry, "", &mut found);
            if let Some(place) = entry.pointer_mut(at.get(found.as_slice()).as_str()) {
                *place = damage;
            }
        }
        if let Ok((listed, _)) = listed(kind, entry.clone()) {
            prop_assert!(fits(kind, &listed), "{entry}\nbecame\n{listed}");
        }
    }
}

#[test]
fn one_null_takes_nothing_else() {
    for kind in KINDS {
        let mut found = Vec::new();
        places(&good(kind), "", &mut found);
        for place in found {
            // what an entry is known by
            let needed = [
                "/name",
                "/uri",
                "/uriTemplate",
                "/inputSchema",
                "/inputSchema/$defs",
            ]
            .contains(&place.as_str());
            let mut entry = good(kind);
            *entry.pointer_mut(&place).unwrap() = Value::Null;
            let listed = listed(kind, entry);
            assert_eq!(listed.is_err(), needed, "{kind:?} {place}: {listed:?}");
            if let Ok((entry, _)) = listed {
                assert!(fits(kind, &entry), "{place}: {entry}");
            }
        }
    }
}

#[test]
fn an_object_is_at_the_top() {
    let merged = tool(
        json!({"$defs": {"b": {"properties": {"b": {"type": "integer"}}}},
        "properties": {"kind": {"type": "string"}}, "required": ["kind"], "additionalProperties": false,
        "anyOf": [{"properties": {"a": {"type": "string"}}, "required": ["a"]}, {"$ref": "#/$defs/b"}]}),
    );
    assert_eq!(merged["type"], "object");
    assert_eq!(merged["required"], json!(["kind"]));
    assert_eq!(
        merged["properties"],
        json!({"kind": {"type": "string"}, "a": {"type": "string"}, "b": {"type": "integer"}})
    );
    let all =
        tool(json!({"allOf": [{"properties": {"a": {"type": "string"}}, "required": ["a"]}]}));
    assert_eq!(all["required"], json!(["a"]));
}

#[test]
fn names_that_clients_refuse_are_others_or_left_out() {
    let property = |name: &str, required: bool| {
        let schema = json!({"type": "object", "properties": {name: {"type": "string"}, "b": {"type": "string"}},
            "required": if required { json!([name]) } else { json!([]) }});
        listed(ListKind::Tools, json!({"name": "x", "inputSchema": schema}))
    };
    for name in ["a b", "a/b", "größe", "", &"x".repeat(65)] {
        let (entry, changes) = property(name, false).unwrap();
        assert_eq!(
            entry["inputSchema"]["properties"],
            json!({"b": {"type": "string"}})
        );
        assert!(changes.unwrap().contains("without its property"));
        assert!(property(name, true).unwrap_err().contains("clients refuse"));
    }
    let mut names = std::collections::BTreeSet::new();
    for name in [
        "a.b",
        "a_b",
        "a.c",
        &"y".repeat(64),
        &format!("{}z", "y".repeat(63)),
        &"v1.".repeat(40),
    ] {
        let read = entry::read(
            ListKind::Tools,
            "bad",
            json!({"name": name, "inputSchema": {}}),
        )
        .unwrap();
        assert!(portable::is_portable_name(&read.name), "{}", read.name);
        assert_eq!(read.original.is_some(), name != "a_b");
        assert!(names.insert(read.name));
    }
}

#[test]
fn older_drafts_are_said_in_newer_words() {
    let schema = tool(
        json!({"$schema": "http://json-schema.org/draft-04/schema#", "type": "object",
        "properties": {"n": {"type": "number", "minimum": 1, "exclusiveMinimum": true},
            "t": {"type": "array", "items": [{"type": "string"}], "additionalItems": false}},
        "required": null}),
    );
    assert_eq!(
        schema["properties"]["n"],
        json!({"type": "number", "exclusiveMinimum": 1})
    );
    assert_eq!(
        schema["properties"]["t"]["prefixItems"],
        json!([{"type": "string"}])
    );
    assert!(schema.get("$schema").is_none() && schema.get("required").is_none());
}
