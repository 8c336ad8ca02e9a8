//! What is refused when a schema is compiled, and that every check ends: depth, size, any schema
//! and any value.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::check;
use crate::Schema;

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "cases are literals")]
fn refused(schema: Value, expected: &str) {
    let error = Schema::compile(&schema).unwrap_err();
    assert_eq!(error.to_string(), expected, "{schema}");
    // the parts are those of the sentence, and the pointer leads into the schema
    assert!(expected.ends_with(error.message()), "{error:?}");
    assert!(schema.pointer(error.pointer()).is_some(), "{error:?}");
}

#[test]
fn what_would_go_unchecked_is_refused() {
    let inside = |keyword: &str, value: Value| json!({"properties": {"x": {keyword: value}}});
    refused(json!(1), "/: a schema must be an object or a boolean");
    refused(
        json!({"items": [{}]}),
        "/items: a schema must be an object or a boolean",
    );
    refused(
        inside("type", json!("int")),
        "/properties/x/type: must be a type such as \"string\", or an array of types",
    );
    refused(
        inside("type", json!([])),
        "/properties/x/type: must be a type such as \"string\", or an array of types",
    );
    refused(
        inside("enum", json!("a")),
        "/properties/x/enum: must be an array",
    );
    refused(
        inside("minimum", json!("1")),
        "/properties/x/minimum: must be a number",
    );
    refused(
        inside("exclusiveMaximum", json!(true)),
        "/properties/x/exclusiveMaximum: must be a number",
    );
    refused(
        inside("multipleOf", json!(0)),
        "/properties/x/multipleOf: must be more than 0",
    );
    refused(
        inside("minLength", json!(-1)),
        "/properties/x/minLength: must be a whole number of at least 0",
    );
    refused(
        inside("maxItems", json!(1.5)),
        "/properties/x/maxItems: must be a whole number of at least 0",
    );
    refused(
        inside("minContains", json!("1")),
        "/properties/x/minContains: must be a number",
    );
    refused(
        inside("uniqueItems", json!(1)),
        "/properties/x/uniqueItems: must be true or false",
    );
    refused(
        inside("required", json!(true)),
        "/properties/x/required: must be an array of strings",
    );
    refused(
        inside("dependentRequired", json!({"a": "b"})),
        "/properties/x/dependentRequired: must be an object of arrays of strings",
    );
    refused(
        inside("properties", json!([])),
        "/properties/x/properties: must be an object of schemas",
    );
    refused(
        inside("anyOf", json!([])),
        "/properties/x/anyOf: must be a non-empty array of schemas",
    );
    refused(
        inside("pattern", json!(1)),
        "/properties/x/pattern: must be a string",
    );
    refused(
        inside("pattern", json!("(?=a)")),
        "/properties/x/pattern: the pattern `(?=a)` can't be used: look-around is not supported",
    );
    refused(
        inside("patternProperties", json!({"(": true})),
        "/properties/x/patternProperties: the pattern `(` can't be used: found open group without \
         closing ')'",
    );
    refused(
        json!({"$defs": {"a/b": {"type": 1}}}),
        "/$defs/a~1b/type: must be a type such as \"string\", or an array of types",
    );
    let dialect = "https://json-schema.org/draft/2020-12/schema";
    refused(
        json!({"$schema": "http://json-schema.org/draft-07/schema#"}),
        &format!("/$schema: only the dialect `{dialect}` is supported, which is also the default"),
    );
    check(
        json!({"$schema": dialect, "$id": "https://example.com/a", "x-mcp-header": "A"}),
        json!(1),
        "",
    );
    refused(
        inside("$id", json!("b")),
        "/properties/x/$id: only the root may have one, since references are resolved inside one \
         schema",
    );
    refused(
        inside("$dynamicRef", json!("#a")),
        "/properties/x/$dynamicRef: is not supported: use `$ref`",
    );
    refused(
        inside("dependencies", json!({})),
        "/properties/x/dependencies: is not in 2020-12: use `dependentRequired` or \
         `dependentSchemas`",
    );
    refused(
        json!({"$defs": {"a": {"$anchor": "n"}, "b": {"$anchor": "n"}}}),
        "/$defs/b/$anchor: `n` is the name of two schemas",
    );
}

#[test]
fn references_that_lead_nowhere_are_refused() {
    refused(
        json!({"$ref": "https://example.com/a"}),
        "/$ref: `https://example.com/a` is not inside this schema, and nothing is fetched",
    );
    refused(
        json!({"items": {"$ref": "#/$defs/a"}}),
        "/items/$ref: there is no `#/$defs/a` in this schema",
    );
    refused(
        json!({"items": {"$ref": "#a"}}),
        "/items/$ref: there is no `#a` in this schema",
    );
    refused(
        json!({"$ref": "#"}),
        "/: the schema refers to itself without end",
    );
    refused(
        json!({"$defs": {"a": {"anyOf": [{"$ref": "#/$defs/b"}]}, "b": {"not": {"$ref": "#/$defs/a"}}}}),
        "/$defs/a: the schema refers to itself without end",
    );
    let chain: serde_json::Map<String, Value> = (0..5000)
        .map(|n| (n.to_string(), json!({"$ref": format!("#/$defs/{}", n + 1)})))
        .collect();
    let mut schema = json!({"$defs": chain, "$ref": "#/$defs/0"});
    schema["$defs"]["5000"] = json!({"type": "null"});
    check(schema, json!(1), "- /: expected null, got 1");
}

#[test]
fn a_check_ends() {
    let too_much = "- /: too large or too deeply nested to be checked";
    // every level asks both alternatives, which both ask every level below
    let twice = json!({"anyOf": [
        {"properties": {"a": {"$ref": "#"}, "b": {"type": "null"}}, "required": ["b"]},
        {"properties": {"a": {"$ref": "#"}, "c": {"type": "null"}}, "required": ["c"]},
    ]});
    let deep = (0..100).fold(json!({}), |value, _| json!({"a": value}));
    let refusal = Schema::compile(&twice).unwrap().check(&deep).unwrap_err();
    assert_eq!(refusal.to_string(), too_much);
    assert!(refusal.is_unchecked());
    // `not` does not turn an unfinished check into a yes
    let schema = json!({"not": {"$ref": "#/$defs/twice"}, "$defs": {"twice": serde_json::from_str::<Value>(&twice.to_string().replace("\"#\"", "\"#/$defs/twice\"")).unwrap()}});
    check(schema, deep, too_much);
    let in_place: serde_json::Map<String, Value> = (0..300)
        .map(|n| {
            (
                n.to_string(),
                json!({"not": {"$ref": format!("#/$defs/{}", n + 1)}}),
            )
        })
        .collect();
    let mut schema = json!({"$defs": in_place, "$ref": "#/$defs/0"});
    schema["$defs"]["300"] = json!(true);
    check(schema, json!(1), too_much);
}

#[test]
fn as_deep_as_serde_reads_is_checked() {
    let deep = |leaf: &str| {
        serde_json::from_str(&format!("{}{leaf}{}", "[".repeat(126), "]".repeat(126))).unwrap()
    };
    let schema = json!({"anyOf": [{"type": "array", "items": {"$ref": "#"}}, {"type": "integer"}]});
    let validator = Schema::compile(&schema).unwrap();
    assert!(validator.accepts(&deep("1")));
    assert!(
        validator
            .check(&deep("\"a\""))
            .unwrap_err()
            .to_string()
            .ends_with("expected an array or an integer, got \"a\"")
    );
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (-2i8..4).prop_map(Value::from),
        ".*".prop_map(Value::from),
        prop::sample::select(vec![
            "string",
            "integer",
            "#",
            "#/items",
            "#/$defs/a",
            "a",
            "^a|b$",
            "(",
            "\\S"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        let name = prop_oneof![any_keyword(), any_keyword(), "[a-c]".boxed()];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(name, inner, 0..5)
                .prop_map(|map| map.into_iter().collect()),
        ]
    })
}

fn any_keyword() -> BoxedStrategy<String> {
    let keywords = "type enum const minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength pattern minItems \
                    maxItems uniqueItems contains minContains maxContains prefixItems items properties required patternProperties \
                    additionalProperties propertyNames minProperties maxProperties dependentRequired dependentSchemas allOf anyOf oneOf \
                    not if then else unevaluatedProperties unevaluatedItems $ref $defs $anchor";
    prop::sample::select(
        keywords
            .split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>(),
    )
    .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn nothing_panics(schema in any_value(), value in any_value()) {
        if let Ok(validator) = Schema::compile(&schema) {
            let refusal = validator.check(&value).err();
            if let Some(violations) = &refusal {
                let mut text: Vec<String> = violations.iter().map(|line| format!("- {}: {}", line.pointer, line.message)).collect();
                text.extend((violations.unlisted() > 0).then(|| format!("and {} more", violations.unlisted())));
                prop_assert_eq!(text.join("\n"), violations.to_string());
            }
            let refusal = refusal.map(|violations| violations.to_string());
            prop_assert_eq!(validator.accepts(&value), refusal.is_none());
            prop_assert!(refusal.is_none_or(|refusal| refusal.starts_with("- /") && refusal.len() < 4200));
        }
    }

    #[test]
    fn no_pattern_panics(source in "[a-c(){}|*+?.^$\\\\\\[\\]0-9,:<>=!sSdwbcux&~-]{0,12}", text in ".*") {
        if let Ok(pattern) = crate::pattern::Pattern::compile(&source) {
            pattern.matches(&text);
        }
    }
}
