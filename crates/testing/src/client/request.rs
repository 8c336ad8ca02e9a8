//! One request of a test's client: written, sent, its questions answered, its result read.

use std::fmt;
use std::future::IntoFuture;

use mcpfn_core::jsonrpc::{Incoming, MAX_VALUES, Message, read, write_request};
use mcpfn_core::{
    handler::{BoxFuture, MaybeSend},
    host::{Call, Envelope, Execution, Frame},
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::error::{ClientError, ProtocolError};
use super::link::ClientLink;
use super::results::CompletedValues;
use crate::answer::Question;
use crate::executor::block_on;

/// How often a server may ask before it counts as one that never ends.
const MAX_ROUNDS: usize = 16;
/// Pages of one list; a cursor that goes in circles ends here.
const MAX_PAGES: usize = 1000;

/// A request that is not sent yet: `.await` it under a runtime, or [`TestRequest::wait`] for it.
#[must_use = "nothing is sent before `.await` or `.wait()`"]
pub struct TestRequest<'a, T> {
    client: &'a ClientLink,
    method: String,
    params: Value,
    read: Read<T>,
}

enum Read<T> {
    /// The result after all questions.
    Whole(fn(&Value) -> Result<T, ClientError>),
    /// The first result, also if it is a question.
    First(fn(&Value) -> Result<T, ClientError>),
    /// All pages, of which this member has the entries.
    Pages(&'static str, fn(&Value) -> Result<T, ClientError>),
}

pub(crate) fn list<'a, E: DeserializeOwned>(
    client: &'a ClientLink,
    method: &str,
    member: &'static str,
) -> TestRequest<'a, Vec<E>> {
    TestRequest {
        read: Read::Pages(member, typed),
        ..TestRequest::new(client, method, json!({}))
    }
}

pub(crate) fn first<'a>(
    client: &'a ClientLink,
    method: &str,
    params: Value,
) -> TestRequest<'a, Value> {
    TestRequest {
        read: Read::First(typed),
        ..TestRequest::new(client, method, params)
    }
}

fn typed<T: DeserializeOwned>(result: &Value) -> Result<T, ClientError> {
    T::deserialize(result).map_err(|error| {
        ClientError::BadAnswer(format!("the result can't be read: {error}\n{result:#}"))
    })
}

impl<'a, T: DeserializeOwned> TestRequest<'a, T> {
    pub(crate) fn new(client: &'a ClientLink, method: &str, params: Value) -> Self {
        Self {
            client,
            method: method.to_owned(),
            params,
            read: Read::Whole(typed),
        }
    }
}

impl<'a, T> TestRequest<'a, T> {
    /// By which a repeat of this write is known: sent again with the same key, it happens once.
    pub fn idempotency_key(self, key: &str) -> Self {
        self.meta("idempotencyKey", key)
    }

    /// Adds a member to `_meta`.
    pub fn meta(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.params["_meta"][key] = value.into();
        self
    }

    /// Sends the request and waits for its end on this thread.
    ///
    /// # Errors
    /// See [`ClientError`].
    ///
    /// # Panics
    /// See [`block_on`].
    pub fn wait(self) -> Result<T, ClientError> {
        block_on(self.send())
    }

    async fn send(self) -> Result<T, ClientError> {
        match self.read {
            Read::Whole(read) => read(&exchange(self.client, &self.method, self.params).await?),
            Read::First(read) => read(&round(self.client, &self.method, self.params).await?),
            Read::Pages(member, read) => {
                read(&pages(self.client, &self.method, self.params, member).await?)
            }
        }
    }
}

impl TestRequest<'_, CompletedValues> {
    /// The value of another argument, which the person has chosen already.
    pub fn with_argument(mut self, argument: &str, value: &str) -> Self {
        self.params["context"]["arguments"][argument] = value.into();
        self
    }
}

impl<'a, T: MaybeSend + 'a> IntoFuture for TestRequest<'a, T> {
    type Output = Result<T, ClientError>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl<T> fmt::Debug for TestRequest<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.params)
    }
}

/// The entries of every page of a list.
async fn pages(
    client: &ClientLink,
    method: &str,
    mut params: Value,
    member: &str,
) -> Result<Value, ClientError> {
    let mut entries = Vec::new();
    for _ in 0..MAX_PAGES {
        let mut page = exchange(client, method, params.clone()).await?;
        match page[member].take() {
            Value::Array(more) => entries.extend(more),
            _ => return Err(ClientError::BadAnswer(format!("a page without `{member}`"))),
        }
        match page["nextCursor"].take() {
            Value::Null => return Ok(entries.into()),
            cursor => params["cursor"] = cursor,
        }
    }
    Err(ClientError::BadAnswer(format!(
        "`{method}` has more than {MAX_PAGES} pages, or its cursors go in circles"
    )))
}

/// One request and its retries, until the server has no more questions.
async fn exchange(
    client: &ClientLink,
    method: &str,
    mut params: Value,
) -> Result<Value, ClientError> {
    let mut last = Vec::new();
    for _ in 0..MAX_ROUNDS {
        let mut result = round(client, method, params.clone()).await?;
        if result["resultType"] != "input_required" {
            return Ok(result);
        }
        let asked = match result["inputRequests"].take() {
            Value::Object(asked) => asked,
            _ => Map::new(),
        };
        let questions = asked.into_iter();
        last = questions
            .map(|(key, request)| Question::new(key, request))
            .collect();
        params["inputResponses"] = answers(client, &last)?;
        match result["requestState"].take() {
            Value::Null => {}
            state => params["requestState"] = state,
        }
    }
    Err(ClientError::AskedTooOften(last))
}

fn answers(client: &ClientLink, questions: &[Question]) -> Result<Value, ClientError> {
    let (mut answers, mut open) = (Map::new(), Vec::new());
    for question in questions {
        match client.find_answer(question) {
            Some(answer) => {
                answers.insert(question.key.clone(), answer.into_value());
            }
            None => open.push(question.clone()),
        }
    }
    if open.is_empty() {
        Ok(answers.into())
    } else {
        Err(ClientError::Unanswered(open))
    }
}

/// One request and its answer.
async fn round(client: &ClientLink, method: &str, params: Value) -> Result<Value, ClientError> {
    let id = client.new_id().to_string();
    let params = with_meta(client, method, params, &id).to_string();
    let body = write_request(&id, method, params.as_bytes());
    let execution = match call(client, &body) {
        Ok(call) => client.server.reply(call, &client.platform),
        Err(refused) => return Err(refused),
    };
    let answer = match execution {
        Execution::Done(answer) => answer.message,
        Execution::Running(mut running) => loop {
            match running.frame().await {
                Some(Frame::Notification(notification)) => client.heard().take(&notification),
                Some(Frame::Response(answer)) => break answer.message,
                None => {
                    return Err(ClientError::BadAnswer(
                        "a call without an answer".to_owned(),
                    ));
                }
            }
        },
    };
    let mut answer: Value = serde_json::from_slice(&answer)
        .map_err(|error| ClientError::BadAnswer(format!("the answer is not JSON: {error}")))?;
    match answer["error"].take() {
        Value::Null => Ok(answer["result"].take()),
        error => Err(ClientError::Rpc(typed::<ProtocolError>(&error)?)),
    }
}

/// The message as dispatch takes it, with the steps that a transport takes before.
fn call<'b>(client: &ClientLink, body: &'b [u8]) -> Result<Call<'b>, ClientError> {
    let refused = |error: mcpfn_core::jsonrpc::Error| {
        ClientError::Rpc(ProtocolError {
            code: error.code.0,
            message: error.message.into_owned(),
            data: error.data,
        })
    };
    let message = read(body, MAX_VALUES).map_err(|malformed| refused(malformed.error))?;
    let Incoming::Single(Message::Request(request)) = message else {
        return Err(ClientError::BadAnswer("no request was written".to_owned()));
    };
    let declared = Some(client.revision.as_str());
    let envelope = Envelope::new(request);
    let era = envelope.era(declared).map_err(refused)?;
    envelope
        .into_call(era, client.principal.clone())
        .map_err(refused)
}

/// What a client of this revision says of itself and of this request.
fn with_meta(client: &ClientLink, method: &str, mut params: Value, id: &str) -> Value {
    let mut meta = client.meta.clone();
    meta.insert("progressToken".to_owned(), id.into());
    if client.revision.is_modern() {
        let said = json!({
            "io.modelcontextprotocol/protocolVersion": client.revision.as_str(),
            "io.modelcontextprotocol/clientCapabilities": client.declared(),
            "io.modelcontextprotocol/clientInfo":
                {"name": "mcpfn-testing", "version": env!("CARGO_PKG_VERSION")},
            "io.modelcontextprotocol/logLevel": "debug",
        });
        for (key, value) in said.as_object().into_iter().flatten() {
            meta.entry(key).or_insert_with(|| value.clone());
        }
    }
    if let Value::Object(own) = params["_meta"].take() {
        meta.extend(own);
    }
    if method == "initialize" {
        meta.remove("progressToken");
    }
    params["_meta"] = meta.into();
    params
}
