//! Arguments in the spelling that handlers' types read: JSON Schema takes `3.0` for an integer, and
//! serde does not; clients write null for what they leave out. Not the checking of arguments.

use serde_json::{Number, Value};

/// Writes each integral number as an integer, where one can hold it.
pub(crate) fn with_integers(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => {
            if let Some(integer) = number.as_f64().and_then(integer) {
                *number = integer;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(with_integers),
        Value::Object(members) => members.values_mut().for_each(with_integers),
        _ => {}
    }
}

/// The integer that a double is, between the least `i64` and the greatest `u64`.
fn integer(double: f64) -> Option<Number> {
    /// 2^63 and 2^64, as doubles hold them.
    const HALF: f64 = 9_223_372_036_854_775_808.0;
    const WHOLE: f64 = 18_446_744_073_709_551_616.0;
    if double.fract() != 0.0 {
        return None;
    }
    if (-HALF..HALF).contains(&double) {
        Some((double as i64).into())
    } else {
        (HALF..WHOLE)
            .contains(&double)
            .then(|| (double as u64).into())
    }
}

/// Leaves out each null that stands for an optional property which can't be null. Whether any was
/// left out.
pub(crate) fn leave_out_nulls(value: &mut Value, schema: &Value) -> bool {
    let mut left_out = false;
    match value {
        Value::Array(items) => {
            if let Some(schema) = schema.get("items") {
                for item in items {
                    left_out |= leave_out_nulls(item, schema);
                }
            }
        }
        Value::Object(members) => {
            let properties = schema.get("properties").and_then(Value::as_object);
            let required = schema.get("required").and_then(Value::as_array);
            for (name, property) in properties.into_iter().flatten() {
                let optional = || required.is_none_or(|names| !names.iter().any(|one| one == name));
                match members.get_mut(name) {
                    Some(Value::Null) if optional() && never_null(property) => {
                        members.remove(name);
                        left_out = true;
                    }
                    Some(member) => left_out |= leave_out_nulls(member, property),
                    None => {}
                }
            }
        }
        _ => return false,
    }
    for union in ["anyOf", "oneOf", "allOf"] {
        for schema in schema
            .get(union)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            left_out |= leave_out_nulls(value, schema);
        }
    }
    left_out
}

fn never_null(schema: &Value) -> bool {
    let kind = schema.get("type").and_then(Value::as_str);
    kind.is_some_and(|kind| kind != "null") || schema.get("anyOf").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn integral_numbers_are_integers() {
        let mut value =
            json!([3.0, -0.0, 1e1, 1e18, 1.5, 1e300, {"a": [2.0]}, -9.223_372_036_854_776e18]);
        with_integers(&mut value);
        let said = "[3,0,10,1000000000000000000,1.5,1e+300,{\"a\":[2]},-9223372036854775808]";
        assert_eq!(value.to_string(), said);
        let mut large = json!(1e19);
        with_integers(&mut large);
        assert_eq!(large.as_u64(), Some(10_000_000_000_000_000_000));
    }

    #[test]
    fn a_null_that_is_no_value_is_left_out() {
        let schema = json!({
            "type": "object",
            "properties": {
                "limit": {"type": "integer"},
                "must": {"type": "string"},
                "any": {},
                "null": {"type": ["string", "null"]},
                "list": {"type": "array", "items": {"properties": {"x": {"type": "string"}}}},
            },
            "required": ["must"],
        });
        let mut value = json!({
            "limit": null, "must": null, "any": null, "null": null, "list": [{"x": null}], "other": null,
        });
        assert!(leave_out_nulls(&mut value, &schema));
        assert_eq!(
            value,
            json!({"must": null, "any": null, "null": null, "list": [{}], "other": null})
        );
        assert!(!leave_out_nulls(&mut value, &schema));
    }
}
