//! What an upstream answered: the JSON-RPC message for one request, out of JSON or of an event
//! stream, and what a refusal means for the era. Sends nothing.

use std::borrow::Cow;

use mcpfn_core::jsonrpc::ErrorCode;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::events::{Event, EventReader};

/// Reports of one request that are passed on. What it says later is not news.
const MAX_REPORTS: u32 = 1000;

/// A message of a server.
#[derive(Deserialize)]
struct UpstreamMessage<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
    #[serde(borrow, default)]
    result: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<RawError<'a>>,
}

#[derive(Deserialize)]
struct RawError<'a> {
    code: i64,
    #[serde(default)]
    message: Option<String>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
}

/// The error of a JSON-RPC answer, as it came.
#[derive(Debug, Clone)]
pub(super) struct RpcError {
    /// Any integer: a server behind this one may define its own, beyond what `ErrorCode` holds.
    pub(super) code: i64,
    pub(super) message: String,
    /// Its JSON, for the log.
    pub(super) data: String,
}

impl From<RawError<'_>> for RpcError {
    fn from(raw: RawError<'_>) -> Self {
        Self {
            code: raw.code,
            message: raw.message.unwrap_or_default(),
            data: raw
                .data
                .map_or_else(String::new, |data| data.get().to_owned()),
        }
    }
}

impl RpcError {
    /// Whether the error has this code.
    pub(super) fn is(&self, code: ErrorCode) -> bool {
        self.code == i64::from(code.0)
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UpstreamProgress {
    progress_token: Value,
    pub(super) progress: f64,
    #[serde(default)]
    pub(super) total: Option<f64>,
    #[serde(default)]
    pub(super) message: Option<String>,
}

/// Collects what an answer says about one request.
#[derive(Default)]
pub(super) struct Reading {
    id: u64,
    /// Most bytes of one message.
    pub(super) most: usize,
    reports: u32,
    events: Option<EventReader>,
    /// The first message that was longer, as far as it was read.
    pub(super) cut: Option<Vec<u8>>,
    /// The message that ends it.
    pub(super) ended: Option<Result<Box<RawValue>, RpcError>>,
    /// What no request was named in: the refusals of servers that could not read one.
    pub(super) unnamed: Option<RpcError>,
}

impl Reading {
    /// Of the answer to the request with this id, which is the token of its progress too; of `most`
    /// bytes.
    pub(super) fn new(id: u64, most: usize) -> Self {
        Self {
            id,
            most,
            ..Self::default()
        }
    }

    /// A piece of an event stream.
    pub(super) fn stream(&mut self, piece: &[u8], mut progress: impl FnMut(&UpstreamProgress)) {
        let events = self.events.take();
        let mut events = events.unwrap_or_else(|| EventReader::new(self.most));
        events.push(piece, |event| self.event(event, &mut progress));
        self.events = Some(events);
    }

    /// The end of an event stream.
    pub(super) fn end(&mut self, mut progress: impl FnMut(&UpstreamProgress)) {
        if let Some(events) = self.events.take() {
            events.end(|event| self.event(event, &mut progress));
        }
    }

    fn event(&mut self, event: Event<'_>, progress: &mut impl FnMut(&UpstreamProgress)) {
        if !event.cut {
            self.message(event.data, progress);
        } else if self.cut.is_none() {
            self.cut = Some(event.data.to_vec());
        }
    }

    /// One message.
    pub(super) fn message(&mut self, text: &[u8], progress: &mut impl FnMut(&UpstreamProgress)) {
        let Ok(message) = serde_json::from_slice::<UpstreamMessage<'_>>(text) else {
            return;
        };
        if self.ended.is_some() {
            return;
        }
        match (message.method.as_deref(), message.result, message.error) {
            (Some("notifications/progress"), _, _) if self.reports < MAX_REPORTS => {
                self.reports += 1;
                let read = message
                    .params
                    .and_then(|params| serde_json::from_str::<UpstreamProgress>(params.get()).ok());
                read.filter(|read| read.progress_token.as_u64() == Some(self.id))
                    .iter()
                    .for_each(progress);
            }
            // its logs are its own, and what it asks was not offered to it
            (Some(_), _, _) => {}
            (None, result, error) => {
                let named = message.id.is_some_and(|id| id.get() == self.id.to_string());
                match (result, error) {
                    (_, Some(error)) if named => self.ended = Some(Err(error.into())),
                    (_, Some(error)) => self.unnamed = Some(error.into()),
                    (Some(result), None) if named => self.ended = Some(Ok(result.to_owned())),
                    _ => {}
                }
            }
        }
    }
}

/// Whether a refusal shows that a server speaks the revision without a handshake: older ones know
/// none of these codes, or give them without naming the request.
pub(super) fn is_modern(error: &RpcError) -> bool {
    [
        ErrorCode::METHOD_NOT_FOUND,
        ErrorCode::INVALID_PARAMS,
        ErrorCode::INTERNAL,
        ErrorCode::HEADER_MISMATCH,
        ErrorCode::MISSING_CAPABILITY,
    ]
    .into_iter()
    .any(|code| error.is(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(stream: &str) -> (Reading, Vec<f64>) {
        let (mut reading, mut heard) = (Reading::new(7, 1000), Vec::new());
        reading.stream(stream.as_bytes(), |progress| heard.push(progress.progress));
        reading.end(|progress| heard.push(progress.progress));
        (reading, heard)
    }

    #[test]
    fn progress_and_the_answer_of_this_request_alone() {
        let (reading, heard) = read(concat!(
            "data: \
             {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progressToken\":7,\"progress\":1}}\n\n",
            "data: \
             {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progressToken\":8,\"progress\":2}}\n\n",
            "data: \
             {\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"sampling/createMessage\",\"params\":{}}\n\n",
            "data: {\"jsonrpc\":\"2.0\",\"id\":8,\"result\":{\"a\":1}}\n\n",
            "data: not JSON\n\n",
            "data: {\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"big\":12345678901234567890123}}\n\n",
            "data: {\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"late\":1}}\n\n",
        ));
        assert_eq!(heard, [1.0]);
        assert_eq!(
            reading.ended.unwrap().unwrap().get(),
            "{\"big\":12345678901234567890123}"
        );
    }

    #[test]
    fn refusals_that_name_no_request() {
        let (reading, _) = read(
            "data: \
             {\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32000,\"message\":\"Server not \
             initialized\"}}\n\n",
        );
        assert!(reading.ended.is_none());
        assert!(!is_modern(&reading.unnamed.unwrap()));
    }
}
