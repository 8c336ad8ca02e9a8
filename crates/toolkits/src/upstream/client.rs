//! The client of one upstream, of both eras: one request to its answer. Knows no tools; what an
//! answer says is read in `answer`.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mcpfn_core::jsonrpc::{ErrorCode, write_notification, write_request};
use mcpfn_core::{
    Cx, Revision, ToolError,
    port::{HttpError, HttpRequest, HttpResponse, Listen},
    text,
};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::answer::{Reading, RpcError, UpstreamProgress, is_modern};
use crate::api::USER_AGENT;
use crate::config::Secret;
use crate::untrusted::is_visible;

/// Time left for the answer to reach the caller before the call's own limit ends it.
const MARGIN: Duration = Duration::from_millis(250);

/// Servers that a call may come through before this one. A server that fronts itself would ask
/// without end.
const MAX_HOPS: u8 = 3;

/// The longest message of progress, in characters.
const MAX_MESSAGE_LENGTH: usize = 500;

/// A request to an upstream.
#[derive(Debug, Clone)]
pub(super) struct UpstreamRequest<'a> {
    pub(super) method: &'static str,
    /// The tool, prompt or URI, which a modern request repeats in a header.
    pub(super) target: Option<&'a str>,
    pub(super) params: serde_json::Map<String, Value>,
    /// Arguments that are repeated in headers.
    pub(super) headers: Vec<(String, String)>,
    pub(super) within: Duration,
    pub(super) max_body: usize,
}

/// Why there is no result.
#[derive(Debug)]
pub(super) enum UpstreamFailure {
    /// The upstream answered with an error.
    Error(RpcError),
    /// It does not accept this server's credential; the cause is for the log.
    Refused(String),
    /// It gave no usable answer. Whether it did what was asked is not known if `sent`.
    Unavailable { cause: String, sent: bool },
    /// A mistake of the host.
    Internal(ToolError),
}

impl UpstreamFailure {
    fn unsent(cause: impl Into<String>) -> Self {
        Self::Unavailable {
            cause: cause.into(),
            sent: false,
        }
    }
}

/// For the log.
impl fmt::Display for UpstreamFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(error) => {
                write!(f, "error {}: {}", error.code, text::quoted(&error.message))
            }
            Self::Refused(cause) | Self::Unavailable { cause, .. } => f.write_str(cause),
            Self::Internal(error) => write!(f, "{error:?}"),
        }
    }
}

/// How an upstream is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum UpstreamEra {
    /// Every request describes itself. Where nothing is known, this is tried.
    Modern,
    /// After a handshake.
    Legacy(UpstreamSession),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct UpstreamSession {
    id: Option<String>,
    version: &'static str,
}

/// What one exchange came to.
enum Came {
    Result(Box<RawValue>),
    /// The server speaks no such era, or knows the session no more; it did nothing.
    OtherEra(String),
}

pub(super) struct UpstreamClient {
    pub(super) name: String,
    url: String,
    token: Option<Secret>,
    era: Mutex<UpstreamEra>,
    last_id: AtomicU64,
}

impl UpstreamClient {
    pub(super) fn new(name: String, url: String, token: Option<Secret>) -> Self {
        Self {
            name,
            url,
            token,
            era: Mutex::new(UpstreamEra::Modern),
            last_id: AtomicU64::new(0),
        }
    }

    /// The result of a request, in whichever era the upstream lives.
    pub(super) async fn ask(
        &self,
        cx: &Cx,
        request: UpstreamRequest<'_>,
    ) -> Result<Box<RawValue>, UpstreamFailure> {
        if cx.hops() >= MAX_HOPS {
            return Err(UpstreamFailure::unsent(format!(
                "the call came through {MAX_HOPS} servers already: do some of them front each \
                 other?"
            )));
        }
        let known = self
            .era
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let refusal = match self.exchange(cx, &request, &known).await? {
            Came::Result(result) => return Ok(result),
            Came::OtherEra(refusal) => refusal,
        };
        // what was refused was not done, so it may be sent again
        let session = match self.shake_hands(cx, request.within).await {
            Ok(session) => UpstreamEra::Legacy(session),
            // a server with a handshake may have become one without
            Err(_) if known != UpstreamEra::Modern => UpstreamEra::Modern,
            Err(UpstreamFailure::Unavailable { cause, .. }) => {
                return Err(UpstreamFailure::unsent(format!(
                    "neither a request without a handshake ({refusal}) nor a handshake ({cause}) \
                     is taken"
                )));
            }
            Err(failure) => return Err(failure),
        };
        match self.exchange(cx, &request, &session).await? {
            Came::Result(result) => {
                *self.era.lock().unwrap_or_else(PoisonError::into_inner) = session;
                Ok(result)
            }
            Came::OtherEra(refusal) => Err(UpstreamFailure::unsent(refusal)),
        }
    }

    async fn shake_hands(
        &self,
        cx: &Cx,
        within: Duration,
    ) -> Result<UpstreamSession, UpstreamFailure> {
        let version = Revision::LATEST_LEGACY.as_str();
        let params = json!({
            "protocolVersion": version,
            "capabilities": {},
            "clientInfo": {"name": "mcpfn", "version": env!("CARGO_PKG_VERSION")},
        });
        let id = self.next_id();
        let body = write_request(&id.to_string(), "initialize", params.to_string().as_bytes());
        let (response, reading) = self
            .send(cx, self.post(body, within, 64 * 1024), id)
            .await?;
        let result = match self.judge(&response, reading)? {
            Came::Result(result) => result,
            Came::OtherEra(refusal) => return Err(UpstreamFailure::unsent(refusal)),
        };
        let result: Value = serde_json::from_str(result.get()).unwrap_or_default();
        let said = result["protocolVersion"].as_str().unwrap_or_default();
        let version = Revision::parse(said)
            .filter(|revision| !revision.is_modern())
            .map(Revision::as_str);
        let version = version.ok_or_else(|| {
            UpstreamFailure::unsent(format!(
                "it speaks {}, which is not a version with a handshake",
                text::quoted(said)
            ))
        })?;
        let visible =
            |id: &&str| id.len() <= 1024 && id.bytes().all(|byte| byte.is_ascii_graphic());
        let session = UpstreamSession {
            id: response
                .header("mcp-session-id")
                .filter(visible)
                .map(str::to_owned),
            version,
        };
        let initialized = write_notification("notifications/initialized", b"{}");
        let request = in_session(self.post(initialized, within, 64 * 1024), &session);
        let (response, _) = self.send(cx, request, 0).await?;
        if !response.is_success() {
            return Err(UpstreamFailure::unsent(format!(
                "it answers `notifications/initialized` with status {}",
                response.status
            )));
        }
        Ok(session)
    }

    async fn exchange(
        &self,
        cx: &Cx,
        request: &UpstreamRequest<'_>,
        era: &UpstreamEra,
    ) -> Result<Came, UpstreamFailure> {
        let id = self.next_id();
        let mut params = request.params.clone();
        let mut meta = serde_json::Map::new();
        meta.insert("dev.mcpfn/hops".into(), (cx.hops() + 1).into());
        if cx.wants_progress() {
            meta.insert("progressToken".into(), id.into());
        }
        if *era == UpstreamEra::Modern {
            let trace = cx.trace();
            for (key, value) in [
                ("traceparent", &trace.traceparent),
                ("tracestate", &trace.tracestate),
            ] {
                meta.extend(
                    value
                        .as_ref()
                        .map(|value| (key.to_owned(), value.as_str().into())),
                );
            }
            // what a form asks is shown under the upstream's name; pages to open, samples and
            // folders are not passed on
            let asks = cx.revision().is_modern() && cx.client().elicitation_form;
            let capabilities = if asks {
                json!({"elicitation": {"form": {}}})
            } else {
                json!({})
            };
            meta.insert(
                "io.modelcontextprotocol/protocolVersion".into(),
                Revision::LATEST.as_str().into(),
            );
            meta.insert(
                "io.modelcontextprotocol/clientCapabilities".into(),
                capabilities,
            );
            let info = json!({"name": "mcpfn", "version": env!("CARGO_PKG_VERSION")});
            meta.insert("io.modelcontextprotocol/clientInfo".into(), info);
        }
        params.insert("_meta".into(), meta.into());
        let body = write_request(
            &id.to_string(),
            request.method,
            Value::Object(params).to_string().as_bytes(),
        );
        let mut post = self.post(body, request.within, request.max_body);
        if cx.wants_progress() {
            // what is compressed is not heard before its end
            post = post.header("accept-encoding", "identity");
        }
        post = match era {
            UpstreamEra::Modern => {
                post = post
                    .header("mcp-protocol-version", Revision::LATEST.as_str())
                    .header("mcp-method", request.method);
                if let Some(target) = request.target {
                    post = post.header("mcp-name", header_text(target));
                }
                request
                    .headers
                    .iter()
                    .fold(post, |post, (name, value)| post.header(name, value))
            }
            UpstreamEra::Legacy(session) => in_session(post, session),
        };
        let (response, reading) = self.send(cx, post, id).await?;
        self.judge(&response, reading)
    }

    fn next_id(&self) -> u64 {
        self.last_id.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn post(&self, body: Vec<u8>, within: Duration, max_body: usize) -> HttpRequest {
        let request = HttpRequest::post(&self.url, "application/json", body)
            .header("accept", "application/json, text/event-stream")
            .header("user-agent", USER_AGENT)
            .timeout(within)
            .max_body(max_body);
        match &self.token {
            Some(token) => request.header("authorization", format!("Bearer {}", token.expose())),
            None => request,
        }
    }

    /// Sends a request and reads the messages of its answer, progress as it comes.
    async fn send(
        &self,
        cx: &Cx,
        mut request: HttpRequest,
        id: u64,
    ) -> Result<(HttpResponse, Reading), UpstreamFailure> {
        request.timeout = request.timeout.min(cx.remaining().saturating_sub(MARGIN));
        let ear = Arc::new(Ear {
            cx: cx.clone(),
            token: self.token.clone(),
            heard: Mutex::new((Reading::new(id), 0)),
        });
        request.listener = Some(ear.clone());
        let response = cx.fetch(request).await.map_err(UpstreamFailure::Internal)?;
        let mut heard = ear.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut reading, heard) = (std::mem::take(&mut heard.0), heard.1);
        let response = match response {
            Ok(response) => response,
            // the answer was heard, whatever became of its stream
            Err(_) if reading.ended.is_some() => {
                return Ok((
                    HttpResponse {
                        status: 200,
                        ..HttpResponse::default()
                    },
                    reading,
                ));
            }
            Err(error) => {
                let sent = !matches!(error, HttpError::BadUrl(_) | HttpError::NotPublic(_));
                return Err(UpstreamFailure::Unavailable {
                    cause: self.without_token(error.to_string()),
                    sent,
                });
            }
        };
        let progress = |progress: &UpstreamProgress| ear.report(progress);
        if is_stream(&response) {
            reading.stream(response.body.get(heard..).unwrap_or_default(), progress);
            reading.end(progress);
        } else {
            reading.message(&response.body, &mut |_| {});
        }
        Ok((response, reading))
    }

    /// What a status and the messages with it mean.
    fn judge(&self, response: &HttpResponse, reading: Reading) -> Result<Came, UpstreamFailure> {
        let Reading { ended, unnamed, .. } = reading;
        let status = response.status;
        let said = || {
            let body = String::from_utf8_lossy(&response.body[..response.body.len().min(1024)])
                .into_owned();
            format!(
                "status {status}: {}",
                text::quoted(&self.without_token(body))
            )
        };
        match (status, ended) {
            (401 | 403, _) => Err(UpstreamFailure::Refused(format!(
                "the token in the settings is missing, wrong or not allowed to do this ({})",
                said()
            ))),
            (200..=299, Some(Ok(result))) => Ok(Came::Result(self.clean_result(result))),
            // a version that it does not speak: it may have a handshake
            (_, Some(Err(error))) if error.is(ErrorCode::UNSUPPORTED_VERSION) => {
                Ok(Came::OtherEra(format!(
                    "error {}: {}",
                    error.code,
                    text::quoted(&error.message)
                )))
            }
            (200..=299, Some(Err(error))) => Err(UpstreamFailure::Error(self.clean_error(error))),
            (400..=499, Some(Err(error))) if is_modern(&error) => {
                Err(UpstreamFailure::Error(self.clean_error(error)))
            }
            (400 | 404 | 405 | 406 | 415 | 422, _) => Ok(Came::OtherEra(said())),
            (300..=399, _) => Err(UpstreamFailure::unsent(format!(
                "it redirects: its address in the settings may be an old one ({})",
                said()
            ))),
            (429, _) => Err(UpstreamFailure::unsent(said())),
            (200..=299, None) if response.truncated => Err(UpstreamFailure::Unavailable {
                cause: "its answer is longer than the limit, and not among what was read"
                    .to_owned(),
                sent: true,
            }),
            (200..=299, None) => match unnamed {
                Some(error) => Err(UpstreamFailure::Error(self.clean_error(error))),
                None => Err(UpstreamFailure::Unavailable {
                    cause: format!("there is no answer to the request in it ({})", said()),
                    sent: true,
                }),
            },
            _ => Err(UpstreamFailure::Unavailable {
                cause: said(),
                sent: true,
            }),
        }
    }

    fn clean_error(&self, mut error: RpcError) -> RpcError {
        error.message = self.without_token(error.message);
        // for the log alone
        error.data = self.without_token(error.data.to_string()).into();
        error
    }

    fn clean_result(&self, result: Box<RawValue>) -> Box<RawValue> {
        match &self.token {
            // a token has no character that JSON writes in another way but `"` and `\`, and with
            // those it stays what it was: JSON
            Some(token) if result.get().contains(token.expose()) => {
                RawValue::from_string(self.without_token(result.get().to_owned()))
                    .unwrap_or_default()
            }
            _ => result,
        }
    }

    fn without_token(&self, text: String) -> String {
        without(self.token.as_ref(), text)
    }
}

/// Whatever an upstream says, it does not say the token.
fn without(token: Option<&Secret>, text: String) -> String {
    match token {
        Some(token) if text.contains(token.expose()) => text.replace(token.expose(), "[token]"),
        _ => text,
    }
}

fn in_session(post: HttpRequest, session: &UpstreamSession) -> HttpRequest {
    let post = post.header("mcp-protocol-version", session.version);
    match &session.id {
        Some(id) => post.header("mcp-session-id", id),
        None => post,
    }
}

fn is_stream(response: &HttpResponse) -> bool {
    response.header("content-type").is_some_and(|kind| {
        kind.trim_start()
            .to_ascii_lowercase()
            .starts_with("text/event-stream")
    })
}

/// Text as a header can carry it: as it is, or by its Base64.
pub(super) fn header_text(text: &str) -> String {
    use base64::Engine as _;
    let plain = text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        && text.trim() == text
        && !text.starts_with("=?base64?");
    if plain && !text.is_empty() {
        text.to_owned()
    } else {
        format!(
            "=?base64?{}?=",
            base64::engine::general_purpose::STANDARD.encode(text)
        )
    }
}

/// Hears an event stream while it comes: progress at once, and no more than its answer.
struct Ear {
    cx: Cx,
    token: Option<Secret>,
    /// What was read, and of how many bytes.
    heard: Mutex<(Reading, usize)>,
}

impl Ear {
    fn report(&self, progress: &UpstreamProgress) {
        let message = progress.message.as_ref().map(|message| {
            let message: String = message
                .chars()
                .take(MAX_MESSAGE_LENGTH)
                .filter(|character| is_visible(*character))
                .collect();
            without(self.token.as_ref(), message)
        });
        self.cx
            .progress(progress.progress, progress.total, message.as_deref());
    }
}

impl Listen for Ear {
    fn hear(&self, response: &HttpResponse, piece: &[u8]) -> bool {
        if !is_stream(response) || !response.is_success() {
            return true;
        }
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.1 += piece.len();
        heard.0.stream(piece, |progress| self.report(progress));
        heard.0.ended.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_in_headers() {
        assert_eq!(header_text("create_issue"), "create_issue");
        assert_eq!(header_text("file:///a b"), "file:///a b");
        for (text, coded) in [
            ("Zürich", "=?base64?WsO8cmljaA==?="),
            (" a", "=?base64?IGE=?="),
            ("=?base64?x?=", "=?base64?PT9iYXNlNjQ/eD89?="),
            ("", "=?base64??="),
        ] {
            assert_eq!(header_text(text), coded, "{text}");
        }
    }
}
