//! References in arguments to the results of other steps.

use serde_json::{Map, Value};

const RESULT: &str = "$result";
const POINTER: &str = "pointer";

/// How deep arguments are looked through; JSON that came in nests no deeper than 127.
const DEEPEST: usize = 128;

/// A part of another step's result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ResultReference<'a> {
    pub(super) step: &'a str,
    pub(super) pointer: &'a str,
}

/// The reference that an object is; nothing for other objects.
///
/// # Errors
/// What is wrong with one that means to be a reference.
fn reference(object: &Map<String, Value>) -> Option<Result<ResultReference<'_>, String>> {
    let step = object.get(RESULT)?;
    let Some(step) = step.as_str() else {
        return Some(Err(format!("`{RESULT}` must be the id of a step")));
    };
    let pointer = match object.get(POINTER) {
        None => "",
        Some(Value::String(pointer)) if pointer.is_empty() || pointer.starts_with('/') => pointer,
        Some(_) => {
            return Some(Err(format!(
                "`{POINTER}` beside `{RESULT}` must be a JSON pointer such as \"/items/0/id\""
            )));
        }
    };
    match object.keys().find(|key| *key != RESULT && *key != POINTER) {
        Some(_) => Some(Err(format!(
            "an object with `{RESULT}` may have `{POINTER}` beside it, and nothing else"
        ))),
        None => Some(Ok(ResultReference { step, pointer })),
    }
}

/// Every reference in arguments.
///
/// # Errors
/// What is wrong with the first one that is none.
pub(super) fn references(
    arguments: &Map<String, Value>,
) -> Result<Vec<ResultReference<'_>>, String> {
    let mut found = Vec::new();
    for value in arguments.values() {
        collect(value, 0, &mut found)?;
    }
    Ok(found)
}

fn collect<'a>(
    value: &'a Value,
    depth: usize,
    found: &mut Vec<ResultReference<'a>>,
) -> Result<(), String> {
    if depth > DEEPEST {
        return Err("the arguments nest too deep".to_owned());
    }
    match value {
        Value::Object(members) => match reference(members) {
            Some(reference) => found.push(reference?),
            None => {
                for value in members.values() {
                    collect(value, depth + 1, found)?;
                }
            }
        },
        Value::Array(items) => {
            for value in items {
                collect(value, depth + 1, found)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// The arguments with results in the place of references. `result` gives that of a step.
///
/// # Errors
/// A pointer that leads to nothing.
pub(super) fn resolved<'r>(
    arguments: &Map<String, Value>,
    result: &impl Fn(&str) -> Option<&'r Value>,
) -> Result<Value, String> {
    let mut written = Map::new();
    for (name, value) in arguments {
        written.insert(name.clone(), filled(value, result)?);
    }
    Ok(Value::Object(written))
}

fn filled<'r>(value: &Value, result: &impl Fn(&str) -> Option<&'r Value>) -> Result<Value, String> {
    match value {
        Value::Object(members) => match reference(members).transpose()? {
            Some(ResultReference { step, pointer }) => {
                let found = result(step).and_then(|result| result.pointer(pointer));
                found.cloned().ok_or_else(|| {
                    format!("the result of `{step}` has nothing at the pointer \"{pointer}\"")
                })
            }
            None => resolved(members, result),
        },
        Value::Array(items) => {
            let items: Result<_, String> = items.iter().map(|item| filled(item, result)).collect();
            items.map(Value::Array)
        }
        other => Ok(other.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: &Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn references_are_found_anywhere_and_filled() {
        let arguments = object(&json!({
            "a": {"$result": "one", "pointer": "/x/0"},
            "b": [1, {"c": {"$result": "two"}}],
            "d": {"pointer": "/no"},
        }));
        let found = references(&arguments).unwrap();
        let steps: Vec<&str> = found.iter().map(|found| found.step).collect();
        assert_eq!(steps, ["one", "two"]);
        let (one, two) = (json!({"x": ["y"]}), json!(7));
        let result = |step: &str| match step {
            "one" => Some(&one),
            "two" => Some(&two),
            _ => None,
        };
        let filled = resolved(&arguments, &result).unwrap();
        assert_eq!(
            filled,
            json!({"a": "y", "b": [1, {"c": 7}], "d": {"pointer": "/no"}})
        );
        let wrong = object(&json!({"a": {"$result": "one", "pointer": "/x/1"}}));
        assert!(resolved(&wrong, &result).unwrap_err().contains("\"/x/1\""));
    }

    #[test]
    fn what_means_to_be_a_reference_and_is_none_is_said() {
        for (value, said) in [
            (json!({"$result": 7}), "the id of a step"),
            (json!({"$result": "a", "pointer": "x"}), "a JSON pointer"),
            (json!({"$result": "a", "pointer": 7}), "a JSON pointer"),
            (json!({"$result": "a", "other": 7}), "nothing else"),
        ] {
            let error = references(&object(&json!({ "a": [value] }))).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }
}
