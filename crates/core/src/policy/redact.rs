//! A call's arguments as a log may have them, where the operator asked for that: secrets left out,
//! long texts cut. Not a guarantee that nothing private is left: what people write into ordinary
//! fields stays.

use serde_json::Value;

use crate::text::{self, shown};

/// Words in the names of members whose values are left out, compared without case, `_` and `-`.
const SECRET_NAMES: [&str; 11] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "privatekey",
    "authorization",
    "credential",
    "cookie",
    "signature",
];

/// How values begin that are keys, tokens or authorizations wherever they stand.
const SECRET_VALUES: [&str; 12] = [
    "Bearer ",
    "Basic ",
    "eyJ",
    "sk-",
    "ghp_",
    "gho_",
    "ghs_",
    "github_pat_",
    "xox",
    "AKIA",
    "ASIA",
    "-----BEGIN ",
];

const LEFT_OUT: &str = "[left out]";

/// The longest text, in characters.
const MAX_LENGTH: usize = 200;

/// The most items of an array and members of an object.
const MAX: usize = 20;

/// The most bytes of all; beyond, nothing is shown.
const MAX_BYTES: usize = 4096;

/// Nesting beyond which nothing is shown.
const DEEPEST: usize = 8;

/// `input` is the JSON text of the arguments; `hidden` are names whose values the tool's schema
/// calls secret.
pub(crate) fn redacted(input: &str, hidden: &[String]) -> String {
    if input.is_empty() {
        return String::new();
    }
    let Ok(value) = serde_json::from_str::<Value>(input) else {
        return LEFT_OUT.to_owned();
    };
    let text = clean(value, hidden, 0).to_string();
    // all or nothing: JSON that is cut is no JSON
    if text.len() > MAX_BYTES {
        LEFT_OUT.to_owned()
    } else {
        text
    }
}

fn clean(value: Value, hidden: &[String], depth: usize) -> Value {
    match value {
        Value::Object(_) | Value::Array(_) if depth == DEEPEST => LEFT_OUT.into(),
        Value::Object(members) => {
            let more = members.len().saturating_sub(MAX);
            let cleaned = members.into_iter().take(MAX).map(|(name, value)| {
                let value = if is_secret(&name, hidden) {
                    LEFT_OUT.into()
                } else {
                    clean(value, hidden, depth + 1)
                };
                (shown(&name, MAX_LENGTH).to_string(), value)
            });
            let mut kept = text::members(cleaned);
            // a reader must see that something is missing
            if more > 0 {
                kept.insert("…".to_owned(), more.into());
            }
            Value::Object(kept)
        }
        Value::Array(items) => {
            let more = items.len().saturating_sub(MAX);
            let mut kept: Vec<Value> = items
                .into_iter()
                .take(MAX)
                .map(|item| clean(item, hidden, depth + 1))
                .collect();
            if more > 0 {
                kept.push(format!("… {more} more").into());
            }
            Value::Array(kept)
        }
        Value::String(text)
            if SECRET_VALUES
                .iter()
                .any(|start| text.trim_start().starts_with(start)) =>
        {
            LEFT_OUT.into()
        }
        Value::String(text) => shown(&text, MAX_LENGTH).to_string().into(),
        other => other,
    }
}

fn is_secret(name: &str, hidden: &[String]) -> bool {
    let plain: String = name
        .chars()
        .filter(|letter| !matches!(letter, '_' | '-'))
        .flat_map(char::to_lowercase)
        .collect();
    SECRET_NAMES.iter().any(|word| plain.contains(word))
        || hidden.iter().any(|hidden| hidden == name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use serde_json::Map;

    use super::*;

    fn read(input: &Value, hidden: &[&str]) -> String {
        redacted(
            &input.to_string(),
            &hidden
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn secrets_are_left_out_at_any_depth_by_name_and_by_look() {
        for secret in [
            json!({"password": "hunter2"}),
            json!({"user": {"API-Key": "hunter2", "name": "ada"}}),
            json!({"list": [{"refresh_Token": {"a": "hunter2"}}]}),
            json!({"note": "Bearer hunter2"}),
            json!(["  ghp_hunter2"]),
            json!({"jwt": "eyJhunter2"}),
            json!({"pin": "hunter2"}),
        ] {
            let text = read(&secret, &["pin"]);
            assert!(
                text.contains(LEFT_OUT) && !text.contains("hunter2"),
                "{text}"
            );
        }
        assert_eq!(
            read(&json!({"pin": 1, "city": "Lisbon", "limit": 3}), &[]),
            r#"{"city":"Lisbon","limit":3,"pin":1}"#
        );
    }

    #[test]
    fn everything_is_bounded() {
        let text = read(
            &json!({"note": "x".repeat(10_000), "ids": (0..1000).collect::<Vec<_>>()}),
            &[],
        );
        assert!(text.len() < 600 && text.contains("… 980 more"), "{text}");
        let wide: Map<String, Value> = (0..1000)
            .map(|number| (format!("name{number}"), Value::Null))
            .collect();
        assert!(read(&wide.into(), &[]).contains("\"…\":980"));
        let deep = (0..100).fold(json!("deepest"), |inner, _| json!([inner]));
        assert!(!read(&deep, &[]).contains("deepest"));
        let large: Vec<_> = (0..20).map(|_| vec!["x".repeat(200); 20]).collect();
        assert_eq!(read(&json!(large), &[]), LEFT_OUT);
        assert_eq!(
            (redacted("", &[]).as_str(), redacted("{", &[]).as_str()),
            ("", LEFT_OUT)
        );
    }

    /// What is at a bound is shown whole, and nothing of what is past it.
    #[test]
    fn each_bound_is_where_it_is_said_to_be() {
        let items: Vec<_> = (0..MAX).collect();
        let members: Map<String, Value> = (0..MAX)
            .map(|number| (format!("name{number}"), number.into()))
            .collect();
        for whole in [json!(items), json!(members)] {
            assert_eq!(read(&whole, &[]), whole.to_string());
        }
        let nests: [fn(Value) -> Value; 2] = [|inner| json!([inner]), |inner| json!({"a": inner})];
        for nest in nests {
            for (levels, is_shown) in [(DEEPEST, true), (DEEPEST + 1, false)] {
                let deep = (0..levels).fold(json!("deepest"), |inner, _| nest(inner));
                assert_eq!(read(&deep, &[]).contains("deepest"), is_shown, "{levels}");
            }
        }
        let large = |last: usize| {
            let texts = vec!["x".repeat(90); MAX];
            json!([texts, texts, ["x".repeat(180), "x".repeat(last)]])
        };
        let last = MAX_BYTES - large(0).to_string().len();
        assert_eq!(read(&large(last), &[]).len(), MAX_BYTES);
        assert_eq!(read(&large(last + 1), &[]), LEFT_OUT);
    }

    #[test]
    fn what_people_do_not_see_is_not_shown() {
        assert_eq!(
            read(&json!({"a": "x\u{202e}y\u{200b}\n`"}), &[]),
            "{\"a\":\"x\u{fffd}y\u{fffd}\u{fffd}\u{fffd}\"}"
        );
    }
}
