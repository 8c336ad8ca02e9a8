//! The words of every violation and every refusal, case by case. Verdicts are compared with another validator in
//! `tests/it/schema_agreement.rs`.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::Validator;

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "cases are literals")]
fn check(schema: Value, value: Value, expected: &str) {
    let validator = Validator::compile(&schema).unwrap();
    let refusal = validator.check(&value).err().unwrap_or_default();
    assert_eq!(refusal, expected, "{schema} {value}");
    assert_eq!(validator.accepts(&value), expected.is_empty(), "{schema} {value}");
}

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "cases are literals")]
fn refused(schema: Value, expected: &str) {
    assert_eq!(Validator::compile(&schema).unwrap_err(), expected, "{schema}");
}

#[test]
fn a_call_gets_every_violation_at_once() {
    let schema = json!({
        "type": "object",
        "properties": {
            "query": {"type": "string", "minLength": 2, "maxLength": 200},
            "limit": {"type": "integer", "minimum": 1, "maximum": 100},
            "color": {"type": "string", "enum": ["red", "green"]},
            "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 2},
        },
        "required": ["query"],
        "additionalProperties": false,
    });
    check(schema.clone(), json!({"query": "shoes", "limit": 5, "color": "red", "tags": ["a"]}), "");
    check(schema.clone(), json!([]), "- /: expected an object, got an array");
    check(
        schema,
        json!({"qurey": "shoes", "limit": 500, "color": "blue", "tags": ["a", 2, "c"], "x": 1}),
        "- /color: expected one of \"red\", \"green\", got \"blue\"\n\
         - /limit: expected an integer from 1 to 100, got 500\n\
         - /query: required, but missing\n\
         - /tags: expected an array of at most 2 items, got 3\n\
         - /tags/1: expected a string, got 2\n\
         - /qurey: unknown property; did you mean `query`?\n\
         - /x: unknown property; known here: `color`, `limit`, `query`, `tags`",
    );
}

#[test]
fn types() {
    check(json!({"type": "string"}), json!(5), "- /: expected a string, got 5");
    check(json!({"type": "integer"}), json!(1.5), "- /: expected an integer, got 1.5");
    check(json!({"type": "integer"}), json!(1.0), "");
    check(json!({"type": "integer"}), json!("500"), "- /: expected an integer, got \"500\"");
    check(json!({"type": ["null", "string"]}), json!(true), "- /: expected a string or null, got true");
    check(json!({"type": "object"}), json!(null), "- /: expected an object, got null");
    check(json!({"type": "array"}), json!({}), "- /: expected an array, got an object");
    check(json!({"type": "boolean"}), json!([]), "- /: expected a boolean, got an array");
    check(json!(false), json!(1), "- /: not allowed");
    check(json!({"properties": {"a": false}}), json!({"a": 1}), "- /a: not allowed");
}

#[test]
fn values() {
    check(json!({"enum": [1, null]}), json!("a"), "- /: expected one of 1, null, got \"a\"");
    check(json!({"enum": []}), json!("a"), "- /: expected nothing, got \"a\"");
    check(json!({"const": {"a": [1]}}), json!({"a": []}), "- /: expected {\"a\":[1]}, got an object");
    check(json!({"type": "string", "const": "a"}), json!(5), "- /: expected \"a\", got 5");
    let many: Vec<u32> = (0..25).collect();
    check(json!({"enum": many}), json!(25), "- /: expected one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15 more, got 25");
}

#[test]
fn numbers() {
    check(json!({"minimum": 1}), json!(0), "- /: expected a number of at least 1, got 0");
    check(json!({"maximum": 100, "type": "integer"}), json!(500), "- /: expected an integer of at most 100, got 500");
    check(json!({"exclusiveMinimum": 0}), json!(0), "- /: expected a number above 0, got 0");
    check(json!({"exclusiveMaximum": 1}), json!(1.5), "- /: expected a number below 1, got 1.5");
    check(json!({"exclusiveMinimum": 0, "maximum": 1}), json!(-1), "- /: expected a number above 0 and of at most 1, got -1");
    check(json!({"minimum": 3, "exclusiveMinimum": 3}), json!(3), "- /: expected a number above 3, got 3");
    check(json!({"type": "integer", "minimum": 1}), json!(0.5), "- /: expected an integer of at least 1, got 0.5");
    check(
        json!({"minimum": 9_007_199_254_740_993_i64}),
        json!(9_007_199_254_740_992_i64),
        &format!("- /: expected a number of at least {}, got {}", 9_007_199_254_740_993_i64, 9_007_199_254_740_992_i64),
    );
    check(json!({"multipleOf": 0.01}), json!(4.35), "");
    check(json!({"multipleOf": 0.01}), json!(4.351), "- /: expected a number that is a multiple of 0.01, got 4.351");
    check(json!({"multipleOf": 5, "type": "integer"}), json!(7), "- /: expected an integer that is a multiple of 5, got 7");
}

#[test]
fn numbers_are_not_rounded() {
    check(json!({"multipleOf": 1.5}), json!(u64::MAX), "");
    check(json!({"multipleOf": 0.1}), json!(-0.7), "");
    check(json!({"multipleOf": 1e-300}), json!(1e300), "");
    check(json!({"multipleOf": 1e300}), json!(1e-300), "- /: expected a number that is a multiple of 1e+300, got 1e-300");
    check(
        json!({"const": u64::MAX}),
        json!(18_446_744_073_709_551_616.0),
        "- /: expected 18446744073709551615, got 1.8446744073709552e+19",
    );
    check(json!({"maximum": i64::MIN, "minimum": -1e19}), json!(i64::MIN), "");
    check(json!({"exclusiveMaximum": 0.5, "exclusiveMinimum": -0.5}), json!(0), "");
    check(json!({"type": "string", "minimum": 5}), json!(3), "- /: expected a string, got 3");
}

#[test]
fn strings() {
    check(json!({"minLength": 2}), json!("ä"), "- /: expected a string of at least 2 characters, got 1");
    check(json!({"maxLength": 1}), json!("ab"), "- /: expected a string of at most 1 character, got 2");
    check(json!({"maxLength": 1}), json!("𝄞"), "");
    check(json!({"minLength": 3, "maxLength": 3}), json!("ab"), "- /: expected a string of exactly 3 characters, got 2");
    check(json!({"minLength": 3, "maxLength": 5}), json!("ab"), "- /: expected a string of 3 to 5 characters, got 2");
    check(json!({"pattern": "^[a-z]+$"}), json!("AB"), "- /: expected a string that matches `^[a-z]+$`, got \"AB\"");
    check(json!({"format": "email"}), json!("not one: an annotation"), "");
}

#[test]
fn arrays() {
    check(json!({"minItems": 1}), json!([]), "- /: expected an array of at least 1 item, got 0");
    check(json!({"items": {"type": "integer"}}), json!([1, "a"]), "- /1: expected an integer, got \"a\"");
    check(
        json!({"prefixItems": [{"type": "integer"}], "items": {"type": "null"}}),
        json!(["a", 1]),
        "- /0: expected an integer, got \"a\"\n- /1: expected null, got 1",
    );
    check(json!({"prefixItems": [true], "items": false}), json!([1, 2, 3]), "- /: expected an array of at most 1 item, got 3");
    check(json!({"uniqueItems": true}), json!([1, "a", 1.0]), "- /: expected items that differ, got equal ones at 0 and 2");
    check(json!({"contains": {"type": "string"}}), json!([1]), "- /: expected at least 1 of the items to be a string, got 0");
    check(
        json!({"contains": {"const": 1}, "minContains": 0, "maxContains": 1}),
        json!([1, 1]),
        "- /: expected at most 1 of the items to be 1, got 2",
    );
    check(json!({"prefixItems": [true], "unevaluatedItems": false}), json!([1, 2]), "- /1: not allowed");
}

#[test]
fn unique_items_of_every_kind() {
    let unique = |items: Vec<Value>| Validator::compile(&json!({"uniqueItems": true})).unwrap().accepts(&json!(items));
    let mut many: Vec<Value> = (0..40).flat_map(|n| [json!(n), json!(n.to_string()), json!([n]), json!({"a": n, "b": null})]).collect();
    many.extend([json!(true), json!(false), json!(null), json!([0, 0]), json!({"a": 0}), json!({"c": 0, "b": null})]);
    assert!(unique(many.clone()));
    for twice in [json!(7.0), json!("7"), json!([7.0]), json!({"b": null, "a": 7}), json!(null), json!(true)] {
        assert!(!unique(many.iter().cloned().chain([twice]).collect()));
    }
}

#[test]
fn objects() {
    check(json!({"required": ["a"]}), json!({}), "- /a: required, but missing");
    check(json!({"minProperties": 2}), json!({"a": 1}), "- /: expected an object of at least 2 properties, got 1");
    check(json!({"patternProperties": {"^x": {"type": "null"}}}), json!({"xa": 1, "b": 1}), "- /xa: expected null, got 1");
    check(json!({"additionalProperties": {"type": "null"}}), json!({"a": 1}), "- /a: expected null, got 1");
    check(json!({"additionalProperties": false}), json!({"a": 1}), "- /a: unknown property");
    check(
        json!({"propertyNames": {"maxLength": 2}}),
        json!({"abc": 1}),
        "- /abc: the name does not fit: expected a string of at most 2 characters, got 3",
    );
    check(
        json!({"dependentRequired": {"card": ["billing"]}}),
        json!({"card": 1}),
        "- /billing: required when `card` is given, but missing",
    );
    check(json!({"dependentSchemas": {"card": {"required": ["billing"]}}}), json!({"card": 1}), "- /billing: required, but missing");
    let unevaluated = json!({"allOf": [{"properties": {"street": true}}], "properties": {"city": true}, "unevaluatedProperties": false});
    check(unevaluated, json!({"stret": 1, "city": 1}), "- /stret: unknown property; did you mean `street`?");
}

#[test]
fn a_misspelt_name_is_found_where_unknown_ones_are_allowed() {
    let schema = json!({"properties": {"query": true, "limit": true}, "required": ["query"]});
    check(schema.clone(), json!({"qurey": 1}), "- /query: required, but missing; is it what `qurey` was meant to be?");
    check(schema, json!({"limit": 1, "color": 1}), "- /query: required, but missing");
}

#[test]
fn a_name_in_use_is_not_suggested() {
    let schema = json!({"properties": {"query": true}, "additionalProperties": false});
    check(schema, json!({"query": 1, "querys": 1}), "- /querys: unknown property; known here: `query`");
}

#[test]
fn what_a_broken_alternative_declares_is_not_called_unknown() {
    let schema = json!({"anyOf": [{"properties": {"a": {"type": "null"}}}], "unevaluatedProperties": false});
    check(schema, json!({"a": 1}), "- /a: expected null, got 1");
}

#[test]
fn alternatives() {
    let shape = json!({"oneOf": [
        {"type": "object", "properties": {"kind": {"const": "circle"}, "radius": {"type": "number"}}, "required": ["kind", "radius"]},
        {"type": "object", "properties": {"kind": {"const": "square"}, "side": {"type": "number"}}, "required": ["kind", "side"]},
        {"type": "null"},
    ]});
    let phrases = "an object with `kind` \"circle\" or an object with `kind` \"square\" or null";
    check(shape.clone(), json!({"kind": "circle", "radius": "1"}), "- /radius: expected a number, got \"1\"");
    check(shape.clone(), json!({"kind": "square"}), "- /side: required, but missing");
    check(shape.clone(), json!({"radius": 1, "side": 1}), &format!("- /: expected {phrases}, got an object"));
    check(shape.clone(), json!({"kind": "oval"}), &format!("- /: expected {phrases}, got an object"));
    check(shape, json!(1), &format!("- /: expected {phrases}, got 1"));
}

#[test]
fn one_alternative_is_picked_by_type_and_by_required_properties() {
    let optional = json!({"anyOf": [{"type": "object", "properties": {"color": {"enum": ["red", "green"]}}}, {"type": "null"}]});
    check(optional, json!({"color": "blue"}), "- /color: expected one of \"red\", \"green\", got \"blue\"");
    // an enum as serde writes it
    let tagged = json!({"oneOf": [
        {"type": "string", "enum": ["None"]},
        {"type": "object", "properties": {"Circle": {"type": "number"}}, "required": ["Circle"], "additionalProperties": false},
        {"type": "object", "properties": {"Square": {"type": "number"}}, "required": ["Square"], "additionalProperties": false},
    ]});
    check(tagged.clone(), json!({"Circle": "1"}), "- /Circle: expected a number, got \"1\"");
    let phrases = "\"None\" or an object with `Circle` or an object with `Square`";
    check(tagged, json!({"Oval": 1}), &format!("- /: expected {phrases}, got an object"));
    let constants = json!({"oneOf": [{"const": "red", "description": "like blood"}, {"const": "green"}]});
    check(constants, json!("blue"), "- /: expected \"red\" or \"green\", got \"blue\"");
}

#[test]
fn the_nearest_alternative_is_explained_when_words_cannot_tell_them_apart() {
    let lists = json!({"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "array", "items": {"type": "integer"}}]});
    check(lists, json!([1, 2, "a"]), "- /2: expected an integer, got \"a\"");
    let deep = json!({"anyOf": [
        {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}, "required": ["a"]},
        {"type": "object", "properties": {"b": {"type": "string"}}, "required": ["b"]},
    ]});
    check(deep, json!({"a": "x", "b": 5}), "- /a: expected an integer, got \"x\"");
}

#[test]
fn combinations() {
    check(
        json!({"anyOf": [{"type": "string"}, {"type": "integer", "minimum": 5}]}),
        json!(3),
        "- /: expected an integer of at least 5, got 3",
    );
    check(
        json!({"anyOf": [{"minLength": 3}, {"pattern": "^x"}], "type": "string"}),
        json!("a"),
        "- /: expected a string of at least 3 characters or a string that matches `^x`, got \"a\"",
    );
    check(
        json!({"oneOf": [{"type": "integer"}, {"minimum": 2}]}),
        json!(3),
        "- /: fits 2 alternatives, and exactly one is allowed: an integer or a number of at least 2",
    );
    check(
        json!({"allOf": [{"minimum": 2}, {"multipleOf": 2}]}),
        json!(1),
        "- /: expected a number of at least 2, got 1\n- /: expected a number that is a multiple of 2, got 1",
    );
    check(json!({"allOf": [{"type": "string"}, {"type": "string"}]}), json!(1), "- /: expected a string, got 1");
    check(json!({"not": {"type": "string"}}), json!("a"), "- /: expected anything but a string, got \"a\"");
    check(json!({"not": {"anyOf": [{"const": 1}, {"const": 2}]}}), json!(2), "- /: expected anything but 1 or 2, got 2");
    check(json!({"not": {}}), json!(1), "- /: not allowed");
    let conditional =
        json!({"if": {"properties": {"country": {"const": "DE"}}}, "then": {"required": ["zip"]}, "else": {"required": ["state"]}});
    check(conditional.clone(), json!({"country": "DE"}), "- /zip: required, but missing");
    check(conditional, json!({"country": "US"}), "- /state: required, but missing");
    let recursive = json!({"$defs": {"node": {"properties": {"next": {"$ref": "#/$defs/node"}, "value": {"type": "integer"}}}}, "$ref": "#/$defs/node"});
    check(recursive, json!({"next": {"next": {"value": "a"}}}), "- /next/next/value: expected an integer, got \"a\"");
    check(
        json!({"$defs": {"a b": {"$anchor": "here", "type": "null"}}, "items": {"$ref": "#here"}, "prefixItems": [{"$ref": "#/$defs/a%20b"}]}),
        json!([1, 2]),
        "- /0: expected null, got 1\n- /1: expected null, got 2",
    );
}

#[test]
fn hostile_text_is_cut_and_cleaned() {
    let schema = json!({"additionalProperties": {"type": "integer"}});
    check(
        schema.clone(),
        json!({"a/b~c\n`": "x\u{202e}\"\\"}),
        "- /a~1b~0c\u{fffd}\u{fffd}: expected an integer, got \"x\u{fffd}\\\"\\\\\"",
    );
    let long = "x".repeat(500);
    let cut = format!("{}…", "x".repeat(80));
    check(schema, json!({long.as_str(): long}), &format!("- /{cut}: expected an integer, got \"{cut}\""));
    let deep = (0..100).fold(json!("a"), |value, _| json!([value]));
    let schema = json!({"items": {"$ref": "#"}, "type": "array"});
    let end = "/0".repeat(40);
    check(schema, deep, &format!("- {end}…{end}: expected an array, got \"a\""));
}

#[test]
fn a_report_is_bounded() {
    let schema = json!({"items": {"type": "integer"}});
    let refusal = Validator::compile(&schema).unwrap().check(&json!(vec!["a"; 1000])).unwrap_err();
    assert_eq!(refusal.lines().count(), 21);
    assert!(refusal.ends_with("- /19: expected an integer, got \"a\"\nand 980 more"), "{refusal}");
    let value: Value = (0..100).map(|n| (format!("{n}{}", "é".repeat(100)), json!("ö".repeat(100)))).collect();
    let refusal = Validator::compile(&json!({"additionalProperties": {"type": "integer"}})).unwrap().check(&value).unwrap_err();
    assert!(refusal.len() < 4200 && refusal.ends_with("more"), "{}", refusal.len());
    let values: Vec<String> = (0..10).map(|n| format!("{n}{}", "x".repeat(100))).collect();
    let refusal = Validator::compile(&json!({"enum": values})).unwrap().check(&json!(1)).unwrap_err();
    assert_eq!((refusal.chars().count(), refusal.chars().last()), (601, Some('…')));
}

#[test]
fn what_would_go_unchecked_is_refused() {
    let inside = |keyword: &str, value: Value| json!({"properties": {"x": {keyword: value}}});
    refused(json!(1), "/: a schema must be an object or a boolean");
    refused(json!({"items": [{}]}), "/items: a schema must be an object or a boolean");
    refused(inside("type", json!("int")), "/properties/x/type: must be a type such as \"string\", or an array of types");
    refused(inside("type", json!([])), "/properties/x/type: must be a type such as \"string\", or an array of types");
    refused(inside("enum", json!("a")), "/properties/x/enum: must be an array");
    refused(inside("minimum", json!("1")), "/properties/x/minimum: must be a number");
    refused(inside("exclusiveMaximum", json!(true)), "/properties/x/exclusiveMaximum: must be a number");
    refused(inside("multipleOf", json!(0)), "/properties/x/multipleOf: must be more than 0");
    refused(inside("minLength", json!(-1)), "/properties/x/minLength: must be a whole number of at least 0");
    refused(inside("maxItems", json!(1.5)), "/properties/x/maxItems: must be a whole number of at least 0");
    refused(inside("minContains", json!("1")), "/properties/x/minContains: must be a number");
    refused(inside("uniqueItems", json!(1)), "/properties/x/uniqueItems: must be true or false");
    refused(inside("required", json!(true)), "/properties/x/required: must be an array of strings");
    refused(inside("dependentRequired", json!({"a": "b"})), "/properties/x/dependentRequired: must be an object of arrays of strings");
    refused(inside("properties", json!([])), "/properties/x/properties: must be an object of schemas");
    refused(inside("anyOf", json!([])), "/properties/x/anyOf: must be a non-empty array of schemas");
    refused(inside("pattern", json!(1)), "/properties/x/pattern: must be a string");
    refused(inside("pattern", json!("(?=a)")), "/properties/x/pattern: the pattern `(?=a)` can't be used: look-around is not supported");
    refused(
        inside("patternProperties", json!({"(": true})),
        "/properties/x/patternProperties: the pattern `(` can't be used: found open group without closing ')'",
    );
    refused(json!({"$defs": {"a/b": {"type": 1}}}), "/$defs/a~1b/type: must be a type such as \"string\", or an array of types");
    let dialect = "https://json-schema.org/draft/2020-12/schema";
    refused(
        json!({"$schema": "http://json-schema.org/draft-07/schema#"}),
        &format!("/$schema: only the dialect `{dialect}` is supported, which is also the default"),
    );
    check(json!({"$schema": dialect, "$id": "https://example.com/a", "x-mcp-header": "A"}), json!(1), "");
    refused(inside("$id", json!("b")), "/properties/x/$id: only the root may have one, since references are resolved inside one schema");
    refused(inside("$dynamicRef", json!("#a")), "/properties/x/$dynamicRef: is not supported: use `$ref`");
    refused(
        inside("dependencies", json!({})),
        "/properties/x/dependencies: is not in 2020-12: use `dependentRequired` or `dependentSchemas`",
    );
    refused(json!({"$defs": {"a": {"$anchor": "n"}, "b": {"$anchor": "n"}}}), "/$defs/b/$anchor: `n` is the name of two schemas");
}

#[test]
fn references_that_lead_nowhere_are_refused() {
    refused(json!({"$ref": "https://example.com/a"}), "/$ref: `https://example.com/a` is not inside this schema, and nothing is fetched");
    refused(json!({"items": {"$ref": "#/$defs/a"}}), "/items/$ref: there is no `#/$defs/a` in this schema");
    refused(json!({"items": {"$ref": "#a"}}), "/items/$ref: there is no `#a` in this schema");
    refused(json!({"$ref": "#"}), "/: the schema refers to itself without end");
    refused(
        json!({"$defs": {"a": {"anyOf": [{"$ref": "#/$defs/b"}]}, "b": {"not": {"$ref": "#/$defs/a"}}}}),
        "/$defs/a: the schema refers to itself without end",
    );
    let chain: serde_json::Map<String, Value> = (0..5000).map(|n| (n.to_string(), json!({"$ref": format!("#/$defs/{}", n + 1)}))).collect();
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
    let refusal = Validator::compile(&twice).unwrap().check(&deep).unwrap_err();
    assert_eq!(refusal, too_much);
    // `not` does not turn an unfinished check into a yes
    let schema = json!({"not": {"$ref": "#/$defs/twice"}, "$defs": {"twice": serde_json::from_str::<Value>(&twice.to_string().replace("\"#\"", "\"#/$defs/twice\"")).unwrap()}});
    check(schema, deep, too_much);
    let in_place: serde_json::Map<String, Value> =
        (0..300).map(|n| (n.to_string(), json!({"not": {"$ref": format!("#/$defs/{}", n + 1)}}))).collect();
    let mut schema = json!({"$defs": in_place, "$ref": "#/$defs/0"});
    schema["$defs"]["300"] = json!(true);
    check(schema, json!(1), too_much);
}

#[test]
fn as_deep_as_serde_reads_is_checked() {
    let deep = |leaf: &str| serde_json::from_str(&format!("{}{leaf}{}", "[".repeat(126), "]".repeat(126))).unwrap();
    let schema = json!({"anyOf": [{"type": "array", "items": {"$ref": "#"}}, {"type": "integer"}]});
    let validator = Validator::compile(&schema).unwrap();
    assert!(validator.accepts(&deep("1")));
    assert!(validator.check(&deep("\"a\"")).unwrap_err().ends_with("expected an array or an integer, got \"a\""));
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (-2i8..4).prop_map(Value::from),
        ".*".prop_map(Value::from),
        prop::sample::select(vec!["string", "integer", "#", "#/items", "#/$defs/a", "a", "^a|b$", "(", "\\S"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        let name = prop_oneof![any_keyword(), any_keyword(), "[a-c]".boxed()];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(name, inner, 0..5).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

fn any_keyword() -> BoxedStrategy<String> {
    let keywords = "type enum const minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength pattern minItems \
                    maxItems uniqueItems contains minContains maxContains prefixItems items properties required patternProperties \
                    additionalProperties propertyNames minProperties maxProperties dependentRequired dependentSchemas allOf anyOf oneOf \
                    not if then else unevaluatedProperties unevaluatedItems $ref $defs $anchor";
    prop::sample::select(keywords.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).boxed()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn nothing_panics(schema in any_value(), value in any_value()) {
        if let Ok(validator) = Validator::compile(&schema) {
            let refusal = validator.check(&value).err();
            prop_assert_eq!(validator.accepts(&value), refusal.is_none());
            prop_assert!(refusal.is_none_or(|refusal| refusal.starts_with("- /") && refusal.len() < 4200));
        }
    }

    #[test]
    fn no_pattern_panics(source in "[a-c(){}|*+?.^$\\\\\\[\\]0-9,:<>=!sSdwbcux&~-]{0,12}", text in ".*") {
        if let Ok(pattern) = super::program::Pattern::compile(&source) {
            pattern.matches(&text);
        }
    }
}
