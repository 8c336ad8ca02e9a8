//! The Durable Object: one task, as values in its storage. What follows from a request or an alarm
//! is decided in `task_row`, between a read and a write between which nothing waits, so no other
//! request comes between them; an answer leaves after what it says is on disk.
//!
//! | value | content |
//! |---|---|
//! | `row` | the head, its version, when the task expires, when a run is due |
//! | `call`, `questions`, `checkpoint`, `outcome` | the other parts, as the core has them |
//!
//! A run is the alarm's own work, and its store is this object's storage: it sends no request to
//! itself. Before it begins, the alarm is set to come again, so that a run that is cut off with its
//! process is followed by another one. Requests are answered meanwhile.

use std::fmt;
use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;

use mcpfn_core::handler::BoxFuture;
use mcpfn_core::host::TaskRun;
use mcpfn_core::port::{Platform, StoreError, TaskPart};
use mcpfn_settings::{Setting, Setup};
use worker::js_sys::futures::future_to_promise;
use worker::js_sys::{Promise, Uint8Array};
use worker::wasm_bindgen::JsValue;
use worker::wasm_bindgen_futures::JsFuture;
use worker::{Env, web_sys};

use super::watch::Watch;
use super::{AskObject, DurableTasks, failed, now_ms};
use crate::error::message;
use crate::fetch::{WorkerHost, host};
use crate::request_id::RequestId;
use crate::stores::objects::{ObjectState, Storage, bytes, response};
use crate::task_message::{TaskAnswer, TaskRequest};
use crate::task_row::{Due, TaskChange, TaskRow, decide, due};
use crate::uncaught::uncaught;
use crate::variables::Variables;

/// How long a run may take: the runtime ends an alarm after 15 minutes.
const RUN_MS: u64 = 14 * 60_000;
/// Until a run is tried again that could not begin.
const AGAIN_MS: u64 = 10_000;
/// Where the row is.
const ROW: &str = "row";

/// What the class `McpfnTasks` is made of, which [`fetch!`](crate::fetch!) exports.
#[derive(Debug)]
pub struct TaskObject {
    storage: Storage,
    env: Env,
}

impl TaskObject {
    /// Nothing may fail here: worker-build takes an error of a constructor for the end of the
    /// module, and starts it anew.
    #[must_use]
    pub fn new(state: &ObjectState, env: Env) -> Self {
        Self {
            storage: state.storage(),
            env,
        }
    }

    /// Answers what `TaskNamespace` sends.
    pub fn fetch(&self, request: web_sys::Request) -> Promise {
        let storage = self.storage.clone();
        future_to_promise(AssertUnwindSafe(async move {
            let body = bytes(&request).await?;
            let answer = match TaskRequest::read(&body) {
                Some(request) => Some(answer(&storage, request).await?.write()),
                None => None,
            };
            Ok(response(answer))
        }))
    }

    /// Runs the task, or removes it once it has expired. `setup` and `program` are those of
    /// [`fetch`](crate::fetch()).
    pub fn alarm<E, P>(
        &self,
        setup: impl FnOnce(&Variables) -> Result<Setup<P>, E> + 'static,
        program: &'static [Setting],
    ) -> Promise
    where
        E: fmt::Display,
        P: FnOnce(Platform) -> Platform,
    {
        let (storage, env) = (self.storage.clone(), self.env.clone());
        let watch = Rc::new(Watch::new());
        let watched = Rc::clone(&watch);
        let run = future_to_promise(AssertUnwindSafe(async move {
            let ended = wake(&storage, env, setup, program, &watched).await;
            watched.stop();
            ended.map(|()| JsValue::UNDEFINED)
        }));
        watch.over(&run)
    }
}

/// What an alarm is for.
async fn wake<E, P>(
    storage: &Storage,
    env: Env,
    setup: impl FnOnce(&Variables) -> Result<Setup<P>, E>,
    program: &'static [Setting],
    watch: &Rc<Watch>,
) -> Result<(), JsValue>
where
    E: fmt::Display,
    P: FnOnce(Platform) -> Platform,
{
    let row = match due(find(storage)?, now_ms()) {
        Due::Removal => return remove(storage).await,
        Due::At(at_ms) => return set_alarm(storage, at_ms).await,
        Due::Run(row) => row,
    };
    put(storage, ROW, &row.write())?;
    set_alarm(storage, row.alarm_ms()).await?;
    let own = OwnTask {
        key: row.key,
        storage: storage.clone(),
        watch: Rc::clone(watch),
    };
    let next = run(own, env, setup, program).await;
    // what was not cut off by a panic, which the alarm above looks after
    if let (Some(next), Some(row)) = (next, find(storage)?) {
        let row = row.after_run(next.at_ms());
        put(storage, ROW, &row.write())?;
        set_alarm(storage, row.alarm_ms()).await?;
    }
    Ok(())
}

/// What a run leaves to do.
struct Next(TaskRun);

impl Next {
    fn at_ms(&self) -> Option<u64> {
        match self.0 {
            TaskRun::Ended => None,
            TaskRun::Again { at_ms } => Some(at_ms),
            TaskRun::Unavailable => Some(now_ms() + AGAIN_MS),
        }
    }
}

/// Runs the task; nothing where that panicked.
async fn run<E, P>(
    own: OwnTask,
    env: Env,
    setup: impl FnOnce(&Variables) -> Result<Setup<P>, E>,
    program: &'static [Setting],
) -> Option<Next>
where
    E: fmt::Display,
    P: FnOnce(Platform) -> Platform,
{
    let (host, id) = host(env, setup, program, |cold_start| {
        RequestId::new(None, None, cold_start)
    })
    .await;
    let host = match host {
        Ok(host) => host,
        Err(mistake) => {
            id.during(|| tracing::error!(event = "start_failed", "{mistake}"));
            return Some(Next(TaskRun::Unavailable));
        }
    };
    let key = own.key.clone();
    let platform = with_own_task(&host, own);
    let deadline_ms = now_ms() + RUN_MS;
    let mut running = pin!(host.server.run_task(&key, &platform, Some(deadline_ms)));
    let running = poll_fn(|cx| id.during(|| running.as_mut().poll(cx)));
    match uncaught(running).await {
        Ok(next) => Some(Next(next)),
        Err(panicked) => {
            id.during(|| tracing::error!(event = "call_failed", "{panicked}"));
            None
        }
    }
}

/// The platform of this isolate, with this object's storage as the place of tasks.
fn with_own_task(host: &WorkerHost, own: OwnTask) -> Arc<Platform> {
    let own = Arc::new(DurableTasks(own));
    Arc::new(Platform::clone(&host.platform).with_tasks(Arc::clone(&own) as _, own))
}

/// The task of this object, for its own runs.
#[derive(Debug)]
struct OwnTask {
    key: String,
    storage: Storage,
    watch: Rc<Watch>,
}

impl AskObject for OwnTask {
    fn ask<'a>(
        &'a self,
        key: &'a str,
        request: TaskRequest<'a>,
    ) -> BoxFuture<'a, Result<TaskAnswer, StoreError>> {
        Box::pin(async move {
            if key != self.key {
                return Err(failed("a run has no other task than its own"));
            }
            // each beat of a run comes by here
            self.watch.alive();
            let answered = answer(&self.storage, request).await;
            answered.map_err(|error| failed(message(&error)))
        })
    }
}

/// Decides, and does what was decided. The first wait comes after the last write.
async fn answer(storage: &Storage, request: TaskRequest<'_>) -> Result<TaskAnswer, JsValue> {
    let part = |part: TaskPart| get(storage, part.name());
    let decision = decide(find(storage)?, request, part)?;
    match decision.change {
        TaskChange::None => {}
        TaskChange::Keep { row, anew, also } => {
            if anew {
                for part in TaskPart::ALL {
                    storage.kv().delete(part.name())?;
                }
            }
            for (part, bytes) in also {
                put(storage, part.name(), bytes)?;
            }
            put(storage, ROW, &row.write())?;
        }
        TaskChange::Remove => remove(storage).await?,
    }
    if let Some(at_ms) = decision.alarm_ms {
        set_alarm(storage, at_ms).await?;
    }
    Ok(decision.answer)
}

/// Nothing for one that this version can't read: it is of no use, and removed by its alarm.
fn find(storage: &Storage) -> Result<Option<TaskRow>, JsValue> {
    Ok(get(storage, ROW)?.and_then(|bytes| TaskRow::read(&bytes)))
}

fn get(storage: &Storage, name: &str) -> Result<Option<Vec<u8>>, JsValue> {
    let value = storage.kv().get(name)?;
    Ok((!value.is_undefined()).then(|| Uint8Array::new(&value).to_vec()))
}

fn put(storage: &Storage, name: &str, bytes: &[u8]) -> Result<(), JsValue> {
    storage.kv().put(name, &Uint8Array::from(bytes).into())
}

async fn set_alarm(storage: &Storage, at_ms: u64) -> Result<(), JsValue> {
    JsFuture::from(storage.set_alarm(at_ms as f64)?)
        .await
        .map(drop)
}

/// An object without anything in its storage is no object any more.
async fn remove(storage: &Storage) -> Result<(), JsValue> {
    let alarm = storage.delete_alarm()?;
    let all = storage.delete_all()?;
    JsFuture::from(alarm).await?;
    JsFuture::from(all).await.map(drop)
}
