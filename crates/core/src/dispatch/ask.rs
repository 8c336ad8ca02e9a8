//! Questions in the middle of a call, for clients that can't be told to call again (revisions with
//! a handshake): asked on the call's own stream, answered by another request, and the handler is run
//! again with the answers, as if the client had called again.
//!
//! It stands around a call's steps and not among them: an idempotent write that asks something holds
//! no key while a person thinks, and a tool's limit of time counts for each run of its handler.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::active_call::ActiveCall;
use crate::active_call::end::CallResult;
use crate::jsonrpc::{Error, to_json, write_request};
use crate::model::JsonObject;
use crate::policy::asked::within;
use crate::port::audit_log::Outcome;
use crate::post::Letter;
use crate::round_trip::ANSWER_WITHIN;
use crate::round_trip::letter::{Address, Correspondence};
use crate::send::{MaybeSend, MaybeSync};
use crate::text;

/// How often one call may ask. A handler that asks for ever would hold its client for ever.
const ROUNDS: usize = 8;
/// What is left of the host's time for the handler once its question was given up, in milliseconds.
const MARGIN_MS: u64 = 1_000;

/// A result that asks something, as it is written for clients that call again.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    #[serde(default)]
    input_requests: BTreeMap<String, Question>,
    request_state: Option<String>,
}

#[derive(Deserialize)]
struct Question {
    method: String,
    params: JsonObject,
}

/// Runs the steps of a call, again with the answers to what it asks.
pub(super) async fn through<F, R>(call: Arc<ActiveCall>, steps: F) -> CallResult
where
    F: Fn(Arc<ActiveCall>) -> R + MaybeSend + MaybeSync,
    R: Future<Output = CallResult> + MaybeSend,
{
    if call.asks_on_stream() {
        // boxed: few calls are of a session
        return Box::pin(rounds(call, &steps)).await;
    }
    steps(call).await
}

async fn rounds<F, R>(mut call: Arc<ActiveCall>, steps: &F) -> CallResult
where
    F: Fn(Arc<ActiveCall>) -> R,
    R: Future<Output = CallResult>,
{
    for _ in 0..ROUNDS {
        let result = steps(Arc::clone(&call)).await;
        let asked = match &result {
            Ok((body, end)) if end.outcome == Outcome::InputRequired => {
                serde_json::from_slice::<Asked>(body)
            }
            _ => return result,
        };
        let asked = asked.map_err(|error| {
            let cause = format!("a question of our own can't be read: {error}");
            Error::internal(call.internal(call.name(), &cause))
        })?;
        let answers = match ask(&call, asked.input_requests).await {
            Ok(answers) => answers,
            Err((sentence, outcome)) => return call.unanswered(sentence, outcome),
        };
        call = Arc::new(call.again(answers, asked.request_state));
    }
    let sentence = format!("`{}` asked {ROUNDS} times and did not end", call.name());
    call.unanswered(sentence, Outcome::Failed)
}

/// Why there are no answers: what the client reads, and what the audit log calls it.
type Unanswered = (String, Outcome);

/// Asks, and waits for all answers: the text of `inputResponses`.
async fn ask(
    call: &ActiveCall,
    questions: BTreeMap<String, Question>,
) -> Result<Box<RawValue>, Unanswered> {
    let unavailable = |cause: &str| {
        let sentence = call.internal(call.name(), cause);
        (sentence, Outcome::Internal)
    };
    let platform = &call.platform;
    let Some(mailbox) = &platform.mailbox else {
        return Err(unavailable("the host has no mailbox"));
    };
    let correspondence = Correspondence {
        server: call.server.name(),
        principal: &call.principal.key(),
    };
    let (mut keys, mut asked) = (Vec::new(), Vec::new());
    for (name, question) in questions {
        let Some(Address { id, key }) = correspondence.open(&platform.keys, &*platform.random)
        else {
            return Err(unavailable("there is no key to seal a question's id"));
        };
        call.outbox().ask(question.write(&id, call));
        keys.push(key);
        asked.push((name, question.method));
    }
    let limit = time(call);
    let letters = within(&platform.timer, mailbox.wait(&keys), limit).await;
    let letters = match letters {
        Some(Ok(letters)) if letters.len() == asked.len() => letters,
        Some(Ok(_)) => return Err(unavailable("the mailbox gave other letters than asked for")),
        Some(Err(error)) => {
            platform.store_failed("mailbox", &error);
            let sentence = "the client's answer could not be fetched: call again".to_owned();
            return Err((sentence, Outcome::Internal));
        }
        None => {
            let (name, seconds) = (call.name(), limit.as_secs());
            let sentence = format!(
                "`{name}` asked the client something and had no answer within {seconds} s; nothing \
                 more was done. Call again when the question can be answered"
            );
            return Err((sentence, Outcome::TimedOut));
        }
    };
    let mut answers = JsonObject::new();
    for ((name, method), letter) in asked.into_iter().zip(letters) {
        let letter = serde_json::from_slice(&letter)
            .map_err(|error| unavailable(&format!("a letter can't be read: {error}")))?;
        answers.insert(name, opened(&method, letter)?);
    }
    RawValue::from_string(Value::Object(answers).to_string())
        .map_err(|error| unavailable(&error.to_string()))
}

impl Question {
    /// The request, as the call's revision has it.
    fn write(&self, id: &str, call: &ActiveCall) -> Vec<u8> {
        let mut params = self.params.clone();
        if self.method == "elicitation/create" {
            match params.get("mode").and_then(Value::as_str) {
                // by which the client tells this page from others
                Some("url") => drop(params.insert("elicitationId".to_owned(), id.into())),
                _ if !call.revision.has_elicitation_modes() => drop(params.remove("mode")),
                _ => {}
            }
        }
        write_request(&format!("\"{id}\""), &self.method, &to_json(&params))
    }
}

/// How long the client may take: the host needs time for what comes after.
fn time(call: &ActiveCall) -> Duration {
    let Some(deadline_ms) = call.deadline_ms() else {
        return ANSWER_WITHIN;
    };
    let now_ms = call.platform.clock.now_ms();
    let left_ms = deadline_ms.saturating_sub(now_ms).saturating_sub(MARGIN_MS);
    ANSWER_WITHIN.min(Duration::from_millis(left_ms))
}

/// What a handler reads of an answer.
fn opened(method: &str, letter: Letter) -> Result<Value, Unanswered> {
    let is_form = method == "elicitation/create";
    match letter {
        Letter::Result(result) => {
            let mut result = serde_json::from_str(result.get()).unwrap_or_default();
            if let (true, Value::Object(members)) = (is_form, &mut result) {
                // some clients write what a declined form does not have
                members.retain(|_, value| !value.is_null());
            }
            Ok(result)
        }
        // a form that could not be shown was closed without an answer
        Letter::Error(_) if is_form => Ok(serde_json::json!({"action": "cancel"})),
        Letter::Error(error) => {
            let error: Value = serde_json::from_str(error.get()).unwrap_or_default();
            let said = error["message"].as_str().unwrap_or("no reason");
            let code = error["code"].as_i64().unwrap_or_default();
            let sentence = format!(
                "the client did not answer `{method}` and said: {} (code {code})",
                text::shown(said, 300)
            );
            Err((sentence, Outcome::Failed))
        }
    }
}
