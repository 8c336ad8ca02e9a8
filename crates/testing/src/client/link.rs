//! What a client of tests knows: the server, who calls, what is answered and what was heard. Sends
//! nothing.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mcpfn_core::{JsonObject, Principal, Revision, Server, port::Platform};
use serde_json::{Value, json};

use crate::answer::{Answer, Question};
use crate::audit::TestAudit;
use crate::clock::TestClock;
use crate::events::TestEvents;
use crate::notification::Heard;
use crate::stores::TestStores;
use crate::tasks::TestTasks;

pub(super) type Answerer = dyn Fn(&Question) -> Option<Answer> + Send + Sync;

#[derive(Clone)]
pub(crate) struct ClientLink {
    pub(super) server: Server,
    pub(super) platform: Arc<Platform>,
    pub(super) principal: Arc<Principal>,
    pub(super) revision: Revision,
    pub(super) capabilities: Option<Value>,
    pub(super) does_tasks: bool,
    pub(super) tasks: TestTasks,
    pub(super) events: TestEvents,
    pub(super) meta: JsonObject,
    pub(super) answers: BTreeMap<String, Answer>,
    pub(super) answerer: Option<Arc<Answerer>>,
    pub(super) clock: TestClock,
    pub(super) audit: TestAudit,
    pub(super) stores: TestStores,
    pub(super) heard: Arc<Mutex<Heard>>,
    pub(super) next_id: Arc<AtomicU64>,
}

impl ClientLink {
    /// What it can do: what the test says, else everything if it has answers, else nothing.
    pub(super) fn declared(&self) -> Value {
        let answers = self.answerer.is_some() || !self.answers.is_empty();
        let mut declared = match &self.capabilities {
            Some(declared) => declared.clone(),
            None if answers => json!({
                "elicitation": {"form": {}, "url": {}},
                "sampling": {"tools": {}},
                "roots": {},
            }),
            None => json!({}),
        };
        if self.does_tasks {
            declared["extensions"]["io.modelcontextprotocol/tasks"] = json!({});
        }
        declared
    }

    pub(super) fn find_answer(&self, question: &Question) -> Option<Answer> {
        let prepared = self.answers.get(&question.key).cloned();
        prepared.or_else(|| self.answerer.as_ref()?(question))
    }

    pub(super) fn new_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// What is behind the lock is whole after a panic, too: every change is one push.
    pub(super) fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
