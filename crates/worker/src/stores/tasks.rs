//! Durable Objects behind the ports to tasks: one object for each task, under the task's key. It
//! keeps the task, is woken by its alarm to run it, and removes itself when the task expires. This
//! half asks an object, from anywhere; `object` is the other half, which keeps, decides and runs.
//!
//! Not a shard for many tasks, as idempotent writes have: an object has one alarm, in which its
//! task is at work for minutes, and the CPU time and memory of one isolate.

mod object;
mod watch;

use bytes::Bytes;
use mcpfn_core::handler::BoxFuture;
use mcpfn_core::port::{StoreError, Swapped, TaskPart, TaskParts, TaskRunner, TaskStore};
use worker::js_sys::Date;
use worker::wasm_bindgen::JsValue;

pub use object::TaskObject;

use super::objects::Objects;
use crate::task_message::{TaskAction, TaskAnswer, TaskRequest};

/// Who asks the object of a task.
pub(crate) trait AskObject {
    /// The answer of the object under a key.
    fn ask<'a>(
        &'a self,
        key: &'a str,
        request: TaskRequest<'a>,
    ) -> BoxFuture<'a, Result<TaskAnswer, StoreError>>;
}

/// Both ports, over objects.
#[derive(Debug)]
pub(crate) struct DurableTasks<A = TaskNamespace>(A);

/// The objects of a namespace, asked by requests.
#[derive(Debug)]
pub(crate) struct TaskNamespace(Objects);

impl DurableTasks {
    pub(crate) fn new(namespace: JsValue) -> Self {
        Self(TaskNamespace(Objects::new(namespace, "https://task/")))
    }
}

impl AskObject for TaskNamespace {
    fn ask<'a>(
        &'a self,
        key: &'a str,
        request: TaskRequest<'a>,
    ) -> BoxFuture<'a, Result<TaskAnswer, StoreError>> {
        Box::pin(async move {
            let request = request.write();
            let answer = match self.0.exchange(key, &request).await {
                Ok(answer) => Ok(answer),
                // an object that moves breaks its requests off; the same one again changes nothing
                Err(_) => self.0.exchange(key, &request).await,
            };
            TaskAnswer::read(&answer.map_err(failed)?)
                .ok_or_else(|| failed("it answered what this version does not know"))
        })
    }
}

impl<A: AskObject> DurableTasks<A> {
    async fn ask(
        &self,
        key: &str,
        now_ms: u64,
        action: TaskAction<'_>,
    ) -> Result<TaskAnswer, StoreError> {
        let mut nonce = [0; 8];
        getrandom::fill(&mut nonce).map_err(failed)?;
        let request = TaskRequest {
            now_ms,
            nonce,
            action,
        };
        self.0.ask(key, request).await
    }
}

impl<A: AskObject> TaskStore for DurableTasks<A> {
    fn create<'a>(
        &'a self,
        key: &'a str,
        head: Bytes,
        call: Bytes,
        now_ms: u64,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            let create = TaskAction::Create {
                key,
                expires_ms,
                head: &head,
                call: &call,
            };
            match self.ask(key, now_ms, create).await? {
                TaskAnswer::Done => Ok(true),
                TaskAnswer::Exists => Ok(false),
                other => Err(unexpected(&other)),
            }
        })
    }

    fn read<'a>(
        &'a self,
        key: &'a str,
        parts: &'a [TaskPart],
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Option<TaskParts>, StoreError>> {
        Box::pin(async move {
            let read = TaskAction::Read {
                parts: parts.to_vec(),
            };
            match self.ask(key, now_ms, read).await? {
                TaskAnswer::Parts {
                    version,
                    parts: found,
                } if found.len() == parts.len() => Ok(Some(TaskParts {
                    version,
                    parts: found.into_iter().map(|part| Some(part?.into())).collect(),
                })),
                TaskAnswer::Gone => Ok(None),
                other => Err(unexpected(&other)),
            }
        })
    }

    fn swap<'a>(
        &'a self,
        key: &'a str,
        version: u64,
        head: Bytes,
        also: Vec<(TaskPart, Bytes)>,
        now_ms: u64,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        Box::pin(async move {
            let swap = TaskAction::Swap {
                version,
                expires_ms,
                head: &head,
                also: also.iter().map(|(part, bytes)| (*part, &**bytes)).collect(),
            };
            match self.ask(key, now_ms, swap).await? {
                TaskAnswer::Done => Ok(Swapped::Done),
                TaskAnswer::Changed => Ok(Swapped::Changed),
                TaskAnswer::Gone => Ok(Swapped::Gone),
                other => Err(unexpected(&other)),
            }
        })
    }

    fn remove<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            match self.ask(key, now_ms(), TaskAction::Remove).await? {
                TaskAnswer::Done => Ok(()),
                other => Err(unexpected(&other)),
            }
        })
    }
}

impl<A: AskObject> TaskRunner for DurableTasks<A> {
    fn start<'a>(
        &'a self,
        key: &'a str,
        not_before_ms: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let start = TaskAction::Start {
                at_ms: not_before_ms,
            };
            match self.ask(key, now_ms(), start).await? {
                TaskAnswer::Done => Ok(()),
                TaskAnswer::Gone => Err(failed("there is no such task to be run")),
                other => Err(unexpected(&other)),
            }
        })
    }
}

fn now_ms() -> u64 {
    Date::now() as u64
}

fn unexpected(answer: &TaskAnswer) -> StoreError {
    // what is kept of a task is not for the log
    let what = match answer {
        TaskAnswer::Parts { .. } => "parts that were not asked for",
        TaskAnswer::Done | TaskAnswer::Exists | TaskAnswer::Changed | TaskAnswer::Gone => {
            "something that was not asked"
        }
    };
    failed(format_args!("it answered {what}"))
}

fn failed(why: impl std::fmt::Display) -> StoreError {
    StoreError::new(format_args!("the Durable Object of a task: {why}"))
}
