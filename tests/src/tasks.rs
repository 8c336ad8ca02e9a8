//! Tools whose calls can be tasks.

use std::time::Duration;

use mcpfn::host::Capability;
use mcpfn::prelude::*;
use mcpfn::task::Task;
use serde::Deserialize;

pub(crate) fn add(builder: Builder) -> Builder {
    builder
        .tool(greet)
        .tool(slow_compute)
        .tool(failing_job)
        .tool(protocol_error_job)
        .tool(confirm_delete)
        .tool(multi_input)
        .tool(test_tool_with_task)
        .tool(count_slowly)
}

#[derive(Deserialize, JsonSchema)]
struct Greet {
    /// Whom to greet.
    name: String,
}

/// Greets somebody.
#[tool(read_only)]
async fn greet(args: Greet) -> String {
    format!("Hello, {}!", args.name)
}

#[derive(Deserialize, JsonSchema)]
struct SlowCompute {
    /// How long it takes, in seconds.
    seconds: Option<f64>,
    /// What it is for.
    label: Option<String>,
}

/// Takes its time.
#[tool(read_only, task(poll = "1s"))]
async fn slow_compute(args: SlowCompute, cx: &Cx) -> String {
    let seconds = args.seconds.unwrap_or(1.0).clamp(0.0, 300.0);
    cx.task().status(format!("{seconds} s to go"));
    cx.sleep(Duration::from_secs_f64(seconds)).await;
    let label = args.label.unwrap_or_default();
    format!("computed {label} in {seconds} s")
}

/// Fails, after a while.
#[tool(read_only, task(required, poll = "1s"))]
async fn failing_job(cx: &Cx) -> Result<String, ToolError> {
    cx.sleep(Duration::from_millis(500)).await;
    Err(ToolError::new("the job failed, as it always does"))
}

/// Ends in an error of the protocol.
#[tool(read_only, task(poll = "1s"))]
async fn protocol_error_job(cx: &Cx) -> Result<String, ToolError> {
    cx.sleep(Duration::from_millis(200)).await;
    Err(ToolError::missing_capability(Capability::SamplingTools))
}

fn confirmation(question: &str) -> Form {
    Form::new(question).boolean("confirm", "Go on")
}

#[derive(Deserialize, JsonSchema)]
struct Delete {
    /// A file that there is none of.
    filename: Option<String>,
}

/// Asks before it deletes nothing.
#[tool(read_only, task(poll = "1s"))]
async fn confirm_delete(args: Delete, cx: &Cx) -> Result<String, ToolError> {
    let name = args.filename.unwrap_or_else(|| "nothing".to_owned());
    let answer = cx.elicit("confirm", confirmation(&format!("Delete {name}?")))?;
    let confirmed = answer
        .accepted()
        .is_some_and(|form| form["confirm"] == true);
    Ok(if confirmed { "deleted" } else { "kept" }.to_owned())
}

/// Asks two things at once.
#[tool(read_only, task(poll = "1s"))]
async fn multi_input(cx: &Cx) -> Result<String, ToolError> {
    let (first, second) = (cx.answer("first"), cx.answer("second"));
    if first.is_none() || second.is_none() {
        let name = |text: &str| Form::new(text).text("name", "A name").optional("name");
        return Err(cx
            .ask()
            .form("first", name("First?"))
            .form("second", name("Second?"))
            .into());
    }
    Ok("both answered".to_owned())
}

/// Asks for a name, and then takes its time.
#[tool(read_only, task(required, begun_by_handler, poll = "1s"))]
async fn test_tool_with_task(cx: &Cx) -> Result<String, ToolError> {
    let form = Form::new("What is your name?").text("name", "Your name");
    let answer = cx.elicit("user_name", form)?;
    let name = answer.text("name").unwrap_or("stranger").to_owned();
    cx.task().begin()?;
    cx.sleep(Duration::from_millis(300)).await;
    Ok(format!("Hello, {name}!"))
}

#[derive(Deserialize, JsonSchema)]
struct Count {
    /// How far.
    to: u32,
    /// The time for each step, in milliseconds.
    step_ms: u64,
}

/// Counts, with a checkpoint for each number.
#[tool(read_only, task(poll = "1s", run = "5m"))]
async fn count_slowly(args: Count, cx: &Cx) -> Result<String, ToolError> {
    let task: Task = cx.task();
    let from: u32 = task.resume().unwrap_or_default();
    let mut counted = from;
    while counted < args.to {
        cx.sleep(Duration::from_millis(args.step_ms)).await;
        counted += 1;
        task.status(format!("{counted} of {}", args.to));
        task.checkpoint(&counted).await?;
    }
    Ok(format!("counted from {from} to {counted}"))
}
