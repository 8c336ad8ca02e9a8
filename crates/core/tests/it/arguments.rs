//! Arguments as clients spell them: whatever the published schema of a type admits, the type reads.

use std::collections::BTreeMap;
use std::num::{NonZeroI32, NonZeroU16};
use std::sync::LazyLock;

use mcpfn_core::{JsonSchema, NoArguments, Server, Tool};
use mcpfn_schema::Schema;
use mcpfn_testing::TestClient;
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

/// Every integer type, alone and within others. Each is optional, so that a test sends one.
#[derive(Deserialize, JsonSchema)]
#[serde(default)]
#[derive(Default)]
#[allow(dead_code, reason = "they are read, and that is all")]
struct Numbers {
    i8: i8,
    i16: i16,
    i32: i32,
    i64: i64,
    i128: i128,
    isize: isize,
    u8: u8,
    u16: u16,
    u32: u32,
    u64: u64,
    u128: u128,
    usize: usize,
    f32: f32,
    f64: f64,
    nonzero_u16: Option<NonZeroU16>,
    nonzero_i32: Option<NonZeroI32>,
    optional: Option<u32>,
    #[schemars(range(min = 1, max = 100))]
    limit: Option<u16>,
    inner: Inner,
    #[serde(flatten)]
    flat: Flat,
    tagged: Option<Tagged>,
    untagged: Option<Untagged>,
    any: Value,
}

#[derive(Deserialize, JsonSchema, Default)]
#[serde(default)]
struct Inner {
    list: Vec<i16>,
    map: BTreeMap<String, u8>,
    pair: Option<(u32, i8)>,
    lists: Vec<Vec<Option<u64>>>,
}

#[derive(Deserialize, JsonSchema, Default)]
#[serde(default)]
struct Flat {
    flat: Option<i64>,
}

#[derive(Deserialize, JsonSchema)]
#[allow(dead_code, reason = "they are read, and that is all")]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Tagged {
    Count { count: u8 },
}

#[derive(Deserialize, JsonSchema)]
#[allow(dead_code, reason = "they are read, and that is all")]
#[serde(untagged)]
enum Untagged {
    Whole(i64),
    Other(f64),
    Text(String),
}

static CLIENT: LazyLock<TestClient> = LazyLock::new(|| {
    let read = Tool::new("read")
        .description("Reads numbers.")
        .read_only()
        .handler(|_: Numbers| async { "read" });
    TestClient::new(Server::builder("numbers", "1").tool(read))
});

static PUBLISHED: LazyLock<Schema> = LazyLock::new(|| {
    let tools = CLIENT.list_tools().wait().unwrap();
    Schema::compile(&tools[0].input_schema).unwrap()
});

/// What a call with these arguments came to: nothing, or what it says.
fn refused(arguments: &Value) -> Option<String> {
    let result = CLIENT.call("read", arguments.clone()).wait().unwrap();
    result.is_error().then(|| result.text())
}

#[track_caller]
fn is_read_if_admitted(arguments: &Value) {
    let admitted = PUBLISHED.accepts(arguments);
    let refused = refused(arguments);
    assert!(!admitted || refused.is_none(), "{arguments}: {refused:?}");
    let by_the_type = refused.filter(|said| said.contains("can't be read"));
    assert_eq!(by_the_type, None, "{arguments}: the schema says it first");
}

const NAMES: [&str; 19] = [
    "i8",
    "i16",
    "i32",
    "i64",
    "i128",
    "isize",
    "u8",
    "u16",
    "u32",
    "u64",
    "u128",
    "usize",
    "f32",
    "f64",
    "nonzero_u16",
    "nonzero_i32",
    "optional",
    "limit",
    "any",
];

/// Every place where a number can stand.
fn places(number: &Value) -> Vec<Value> {
    let alone = NAMES.iter().map(|name| json!({*name: number}));
    alone
        .chain([
            json!({"inner": {"list": [number, 1]}}),
            json!({"inner": {"map": {"a": number}}}),
            json!({"inner": {"pair": [number, number]}}),
            json!({"inner": {"lists": [[number, null]]}}),
            json!({"flat": number}),
            json!({"tagged": {"kind": "count", "count": number}}),
            json!({"untagged": number}),
        ])
        .collect()
}

/// Numbers as clients write them: with a point, with an exponent, at the ends of each width.
fn number() -> impl Strategy<Value = Value> {
    let ends = proptest::sample::select(vec![7, 8, 15, 16, 31, 32, 53, 63, 64, 127, 128]);
    let near = (ends, -2_i32..3, any::<bool>()).prop_map(|(bits, off, negative)| {
        let power = 2_f64.powi(bits) * if negative { -1.0 } else { 1.0 } + f64::from(off);
        json!(power)
    });
    let whole = any::<i64>().prop_map(|whole| json!(whole));
    let unsigned = any::<u64>().prop_map(|whole| json!(whole));
    let small = (-300_i32..300).prop_map(|whole| json!(f64::from(whole)));
    let power = (-9_i32..40).prop_map(|exponent| json!(10_f64.powi(exponent)));
    prop_oneof![
        near,
        whole,
        unsigned,
        small,
        power,
        any::<f64>().prop_map(|any| json!(any))
    ]
}

proptest! {
    #[test]
    fn whatever_the_published_schema_admits_the_type_reads(number in number()) {
        for arguments in places(&number) {
            is_read_if_admitted(&arguments);
        }
    }
}

#[test]
fn integers_may_be_written_with_a_point_or_an_exponent() {
    for text in ["3.0", "1e1", "30e-1", "0.3e1", "-0.0", "7"] {
        let number: Value = serde_json::from_str(text).unwrap();
        for arguments in places(&number) {
            let refused = refused(&arguments);
            let zero = text == "-0.0"
                && arguments.to_string().contains("nonzero")
                    | arguments.to_string().contains("limit");
            assert_eq!(refused.is_some(), zero, "{arguments}: {refused:?}");
        }
    }
    let refused = refused(&json!({"u8": 300.0, "i8": 1.5})).unwrap();
    assert!(
        refused.contains("/u8: expected") && refused.contains("/i8: expected"),
        "{refused}"
    );
}

#[test]
fn null_is_taken_for_what_is_left_out() {
    for name in NAMES.iter().chain(&["inner", "flat", "tagged", "untagged"]) {
        assert_eq!(refused(&json!({*name: null})), None, "{name}");
    }
    assert_eq!(
        refused(&json!({"inner": {"list": null, "map": null, "pair": null}})),
        None
    );
}

/// A type that reads less than its schema says: its words, and no broken quotation.
#[test]
fn what_a_type_alone_refuses_is_said_in_plain_characters() {
    #[derive(Deserialize, JsonSchema)]
    struct Address {
        #[schemars(with = "String")]
        #[expect(dead_code, reason = "it is read, and that is all")]
        address: std::net::IpAddr,
    }
    let tool = Tool::new("ping")
        .description("Pings.")
        .handler(|_: Address| async { "" });
    let client = TestClient::new(Server::builder("net", "1").tool(tool));
    let refused = client
        .call("ping", json!({"address": "`x\u{202e}`"}))
        .wait()
        .unwrap();
    assert!(
        refused.text().starts_with("the arguments can't be read: "),
        "{}",
        refused.text()
    );
    assert!(!refused.text().contains('\u{fffd}') && !refused.text().contains('\u{202e}'));
    let none = client.call("ping", json!({})).wait().unwrap();
    assert!(
        none.text().contains("/address: required"),
        "{}",
        none.text()
    );
    let _ = NoArguments {};
}
