//! How many values a JSON text holds, counted before any of them is read. Not whether it is JSON.

/// Most values of a message when an operator does not set it.
///
/// Measured: a tree of so many takes less than 16 MB beside eight times the text's bytes. As text
/// they are some 200 KB at least.
pub const MAX_VALUES: usize = 100_000;

/// What an object with members counts beside them: its table takes as much memory as five values.
pub(super) const OBJECT: usize = 5;

/// Whether a JSON text holds more than `most` values: those of its arrays and objects at any depth
/// and itself, an object with members as five.
pub(super) fn has_more_than(text: &[u8], most: usize) -> bool {
    // nothing in JSON counts more than it has bytes, so that most messages need no look
    if text.len() <= most {
        return false;
    }
    let mut count = 1;
    let mut rest = text;
    while count <= most {
        let Some((&byte, after)) = rest.split_first() else {
            return false;
        };
        rest = after;
        match byte {
            b'"' => rest = behind_string(after),
            b',' => count += 1,
            b'[' if !closes(after, b']') => count += 1,
            b'{' if !closes(after, b'}') => count += OBJECT,
            _ => {}
        }
    }
    true
}

/// What follows a string; nothing, where it does not end.
fn behind_string(mut inside: &[u8]) -> &[u8] {
    while let Some(at) = memchr::memchr2(b'"', b'\\', inside) {
        let behind = at + if inside[at] == b'"' { 1 } else { 2 };
        let ends = inside[at] == b'"';
        inside = inside.get(behind..).unwrap_or_default();
        if ends {
            return inside;
        }
    }
    &[]
}

/// Whether an array or object ends where it began.
fn closes(after: &[u8], end: u8) -> bool {
    after.iter().find(|byte| !b" \t\r\n".contains(byte)) == Some(&end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn count(value: &Value) -> usize {
        match value {
            Value::Array(items) => 1 + items.iter().map(count).sum::<usize>(),
            Value::Object(members) if members.is_empty() => 1,
            Value::Object(members) => OBJECT + members.values().map(count).sum::<usize>(),
            _ => 1,
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<i32>().prop_map(Value::from),
            "[ a\"\\\\,\\[\\]{}:é]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 60, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map("[a\"\\\\,{]{0,3}", inner, 0..6)
                    .prop_map(|members| members.into_iter().collect::<Value>()),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_count_is_that_of_the_tree(value in any_json(), pretty: bool) {
            let text = if pretty {
                serde_json::to_vec_pretty(&value).unwrap()
            } else {
                serde_json::to_vec(&value).unwrap()
            };
            let count = count(&value);
            prop_assert!(count <= text.len(), "what is not looked at holds no more");
            prop_assert!(!has_more_than(&text, count));
            // what the bytes alone decide is not asked here
            let padded = [text, vec![b' '; 4096]].concat();
            prop_assert!(!has_more_than(&padded, count));
            prop_assert!(has_more_than(&padded, count - 1));
        }

        #[test]
        fn any_bytes_end(bytes: Vec<u8>, most in 0_usize..8) {
            has_more_than(&bytes, most);
        }
    }

    #[test]
    fn examples() {
        for (text, expected) in [
            ("1", 1),
            ("[ ]", 1),
            ("{\n}", 1),
            (r#""[{,,\"[,""#, 1),
            ("[1, [2], []]", 5),
            (r#"{"a": 1}"#, 6),
            (r#"{"a": {"b,": "\\"}, "c": [1]}"#, 13),
        ] {
            let padded = format!("{text}{}", " ".repeat(100));
            assert!(!has_more_than(padded.as_bytes(), expected), "{text}");
            assert!(has_more_than(padded.as_bytes(), expected - 1), "{text}");
        }
        assert_eq!(count(&json!({"a": {"b,": "\\"}, "c": [1]})), 13);
        assert!(!has_more_than(b"\"\\", 1), "a text without an end");
    }
}
