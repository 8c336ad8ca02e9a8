//! The words of every violation, case by case; `limits` has what is refused and that every check
//! ends. Verdicts are compared with another validator in `tests/agreement.rs`.

use serde_json::{Value, json};

use crate::Schema;

mod limits;

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "cases are literals")]
fn check(schema: Value, value: Value, expected: &str) {
    let compiled = Schema::compile(&schema).unwrap();
    let violations = compiled.check(&value).err().unwrap_or_default();
    assert_eq!(violations.to_string(), expected, "{schema} {value}");
    assert_eq!(
        compiled.accepts(&value),
        expected.is_empty(),
        "{schema} {value}"
    );
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
    check(
        schema.clone(),
        json!({"query": "shoes", "limit": 5, "color": "red", "tags": ["a"]}),
        "",
    );
    check(
        schema.clone(),
        json!([]),
        "- /: expected an object, got an array",
    );
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
    check(
        json!({"type": "string"}),
        json!(5),
        "- /: expected a string, got 5",
    );
    check(
        json!({"type": "integer"}),
        json!(1.5),
        "- /: expected an integer, got 1.5",
    );
    check(json!({"type": "integer"}), json!(1.0), "");
    check(
        json!({"type": "integer"}),
        json!("500"),
        "- /: expected an integer, got \"500\"",
    );
    check(
        json!({"type": ["null", "string"]}),
        json!(true),
        "- /: expected a string or null, got true",
    );
    check(
        json!({"type": "object"}),
        json!(null),
        "- /: expected an object, got null",
    );
    check(
        json!({"type": "array"}),
        json!({}),
        "- /: expected an array, got an object",
    );
    check(
        json!({"type": "boolean"}),
        json!([]),
        "- /: expected a boolean, got an array",
    );
    check(json!(false), json!(1), "- /: not allowed");
    check(
        json!({"properties": {"a": false}}),
        json!({"a": 1}),
        "- /a: not allowed",
    );
}

#[test]
fn values() {
    check(
        json!({"enum": [1, null]}),
        json!("a"),
        "- /: expected one of 1, null, got \"a\"",
    );
    check(
        json!({"enum": []}),
        json!("a"),
        "- /: expected nothing, got \"a\"",
    );
    check(
        json!({"const": {"a": [1]}}),
        json!({"a": []}),
        "- /: expected {\"a\":[1]}, got an object",
    );
    check(
        json!({"type": "string", "const": "a"}),
        json!(5),
        "- /: expected \"a\", got 5",
    );
    let many: Vec<u32> = (0..25).collect();
    check(
        json!({"enum": many}),
        json!(25),
        "- /: expected one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15 more, got 25",
    );
}

#[test]
fn numbers() {
    check(
        json!({"minimum": 1}),
        json!(0),
        "- /: expected a number of at least 1, got 0",
    );
    check(
        json!({"maximum": 100, "type": "integer"}),
        json!(500),
        "- /: expected an integer of at most 100, got 500",
    );
    check(
        json!({"exclusiveMinimum": 0}),
        json!(0),
        "- /: expected a number above 0, got 0",
    );
    check(
        json!({"exclusiveMaximum": 1}),
        json!(1.5),
        "- /: expected a number below 1, got 1.5",
    );
    check(
        json!({"exclusiveMinimum": 0, "maximum": 1}),
        json!(-1),
        "- /: expected a number above 0 and of at most 1, got -1",
    );
    check(
        json!({"minimum": 3, "exclusiveMinimum": 3}),
        json!(3),
        "- /: expected a number above 3, got 3",
    );
    check(
        json!({"type": "integer", "minimum": 1}),
        json!(0.5),
        "- /: expected an integer of at least 1, got 0.5",
    );
    check(
        json!({"minimum": 9_007_199_254_740_993_i64}),
        json!(9_007_199_254_740_992_i64),
        &format!(
            "- /: expected a number of at least {}, got {}",
            9_007_199_254_740_993_i64, 9_007_199_254_740_992_i64
        ),
    );
    check(json!({"multipleOf": 0.01}), json!(4.35), "");
    check(
        json!({"multipleOf": 0.01}),
        json!(4.351),
        "- /: expected a number that is a multiple of 0.01, got 4.351",
    );
    check(
        json!({"multipleOf": 5, "type": "integer"}),
        json!(7),
        "- /: expected an integer that is a multiple of 5, got 7",
    );
}

#[test]
fn numbers_are_not_rounded() {
    check(json!({"multipleOf": 1.5}), json!(u64::MAX), "");
    check(json!({"multipleOf": 0.1}), json!(-0.7), "");
    check(json!({"multipleOf": 1e-300}), json!(1e300), "");
    check(
        json!({"multipleOf": 1e300}),
        json!(1e-300),
        "- /: expected a number that is a multiple of 1e+300, got 1e-300",
    );
    check(
        json!({"const": u64::MAX}),
        json!(18_446_744_073_709_551_616.0),
        "- /: expected 18446744073709551615, got 1.8446744073709552e+19",
    );
    check(
        json!({"maximum": i64::MIN, "minimum": -1e19}),
        json!(i64::MIN),
        "",
    );
    check(
        json!({"exclusiveMaximum": 0.5, "exclusiveMinimum": -0.5}),
        json!(0),
        "",
    );
    check(
        json!({"type": "string", "minimum": 5}),
        json!(3),
        "- /: expected a string, got 3",
    );
}

#[test]
fn strings() {
    check(
        json!({"minLength": 2}),
        json!("ä"),
        "- /: expected a string of at least 2 characters, got 1",
    );
    check(
        json!({"maxLength": 1}),
        json!("ab"),
        "- /: expected a string of at most 1 character, got 2",
    );
    check(json!({"maxLength": 1}), json!("𝄞"), "");
    check(
        json!({"minLength": 3, "maxLength": 3}),
        json!("ab"),
        "- /: expected a string of exactly 3 characters, got 2",
    );
    check(
        json!({"minLength": 3, "maxLength": 5}),
        json!("ab"),
        "- /: expected a string of 3 to 5 characters, got 2",
    );
    check(
        json!({"pattern": "^[a-z]+$"}),
        json!("AB"),
        "- /: expected a string that matches `^[a-z]+$`, got \"AB\"",
    );
    check(
        json!({"format": "email"}),
        json!("not one: an annotation"),
        "",
    );
}

#[test]
fn arrays() {
    check(
        json!({"minItems": 1}),
        json!([]),
        "- /: expected an array of at least 1 item, got 0",
    );
    check(
        json!({"items": {"type": "integer"}}),
        json!([1, "a"]),
        "- /1: expected an integer, got \"a\"",
    );
    check(
        json!({"prefixItems": [{"type": "integer"}], "items": {"type": "null"}}),
        json!(["a", 1]),
        "- /0: expected an integer, got \"a\"\n- /1: expected null, got 1",
    );
    check(
        json!({"prefixItems": [true], "items": false}),
        json!([1, 2, 3]),
        "- /: expected an array of at most 1 item, got 3",
    );
    check(
        json!({"uniqueItems": true}),
        json!([1, "a", 1.0]),
        "- /: expected items that differ, got equal ones at 0 and 2",
    );
    check(
        json!({"contains": {"type": "string"}}),
        json!([1]),
        "- /: expected at least 1 of the items to be a string, got 0",
    );
    check(
        json!({"contains": {"const": 1}, "minContains": 0, "maxContains": 1}),
        json!([1, 1]),
        "- /: expected at most 1 of the items to be 1, got 2",
    );
    check(
        json!({"prefixItems": [true], "unevaluatedItems": false}),
        json!([1, 2]),
        "- /1: not allowed",
    );
}

#[test]
fn unique_items_of_every_kind() {
    let unique = |items: Vec<Value>| {
        Schema::compile(&json!({"uniqueItems": true}))
            .unwrap()
            .accepts(&json!(items))
    };
    let mut many: Vec<Value> = (0..40)
        .flat_map(|n| {
            [
                json!(n),
                json!(n.to_string()),
                json!([n]),
                json!({"a": n, "b": null}),
            ]
        })
        .collect();
    many.extend([
        json!(true),
        json!(false),
        json!(null),
        json!([0, 0]),
        json!({"a": 0}),
        json!({"c": 0, "b": null}),
    ]);
    assert!(unique(many.clone()));
    for twice in [
        json!(7.0),
        json!("7"),
        json!([7.0]),
        json!({"b": null, "a": 7}),
        json!(null),
        json!(true),
    ] {
        assert!(!unique(many.iter().cloned().chain([twice]).collect()));
    }
}

#[test]
fn objects() {
    check(
        json!({"required": ["a"]}),
        json!({}),
        "- /a: required, but missing",
    );
    check(
        json!({"minProperties": 2}),
        json!({"a": 1}),
        "- /: expected an object of at least 2 properties, got 1",
    );
    check(
        json!({"patternProperties": {"^x": {"type": "null"}}}),
        json!({"xa": 1, "b": 1}),
        "- /xa: expected null, got 1",
    );
    check(
        json!({"additionalProperties": {"type": "null"}}),
        json!({"a": 1}),
        "- /a: expected null, got 1",
    );
    check(
        json!({"additionalProperties": false}),
        json!({"a": 1}),
        "- /a: unknown property",
    );
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
    check(
        json!({"dependentSchemas": {"card": {"required": ["billing"]}}}),
        json!({"card": 1}),
        "- /billing: required, but missing",
    );
    let unevaluated = json!({"allOf": [{"properties": {"street": true}}], "properties": {"city": true}, "unevaluatedProperties": false});
    check(
        unevaluated,
        json!({"stret": 1, "city": 1}),
        "- /stret: unknown property; did you mean `street`?",
    );
}

#[test]
fn a_misspelt_name_is_found_where_unknown_ones_are_allowed() {
    let schema = json!({"properties": {"query": true, "limit": true}, "required": ["query"]});
    check(
        schema.clone(),
        json!({"qurey": 1}),
        "- /query: required, but missing; is it what `qurey` was meant to be?",
    );
    check(
        schema,
        json!({"limit": 1, "color": 1}),
        "- /query: required, but missing",
    );
}

#[test]
fn a_name_in_use_is_not_suggested() {
    let schema = json!({"properties": {"query": true}, "additionalProperties": false});
    check(
        schema,
        json!({"query": 1, "querys": 1}),
        "- /querys: unknown property; known here: `query`",
    );
}

#[test]
fn what_a_broken_alternative_declares_is_not_called_unknown() {
    let schema =
        json!({"anyOf": [{"properties": {"a": {"type": "null"}}}], "unevaluatedProperties": false});
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
    check(
        shape.clone(),
        json!({"kind": "circle", "radius": "1"}),
        "- /radius: expected a number, got \"1\"",
    );
    check(
        shape.clone(),
        json!({"kind": "square"}),
        "- /side: required, but missing",
    );
    check(
        shape.clone(),
        json!({"radius": 1, "side": 1}),
        &format!("- /: expected {phrases}, got an object"),
    );
    check(
        shape.clone(),
        json!({"kind": "oval"}),
        &format!("- /: expected {phrases}, got an object"),
    );
    check(shape, json!(1), &format!("- /: expected {phrases}, got 1"));
}

#[test]
fn one_alternative_is_picked_by_type_and_by_required_properties() {
    let optional = json!({"anyOf": [{"type": "object", "properties": {"color": {"enum": ["red", "green"]}}}, {"type": "null"}]});
    check(
        optional,
        json!({"color": "blue"}),
        "- /color: expected one of \"red\", \"green\", got \"blue\"",
    );
    // an enum as serde writes it
    let tagged = json!({"oneOf": [
        {"type": "string", "enum": ["None"]},
        {"type": "object", "properties": {"Circle": {"type": "number"}}, "required": ["Circle"], "additionalProperties": false},
        {"type": "object", "properties": {"Square": {"type": "number"}}, "required": ["Square"], "additionalProperties": false},
    ]});
    check(
        tagged.clone(),
        json!({"Circle": "1"}),
        "- /Circle: expected a number, got \"1\"",
    );
    let phrases = "\"None\" or an object with `Circle` or an object with `Square`";
    check(
        tagged,
        json!({"Oval": 1}),
        &format!("- /: expected {phrases}, got an object"),
    );
    let constants =
        json!({"oneOf": [{"const": "red", "description": "like blood"}, {"const": "green"}]});
    check(
        constants,
        json!("blue"),
        "- /: expected \"red\" or \"green\", got \"blue\"",
    );
}

#[test]
fn the_nearest_alternative_is_explained_when_words_cannot_tell_them_apart() {
    let lists = json!({"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "array", "items": {"type": "integer"}}]});
    check(
        lists,
        json!([1, 2, "a"]),
        "- /2: expected an integer, got \"a\"",
    );
    let deep = json!({"anyOf": [
        {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}, "required": ["a"]},
        {"type": "object", "properties": {"b": {"type": "string"}}, "required": ["b"]},
    ]});
    check(
        deep,
        json!({"a": "x", "b": 5}),
        "- /a: expected an integer, got \"x\"",
    );
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
        "- /: fits 2 alternatives, and exactly one is allowed: an integer or a number of at least \
         2",
    );
    check(
        json!({"allOf": [{"minimum": 2}, {"multipleOf": 2}]}),
        json!(1),
        "- /: expected a number of at least 2, got 1\n- /: expected a number that is a multiple of \
         2, got 1",
    );
    check(
        json!({"allOf": [{"type": "string"}, {"type": "string"}]}),
        json!(1),
        "- /: expected a string, got 1",
    );
    check(
        json!({"not": {"type": "string"}}),
        json!("a"),
        "- /: expected anything but a string, got \"a\"",
    );
    check(
        json!({"not": {"anyOf": [{"const": 1}, {"const": 2}]}}),
        json!(2),
        "- /: expected anything but 1 or 2, got 2",
    );
    check(json!({"not": {}}), json!(1), "- /: not allowed");
    let conditional = json!({"if": {"properties": {"country": {"const": "DE"}}}, "then": {"required": ["zip"]}, "else": {"required": ["state"]}});
    check(
        conditional.clone(),
        json!({"country": "DE"}),
        "- /zip: required, but missing",
    );
    check(
        conditional,
        json!({"country": "US"}),
        "- /state: required, but missing",
    );
    let recursive = json!({"$defs": {"node": {"properties": {"next": {"$ref": "#/$defs/node"}, "value": {"type": "integer"}}}}, "$ref": "#/$defs/node"});
    check(
        recursive,
        json!({"next": {"next": {"value": "a"}}}),
        "- /next/next/value: expected an integer, got \"a\"",
    );
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
    check(
        schema,
        json!({long.as_str(): long}),
        &format!("- /{cut}: expected an integer, got \"{cut}\""),
    );
    let deep = (0..100).fold(json!("a"), |value, _| json!([value]));
    let schema = json!({"items": {"$ref": "#"}, "type": "array"});
    let end = "/0".repeat(40);
    check(
        schema,
        deep,
        &format!("- {end}…{end}: expected an array, got \"a\""),
    );
}

#[test]
fn a_report_is_bounded() {
    let schema = json!({"items": {"type": "integer"}});
    let refusal = Schema::compile(&schema)
        .unwrap()
        .check(&json!(vec!["a"; 1000]))
        .unwrap_err()
        .to_string();
    assert_eq!(refusal.lines().count(), 21);
    assert!(
        refusal.ends_with("- /19: expected an integer, got \"a\"\nand 980 more"),
        "{refusal}"
    );
    let value: Value = (0..100)
        .map(|n| (format!("{n}{}", "é".repeat(100)), json!("ö".repeat(100))))
        .collect();
    let refusal = Schema::compile(&json!({"additionalProperties": {"type": "integer"}}))
        .unwrap()
        .check(&value)
        .unwrap_err()
        .to_string();
    assert!(
        refusal.len() < 4200 && refusal.ends_with("more"),
        "{}",
        refusal.len()
    );
    let values: Vec<String> = (0..10).map(|n| format!("{n}{}", "x".repeat(100))).collect();
    let refusal = Schema::compile(&json!({"enum": values}))
        .unwrap()
        .check(&json!(1))
        .unwrap_err()
        .to_string();
    assert_eq!(
        (refusal.chars().count(), refusal.chars().last()),
        (601, Some('…'))
    );
}

#[test]
fn violations_come_one_by_one() {
    let schema = json!({"items": {"type": "integer"}, "propertyNames": {"maxLength": 1}});
    let schema = Schema::compile(&schema).unwrap();
    let violations = schema.check(&json!(["a", 1, null])).unwrap_err();
    let parts: Vec<_> = violations
        .iter()
        .map(|violation| (violation.pointer, violation.message))
        .collect();
    assert_eq!(
        parts,
        [
            ("/0", "expected an integer, got \"a\""),
            ("/2", "expected an integer, got null")
        ]
    );
    assert_eq!(
        (violations.unlisted(), violations.is_unchecked()),
        (0, false)
    );
    let violations = schema.check(&json!({"ab": 1})).unwrap_err();
    assert_eq!(
        violations.iter().next().map(|violation| violation.message),
        Some("the name does not fit: expected a string of at most 1 character, got 2")
    );
    let violations = schema.check(&json!(vec!["a"; 30])).unwrap_err();
    assert_eq!((violations.iter().len(), violations.unlisted()), (20, 10));
}
