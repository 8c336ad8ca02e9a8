//! A call between its request and the runs of its task: what is kept of it, and the call of a run.

use std::sync::{Arc, OnceLock};

use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use super::ActiveCall;
use crate::jsonrpc::Error;
use crate::model::capabilities::ClientCapabilities;
use crate::outbox::Outbox;
use crate::port::Platform;
use crate::principal::Principal;
use crate::server::Server;
use crate::server::registered::RegisteredTool;
use crate::server::target::Target;
use crate::task::record::{TaskCall, TaskQuestions};
use crate::version::Revision;

/// As the audit log calls a run of a task: no request has this method.
const METHOD: &str = "tasks/run";

impl ActiveCall {
    pub(crate) fn client(&self) -> &ClientCapabilities {
        &self.meta.client
    }

    /// What later runs know of this call.
    pub(crate) fn record(&self, tool: &str, arguments: Value) -> Result<TaskCall, Error> {
        let state = self.opened(&arguments)?;
        let answers = self.input_responses.clone();
        Ok(TaskCall::new(
            tool,
            arguments,
            &self.principal,
            &self.meta,
            answers,
            state,
        ))
    }

    /// The call of a run: nobody hears what it reports.
    pub(crate) fn of_task(
        server: &Server,
        platform: &Arc<Platform>,
        tool: &Arc<RegisteredTool>,
        record: &TaskCall,
        principal: Principal,
        questions: &TaskQuestions,
    ) -> Self {
        Self {
            server: server.clone(),
            platform: Arc::clone(platform),
            id: Box::default(),
            method: METHOD,
            target: Target::Tool(Arc::clone(tool)),
            requested: tool.name.clone(),
            revision: Revision::LATEST,
            principal: Arc::new(principal),
            meta: Arc::new(record.meta()),
            arguments: to_raw_value(&record.arguments).ok(),
            input_responses: answers(record, questions),
            request_state: None,
            kept_state: questions.state.clone().or_else(|| record.state.clone()),
            deadline_ms: None,
            outbox: Outbox::default(),
            asks_on_stream: false,
            error_id: Arc::default(),
            deprecated: OnceLock::new(),
        }
    }

    /// The same call on a host that ends then: milliseconds since 1970.
    pub(crate) fn ends_by(self, deadline_ms: Option<u64>) -> Self {
        Self {
            deadline_ms,
            ..self
        }
    }
}

/// What the client answered before the call was a task, and since.
fn answers(record: &TaskCall, questions: &TaskQuestions) -> Option<Box<RawValue>> {
    let before = record.answers.as_deref();
    let mut all: std::collections::BTreeMap<String, Box<RawValue>> = before
        .and_then(|raw| serde_json::from_str(raw.get()).ok())
        .unwrap_or_default();
    let since = questions.answers.iter();
    all.extend(since.map(|(key, answer)| (key.clone(), answer.clone())));
    to_raw_value(&all).ok()
}
