//! Calls that run a handler: `tools/call`, `prompts/get`, `resources/read`. Their steps stand in one visible order.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use serde_json::value::RawValue;

use super::deadline::{self, Ended};
use crate::call::Call;
use crate::context::{Cx, Parts};
use crate::error::{Kind, ToolError};
use crate::jsonrpc::{Error, ErrorCode, to_json};
use crate::model::JsonObject;
use crate::model::input::{InputRequest, InputResponses, read_responses};
use crate::model::meta::{CallMeta, LogLevel};
use crate::model::tool::CallToolResult;
use crate::outbox::Outbox;
use crate::port::{Failure, Platform};
use crate::principal::Principal;
use crate::round_trip::{Ask, Binding, canonical};
use crate::running::{Reply, Running};
use crate::send::BoxFuture;
use crate::server::Server;
use crate::text;
use crate::tool::TIMEOUT;
use crate::version::Revision;

/// Everything a call needs after its request is gone.
pub(super) struct Work {
    pub(super) server: Server,
    pub(super) platform: Arc<Platform>,
    /// JSON text of the request's id.
    id: Box<str>,
    method: &'static str,
    /// The tool's or prompt's name, or the URI, as the client wrote it.
    target: String,
    revision: Revision,
    principal: Principal,
    meta: CallMeta,
    arguments: Option<Box<RawValue>>,
    answers: Option<Box<RawValue>>,
    state: Option<String>,
    deadline_ms: Option<u64>,
    pub(super) outbox: Outbox,
}

pub(super) fn tool(server: &Server, call: Call<'_>, platform: &Arc<Platform>) -> Result<Reply, Error> {
    let name = call.params.name()?;
    let position = server.find_tool(&name).ok_or_else(|| {
        let hint = text::nearest(&name, server.tools().iter().map(|tool| tool.name.as_str()));
        Error::invalid_params(format!("unknown tool {}{}", text::quoted(&name), did_you_mean(hint)))
    })?;
    let work = Work::new("tools/call", &name, server, call, platform)?;
    Ok(work.start(move |work| Box::pin(async move { call_tool(&work, position).await })))
}

async fn call_tool(work: &Work, position: usize) -> Result<Vec<u8>, Error> {
    let server = work.server.clone();
    let tool = &server.tools()[position];
    // 1. arguments against the published schema
    let arguments = work.arguments()?;
    if let Err(refusal) = tool.validator.check(&arguments) {
        let text = format!("The arguments of `{}` do not fit its schema. Correct them and call again:\n{refusal}", tool.name);
        return Ok(work.write_tool_result(CallToolResult::error(text)));
    }
    // 2. the handler, under its deadline
    let limit = work.limit(tool.timeout);
    let cx = work.cx(&arguments, limit)?;
    let handler = {
        let server = server.clone();
        Box::pin(async move {
            let handler = server.tools()[position].run.start(arguments, cx);
            handler.map_err(|error| ToolError::new(format!("the arguments can't be read: {}", text::quoted(&error.to_string()))))?.await
        })
    };
    let result = match deadline::run(handler, limit, &work.platform.timer).await {
        Ended::TimedOut => CallToolResult::error(work.too_slow(&tool.name, limit)),
        Ended::Returned(Ok(result)) => match tool.check_output(&result) {
            Ok(()) => result,
            Err(cause) => CallToolResult::error(work.internal(&tool.name, &cause)),
        },
        Ended::Returned(Err(error)) => match error.into_kind() {
            Kind::Failed { message, cause: Some(cause) } => {
                let id = work.record(&tool.name, &cause);
                CallToolResult::error(format!("{message} (error id {id})"))
            }
            Kind::Failed { message, cause: None } | Kind::NotFound { message } => CallToolResult::error(message),
            Kind::Internal { cause } => CallToolResult::error(work.internal(&tool.name, &cause)),
            Kind::Ask(_) if !work.revision.is_modern() => CallToolResult::error(work.cannot_ask(&tool.name)),
            Kind::Ask(ask) => return work.input_required(&tool.name, &ask),
            Kind::MissingCapability(capability) => return Err(missing(&[capability])),
        },
    };
    // 3. the result, bounded
    let written = work.write_tool_result(result);
    let most = server.most_result_bytes();
    if written.len() <= most {
        return Ok(written);
    }
    let text = format!(
        "The result of `{}` has {} bytes, more than the {most} that one answer may have. Ask for less: fewer items, fewer columns, a narrower search.",
        tool.name,
        written.len()
    );
    Ok(work.write_tool_result(CallToolResult::error(text)))
}

pub(super) fn prompt(server: &Server, call: Call<'_>, platform: &Arc<Platform>) -> Result<Reply, Error> {
    let name = call.params.name()?;
    let position = server.find_prompt(&name).ok_or_else(|| {
        let hint = text::nearest(&name, server.prompts().iter().map(|prompt| prompt.definition.name.as_str()));
        Error::invalid_params(format!("unknown prompt {}{}", text::quoted(&name), did_you_mean(hint)))
    })?;
    let work = Work::new("prompts/get", &name, server, call, platform)?;
    Ok(work.start(move |work| Box::pin(async move { get_prompt(&work, position).await })))
}

async fn get_prompt(work: &Work, position: usize) -> Result<Vec<u8>, Error> {
    let server = work.server.clone();
    let prompt = &server.prompts()[position];
    let name = &prompt.definition.name;
    let arguments = work.arguments()?;
    if let Err(refusal) = prompt.validator.check(&arguments) {
        return Err(Error::invalid_params(format!("the arguments of prompt `{name}` do not fit:\n{refusal}")));
    }
    let limit = work.limit(TIMEOUT);
    let cx = work.cx(&arguments, limit)?;
    let handler = {
        let server = server.clone();
        Box::pin(async move {
            let handler = server.prompts()[position].run.start(arguments, cx);
            handler.map_err(|error| ToolError::new(format!("the arguments can't be read: {}", text::quoted(&error.to_string()))))?.await
        })
    };
    match deadline::run(handler, limit, &work.platform.timer).await {
        Ended::Returned(Ok(result)) => {
            let written = to_json(&result.down_level(work.revision));
            Ok(work.server.complete(work.revision, &written, &JsonObject::new(), ""))
        }
        Ended::Returned(Err(error)) => work.failed(name, error),
        Ended::TimedOut => Err(Error::internal(work.too_slow(name, limit))),
    }
}

pub(super) fn resource(server: &Server, call: Call<'_>, platform: &Arc<Platform>) -> Result<Reply, Error> {
    let uri = call.params.uri()?;
    let (position, values) = server.find_resource(&uri).ok_or_else(|| not_found(call.revision, &uri, None))?;
    let work = Work::new("resources/read", &uri, server, call, platform)?;
    Ok(work.start(move |work| Box::pin(async move { read_resource(&work, position, values).await })))
}

async fn read_resource(work: &Work, position: usize, values: BTreeMap<String, String>) -> Result<Vec<u8>, Error> {
    let server = work.server.clone();
    let resource = &server.resources()[position];
    let name = &resource.definition.name;
    let limit = work.limit(TIMEOUT);
    let cx = work.cx(&Value::Null, limit)?;
    let handler = {
        let (server, uri) = (server.clone(), work.target.clone());
        Box::pin(async move {
            let resource = &server.resources()[position];
            let handler = resource.run.start(values, uri, resource.definition.mime_type.clone(), cx);
            handler.map_err(|_| ToolError::not_found("the URI's variables do not fit"))?.await
        })
    };
    match deadline::run(handler, limit, &work.platform.timer).await {
        Ended::Returned(Ok(contents)) if contents.is_empty() => Err(not_found(work.revision, &work.target, None)),
        Ended::Returned(Ok(mut contents)) => {
            if !work.revision.has_titles() {
                contents.iter_mut().for_each(|contents| contents.meta.clear());
            }
            let mut written = b"{\"contents\":".to_vec();
            written.extend_from_slice(&to_json(&contents));
            written.push(b'}');
            // an answer to a retry belongs to that retry
            let (fresh_ms, public) = if work.answers.is_some() { (0, false) } else { (resource.fresh_ms, resource.public) };
            let scope = if public { "public" } else { "private" };
            let extra = format!(",\"ttlMs\":{fresh_ms},\"cacheScope\":\"{scope}\"");
            Ok(work.server.complete(work.revision, &written, &JsonObject::new(), &extra))
        }
        Ended::Returned(Err(error)) => match error.into_kind() {
            Kind::NotFound { message } => Err(not_found(work.revision, &work.target, Some(message))),
            kind => work.failed_kind(name, kind),
        },
        Ended::TimedOut => Err(Error::internal(work.too_slow(name, limit))),
    }
}

fn not_found(revision: Revision, uri: &str, message: Option<String>) -> Error {
    let message = message.unwrap_or_else(|| format!("resource {} does not exist", text::quoted(uri)));
    // the client's own words, but not megabytes of them
    let shown: String = uri.chars().take(2048).collect();
    Error::new(revision.resource_not_found(), message).with_data(serde_json::json!({ "uri": shown }))
}

fn did_you_mean(hint: Option<&str>) -> String {
    hint.map(|hint| format!("; did you mean `{hint}`?")).unwrap_or_default()
}

fn missing(capabilities: &[crate::model::capabilities::Capability]) -> Error {
    let mut required = JsonObject::new();
    let mut names = Vec::new();
    for capability in capabilities {
        let Value::Object(members) = capability.as_required() else { continue };
        for (name, modes) in members {
            // two modes of one capability stand side by side
            match (required.get_mut(&name), modes) {
                (Some(Value::Object(known)), Value::Object(modes)) => known.extend(modes),
                (_, modes) => drop(required.insert(name, modes)),
            }
        }
        names.push(capability.name());
    }
    Error::new(ErrorCode(-32021), format!("this call needs client capabilities that were not declared: {}", names.join(", ")))
        .with_data(serde_json::json!({ "requiredCapabilities": required }))
}

impl Work {
    pub(super) fn new(
        method: &'static str,
        target: &str,
        server: &Server,
        call: Call<'_>,
        platform: &Arc<Platform>,
    ) -> Result<Self, Error> {
        let Call { request, params, revision, mut meta, principal, deadline_ms } = call;
        if server.capabilities().logging.is_none() {
            meta.log_level = None;
        } else if !revision.is_modern() {
            // a legacy client sets its level for a session, which nobody here remembers
            meta.log_level = Some(LogLevel::Info);
        }
        Ok(Self {
            server: server.clone(),
            platform: Arc::clone(platform),
            id: request.id.as_json().into(),
            method,
            target: target.to_owned(),
            revision,
            principal,
            meta,
            arguments: params.arguments.map(ToOwned::to_owned),
            answers: params.input_responses.map(ToOwned::to_owned),
            state: params.request_state()?.map(Into::into),
            deadline_ms,
            outbox: Outbox::default(),
        })
    }

    pub(super) fn start(self, run: impl FnOnce(Self) -> BoxFuture<'static, Result<Vec<u8>, Error>>) -> Reply {
        let (id, wants_progress, outbox) = (self.id.clone(), self.meta.progress_token.is_some(), self.outbox.clone());
        Reply::Running(Running::new(id, wants_progress, outbox, run(self)))
    }

    fn arguments(&self) -> Result<Value, Error> {
        let Some(raw) = &self.arguments else { return Ok(Value::Object(JsonObject::new())) };
        match serde_json::from_str(raw.get()) {
            Ok(arguments @ Value::Object(_)) => Ok(arguments),
            Ok(_) => Err(Error::invalid_params("`params.arguments` must be an object")),
            Err(_) => Err(Error::invalid_params("`params.arguments` nests deeper than 127 levels or holds a number out of range")),
        }
    }

    /// The tool's own limit, cut to what the host has left.
    fn limit(&self, own: Duration) -> Duration {
        match self.deadline_ms {
            Some(deadline_ms) => own.min(Duration::from_millis(deadline_ms.saturating_sub(self.platform.clock.now_ms()))),
            None => own,
        }
    }

    pub(super) fn completion_cx(&self, filled: BTreeMap<String, String>) -> Result<Cx, Error> {
        self.cx_with(&Value::Null, TIMEOUT, filled)
    }

    fn cx(&self, arguments: &Value, limit: Duration) -> Result<Cx, Error> {
        self.cx_with(arguments, limit, BTreeMap::new())
    }

    fn cx_with(&self, arguments: &Value, limit: Duration, filled: BTreeMap<String, String>) -> Result<Cx, Error> {
        let now_ms = self.platform.clock.now_ms();
        let opened = match &self.state {
            Some(token) => Some(self.platform.keys.open(token, now_ms, &self.binding(arguments))?),
            None => None,
        };
        Ok(Cx::new(Parts {
            revision: self.revision,
            principal: self.principal.clone(),
            meta: self.meta.clone(),
            answers: self.answers()?,
            opened,
            filled,
            deadline_ms: now_ms.saturating_add(u64::try_from(limit.as_millis()).unwrap_or(u64::MAX)),
            platform: Arc::clone(&self.platform),
            state: Arc::clone(self.server.state()),
            outbox: self.outbox.clone(),
        }))
    }

    fn answers(&self) -> Result<InputResponses, Error> {
        let Some(raw) = &self.answers else { return Ok(InputResponses::new()) };
        read_responses(raw).ok_or_else(|| {
            Error::invalid_params("`params.inputResponses` must be an object whose values answer what was asked: an elicitation (`action`), a sampling (`role`, `content`, `model`) or `roots`")
        })
    }

    fn binding(&self, arguments: &Value) -> Binding {
        Binding::new(self.server.name(), &self.principal.key(), self.method, &self.target, &canonical(arguments))
    }

    /// The answer that asks the client something.
    fn input_required(&self, name: &str, ask: &Ask) -> Result<Vec<u8>, Error> {
        let undeclared: Vec<_> = ask.requests.values().map(InputRequest::needs).filter(|needed| !needed.is_in(&self.meta.client)).collect();
        if !undeclared.is_empty() {
            return Err(missing(&undeclared));
        }
        if ask.state_failed || (ask.requests.is_empty() && ask.state.is_none()) {
            return Err(Error::internal(self.internal(name, "the handler asked for nothing, or its state can't be written as JSON")));
        }
        let mut written = Vec::from("{");
        if !ask.requests.is_empty() {
            written.extend_from_slice(b"\"inputRequests\":");
            written.extend_from_slice(&to_json(&ask.requests));
        }
        if let Some(state) = &ask.state {
            let within = u64::try_from(ask.within.as_millis()).unwrap_or(u64::MAX);
            let arguments = if self.method == "resources/read" { Value::Null } else { self.arguments()? };
            let expires_ms = self.platform.clock.now_ms().saturating_add(within);
            let token = self.platform.keys.seal(state, expires_ms, &self.binding(&arguments), &*self.platform.random)?;
            if !ask.requests.is_empty() {
                written.push(b',');
            }
            written.extend_from_slice(b"\"requestState\":");
            written.extend_from_slice(&to_json(&token));
        }
        written.push(b'}');
        Ok(self.server.input_required(&written))
    }

    fn write_tool_result(&self, result: CallToolResult) -> Vec<u8> {
        let mut result = result.down_level(self.revision);
        let meta = std::mem::take(&mut result.meta);
        self.server.complete(self.revision, &to_json(&result), &meta, "")
    }

    /// A failure of a prompt or a resource: always a protocol error.
    fn failed(&self, name: &str, error: ToolError) -> Result<Vec<u8>, Error> {
        self.failed_kind(name, error.into_kind())
    }

    fn failed_kind(&self, name: &str, kind: Kind) -> Result<Vec<u8>, Error> {
        Err(match kind {
            Kind::Ask(ask) if self.revision.is_modern() => return self.input_required(name, &ask),
            Kind::Ask(_) => Error::invalid_request(self.cannot_ask(name)),
            Kind::NotFound { message } => Error::invalid_params(message),
            Kind::Failed { message, cause: None } => Error::internal(message),
            Kind::Failed { message, cause: Some(cause) } => Error::internal(format!("{message} (error id {})", self.record(name, &cause))),
            Kind::Internal { cause } => Error::internal(self.internal(name, &cause)),
            Kind::MissingCapability(capability) => missing(&[capability]),
        })
    }

    fn cannot_ask(&self, name: &str) -> String {
        format!(
            "`{name}` needs to ask the client something, which protocol revision {} can't carry without a session; use a client that speaks {}",
            self.revision,
            Revision::LATEST
        )
    }

    fn too_slow(&self, name: &str, limit: Duration) -> String {
        format!("`{name}` did not finish within {} and was stopped. Try a narrower request, or the same one later.", seconds(limit))
    }

    fn internal(&self, name: &str, cause: &str) -> String {
        format!("internal error of `{name}` (error id {}); the cause is in the server's log under this id", self.record(name, cause))
    }

    /// Hands the private cause to the log, and gives the id that the client is told.
    fn record(&self, name: &str, cause: &str) -> String {
        let mut bytes = [0; 6];
        self.platform.random.fill(&mut bytes);
        let id: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        self.platform.records.failure(&Failure { id: &id, method: self.method, name, cause });
        id
    }
}

fn seconds(limit: Duration) -> String {
    if limit.subsec_millis() == 0 { format!("{} s", limit.as_secs()) } else { format!("{} ms", limit.as_millis()) }
}
