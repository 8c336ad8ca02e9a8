//! Our schema validator gives the verdicts that the `jsonschema` crate gives: over a table with
//! every keyword, and over random schemas and values of one small vocabulary. Not about words;
//! these are tested beside the code.

use std::panic::AssertUnwindSafe;

use mcpfn_schema::Schema;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Both verdicts, which must be equal.
#[track_caller]
fn verdict(schema: &Value, value: &Value) -> bool {
    let ours = Schema::compile(schema).unwrap_or_else(|error| panic!("{error}\n{schema}"));
    let theirs =
        jsonschema::draft202012::new(schema).unwrap_or_else(|error| panic!("{error}\n{schema}"));
    let refusal = ours
        .check(value)
        .err()
        .map(|violations| violations.to_string());
    let ours = ours.accepts(value);
    // no refusal without a reason
    let reasoned = refusal
        .as_ref()
        .is_some_and(|refusal| refusal.starts_with("- /") && !refusal.contains("too large"));
    assert_eq!(
        (ours, reasoned),
        (refusal.is_none(), refusal.is_some()),
        "{refusal:?}\nschema {schema}\nvalue {value}"
    );
    // 0.60.2 panics ("pending schema target dropped") on some recursive schemas with
    // `unevaluatedProperties`
    let theirs =
        std::panic::catch_unwind(AssertUnwindSafe(|| theirs.is_valid(value))).unwrap_or(ours);
    assert_eq!(
        ours, theirs,
        "ours {ours}, theirs {theirs}\nschema {schema}\nvalue {value}"
    );
    ours
}

/// A schema as JSON, then values that fit and values that don't, each list as a JSON array.
type Case = (&'static str, &'static str, &'static str);

#[track_caller]
fn check(cases: &[Case]) {
    for (schema, fitting, other) in cases {
        let parse = |text: &str| {
            serde_json::from_str::<Value>(text).unwrap_or_else(|error| panic!("{error}: {text}"))
        };
        let schema = parse(schema);
        for (values, expected) in [(parse(fitting), true), (parse(other), false)] {
            for value in values.as_array().expect("a list of values") {
                assert_eq!(
                    verdict(&schema, value),
                    expected,
                    "schema {schema}\nvalue {value}"
                );
            }
        }
    }
}

#[test]
fn types_and_values() {
    check(&[
        ("true", r#"[1, null, {}]"#, "[]"),
        ("false", "[]", r#"[1, null, {}]"#),
        (
            r#"{"title": "a", "x-mcp-header": "B"}"#,
            r#"[1, "a"]"#,
            "[]",
        ),
        (
            r#"{"type": "integer"}"#,
            "[1, -1, 1.0, 1e3, 18446744073709551615]",
            r#"[1.5, "1", null, true]"#,
        ),
        (r#"{"type": "number"}"#, "[1, 1.5, 1e300]", r#"["1", []]"#),
        (
            r#"{"type": ["string", "null"]}"#,
            r#"["a", null]"#,
            "[0, false, {}, []]",
        ),
        (r#"{"type": "boolean"}"#, "[true, false]", r#"[0, "true"]"#),
        (r#"{"type": "array"}"#, "[[], [1]]", "[{}, null]"),
        (r#"{"type": "object"}"#, "[{}]", "[[], null]"),
        (r#"{"const": 1}"#, "[1, 1.0]", r#"[true, "1", 2]"#),
        (
            r#"{"const": {"a": [0.0, "x"]}}"#,
            r#"[{"a": [0, "x"]}]"#,
            r#"[{"a": [false, "x"]}, {"a": ["x", 0]}, {"a": [0, "x"], "b": 1}]"#,
        ),
        (
            r#"{"enum": [0, "a", null, [1], {"b": 2}]}"#,
            r#"[0, 0.0, "a", null, [1.0], {"b": 2}]"#,
            r#"[false, "A", [], {}, [1, 1]]"#,
        ),
        (
            r#"{"enum": [9007199254740993]}"#,
            "[9007199254740993]",
            "[9007199254740992, 9007199254740994]",
        ),
    ]);
}

#[test]
fn numbers() {
    check(&[
        (r#"{"minimum": 1}"#, r#"[1, 1.0, 1.1, "0"]"#, "[0, 0.9, -1]"),
        (r#"{"maximum": 1}"#, r#"[1, 0.9, -5, "9"]"#, "[2, 1.000001]"),
        (
            r#"{"exclusiveMinimum": 1, "exclusiveMaximum": 2}"#,
            "[1.5, 1.0000001]",
            "[1, 2, 1.0, 2.0]",
        ),
        (
            r#"{"minimum": -2, "exclusiveMinimum": -2}"#,
            "[-1.9]",
            "[-2, -2.0]",
        ),
        (r#"{"maximum": 5, "exclusiveMaximum": 9}"#, "[5]", "[6, 9]"),
        (
            r#"{"maximum": 18446744073709551614}"#,
            "[18446744073709551614, 0]",
            "[18446744073709551615]",
        ),
        (
            r#"{"minimum": -9223372036854775807}"#,
            "[-9223372036854775807]",
            "[-9223372036854775808]",
        ),
        (
            r#"{"minimum": 9007199254740993}"#,
            "[9007199254740993, 9007199254740994.0]",
            "[9007199254740992, 9007199254740992.0]",
        ),
        (
            r#"{"exclusiveMaximum": 1e300}"#,
            "[1e299, 5]",
            "[1e300, 1e301]",
        ),
        (
            r#"{"multipleOf": 2}"#,
            r#"[0, 4, -6, 4.0, "3"]"#,
            "[1, 3.0, 2.5]",
        ),
        (
            r#"{"multipleOf": 0.1}"#,
            "[0, 0.3, 1.1, -0.7, 5, 1e3]",
            "[0.35, 0.01]",
        ),
        (
            r#"{"multipleOf": 0.01}"#,
            "[4.35, 0.07, 19.99, 0]",
            "[4.351, 0.075]",
        ),
        (r#"{"multipleOf": 1.5}"#, "[0, 3, 4.5]", "[1, 35]"),
        (
            r#"{"multipleOf": 1e-8}"#,
            "[12391239123, 0.00000001]",
            "[0.000000001]",
        ),
        (r#"{"multipleOf": 0.5}"#, "[1e308, 0.5]", "[0.25]"),
    ]);
}

#[test]
fn strings() {
    check(&[
        (
            r#"{"minLength": 2}"#,
            r#"["ab", "äö", 1]"#,
            r#"["a", "", "𝄞"]"#,
        ),
        (
            r#"{"maxLength": 2}"#,
            r#"["ab", "", "𝄞𝄞", []]"#,
            r#"["abc", "äöü"]"#,
        ),
        (
            r#"{"minLength": 2.0, "maxLength": 3.0}"#,
            r#"["ab", "abc"]"#,
            r#"["a", "abcd"]"#,
        ),
        (
            r#"{"pattern": "^a*$"}"#,
            r#"["", "aaa", 5]"#,
            r#"["b", "ab", "a\n"]"#,
        ),
        (r#"{"pattern": "a+"}"#, r#"["xxaayy"]"#, r#"["xyz"]"#),
        (
            r#"{"pattern": "^\\d{3}-\\w+$"}"#,
            r#"["123-ab_9"]"#,
            r#"["12-a", "123-é", "١٢٣-a"]"#,
        ),
        (
            r#"{"pattern": "^\\s$"}"#,
            r#"[" ", "\t", "\u00a0", "\u2029", "\ufeff"]"#,
            r#"["a", "\u200b"]"#,
        ),
        (
            r#"{"pattern": "^\\S+$"}"#,
            r#"["ab"]"#,
            r#"["a b", "\u00a0", ""]"#,
        ),
        (
            r#"{"pattern": "^[\\s\\S]{2}$"}"#,
            r#"["a\n", "\u00a0b"]"#,
            r#"["a"]"#,
        ),
        (
            r#"{"pattern": "^(?:[a-z0-9]+\\.)*[a-z]{2,}$"}"#,
            r#"["a.example.com", "com"]"#,
            r#"["com.", "a..com"]"#,
        ),
        (r#"{"pattern": "^\\/a\\-b$"}"#, r#"["/a-b"]"#, r#"["a-b"]"#),
        (
            r#"{"pattern": "^\\u0041\\x42\\cC$"}"#,
            r#"["AB\u0003"]"#,
            r#"["ABC"]"#,
        ),
        (r#"{"format": "email"}"#, r#"["not one", "a@b.c", 1]"#, "[]"),
    ]);
}

#[test]
fn arrays() {
    check(&[
        (
            r#"{"minItems": 1, "maxItems": 2}"#,
            r#"[[1], [1, 2], "abc", {}]"#,
            "[[], [1, 2, 3]]",
        ),
        (
            r#"{"items": {"type": "integer"}}"#,
            r#"[[], [1, 2.0], {"a": "b"}]"#,
            r#"[["a"], [1, null]]"#,
        ),
        (r#"{"items": false}"#, "[[], 1]", "[[1]]"),
        (
            r#"{"prefixItems": [{"type": "integer"}, {"type": "string"}]}"#,
            r#"[[], [1], [1, "a"], [1, "a", null]]"#,
            r#"[["a"], [1, 2]]"#,
        ),
        (
            r#"{"prefixItems": [true], "items": {"type": "null"}}"#,
            "[[], [1], [1, null]]",
            "[[1, 1]]",
        ),
        (
            r#"{"prefixItems": [true], "items": false}"#,
            "[[], [1]]",
            "[[1, 1]]",
        ),
        (
            r#"{"contains": {"const": 5}}"#,
            "[[5], [1, 5.0], {}]",
            "[[], [1]]",
        ),
        (
            r#"{"contains": {"const": 5}, "minContains": 0}"#,
            "[[], [1]]",
            "[]",
        ),
        (
            r#"{"contains": {"const": 5}, "minContains": 2, "maxContains": 3}"#,
            "[[5, 5], [5, 1, 5, 5]]",
            "[[5], [5, 5, 5, 5]]",
        ),
        (r#"{"minContains": 2, "maxContains": 0}"#, "[[], [1]]", "[]"),
        (
            r#"{"uniqueItems": true}"#,
            r#"[[], [1, 2], [1, true, "1"], [{"a": 1}, {"a": 2}], [[1], [2]]]"#,
            r#"[[1, 1.0], ["a", 1, "a"], [{"a": 1, "b": 2}, {"b": 2, "a": 1}], [null, null]]"#,
        ),
        (r#"{"uniqueItems": false}"#, "[[1, 1]]", "[]"),
        (
            r#"{"prefixItems": [true], "unevaluatedItems": false}"#,
            "[[], [1]]",
            "[[1, 2]]",
        ),
        (
            r#"{"items": true, "unevaluatedItems": false}"#,
            "[[1, 2]]",
            "[]",
        ),
        (
            r#"{"contains": {"type": "string"}, "unevaluatedItems": {"type": "integer"}}"#,
            r#"[["a"], ["a", 1]]"#,
            r#"[["a", null], [1]]"#,
        ),
        (
            r#"{"anyOf": [{"prefixItems": [{"const": 1}]}, {"prefixItems": [true, {"const": 2}]}], "unevaluatedItems": false}"#,
            "[[1], [5, 2], [1, 2], []]",
            "[[5, 3], [1, 2, 3]]",
        ),
    ]);
}

#[test]
fn objects() {
    check(&[
        (
            r#"{"properties": {"a": {"type": "integer"}, "b": false}}"#,
            r#"[{}, {"a": 1}, {"c": 1}, []]"#,
            r#"[{"a": "1"}, {"b": 1}]"#,
        ),
        (
            r#"{"required": ["a", "b"]}"#,
            r#"[{"a": 1, "b": null}, []]"#,
            r#"[{"a": 1}, {}]"#,
        ),
        (
            r#"{"properties": {"a": true}, "required": ["b"], "additionalProperties": false}"#,
            "[]",
            r#"[{"b": 1}, {"a": 1}]"#,
        ),
        (
            r#"{"properties": {"a": true}, "patternProperties": {"^x": {"type": "null"}}, "additionalProperties": {"type": "string"}}"#,
            r#"[{"a": 1, "xa": null, "b": "c"}]"#,
            r#"[{"xa": 1}, {"b": 1}]"#,
        ),
        (
            r#"{"patternProperties": {"a": {"minimum": 2}, "b": {"maximum": 5}}}"#,
            r#"[{"ab": 3}, {"a": 9}, {"c": 0}]"#,
            r#"[{"ab": 1}, {"ab": 6}]"#,
        ),
        (
            r#"{"propertyNames": {"maxLength": 2}}"#,
            r#"[{"ab": 1}, {}, [1]]"#,
            r#"[{"abc": 1}]"#,
        ),
        (r#"{"propertyNames": false}"#, "[{}]", r#"[{"a": 1}]"#),
        (
            r#"{"minProperties": 1, "maxProperties": 2}"#,
            r#"[{"a": 1}, [], null]"#,
            r#"[{}, {"a": 1, "b": 2, "c": 3}]"#,
        ),
        (
            r#"{"dependentRequired": {"a": ["b", "c"], "d": []}}"#,
            r#"[{}, {"b": 1}, {"a": 1, "b": 2, "c": 3}, {"d": 1}]"#,
            r#"[{"a": 1, "b": 2}]"#,
        ),
        (
            r#"{"dependentSchemas": {"a": {"required": ["b"]}, "c": false}}"#,
            r#"[{}, {"a": 1, "b": 2}, [1]]"#,
            r#"[{"a": 1}, {"c": 1}]"#,
        ),
        (
            r#"{"properties": {"a": true}, "unevaluatedProperties": false}"#,
            r#"[{}, {"a": 1}]"#,
            r#"[{"b": 1}]"#,
        ),
        (
            r#"{"allOf": [{"properties": {"a": true}}, {"patternProperties": {"^b": true}}], "unevaluatedProperties": {"type": "null"}}"#,
            r#"[{"a": 1, "bb": 2, "c": null}]"#,
            r#"[{"c": 1}]"#,
        ),
        (
            r#"{"oneOf": [{"properties": {"a": {"const": 1}}, "required": ["a"]}, {"properties": {"b": true}, "required": ["b"]}], "unevaluatedProperties": false}"#,
            r#"[{"a": 1}, {"b": 1}]"#,
            r#"[{"a": 1, "c": 1}, {"a": 2, "b": 1}, {}]"#,
        ),
        (
            r#"{"if": {"properties": {"a": {"const": 1}}, "required": ["a"]}, "then": {"properties": {"b": true}}, "else": {"properties": {"c": true}}, "unevaluatedProperties": false}"#,
            r#"[{"a": 1, "b": 1}, {"c": 1}, {}]"#,
            r#"[{"a": 1, "c": 1}, {"a": 2}, {"b": 1}]"#,
        ),
        (
            r#"{"not": {"properties": {"a": true}, "required": ["a"]}, "unevaluatedProperties": false}"#,
            "[{}]",
            r#"[{"a": 1}, {"b": 1}]"#,
        ),
        (
            r#"{"dependentSchemas": {"a": {"properties": {"a": true, "b": true}}}, "unevaluatedProperties": false}"#,
            r#"[{"a": 1, "b": 2}, {}]"#,
            r#"[{"b": 2}]"#,
        ),
        (
            r#"{"allOf": [{"additionalProperties": true}], "unevaluatedProperties": false}"#,
            r#"[{"a": 1}]"#,
            "[]",
        ),
        (
            r#"{"properties": {"a/b": {"type": "null"}, "c~d": {"type": "null"}, "": {"type": "null"}}}"#,
            r#"[{"a/b": null, "c~d": null, "": null}]"#,
            r#"[{"a/b": 1}, {"c~d": 1}, {"": 1}]"#,
        ),
    ]);
}

#[test]
fn combinations() {
    check(&[
        (
            r#"{"allOf": [{"minimum": 2}, {"multipleOf": 3}]}"#,
            "[3, 6]",
            "[2, 0]",
        ),
        (
            r#"{"anyOf": [{"type": "integer"}, {"minimum": 2}]}"#,
            r#"[1, 2.5, "a"]"#,
            "[1.5]",
        ),
        (
            r#"{"oneOf": [{"type": "integer"}, {"minimum": 2}]}"#,
            "[1, 2.5]",
            "[3, 1.5]",
        ),
        (r#"{"oneOf": [true, true]}"#, "[]", "[1]"),
        (
            r#"{"not": {"type": ["integer", "null"]}}"#,
            r#"["a", 1.5]"#,
            "[1, null]",
        ),
        (r#"{"not": {"not": {"type": "null"}}}"#, "[null]", "[1]"),
        (
            r#"{"if": {"minimum": 10}, "then": {"multipleOf": 10}, "else": {"maximum": 5}}"#,
            "[20, 5, -1]",
            "[11, 6]",
        ),
        (r#"{"if": {"minimum": 10}, "then": false}"#, "[9]", "[10]"),
        (r#"{"then": false, "else": false}"#, "[1]", "[]"),
        (
            r#"{"type": "object", "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}"#,
            r#"[{"a": 1}, {"b": 1}]"#,
            "[{}, []]",
        ),
    ]);
}

#[test]
fn references() {
    check(&[
        (
            r##"{"$defs": {"a": {"type": "null"}}, "items": {"$ref": "#/$defs/a"}}"##,
            "[[null]]",
            "[[1]]",
        ),
        (
            r##"{"$defs": {"a": {"$anchor": "here", "type": "null"}}, "$ref": "#here"}"##,
            "[null]",
            "[1]",
        ),
        (
            r##"{"$defs": {"a b/c~d%": {"type": "null"}}, "$ref": "#/$defs/a%20b~1c~0d%25"}"##,
            "[null]",
            "[1]",
        ),
        (
            r##"{"$defs": {"a": {"maxItems": 1}}, "$ref": "#/$defs/a", "minItems": 1}"##,
            "[[1]]",
            "[[], [1, 2]]",
        ),
        (
            r##"{"properties": {"next": {"$ref": "#"}, "value": {"type": "integer"}}, "additionalProperties": false}"##,
            r#"[{"next": {"next": {"value": 1}}}]"#,
            r#"[{"next": {"next": {"value": "a"}}}, {"next": {"a": 1}}]"#,
        ),
        (
            r##"{"properties": {"a": {"type": "null"}, "b": {"$ref": "#/properties/a"}}}"##,
            r#"[{"b": null}]"#,
            r#"[{"b": 1}]"#,
        ),
        (
            r##"{"definitions": {"a": {"type": "null"}}, "allOf": [{"$ref": "#/definitions/a"}]}"##,
            "[null]",
            "[1]",
        ),
        (
            r##"{"anyOf": [{"type": "integer"}, {"type": "array", "items": {"$ref": "#"}}]}"##,
            "[1, [1, [2, []]]]",
            r#"["a", [1, ["a"]]]"#,
        ),
        (
            r##"{"$defs": {"base": {"properties": {"a": true}}}, "$ref": "#/$defs/base", "properties": {"b": true}, "unevaluatedProperties": false}"##,
            r#"[{"a": 1, "b": 2}]"#,
            r#"[{"c": 1}]"#,
        ),
        (
            r##"{"properties": {"$ref": {"type": "string"}, "$id": {"type": "null"}}}"##,
            r##"[{"$ref": "#/nowhere", "$id": null}]"##,
            r#"[{"$ref": 1}, {"$id": 1}]"#,
        ),
    ]);
}

fn value() -> BoxedStrategy<Value> {
    let leaf = prop::sample::select(vec![
        json!(null),
        json!(true),
        json!(0),
        json!(1),
        json!(1.0),
        json!(2),
        json!(3),
        json!(-1),
        json!(0.5),
        json!(1.5),
        json!(0.1),
        json!(0.3),
        json!(1e20),
        json!(u64::MAX),
        json!(""),
        json!("a"),
        json!("ab"),
        json!("abc"),
        json!("é"),
        json!("b c"),
    ]);
    let tree = leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name(), inner, 0..4)
                .prop_map(|map| map.into_iter().collect()),
        ]
    });
    tree.boxed()
}

fn name() -> BoxedStrategy<String> {
    prop::sample::select(vec!["a", "b", "c", "ab"])
        .prop_map(str::to_owned)
        .boxed()
}

fn names() -> BoxedStrategy<Value> {
    prop::collection::btree_set(name(), 0..3)
        .prop_map(|names| names.into_iter().collect())
        .boxed()
}

fn pattern() -> BoxedStrategy<String> {
    prop::sample::select(vec![
        "a",
        "^a",
        "b$",
        "^[ab]+$",
        r"^\w*$",
        r"\s",
        "^.$",
        "^(?:a|ab)$",
    ])
    .prop_map(str::to_owned)
    .boxed()
}

/// One keyword without subschemas and its value.
fn assertion() -> BoxedStrategy<(&'static str, Value)> {
    let kinds = vec![
        "null", "boolean", "integer", "number", "string", "array", "object",
    ];
    let number = || {
        prop::sample::select(vec![
            json!(0),
            json!(1),
            json!(1.0),
            json!(2),
            json!(-1),
            json!(0.5),
            json!(1e20),
            json!(u64::MAX),
        ])
    };
    // without 1.5, of which 18446744073709551615 is a multiple: the other validator rounds
    let divisor = prop::sample::select(vec![
        json!(1),
        json!(2),
        json!(0.1),
        json!(0.5),
        json!(3),
        json!(1e20),
    ]);
    let count = || prop::sample::select(vec![json!(0), json!(1), json!(2), json!(2.0), json!(3)]);
    let keyed = |keyword: &'static str, value: BoxedStrategy<Value>| {
        value.prop_map(move |value| (keyword, value))
    };
    prop_oneof![
        4 => keyed("type", prop::sample::subsequence(kinds, 1..4).prop_map(|kinds| if kinds.len() == 1 { json!(kinds[0]) } else { json!(kinds) }).boxed()),
        1 => keyed("const", value()),
        2 => keyed("enum", prop::collection::vec(value(), 1..5).prop_map(Value::from).boxed()),
        2 => (prop::sample::select(vec!["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"]), number()),
        1 => keyed("multipleOf", divisor.boxed()),
        2 => (prop::sample::select(vec!["minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"]), count()),
        1 => (prop::sample::select(vec!["minContains", "maxContains"]), count()),
        1 => keyed("pattern", pattern().prop_map(Value::from).boxed()),
        1 => keyed("uniqueItems", any::<bool>().prop_map(Value::from).boxed()),
        2 => keyed("required", names()),
        1 => keyed("dependentRequired", prop::collection::btree_map(name(), names(), 0..3).prop_map(|map| map.into_iter().collect()).boxed()),
        1 => keyed("$ref", prop::sample::select(vec!["#", "#/$defs/x", "#/$defs/y", "#y"]).prop_map(Value::from).boxed()),
    ]
    .boxed()
}

fn object<K: Into<String>>(members: impl IntoIterator<Item = (K, Value)>) -> Value {
    Value::Object(
        members
            .into_iter()
            .map(|(key, value)| (key.into(), value))
            .collect::<Map<_, _>>(),
    )
}

fn subschema() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        1 => any::<bool>().prop_map(Value::from),
        9 => prop::collection::vec(assertion(), 0..3).prop_map(object),
    ];
    let tree = leaf.prop_recursive(3, 16, 3, |inner| {
        let one = prop::sample::select(vec![
            "items",
            "contains",
            "additionalProperties",
            "propertyNames",
            "not",
            "if",
            "then",
            "else",
            "unevaluatedProperties",
            "unevaluatedItems",
        ]);
        let list = prop::sample::select(vec!["allOf", "anyOf", "oneOf", "prefixItems"]);
        let map = prop::sample::select(vec!["properties", "properties", "dependentSchemas"]);
        let applicator = prop_oneof![
            4 => (one, inner.clone()),
            3 => (list, prop::collection::vec(inner.clone(), 1..4).prop_map(Value::from)),
            3 => (map, prop::collection::btree_map(name(), inner.clone(), 1..4).prop_map(object)),
            1 => (Just("patternProperties"), prop::collection::btree_map(pattern(), inner, 1..3).prop_map(object)),
        ];
        let keywords = (prop::collection::vec(assertion(), 0..2), prop::collection::vec(applicator, 1..4));
        keywords.prop_map(|(assertions, applicators)| object(assertions.into_iter().chain(applicators)))
    });
    tree.boxed()
}

fn schema() -> impl Strategy<Value = Value> {
    let with_definitions = |(root, x, y): (Value, Value, Value)| {
        let mut y = if y.is_object() { y } else { json!({}) };
        y["$anchor"] = json!("y");
        let mut root = if root.is_object() {
            root
        } else {
            json!({"allOf": [root]})
        };
        root["$defs"] = json!({"x": x, "y": y});
        root
    };
    (subschema(), subschema(), subschema()).prop_map(with_definitions)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_schemas_get_one_verdict(schema in schema(), values in prop::collection::vec(value(), 8)) {
        match Schema::compile(&schema) {
            Ok(_) => values.iter().for_each(|value| { verdict(&schema, value); }),
            // the other validator would not stop
            Err(error) => prop_assert!(error.to_string().ends_with("refers to itself without end"), "{}", error),
        }
    }
}
