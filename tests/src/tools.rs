//! Tools whose results, errors, reports and schemas the suite looks at.

use std::time::Duration;

use mcpfn::prelude::*;
use mcpfn::{JsonObject, LogLevel, host::Capability};
use serde_json::json;

use crate::resources::{PNG, WAV};

pub(crate) fn add(builder: Builder) -> Builder {
    builder
        .tool(test_simple_text)
        .tool(test_image_content)
        .tool(test_audio_content)
        .tool(test_embedded_resource)
        .tool(test_multiple_content_types)
        .tool(test_error_handling)
        .tool(test_tool_with_progress)
        .tool(test_tool_with_logging)
        .tool(test_logging_tool)
        .tool(test_missing_capability)
        .tool(test_sampling)
        .tool(test_elicitation)
        .tool(add_numbers)
        .tool(test_header_parameter)
        .tool(test_slow)
        .tool(test_slow_write)
        .tool(test_panic)
        .tool(test_blocking)
        .tool(json_schema_2020_12_tool())
}

/// Gives one block of text.
#[tool(read_only)]
async fn test_simple_text() -> &'static str {
    "This is a simple text response for testing."
}

/// Gives a picture.
#[tool(read_only)]
async fn test_image_content() -> Content {
    Content::image(PNG, "image/png")
}

/// Gives a sound.
#[tool(read_only)]
async fn test_audio_content() -> Content {
    Content::audio(WAV, "audio/wav")
}

/// Gives a resource inside the result.
#[tool(read_only)]
async fn test_embedded_resource() -> Content {
    Content::resource(ResourceContents::text(
        "test://embedded-resource",
        "text/plain",
        "This is an embedded resource content.",
    ))
}

/// Gives text, a picture and a resource.
#[tool(read_only)]
async fn test_multiple_content_types() -> Vec<Content> {
    vec![
        Content::text("Multiple content types test:"),
        Content::image(PNG, "image/png"),
        Content::resource(ResourceContents::text(
            "test://mixed-content-resource",
            "application/json",
            r#"{"test":"data","value":123}"#,
        )),
    ]
}

/// Computes, where the host has threads for it.
#[tool(read_only)]
async fn test_blocking(cx: &Cx) -> Result<String, ToolError> {
    let sum: u64 = cx.blocking(|| (0..1000).sum()).await?;
    Ok(format!("the sum is {sum}"))
}

/// Always fails.
#[tool(read_only)]
async fn test_error_handling() -> Result<String, ToolError> {
    Err(ToolError::new(
        "This tool intentionally returns an error for testing",
    ))
}

/// Reports progress three times.
#[tool(read_only)]
async fn test_tool_with_progress(cx: &Cx) -> &'static str {
    for (progress, message) in [(0.0, "started"), (50.0, "half way"), (100.0, "finished")] {
        cx.progress(progress, Some(100.0), Some(message));
        cx.sleep(Duration::from_millis(50)).await;
    }
    "done"
}

/// Logs three times.
#[tool(read_only)]
async fn test_tool_with_logging(cx: &Cx) -> &'static str {
    for message in [
        "Tool execution started",
        "Tool processing data",
        "Tool execution completed",
    ] {
        cx.log(LogLevel::Info, message);
        cx.sleep(Duration::from_millis(50)).await;
    }
    "logged"
}

/// Logs, if the client wants to hear it.
#[tool(read_only)]
async fn test_logging_tool(cx: &Cx) -> &'static str {
    cx.log(LogLevel::Info, json!({"event": "called"}));
    "logged"
}

/// Needs the client's model.
#[tool(read_only)]
async fn test_missing_capability(cx: &Cx) -> Result<&'static str, ToolError> {
    cx.require(Capability::Sampling)?;
    Ok("the client can sample")
}

#[input]
struct Question {
    /// What to ask.
    prompt: String,
}

/// Asks the client's model.
#[tool(read_only)]
async fn test_sampling(args: Question, cx: &Cx) -> Result<String, ToolError> {
    let sampled = cx.sample("answer", mcpfn::round_trip::Sampling::new(args.prompt, 100))?;
    Ok(format!(
        "LLM response: {}",
        sampled.text().unwrap_or_default()
    ))
}

#[input]
struct Message {
    /// What to show.
    message: String,
}

/// Asks the person.
#[tool(read_only)]
async fn test_elicitation(args: Message, cx: &Cx) -> Result<String, ToolError> {
    let elicited = cx.elicit(
        "username",
        Form::new(args.message).text("username", "Your user name"),
    )?;
    Ok(format!("User response: {:?}", elicited.action))
}

#[input]
struct Numbers {
    /// The first number.
    a: i64,
    /// The second number.
    b: i64,
}

#[output]
struct Sum {
    /// a + b.
    sum: i64,
}

/// Adds two integers.
#[tool(name = "add", title = "Add", read_only, idempotent, open_world = false)]
async fn add_numbers(args: Numbers) -> Result<Sum, ToolError> {
    let sum = args
        .a
        .checked_add(args.b)
        .ok_or_else(|| ToolError::new("the sum is too large: take smaller numbers"))?;
    Ok(Sum { sum })
}

#[input]
struct Regional {
    /// Which region answers.
    #[schemars(extend("x-mcp-header" = "Region"))]
    region: String,
}

/// Repeats an argument that clients also send as a header.
#[tool(read_only)]
async fn test_header_parameter(args: Regional) -> String {
    args.region
}

#[input]
struct Slow {
    /// How long to take, in milliseconds.
    #[schemars(range(max = 60_000))]
    milliseconds: u64,
}

/// Takes its time, at most a quarter of a second.
#[tool(read_only, timeout = "250ms")]
async fn test_slow(args: Slow, cx: &Cx) -> &'static str {
    cx.sleep(Duration::from_millis(args.milliseconds)).await;
    "done"
}

/// Reports that it has begun, and takes a second and a half.
#[tool(destructive = false)]
async fn test_slow_write(cx: &Cx) -> &'static str {
    cx.progress(1.0, Some(2.0), None);
    cx.sleep(Duration::from_millis(1500)).await;
    "written"
}

/// Stops in the middle.
#[tool(read_only)]
async fn test_panic() -> String {
    panic!("a private message")
}

/// A schema with keywords that must reach the client unchanged.
fn json_schema_2020_12_tool() -> Tool {
    Tool::new("json_schema_2020_12_tool")
        .description("Has a schema with many keywords.")
        .read_only()
        .input_schema(json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "$defs": {"address": {"$anchor": "addressDef", "type": "object", "properties": {"street": {"type": "string"}, "city": {"type": "string"}}}},
            "properties": {
                "name": {"type": "string"},
                "address": {"$ref": "#/$defs/address"},
                "contactMethod": {"type": "string", "enum": ["phone", "email"]},
                "phone": {"type": "string"},
                "email": {"type": "string"},
            },
            "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
            "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
            "then": {"required": ["phone"]},
            "else": {"required": ["email"]},
            "additionalProperties": false,
        }))
        .handler(|arguments: JsonObject| async move { format!("{} arguments", arguments.len()) })
}
