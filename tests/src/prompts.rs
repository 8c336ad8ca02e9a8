//! Prompts whose arguments, contents and questions the suite looks at.

use mcpfn::prelude::*;

use crate::resources::PNG;

pub(crate) fn add(builder: Builder) -> Builder {
    builder
        .prompt(test_simple_prompt)
        .prompt(with_arguments())
        .prompt(test_prompt_with_embedded_resource)
        .prompt(test_prompt_with_image)
        .prompt(test_input_required_result_prompt)
}

/// A prompt without arguments.
#[prompt]
async fn test_simple_prompt() -> &'static str {
    "This is a simple prompt for testing."
}

#[input]
struct Arguments {
    /// The first argument.
    arg1: String,
    /// The second argument.
    arg2: String,
}

/// Without the macro, because only the builder takes completers.
fn with_arguments() -> Prompt {
    Prompt::new("test_prompt_with_arguments")
        .description("A prompt with two arguments.")
        .handler(|arguments: Arguments| async move {
            format!(
                "Prompt with arguments: arg1='{}', arg2='{}'",
                arguments.arg1, arguments.arg2
            )
        })
        .complete("arg1", |typed: String, _| async move {
            vec![format!("{typed}Value1"), format!("{typed}Value2")]
        })
}

#[input]
struct ResourceUri {
    /// Which resource to put in.
    #[serde(rename = "resourceUri")]
    resource_uri: String,
}

/// A prompt with a resource inside.
#[prompt]
async fn test_prompt_with_embedded_resource(args: ResourceUri) -> Vec<PromptMessage> {
    let resource = ResourceContents::text(
        args.resource_uri,
        "text/plain",
        "Embedded resource content for testing.",
    );
    vec![
        PromptMessage::user(Content::resource(resource)),
        PromptMessage::user("Please process the embedded resource above."),
    ]
}

/// A prompt with a picture inside.
#[prompt]
async fn test_prompt_with_image() -> Vec<PromptMessage> {
    vec![
        PromptMessage::user(Content::image(PNG, "image/png")),
        PromptMessage::user("Please analyze the image above."),
    ]
}

/// A prompt that asks the person something first.
#[prompt]
async fn test_input_required_result_prompt(cx: &Cx) -> Result<String, ToolError> {
    let answer = cx.elicit(
        "user_context",
        Form::new("What is the context?").text("context", "The context of the request"),
    )?;
    Ok(format!(
        "The context is: {}",
        answer.text("context").unwrap_or("not given")
    ))
}
