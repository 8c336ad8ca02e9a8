//! The client of one upstream, of both eras: one request to its answer. Knows no tools; what an
//! answer says is read in `answer`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mcpfn_core::jsonrpc::{ErrorCode, write_notification, write_request};
use mcpfn_core::port::{HttpError, HttpRequest, HttpResponse};
use mcpfn_core::{Cx, Revision, ServiceFault, text};
use serde_json::{Value, json};

use super::answer::{Reading, RpcError, is_modern};
use super::failure::{MAX_HOPS, UpstreamFailure};
use super::foreign::{Cleaner, Foreign};
use super::listener::StreamListener;
use super::request::{UpstreamEra, UpstreamRequest, UpstreamSession};
use crate::api::USER_AGENT;
use crate::outage::{self, Outage};
use mcpfn_ports::Secret;

/// Time left for the answer to reach the caller before the call's own limit ends it.
const MARGIN: Duration = Duration::from_millis(250);

/// The longest data of an error that goes to the log, in characters.
const MAX_DATA_LENGTH: usize = 1000;

/// What one exchange came to.
enum Came {
    Result(Foreign),
    /// The server speaks no such era, or knows the session no more; it did nothing.
    OtherEra(String),
}

pub(super) struct UpstreamClient {
    pub(super) name: String,
    url: String,
    token: Option<Secret>,
    pub(super) cleaner: Arc<Cleaner>,
    era: Mutex<UpstreamEra>,
    last_id: AtomicU64,
}

impl UpstreamClient {
    pub(super) fn new(name: String, url: String, token: Option<Secret>) -> Self {
        Self {
            name,
            url,
            cleaner: Arc::new(Cleaner::new(token.as_ref())),
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
    ) -> Result<Foreign, UpstreamFailure> {
        if cx.hops() >= MAX_HOPS {
            return Err(UpstreamFailure::TooManyHops);
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
            Err(UpstreamFailure::Unavailable { outage, cause, .. }) => {
                let cause = format!(
                    "neither a request without a handshake ({refusal}) nor a handshake ({cause}) \
                     is taken"
                );
                return Err(UpstreamFailure::unsent(outage, cause));
            }
            Err(failure) => return Err(failure),
        };
        match self.exchange(cx, &request, &session).await? {
            Came::Result(result) => {
                *self.era.lock().unwrap_or_else(PoisonError::into_inner) = session;
                Ok(result)
            }
            Came::OtherEra(refusal) => Err(UpstreamFailure::unsent(ServiceFault::Refused, refusal)),
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
        let post = self.post(cx, body, within, 64 * 1024).await?;
        let (response, reading) = self.send(cx, post, id).await?;
        let result = match self.judge(&response, reading, cx.now_ms())? {
            Came::Result(result) => result,
            Came::OtherEra(refusal) => {
                return Err(UpstreamFailure::unsent(ServiceFault::Refused, refusal));
            }
        };
        let result = result.cleaned(&self.cleaner);
        let result: Value = serde_json::from_str(result.get()).unwrap_or_default();
        let said = result["protocolVersion"].as_str().unwrap_or_default();
        let version = Revision::parse(said)
            .filter(|revision| !revision.is_modern())
            .map(Revision::as_str);
        let version = version.ok_or_else(|| {
            let cause = format!(
                "it speaks {}, which is not a version with a handshake",
                text::quoted(said)
            );
            UpstreamFailure::unsent(ServiceFault::Refused, cause)
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
        let request = session.request(self.post(cx, initialized, within, 64 * 1024).await?);
        let (response, _) = self.send(cx, request, 0).await?;
        if !response.is_success() {
            let cause = format!(
                "it answers `notifications/initialized` with status {}",
                response.status
            );
            let fault = ServiceFault::of_status(response.status);
            return Err(UpstreamFailure::unsent(fault, cause));
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
        let body = request.body(cx, era, id);
        let post = self
            .post(cx, body, request.within, request.max_body)
            .await?;
        let post = request.with_headers(post, cx, era);
        let (response, reading) = self.send(cx, post, id).await?;
        self.judge(&response, reading, cx.now_ms())
    }

    fn next_id(&self) -> u64 {
        self.last_id.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// A request with this server's token, which may have to be read first.
    async fn post(
        &self,
        cx: &Cx,
        body: Vec<u8>,
        within: Duration,
        max_body: usize,
    ) -> Result<HttpRequest, UpstreamFailure> {
        let request = HttpRequest::post(&self.url, "application/json", body)
            .header("accept", "application/json, text/event-stream")
            .header("user-agent", USER_AGENT)
            .timeout(within)
            .max_body(max_body);
        let Some(token) = &self.token else {
            return Ok(request);
        };
        let read = token.ready(cx).await.map_err(UpstreamFailure::Internal)?;
        let token = read.as_ref().unwrap_or(token);
        self.cleaner.learn(token);
        Ok(request.header("authorization", format!("Bearer {}", token.expose())))
    }

    /// Sends a request and reads the messages of its answer, progress as it comes.
    async fn send(
        &self,
        cx: &Cx,
        mut request: HttpRequest,
        id: u64,
    ) -> Result<(HttpResponse, Reading), UpstreamFailure> {
        request.timeout = request.timeout.min(cx.remaining().saturating_sub(MARGIN));
        let reading = Reading::new(id, request.max_body);
        let listener = Arc::new(StreamListener::new(cx, &self.cleaner, reading));
        request.listener = Some(listener.clone());
        let within = request.timeout + MARGIN;
        let response = cx.fetch(request).await.map_err(UpstreamFailure::Internal)?;
        let reading = listener.finish(response.as_ref().ok());
        match response {
            Ok(response) => Ok((response, reading)),
            // the answer was heard, whatever became of its stream
            Err(_) if reading.ended.is_some() => {
                let response = HttpResponse {
                    status: 200,
                    ..HttpResponse::default()
                };
                Ok((response, reading))
            }
            Err(error) => Err(UpstreamFailure::Unavailable {
                outage: Outage::after(ServiceFault::of_error(&error), within),
                cause: self.cleaner.text(&error.to_string()).into_owned(),
                sent: !matches!(error, HttpError::BadUrl(_) | HttpError::NotPublic(_)),
            }),
        }
    }

    /// What a status and the messages with it mean.
    fn judge(
        &self,
        response: &HttpResponse,
        reading: Reading,
        now_ms: u64,
    ) -> Result<Came, UpstreamFailure> {
        let status = response.status;
        match (status, &reading.ended) {
            (401 | 403, _) => Err(self.failure(response, reading, now_ms)),
            // a version that it does not speak: it may have a handshake
            (_, Some(Err(error))) if error.is(ErrorCode::UNSUPPORTED_VERSION) => {
                let message = self.cleaner.text(&error.message);
                Ok(Came::OtherEra(format!(
                    "error {}: {}",
                    error.code,
                    text::quoted(&message)
                )))
            }
            (400..=499, Some(Err(error))) if is_modern(error) => {
                Err(UpstreamFailure::Error(self.clean_error(error.clone())))
            }
            (400 | 404 | 405 | 406 | 415 | 422, _) => Ok(Came::OtherEra(self.said(response))),
            (200..=299, Some(_)) => match reading.ended {
                Some(Err(error)) => Err(UpstreamFailure::Error(self.clean_error(error))),
                Some(Ok(result)) => Ok(Came::Result(Foreign::new(result))),
                None => Err(self.failure(response, reading, now_ms)),
            },
            _ => Err(self.failure(response, reading, now_ms)),
        }
    }

    /// Why there is no message that answers the request.
    fn failure(&self, response: &HttpResponse, reading: Reading, now_ms: u64) -> UpstreamFailure {
        let Reading { unnamed, cut, .. } = reading;
        let (said, status) = (self.said(response), response.status);
        match status {
            200..=299 if response.truncated || cut.is_some() => {
                UpstreamFailure::TooLong(cut.unwrap_or_else(|| response.body.to_vec()))
            }
            200..=299 => match unnamed {
                Some(error) => UpstreamFailure::Error(self.clean_error(error)),
                None => UpstreamFailure::Unavailable {
                    outage: ServiceFault::of_body(&response.body, false).into(),
                    cause: format!("there is no answer to the request in it ({said})"),
                    sent: true,
                },
            },
            429 => {
                let wait = outage::wait(|name| response.header(name), now_ms);
                UpstreamFailure::unsent(Outage::limited(wait), said)
            }
            _ => {
                let hint = match status {
                    401 | 403 => {
                        "the token in the settings is missing, wrong or not allowed to do this: "
                    }
                    300..=399 => "it redirects: its address in the settings may be an old one: ",
                    _ => "",
                };
                let fault = ServiceFault::of_status(status);
                UpstreamFailure::Unavailable {
                    outage: fault.into(),
                    cause: format!("{hint}{said}"),
                    sent: !fault.did_nothing(),
                }
            }
        }
    }

    /// An answer, for the log.
    fn said(&self, response: &HttpResponse) -> String {
        let body = String::from_utf8_lossy(&response.body);
        format!(
            "status {}: {}",
            response.status,
            text::quoted(&self.cleaner.text(&body))
        )
    }

    fn clean_error(&self, error: RpcError) -> RpcError {
        // cleaned before it is cut: half of a token is not found
        let data = self.cleaner.json(&error.data).unwrap_or(error.data);
        RpcError {
            code: error.code,
            message: self.cleaner.text(&error.message).into_owned(),
            data: data.chars().take(MAX_DATA_LENGTH).collect(),
        }
    }
}
