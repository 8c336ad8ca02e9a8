//! `tasks/get`, `tasks/update` and `tasks/cancel`. Who asks for a task also sees whether it stands
//! still, and orders the run that it lacks: nothing else watches tasks.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::value::RawValue;

use super::super::audited::{OwnedRequest, audited};
use super::super::method::Method;
use super::{declared, undeclared};
use crate::call::Call;
use crate::jsonrpc::{Error, ErrorCode, to_json};
use crate::model::JsonObject;
use crate::model::input::read_responses;
use crate::policy::rate_limit;
use crate::port::Platform;
use crate::port::store_error::StoreError;
use crate::port::tasks::{TASK_PART_BYTES, TaskPart};
use crate::running::Execution;
use crate::server::Server;
use crate::task::EXTENSION;
use crate::task::head::{Status, TaskHead};
use crate::task::record::TaskQuestions;
use crate::task::store::{ReadTask, StoredTask, key, part};
use crate::text;

/// Answers by the keys that the client was given.
type Answers = BTreeMap<String, Box<RawValue>>;

/// Serves one of the three methods.
pub(in super::super) fn serve(
    server: &Server,
    call: &Call<'_>,
    method: Method,
    platform: &Arc<Platform>,
) -> Result<Execution, Error> {
    if !declared(&call.meta.client) {
        return Err(undeclared(format!(
            "`{}` needs a client that declares the extension `{EXTENSION}`",
            method.as_str()
        )));
    }
    let id = call.params.task_id()?.into_owned();
    let answers = match method {
        Method::UpdateTask => Some(answers(call.params.input_responses())?),
        _ => None,
    };
    let served = |request: OwnedRequest| async move {
        let asked = Asking {
            request: &request,
            id: &id,
        };
        let body = asked.act(method, answers).await?;
        let results = request.server.results();
        Ok(results.complete(request.revision, &body, &JsonObject::new(), ""))
    };
    Ok(audited(server, call, method.as_str(), platform, served))
}

/// Who asks for which task.
struct Asking<'a> {
    request: &'a OwnedRequest,
    id: &'a str,
}

impl Asking<'_> {
    /// The members of the result.
    async fn act(&self, method: Method, answers: Option<Answers>) -> Result<Vec<u8>, Error> {
        let (platform, server) = (&self.request.platform, self.request.server.name());
        let principal = &self.request.principal;
        rate_limit::admit_poll(platform, server, principal).await?;
        let key = key(server, &principal.key(), self.id);
        let stored = StoredTask::new(key, platform).ok_or_else(|| unknown(self.id))?;
        let body = match (method, answers) {
            (Method::UpdateTask, Some(answers)) => update(&stored, answers).await,
            (Method::CancelTask, _) => cancel(&stored).await,
            _ => get(&stored, platform.clock.now_ms()).await,
        };
        match body {
            Ok(Some(body)) => Ok(body),
            Ok(None) => Err(unknown(self.id)),
            Err(Failed::Store(error)) => {
                stored.failed(&error);
                let sentence = "the task can't be asked for at the moment: ask again in a minute";
                Err(Error::internal(sentence))
            }
            Err(Failed::Client(error)) => Err(error),
        }
    }
}

/// Why there is no result.
enum Failed {
    Store(StoreError),
    Client(Error),
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// One sentence for every reason, so that nobody learns which ids there are.
fn unknown(id: &str) -> Error {
    Error::invalid_params(format!(
        "unknown task {}: it has expired, or was never begun by this caller",
        text::quoted(id)
    ))
}

fn answers(raw: Option<&RawValue>) -> Result<Answers, Error> {
    let refused = || Error::invalid_params("`params.inputResponses` must be an object of answers");
    let raw = raw.ok_or_else(refused)?;
    if raw.get().len() > TASK_PART_BYTES {
        return Err(Error::invalid_params(format!(
            "`params.inputResponses` has {} bytes, and a task keeps at most {TASK_PART_BYTES}",
            raw.get().len()
        )));
    }
    serde_json::from_str(raw.get()).map_err(|_| refused())
}

async fn get(stored: &StoredTask, now_ms: u64) -> Result<Option<Vec<u8>>, Failed> {
    let read = look(stored, now_ms).await?;
    Ok(read.as_ref().map(described))
}

/// Reads what clients see of a task, and orders the run that it lacks.
pub(in super::super) async fn look(
    stored: &StoredTask,
    now_ms: u64,
) -> Result<Option<ReadTask>, StoreError> {
    let parts = [TaskPart::Outcome, TaskPart::Questions];
    let read = stored.read(&parts).await?;
    if let Some(read) = &read
        && read.head.is_stalled(now_ms)
    {
        order(stored, now_ms).await;
    }
    Ok(read)
}

/// Orders a run. A failure is for the log: who asks next orders it again.
async fn order(stored: &StoredTask, now_ms: u64) {
    if let Err(error) = stored.start(now_ms).await {
        stored.failed(&error);
    }
}

/// The members of a task, with what its status brings, as JSON. Needs what [`look`] reads.
pub(in super::super) fn described(read: &ReadTask) -> Vec<u8> {
    let head = &read.head;
    let mut body = Vec::from("{");
    body.extend_from_slice(&head.members());
    match head.status {
        Status::Working | Status::Cancelled => {}
        Status::InputRequired => {
            let questions: TaskQuestions = read.part(1).unwrap_or_default();
            body.extend_from_slice(b",\"inputRequests\":");
            body.extend_from_slice(&to_json(&questions.open(&head.open)));
        }
        Status::Completed => {
            body.extend_from_slice(b",\"result\":");
            body.extend_from_slice(read.bytes(0).map_or(b"{\"content\":[]}", |bytes| bytes));
        }
        Status::Failed => {
            body.extend_from_slice(b",\"error\":");
            match read.bytes(0) {
                Some(error) => body.extend_from_slice(error),
                None => body.extend_from_slice(&to_json(&given_up(head))),
            }
        }
    }
    body.push(b'}');
    body
}

fn given_up(head: &TaskHead) -> Error {
    let message = head.message.as_deref().unwrap_or("the task failed");
    Error::new(ErrorCode::INTERNAL, message.to_owned())
}

/// Takes answers to what is asked. Others are acknowledged and nothing more: they may be late.
async fn update(stored: &StoredTask, answers: Answers) -> Result<Option<Vec<u8>>, Failed> {
    let mut refused = None;
    let changed = stored.change(&[TaskPart::Questions], |read, now_ms| {
        let mut questions: TaskQuestions = read.part(0).unwrap_or_default();
        let mut open = answers.clone();
        open.retain(|key, _| read.head.open.contains(key));
        // only what is asked: what is not may have any shape
        let readable = serde_json::value::to_raw_value(&open)
            .map_err(|error| error.to_string())
            .and_then(|open| read_responses(&open).map(drop));
        if let Err(sentence) = readable {
            refused = Some(Error::invalid_params(sentence));
            return None;
        }
        let taken = questions.take(&open, &read.head.open);
        let head = read.head.answered(&taken, now_ms)?;
        let (name, bytes) = part(TaskPart::Questions, &questions);
        if bytes.len() > TASK_PART_BYTES {
            let sentence = "the answers are larger than what is kept of a task: answer with less";
            refused = Some(Error::invalid_params(sentence));
            return None;
        }
        Some((head, vec![(name, bytes)]))
    });
    let changed = changed.await?;
    if let Some(error) = refused {
        return Err(Failed::Client(error));
    }
    let Some((head, changed)) = changed else {
        return Ok(None);
    };
    if changed && head.status == Status::Working {
        order(stored, head.wake_ms).await;
    }
    Ok(Some(b"{}".to_vec()))
}

async fn cancel(stored: &StoredTask) -> Result<Option<Vec<u8>>, Failed> {
    let changed = stored.change(&[], |read, now_ms| {
        Some((read.head.cancelled(now_ms)?, Vec::new()))
    });
    Ok(changed.await?.map(|_| b"{}".to_vec()))
}
