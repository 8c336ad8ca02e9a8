//! What a handler may return, turned into the wire's results.

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use super::finite::not_finite;
use super::schema::{self, JsonSchema};
use crate::error::ToolError;
use crate::model::content::Content;
use crate::model::tool::CallToolResult;
use crate::text::quoted;

/// A result that a tool may return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be a tool's result",
    label = "not a tool result",
    note = "return a `String`, `Content`, `CallToolResult`, a type marked `#[output]` (or a `Vec` \
        or `Option` of it), `Json<T>`, or a `Result` of one of these"
)]
pub trait IntoToolResult {
    /// The schema of the structured content, if the result has any.
    #[must_use]
    fn output_schema() -> Option<Value> {
        None
    }

    /// Turns the value into the wire's result.
    ///
    /// # Errors
    /// The handler's own failure, or an internal one when the value can't be written as JSON.
    fn into_tool_result(self) -> Result<CallToolResult, ToolError>;
}

/// A type whose values are sent as structured content. `#[output]` implements it.
pub trait Structured: Serialize + JsonSchema {}

impl<T: Structured> Structured for Vec<T> {}
impl<T: Structured> Structured for Option<T> {}

/// Any serialisable value as structured content, for types that are not marked `#[output]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl<T: Structured> IntoToolResult for T {
    fn output_schema() -> Option<Value> {
        Some(object_schema::<T>())
    }

    fn into_tool_result(self) -> Result<CallToolResult, ToolError> {
        structured::<T>(&self)
    }
}

impl<T: Serialize + JsonSchema> IntoToolResult for Json<T> {
    fn output_schema() -> Option<Value> {
        Some(object_schema::<T>())
    }

    fn into_tool_result(self) -> Result<CallToolResult, ToolError> {
        structured::<T>(&self.0)
    }
}

/// Clients before 2026-07-28 read only objects, so anything else is wrapped as `{"result": ...}`.
fn object_schema<T: JsonSchema>() -> Value {
    let schema = schema::of_output::<T>();
    if is_object(&schema) {
        schema
    } else {
        json!({"type": "object", "properties": {"result": schema}, "required": ["result"]})
    }
}

fn is_object(schema: &Value) -> bool {
    schema.get("type").is_some_and(|kind| kind == "object")
}

fn not_a_number_of_json(place: &str) -> ToolError {
    let place = quoted(if place.is_empty() {
        "the result"
    } else {
        place
    });
    ToolError::new(format!(
        "The tool has a result that can't be sent: {place} is not a finite number (NaN or \
         infinity). Tell the user, who may tell the operator."
    ))
    .with_cause(format!(
        "{place} is NaN or infinite, which JSON does not have: make it an `Option`, or a text"
    ))
}

/// Writes the value once: the text block and the structured content are the same JSON.
fn structured<T: Serialize + JsonSchema>(value: &T) -> Result<CallToolResult, ToolError> {
    #[derive(Serialize)]
    struct Wrapped<'a> {
        result: &'a RawValue,
    }
    let unwritable =
        |error| ToolError::internal(format!("the result can't be written as JSON: {error}"));
    let written = to_raw_value(value).map_err(unwritable)?;
    // such a number is a null by now, which its schema does not allow and nobody would notice
    if written.get().contains("null")
        && let Some(place) = not_finite(value)
    {
        return Err(not_a_number_of_json(&place));
    }
    // as text, too: the specification asks for it, for clients that do not read structured content
    let mut result = CallToolResult::text(written.get());
    // the value's own shape decides: an object's schema may still allow null (an untagged enum,
    // say)
    let is_object = written.get().starts_with('{');
    result.structured_content = Some(if is_object {
        written
    } else {
        to_raw_value(&Wrapped { result: &written }).map_err(unwritable)?
    });
    Ok(result)
}

impl IntoToolResult for CallToolResult {
    fn into_tool_result(self) -> Result<CallToolResult, ToolError> {
        Ok(self)
    }
}

impl IntoToolResult for String {
    fn into_tool_result(self) -> Result<CallToolResult, ToolError> {
        Ok(CallToolResult::text(self))
    }
}

impl IntoToolResult for &'static str {
    fn into_tool_result(self) -> Result<CallToolResult, ToolError> {
        Ok(CallToolResult::text(self))
    }
}

impl IntoToolResult for () {
    fn into_tool_result(self) -> Result<CallToolResult, ToolError> {
        Ok(CallToolResult::text("done"))
    }
}

impl IntoToolResult for Content {
    fn into_tool_result(self) -> Result<CallToolResult, ToolError> {
        Ok(CallToolResult::new(vec![self]))
    }
}

impl IntoToolResult for Vec<Content> {
    fn into_tool_result(self) -> Result<CallToolResult, ToolError> {
        Ok(CallToolResult::new(self))
    }
}

impl<T: IntoToolResult, E: Into<ToolError>> IntoToolResult for Result<T, E> {
    fn output_schema() -> Option<Value> {
        T::output_schema()
    }

    fn into_tool_result(self) -> Result<CallToolResult, ToolError> {
        self.map_err(Into::into)?.into_tool_result()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize, JsonSchema)]
    struct Point {
        x: i32,
    }

    impl Structured for Point {}

    #[test]
    fn numbers_that_json_does_not_have_are_a_failure_and_not_null() {
        #[derive(Serialize, JsonSchema)]
        struct Weather {
            place: Option<String>,
            degrees: Vec<f64>,
        }
        impl Structured for Weather {}
        let weather = |degree| Weather {
            place: None,
            degrees: vec![1.0, degree],
        };
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let failed = format!("{:?}", weather(bad).into_tool_result().unwrap_err());
            assert!(
                failed.contains("`degrees/1` is not a finite number"),
                "{failed}"
            );
            assert!(Json(bad).into_tool_result().is_err());
            assert!(Json(Some(bad)).into_tool_result().is_err());
        }
        let fine = weather(2.0).into_tool_result().unwrap();
        let expected = json!({"place": null, "degrees": [1.0, 2.0]});
        assert_eq!(fine.structured_content(), Some(expected));
    }

    #[test]
    fn structured_results_are_objects_and_repeated_as_text() {
        let result = Point { x: 1 }.into_tool_result().unwrap();
        assert_eq!(result.structured_content(), Some(json!({"x": 1})));
        assert_eq!(result.content, [Content::text(r#"{"x":1}"#)]);
        let list = Ok::<_, ToolError>(vec![Point { x: 1 }])
            .into_tool_result()
            .unwrap();
        assert_eq!(
            list.structured_content(),
            Some(json!({"result": [{"x": 1}]}))
        );
        let schema = <Result<Vec<Point>, ToolError>>::output_schema().unwrap();
        assert_eq!(
            schema["properties"]["result"]["items"]["properties"]["x"]["type"],
            "integer"
        );
    }
}
