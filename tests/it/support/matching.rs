//! How an expected JSON value is compared with an actual one.
//!
//! Objects match as parts: members that are not expected may be there. Arrays match item by item
//! and in length. Besides: `"$absent"` (no such member), `"$any"` (anything),
//! `{"$contains": "text"}` (a text inside a string), `{"$contains": [..]}` (each matches some
//! item), `{"$lacks": "text"}`, `{"$count": n}` (length of an array), and `{"$exact": ..}` (equal
//! in every member).

use serde_json::Value;

/// Where and how two values differ; nothing when they match.
pub(crate) fn differences(expected: &Value, actual: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare(expected, Some(actual), "", &mut found);
    found
}

fn compare(expected: &Value, actual: Option<&Value>, place: &str, found: &mut Vec<String>) {
    let Some(actual) = actual else {
        if expected != "$absent" {
            found.push(format!("{place} is missing; expected {expected}"));
        }
        return;
    };
    let mut complain = |what: String| {
        found.push(format!(
            "{} {what}, found {actual}",
            if place.is_empty() { "/" } else { place }
        ));
    };
    match expected {
        Value::String(text) if text == "$any" => {}
        Value::String(text) if text == "$absent" => complain("must be absent".to_owned()),
        Value::Object(members)
            if members.len() == 1
                && members
                    .keys()
                    .all(|key| key.starts_with('$') && key != "$schema" && key != "$ref") =>
        {
            let (operator, operand) = members.iter().next().expect("it has one member");
            if !special(operator, operand, actual) {
                complain(format!("must match {expected}"));
            }
        }
        Value::Object(members) => match actual {
            Value::Object(others) => {
                members.iter().for_each(|(key, value)| {
                    compare(value, others.get(key), &format!("{place}/{key}"), found);
                });
            }
            _ => complain("must be an object".to_owned()),
        },
        Value::Array(items) => match actual {
            Value::Array(others) if others.len() == items.len() => {
                items
                    .iter()
                    .zip(others)
                    .enumerate()
                    .for_each(|(position, (item, other))| {
                        compare(item, Some(other), &format!("{place}/{position}"), found);
                    });
            }
            _ => complain(format!("must be an array of {}", items.len())),
        },
        scalar if scalar != actual => complain(format!("must be {scalar}")),
        _ => {}
    }
}

fn special(operator: &str, operand: &Value, actual: &Value) -> bool {
    match (operator, operand, actual) {
        ("$contains", Value::String(part), Value::String(whole)) => whole.contains(part),
        ("$contains", Value::Array(items), Value::Array(others)) => items.iter().all(|item| {
            others
                .iter()
                .any(|other| differences(item, other).is_empty())
        }),
        ("$lacks", Value::String(part), Value::String(whole)) => !whole.contains(part),
        ("$count", Value::Number(count), Value::Array(items)) => {
            count.as_u64() == Some(items.len() as u64)
        }
        ("$exact", expected, actual) => expected == actual,
        ("$contains" | "$lacks" | "$count", _, _) => false,
        _ => panic!("matching knows no {operator}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_difference_is_found_wherever_it_is() {
        let actual = json!({"a": [1, {"b": "text", "c": null}], "d": []});
        let same = [
            json!({"a": "$any"}),
            json!({"a": [1, {"b": "text"}], "e": "$absent"}),
            json!({"a": {"$contains": [{"c": null}]}, "d": {"$count": 0}}),
            json!({"a": [1, {"b": {"$contains": "ex"}}]}),
            json!({"d": {"$exact": []}, "a": [1, {"b": {"$lacks": "x2"}}]}),
        ];
        same.iter()
            .for_each(|expected| assert_eq!(differences(expected, &actual), Vec::<String>::new()));
        let different = [
            json!({"a": "$absent"}),
            json!({"a": [1]}),
            json!({"a": [1, {"c": "$absent"}]}),
            json!({"a": [1, {"b": {"$contains": "xx"}}]}),
            json!({"e": 1}),
            json!({"d": {"$count": 1}}),
            json!({"a": {"$contains": [{"c": 1}]}}),
            json!({"a": {"$exact": [1, {"b": "text"}]}}),
            json!([]),
        ];
        different
            .iter()
            .for_each(|expected| assert_eq!(differences(expected, &actual).len(), 1, "{expected}"));
    }
}
