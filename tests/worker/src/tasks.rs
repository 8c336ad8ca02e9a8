//! The store of tasks, as tools: what the port says, one tool a function. And a tool that does not
//! come far in one run.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mcpfn::port::{StoreError, Swapped, TaskPart, TaskStore};
use mcpfn::prelude::*;
use serde_json::{Value, json};

pub(crate) fn server() -> Builder {
    Server::builder("tasks", "1.0.0")
        .tool(create)
        .tool(read)
        .tool(swap)
        .tool(remove)
}

pub(crate) fn stumbling() -> Builder {
    Server::builder("stumbling", "1.0.0").tool(stumble)
}

/// Goes on later, panics, and comes to its end: in three runs.
#[tool(read_only, task(poll = "1s"))]
async fn stumble(cx: &Cx) -> Result<String, ToolError> {
    let task = cx.task();
    let run: u32 = task.resume().unwrap_or_default();
    task.checkpoint(&(run + 1)).await?;
    match run {
        0 => Err(task.later(Duration::from_millis(300))),
        1 => panic!("a task that panics"),
        run => Ok(format!("came to its end in run {run}")),
    }
}

fn bytes(text: &str) -> Result<Vec<u8>, ToolError> {
    STANDARD
        .decode(text)
        .map_err(|error| ToolError::new(error.to_string()))
}

fn part(name: &str) -> Result<TaskPart, ToolError> {
    let part = TaskPart::ALL.into_iter().find(|part| part.name() == name);
    part.ok_or_else(|| ToolError::new("there is no such part"))
}

#[input]
struct Create {
    key: String,
    head: String,
    call: String,
    now_ms: u64,
    expires_ms: u64,
}

/// Says whether it was created.
#[tool]
async fn create(args: Create, cx: &Cx) -> Result<String, ToolError> {
    let (head, call) = (bytes(&args.head)?.into(), bytes(&args.call)?.into());
    let store = cx.port::<dyn TaskStore>()?;
    let created = store.create(&args.key, head, call, args.now_ms, args.expires_ms);
    let created = created.await.map_err(|error| said(&error))?;
    Ok(created.to_string())
}

#[input]
struct Read {
    key: String,
    parts: Vec<String>,
    now_ms: u64,
}

/// Gives the version and the parts in Base64, or null.
#[tool]
async fn read(args: Read, cx: &Cx) -> Result<String, ToolError> {
    let parts: Vec<TaskPart> = args
        .parts
        .iter()
        .map(|name| part(name))
        .collect::<Result<_, _>>()?;
    let store = cx.port::<dyn TaskStore>()?;
    let read = store.read(&args.key, &parts, args.now_ms).await;
    let read = read.map_err(|error| said(&error))?.map(|read| {
        let parts = read.parts.into_iter();
        let parts: Vec<Value> = parts
            .map(|part| part.map_or(Value::Null, |part| STANDARD.encode(part).into()))
            .collect();
        json!({"version": read.version, "parts": parts})
    });
    Ok(read.unwrap_or_default().to_string())
}

#[input]
struct Swap {
    key: String,
    version: u64,
    head: String,
    also: Vec<Also>,
    now_ms: u64,
    expires_ms: u64,
}

#[input]
struct Also {
    part: String,
    bytes: String,
}

/// Says `done`, `changed` or `gone`.
#[tool]
async fn swap(args: Swap, cx: &Cx) -> Result<&'static str, ToolError> {
    let also = args
        .also
        .iter()
        .map(|also| Ok((part(&also.part)?, bytes(&also.bytes)?.into())))
        .collect::<Result<_, ToolError>>()?;
    let head = bytes(&args.head)?.into();
    let store = cx.port::<dyn TaskStore>()?;
    let swapped = store.swap(
        &args.key,
        args.version,
        head,
        also,
        args.now_ms,
        args.expires_ms,
    );
    Ok(match swapped.await.map_err(|error| said(&error))? {
        Swapped::Done => "done",
        Swapped::Changed => "changed",
        Swapped::Gone => "gone",
    })
}

#[input]
struct Key {
    key: String,
}

/// Forgets a task.
#[tool]
async fn remove(args: Key, cx: &Cx) -> Result<&'static str, ToolError> {
    let store = cx.port::<dyn TaskStore>()?;
    let removed = store.remove(&args.key).await;
    removed.map_err(|error| said(&error))?;
    Ok("removed")
}

/// Elsewhere a store's words are for the log only.
fn said(error: &StoreError) -> ToolError {
    ToolError::new(error.to_string())
}
