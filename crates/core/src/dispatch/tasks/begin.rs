//! A call of a tool that can be a task: whether it is one, and how it becomes one. Kept and ordered
//! before its client has the id: it may ask for the task at once.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::super::ended::{self, failed, returned};
use super::super::handler::HandlerFailure;
use super::{declared, undeclared};
use crate::active_call::ActiveCall;
use crate::active_call::result::{HandlerResult, Retain};
use crate::error::ErrorKind;
use crate::jsonrpc::{Error, to_json};
use crate::model::JsonObject;
use crate::port::audit_log::Outcome;
use crate::port::milliseconds;
use crate::port::store_error::StoreError;
use crate::port::tasks::TASK_PART_BYTES;
use crate::server::registered::RegisteredTool;
use crate::task::Task;
use crate::task::TaskOptions;
use crate::task::handle::TaskStage;
use crate::task::head::TaskHead;
use crate::task::store::{StoredTask, key};

/// The least pause between two runs of a handler within one call.
const PAUSE: Duration = Duration::from_millis(10);

/// A task keeps its place until its `ttl` is over, also once it has ended.
const SHARE_TAKEN: &str = "nothing was done: this caller has as many tasks here as one may have. \
     Wait until earlier ones have expired (their `ttlMs`), and call again";

impl ActiveCall {
    fn does_tasks(&self) -> bool {
        self.revision.is_modern() && declared(self.client())
    }
}

/// Refuses the call of a tool that can only be a task by a client that can't do tasks: with an error
/// where its revision knows one, with a sentence for the model otherwise.
pub(in super::super) fn admit(
    call: &ActiveCall,
    tool: &RegisteredTool,
) -> Result<Option<String>, Error> {
    let required = tool.task.is_some_and(|options| options.required);
    if !required || call.does_tasks() {
        return Ok(None);
    }
    let sentence = format!(
        "`{}` takes longer than a call can last, and runs as a task only: call it with a client \
         that declares the extension `{}`",
        tool.name,
        crate::task::EXTENSION
    );
    match call.revision.is_modern() {
        true => Err(undeclared(sentence)),
        false => Ok(Some(sentence)),
    }
}

/// What a repeat of an idempotent write gets that began a task, if it can have it.
pub(in super::super) fn repeated(call: &ActiveCall, result: &HandlerResult) -> Result<(), Error> {
    match result.outcome {
        Outcome::Task if !call.does_tasks() => Err(undeclared(
            "the first call with this idempotencyKey began a task: repeat it with a client that \
             declares the extension of tasks"
                .to_owned(),
        )),
        _ => Ok(()),
    }
}

/// Runs the handler, or makes the call a task: at once, or when the handler says so.
pub(in super::super) async fn through(
    call: &Arc<ActiveCall>,
    tool: &RegisteredTool,
    options: TaskOptions,
    arguments: Value,
    limit: Duration,
) -> Result<HandlerResult, Error> {
    let clock = &call.platform.clock;
    let possible = call.does_tasks() && call.platform.tasks.is_some();
    if possible && !options.begun_by_handler {
        return begin(call, tool, options, arguments).await;
    }
    if options.required && !possible {
        let cause = "a tool that is required to be a task, on a platform that keeps none: build \
                     the server with `without_tasks`, or give the platform a store of tasks";
        return Err(Error::internal(call.internal(call.name(), cause)));
    }
    let stage = if possible {
        TaskStage::Possible
    } else {
        TaskStage::Inline
    };
    let task = Task::new(stage, None);
    let until_ms = clock.now_ms().saturating_add(milliseconds(limit));
    loop {
        let left = Duration::from_millis(until_ms.saturating_sub(clock.now_ms()));
        let cx = call.cx_of_task(&arguments, left, &task)?;
        let run = ended::run(call, tool, arguments.clone(), cx, left);
        let failure = match run.await {
            Ok(result) => return Ok(returned(call, tool, result)),
            Err(failure) => failure,
        };
        match failure {
            HandlerFailure::Returned(ErrorKind::BecomesTask | ErrorKind::Later(_)) if possible => {
                return begin(call, tool, options, arguments).await;
            }
            HandlerFailure::Returned(ErrorKind::Later(after)) if after < left => {
                call.platform.timer.sleep(after.max(PAUSE)).await;
            }
            HandlerFailure::Returned(ErrorKind::Later(_)) => {
                return failed(call, tool, limit, HandlerFailure::TimedOut);
            }
            failure => return failed(call, tool, limit, failure),
        }
    }
}

async fn begin(
    call: &Arc<ActiveCall>,
    tool: &RegisteredTool,
    options: TaskOptions,
    arguments: Value,
) -> Result<HandlerResult, Error> {
    let platform = &call.platform;
    let mut id = [0; 32];
    platform.random.fill(&mut id);
    let now_ms = platform.clock.now_ms();
    let head = TaskHead::new(
        URL_SAFE_NO_PAD.encode(id),
        now_ms,
        milliseconds(options.ttl),
        milliseconds(options.poll),
    );
    let key = key(call.server.name(), &call.principal.key(), &head.id);
    let Some(stored) = StoredTask::new(key, platform) else {
        return Err(Error::internal("this server keeps no tasks"));
    };
    let record = to_json(&call.record(&tool.name, arguments)?);
    if record.len() > TASK_PART_BYTES {
        return Ok(call.tool_error(&format!(
            "a task keeps at most {TASK_PART_BYTES} bytes of arguments, and these have {}: send \
             less",
            record.len()
        )));
    }
    let unavailable = |error: StoreError| {
        stored.failed(&error);
        Error::internal("the task could not be begun: nothing was done; call again in a minute")
    };
    match stored.create(&head, record).await {
        Ok(true) => {}
        Ok(false) => return Err(unavailable(StoreError::new("an id that was used before"))),
        Err(error) if error.is_share_taken() => {
            stored.failed(&error);
            return Ok(call.tool_error(SHARE_TAKEN));
        }
        Err(error) => return Err(unavailable(error)),
    }
    if let Err(error) = stored.start(now_ms).await {
        stored.remove().await;
        return Err(unavailable(error));
    }
    let body = [b"{", &head.members()[..], b"}"].concat();
    Ok(HandlerResult {
        body: body.into(),
        meta: JsonObject::new(),
        outcome: Outcome::Task,
        // a repeat of the write is to get this task
        retain: Retain::Write,
    })
}
