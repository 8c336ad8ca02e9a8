//! Tools that ask the client something before they can end.

use mcpfn::prelude::*;
use mcpfn::round_trip::{InputResponse, Sampling};
use serde::{Deserialize, Serialize};
use serde_json::json;

pub(crate) fn add(builder: Builder) -> Builder {
    builder
        .tool(test_streaming_elicitation)
        .tool(test_input_required_result_elicitation)
        .tool(test_input_required_result_sampling)
        .tool(test_input_required_result_list_roots)
        .tool(test_input_required_result_request_state)
        .tool(test_input_required_result_multiple_inputs)
        .tool(test_input_required_result_multi_round)
        .tool(test_input_required_result_tampered_state)
        .tool(test_input_required_result_capabilities)
        .tool(test_elicitation_sep1034_defaults)
        .tool(test_elicitation_sep1330_enums)
}

fn name_form() -> Form {
    Form::new("What is your name?").text("name", "Your name")
}

/// Asks for a name, where a stream with a request in it was usual once.
#[tool(read_only)]
async fn test_streaming_elicitation(cx: &Cx) -> Result<String, ToolError> {
    let answer = cx.elicit("user_name", name_form())?;
    Ok(format!(
        "Hello, {}!",
        answer.text("name").unwrap_or("stranger")
    ))
}

/// Asks for a name.
#[tool(read_only)]
async fn test_input_required_result_elicitation(cx: &Cx) -> Result<String, ToolError> {
    let answer = cx.elicit("user_name", name_form())?;
    Ok(format!(
        "Hello, {}!",
        answer.text("name").unwrap_or("stranger")
    ))
}

/// Asks the client's model for a capital.
#[tool(read_only)]
async fn test_input_required_result_sampling(cx: &Cx) -> Result<String, ToolError> {
    let answer = cx.sample(
        "capital_question",
        Sampling::new("What is the capital of France?", 100),
    )?;
    Ok(answer.text().unwrap_or("no answer").to_owned())
}

/// Asks for the client's roots.
#[tool(read_only)]
async fn test_input_required_result_list_roots(cx: &Cx) -> Result<String, ToolError> {
    match cx.answer("client_roots") {
        Some(InputResponse::Roots { roots }) => Ok(format!("{} roots", roots.len())),
        _ => Err(cx.ask().roots("client_roots").into()),
    }
}

/// Asks for a confirmation and remembers what it was for.
#[tool(read_only)]
async fn test_input_required_result_request_state(cx: &Cx) -> Result<String, ToolError> {
    let form = Form::new("Go on?").boolean("ok", "Whether to go on");
    match (cx.answer("confirm"), cx.request_state::<String>()) {
        (Some(_), Some(state)) if state == "confirming" => Ok("state-ok".to_owned()),
        _ => Err(cx.ask().form("confirm", form).state("confirming").into()),
    }
}

/// Asks for three things at once.
#[tool(read_only)]
async fn test_input_required_result_multiple_inputs(cx: &Cx) -> Result<String, ToolError> {
    let answered = ["user_name", "greeting", "client_roots"]
        .iter()
        .all(|key| cx.answer(key).is_some());
    if answered && cx.request_state::<bool>() == Some(true) {
        return Ok("all three answered".to_owned());
    }
    let greeting = Sampling::new("Write a greeting.", 50);
    Err(cx
        .ask()
        .form("user_name", name_form())
        .sample("greeting", greeting)
        .roots("client_roots")
        .state(true)
        .into())
}

#[derive(Serialize, Deserialize)]
struct Collected {
    round: u8,
    name: String,
}

/// Asks twice; the first answer travels in the state.
#[tool(read_only)]
async fn test_input_required_result_multi_round(cx: &Cx) -> Result<String, ToolError> {
    let collected = cx.request_state::<Collected>();
    if let (Some(Collected { round: 2, name }), Some(InputResponse::Elicitation(color))) =
        (&collected, cx.answer("step2"))
    {
        return Ok(format!(
            "{name} likes {}",
            color.text("color").unwrap_or("no color")
        ));
    }
    if let (Some(Collected { round: 1, .. }), Some(InputResponse::Elicitation(step))) =
        (&collected, cx.answer("step1"))
    {
        let name = step.text("name").unwrap_or("somebody").to_owned();
        let form = Form::new("Which color?").text("color", "Your favorite color");
        return Err(cx
            .ask()
            .form("step2", form)
            .state(Collected { round: 2, name })
            .into());
    }
    Err(cx
        .ask()
        .form("step1", name_form())
        .state(Collected {
            round: 1,
            name: String::new(),
        })
        .into())
}

/// Asks for a confirmation under a state that nobody can change.
#[tool(read_only)]
async fn test_input_required_result_tampered_state(cx: &Cx) -> Result<String, ToolError> {
    match cx.request_state::<String>() {
        Some(state) => Ok(format!("the state is {state}")),
        None => Err(cx
            .ask()
            .form(
                "confirm",
                Form::new("Go on?").boolean("ok", "Whether to go on"),
            )
            .state("untouched")
            .into()),
    }
}

/// Asks only what the client can answer.
#[tool(read_only)]
async fn test_input_required_result_capabilities(cx: &Cx) -> Result<String, ToolError> {
    if cx.answer("capital_question").is_some() || cx.answer("user_name").is_some() {
        return Ok("answered".to_owned());
    }
    let ask = cx.ask();
    let ask = if cx.client().sampling {
        ask.sample(
            "capital_question",
            Sampling::new("What is the capital of France?", 100),
        )
    } else {
        ask
    };
    let ask = if cx.client().elicitation_form {
        ask.form("user_name", name_form())
    } else {
        ask
    };
    Err(ask.into())
}

/// Asks with a form whose fields have defaults, one of each kind.
#[tool(read_only)]
async fn test_elicitation_sep1034_defaults(cx: &Cx) -> Result<String, ToolError> {
    let status = json!({
        "type": "string",
        "enum": ["active", "inactive", "pending"],
        "default": "active"
    });
    let form = Form::new("Look through these values")
        .field("name", json!({"type": "string", "default": "John Doe"}))
        .field("age", json!({"type": "integer", "default": 30}))
        .field("score", json!({"type": "number", "default": 95.5}))
        .field("status", status)
        .field("verified", json!({"type": "boolean", "default": true}));
    let answer = cx.elicit("values", form)?;
    Ok(format!("Elicitation completed: {:?}", answer.action))
}

/// Asks with a form that has each kind of choice.
#[tool(read_only)]
async fn test_elicitation_sep1330_enums(cx: &Cx) -> Result<String, ToolError> {
    let words = json!(["option1", "option2", "option3"]);
    let titled = json!([
        {"const": "value1", "title": "First"},
        {"const": "value2", "title": "Second"},
        {"const": "value3", "title": "Third"}
    ]);
    let several = |items| json!({"type": "array", "items": items});
    let names = json!(["One", "Two", "Three"]);
    let form = Form::new("Choose")
        .field("untitledSingle", json!({"type": "string", "enum": words}))
        .field("titledSingle", json!({"type": "string", "oneOf": titled}))
        .field(
            "legacyEnum",
            json!({"type": "string", "enum": words, "enumNames": names}),
        )
        .field(
            "untitledMulti",
            several(json!({"type": "string", "enum": words})),
        )
        .field("titledMulti", several(json!({"anyOf": titled})));
    let answer = cx.elicit("choices", form)?;
    Ok(format!("Elicitation completed: {:?}", answer.action))
}
