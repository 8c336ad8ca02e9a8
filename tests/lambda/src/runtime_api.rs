//! The Runtime API of one execution environment: an HTTP server on a port of its own. It knows
//! envelopes, no contents.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

/// The most bytes of a buffered answer, as AWS writes the number in its errors.
const MAX_DOCUMENT: usize = 6_291_556;

/// One event for a function.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// What the trigger says.
    pub event: Value,
    /// What it says about the time that is left.
    pub deadline: Deadline,
    /// Break the connection of a streamed answer after so many pieces.
    pub cut_after: Option<usize>,
    /// Refuse the answer, as the platform does with one that is too late or too large.
    pub refused: bool,
    /// Take an answer also without the invocation's id. Runtime clients that don't know the id are
    /// served as ever.
    pub id_optional: bool,
}

/// When a function must have answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deadline {
    /// So long after the event is handed out.
    In(Duration),
    /// At a time, in milliseconds since 1970.
    At(u128),
}

impl Invocation {
    /// An event with thirty seconds to answer it.
    #[must_use]
    pub fn new(event: Value) -> Self {
        Self {
            event,
            deadline: Deadline::In(Duration::from_secs(30)),
            cut_after: None,
            refused: false,
            id_optional: false,
        }
    }
}

/// What a function sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// The whole of a buffered answer.
    Whole(Bytes),
    /// A piece of a streamed answer, as it came off the wire.
    Piece(Bytes),
    /// The end of a streamed answer, with the error from its trailers if they have one.
    End(Option<String>),
    /// The function reported an error instead of an answer.
    Failed(Value),
    /// The connection of a streamed answer broke, from either side.
    Broken(String),
    /// The process ended.
    Exited(String),
}

pub(crate) struct RuntimeApi {
    pub(crate) address: SocketAddr,
    pub(crate) events: mpsc::UnboundedSender<Pending>,
    pub(crate) shared: Arc<Shared>,
}

type Sender = mpsc::UnboundedSender<(Instant, Part)>;

pub(crate) struct Pending {
    pub(crate) invocation: Invocation,
    pub(crate) parts: Sender,
}

/// What the connections of one environment share.
pub(crate) struct Shared {
    waiting: tokio::sync::Mutex<mpsc::UnboundedReceiver<Pending>>,
    open: Mutex<Open>,
    /// When the function first asked for an event.
    pub(crate) ready: watch::Sender<Option<Instant>>,
    pub(crate) init_error: Mutex<Option<Value>>,
}

#[derive(Default)]
struct Open {
    number: u64,
    calls: HashMap<String, Call>,
}

/// An event that was handed out.
struct Call {
    parts: Sender,
    cut_after: Option<usize>,
    refused: bool,
    id_optional: bool,
}

impl RuntimeApi {
    pub(crate) async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (events, waiting) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            waiting: waiting.into(),
            open: Mutex::default(),
            ready: watch::Sender::new(None),
            init_error: Mutex::default(),
        });
        let serving = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                let shared = Arc::clone(&serving);
                let answer = service_fn(move |request| serve(Arc::clone(&shared), request));
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), answer),
                );
            }
        });
        Ok(Self {
            address,
            events,
            shared,
        })
    }
}

/// An error here breaks the connection, which is what a cut is.
async fn serve(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> io::Result<Response<Full<Bytes>>> {
    let (parts, body) = request.into_parts();
    let place = parts
        .uri
        .path()
        .strip_prefix("/2018-06-01/runtime/")
        .unwrap_or_default();
    let segments: Vec<&str> = place.split('/').collect();
    match (&parts.method, segments.as_slice()) {
        (&Method::GET, ["invocation", "next"]) => Ok(next(&shared).await),
        (&Method::POST, ["invocation", id, what @ ("response" | "error")]) => {
            let Some(Call {
                parts: sender,
                cut_after,
                refused,
                id_optional,
            }) = shared.open().calls.remove(*id)
            else {
                return Ok(status(
                    StatusCode::BAD_REQUEST,
                    "no such invocation is open",
                ));
            };
            let sent_back = text(&parts.headers, "lambda-runtime-invocation-id");
            if sent_back != Some(*id) && !(sent_back.is_none() && id_optional) {
                let _ = sender.send((
                    Instant::now(),
                    Part::Broken("the invocation id was not sent back".to_owned()),
                ));
                return Ok(status(
                    StatusCode::BAD_REQUEST,
                    "the invocation id was not sent back",
                ));
            }
            if refused {
                let _ = sender.send((
                    Instant::now(),
                    Part::Broken("refused as the test asked".to_owned()),
                ));
                return Ok(status(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "the answer is too large",
                ));
            }
            let send = |part| {
                // a caller that hung up is told nothing
                let _ = sender.send((Instant::now(), part));
            };
            if *what == "error" {
                send(Part::Failed(json(body).await));
            } else if text(&parts.headers, "lambda-runtime-function-response-mode")
                == Some("streaming")
            {
                streamed(body, cut_after, send).await?;
            } else {
                match body.collect().await {
                    Ok(whole) => {
                        let whole = whole.to_bytes();
                        if whole.len() > MAX_DOCUMENT {
                            send(Part::Failed(serde_json::json!({
                                "errorType": "Function.ResponseSizeTooLarge",
                                "errorMessage": format!(
                                    "Response payload size exceeded maximum allowed payload size \
                                     ({MAX_DOCUMENT} bytes)."
                                ),
                            })));
                            return Ok(status(
                                StatusCode::PAYLOAD_TOO_LARGE,
                                "the answer is too large",
                            ));
                        }
                        send(Part::Whole(whole));
                    }
                    Err(error) => send(Part::Broken(error.to_string())),
                }
            }
            Ok(status(StatusCode::ACCEPTED, "OK"))
        }
        (&Method::POST, ["init", "error"]) => {
            let said = json(body).await;
            *shared
                .init_error
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = Some(said);
            Ok(status(StatusCode::ACCEPTED, "OK"))
        }
        _ => Ok(status(
            StatusCode::NOT_FOUND,
            "the Runtime API has nothing here",
        )),
    }
}

impl Shared {
    fn open(&self) -> std::sync::MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn next(shared: &Shared) -> Response<Full<Bytes>> {
    shared
        .ready
        .send_if_modified(|ready| ready.is_none() && ready.replace(Instant::now()).is_none());
    let Some(Pending { invocation, parts }) = shared.waiting.lock().await.recv().await else {
        // the environment is gone; its process is about to be
        return std::future::pending().await;
    };
    let id = {
        let mut open = shared.open();
        open.number += 1;
        let id = format!("00000000-0000-4000-8000-{:012x}", open.number);
        let Invocation {
            cut_after,
            refused,
            id_optional,
            ..
        } = invocation;
        open.calls.insert(
            id.clone(),
            Call {
                parts,
                cut_after,
                refused,
                id_optional,
            },
        );
        id
    };
    let deadline = match invocation.deadline {
        Deadline::In(left) => (SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            + left)
            .as_millis(),
        Deadline::At(time) => time,
    };
    let mut response = Response::new(Full::from(invocation.event.to_string()));
    for (name, value) in [
        ("content-type", "application/json"),
        ("lambda-runtime-aws-request-id", &id),
        ("lambda-runtime-invocation-id", &id),
        ("lambda-runtime-deadline-ms", &deadline.to_string()),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:eu-west-1:123456789012:function:everything",
        ),
        (
            "lambda-runtime-trace-id",
            "Root=1-65f0c0de-000000000000000000000001;Parent=0000000000000001;Sampled=0",
        ),
    ] {
        response.headers_mut().insert(
            name,
            value.parse().expect("the values above are header values"),
        );
    }
    response
}

async fn streamed(
    mut body: Incoming,
    cut_after: Option<usize>,
    send: impl Fn(Part),
) -> io::Result<()> {
    let mut pieces = 0;
    let mut error = None;
    while let Some(frame) = body.frame().await {
        match frame.map(hyper::body::Frame::into_data) {
            Ok(Ok(data)) => {
                send(Part::Piece(data));
                pieces += 1;
            }
            Ok(Err(frame)) => {
                let trailers = frame.into_trailers().unwrap_or_default();
                error = text(&trailers, "lambda-runtime-function-error-type").map(str::to_owned);
            }
            Err(error) => {
                send(Part::Broken(error.to_string()));
                return Ok(());
            }
        }
        if cut_after == Some(pieces) {
            send(Part::Broken("cut as the test asked".to_owned()));
            return Err(io::Error::other("cut"));
        }
    }
    send(Part::End(error));
    Ok(())
}

async fn json(body: Incoming) -> Value {
    let bytes = body
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&bytes)))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn status(status: StatusCode, said: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(format!("{{\"status\":\"{said}\"}}")));
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    use super::*;

    async fn say(stream: &mut TcpStream, words: &str) -> String {
        stream.write_all(words.as_bytes()).await.unwrap();
        let mut answer = vec![0; 4096];
        let length = stream.read(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer[..length]).into_owned()
    }

    #[tokio::test]
    async fn an_error_in_the_trailers_of_a_stream_is_told() {
        let api = RuntimeApi::start().await.unwrap();
        let (parts, mut received) = mpsc::unbounded_channel();
        assert!(
            api.events
                .send(Pending {
                    invocation: Invocation::new(json!({})),
                    parts
                })
                .is_ok()
        );
        let mut stream = TcpStream::connect(api.address).await.unwrap();
        let event = say(
            &mut stream,
            "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nhost: a\r\n\r\n",
        )
        .await;
        let id = event
            .lines()
            .find_map(|line| line.strip_prefix("lambda-runtime-aws-request-id: "))
            .unwrap();
        let head = format!(
            "POST /2018-06-01/runtime/invocation/{id}/response HTTP/1.1\r\nhost: a\r\nlambda-runtime-invocation-id: {id}\r\n\
             lambda-runtime-function-response-mode: streaming\r\ntransfer-encoding: chunked\r\n\
             trailer: lambda-runtime-function-error-type\r\n\r\n"
        );
        let answer = say(
            &mut stream,
            &(head + "3\r\nabc\r\n0\r\nlambda-runtime-function-error-type: Broke\r\n\r\n"),
        )
        .await;
        assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
        assert_eq!(received.recv().await.unwrap().1, Part::Piece("abc".into()));
        assert_eq!(
            received.recv().await.unwrap().1,
            Part::End(Some("Broke".to_owned()))
        );
    }
}
