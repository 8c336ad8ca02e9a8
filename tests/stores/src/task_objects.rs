//! The objects of tasks of Workers without workerd: what they decide and what is sent to them is
//! the code of `crates/worker`, values are in memory. What is around that, the contract is asked of
//! in workerd.

#[allow(dead_code, unreachable_pub, reason = "another crate's private module")]
#[path = "../../../crates/worker/src/octets.rs"]
mod octets;
#[allow(dead_code, unreachable_pub, reason = "another crate's private module")]
#[path = "../../../crates/worker/src/task_message.rs"]
mod task_message;
#[allow(dead_code, unreachable_pub, reason = "another crate's private module")]
#[path = "../../../crates/worker/src/task_row.rs"]
mod task_row;

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use mcpfn_core::handler::BoxFuture;
use mcpfn_core::port::{StoreError, Swapped, TaskPart, TaskParts, TaskStore};
use task_message::{TaskAction, TaskAnswer, TaskRequest};
use task_row::{TaskChange, TaskRow, decide};

/// What one object has.
#[derive(Debug, Default)]
struct Kept {
    row: Option<Vec<u8>>,
    parts: HashMap<TaskPart, Vec<u8>>,
}

/// The objects, by their keys. Each request is sent twice, as one is whose answer was lost: the
/// second answer counts.
#[derive(Debug, Default)]
pub struct TaskObjects {
    objects: Mutex<HashMap<String, Kept>>,
    nonce: AtomicU64,
}

impl TaskObjects {
    fn ask(&self, key: &str, now_ms: u64, action: TaskAction<'_>) -> TaskAnswer {
        let sent = TaskRequest {
            now_ms,
            nonce: self.nonce.fetch_add(1, Ordering::Relaxed).to_be_bytes(),
            action,
        }
        .write();
        let mut objects = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = objects.entry(key.to_owned()).or_default();
        answer(kept, &sent);
        TaskAnswer::read(&answer(kept, &sent)).expect("an answer")
    }
}

/// As bytes there and back, as between an isolate and an object.
fn answer(kept: &mut Kept, sent: &[u8]) -> Vec<u8> {
    let request = TaskRequest::read(sent).expect("a request");
    let row = kept.row.as_deref().and_then(TaskRow::read);
    let part = |part| Ok::<_, Infallible>(kept.parts.get(&part).cloned());
    let Ok(decision) = decide(row, request, part);
    match decision.change {
        TaskChange::None => {}
        TaskChange::Keep { row, anew, also } => {
            if anew {
                kept.parts.clear();
            }
            let also = also.into_iter();
            kept.parts
                .extend(also.map(|(part, bytes)| (part, bytes.to_vec())));
            kept.row = Some(row.write());
        }
        TaskChange::Remove => *kept = Kept::default(),
    }
    decision.answer.write()
}

impl TaskStore for TaskObjects {
    fn create<'a>(
        &'a self,
        key: &'a str,
        head: Bytes,
        call: Bytes,
        now_ms: u64,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        let create = TaskAction::Create {
            key,
            expires_ms,
            head: &head,
            call: &call,
        };
        let created = self.ask(key, now_ms, create) == TaskAnswer::Done;
        Box::pin(async move { Ok(created) })
    }

    fn read<'a>(
        &'a self,
        key: &'a str,
        parts: &'a [TaskPart],
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Option<TaskParts>, StoreError>> {
        let parts = parts.to_vec();
        let read = match self.ask(key, now_ms, TaskAction::Read { parts }) {
            TaskAnswer::Parts { version, parts } => Some(TaskParts {
                version,
                parts: parts.into_iter().map(|part| Some(part?.into())).collect(),
            }),
            answer => {
                assert_eq!(answer, TaskAnswer::Gone);
                None
            }
        };
        Box::pin(async move { Ok(read) })
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
        let swap = TaskAction::Swap {
            version,
            expires_ms,
            head: &head,
            also: also.iter().map(|(part, bytes)| (*part, &**bytes)).collect(),
        };
        let swapped = match self.ask(key, now_ms, swap) {
            TaskAnswer::Done => Swapped::Done,
            TaskAnswer::Changed => Swapped::Changed,
            answer => {
                assert_eq!(answer, TaskAnswer::Gone);
                Swapped::Gone
            }
        };
        Box::pin(async move { Ok(swapped) })
    }

    fn remove<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        self.ask(key, 0, TaskAction::Remove);
        Box::pin(async { Ok(()) })
    }
}
