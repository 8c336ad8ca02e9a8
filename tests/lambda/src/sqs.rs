//! SQS in this process, in time that a test lets pass: of its JSON protocol `SendMessageBatch`,
//! `ReceiveMessage` and `DeleteMessage`. `cargo xtask lambda` asks an SQS that is not ours the same.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// How long a message that was received is nobody else's, in milliseconds, and how often it is received:
/// as template.yaml has it.
const VISIBLE_MS: u64 = 360_000;
const RECEIVES: u32 = 20;

/// Queues that are there as soon as something is put into them.
#[derive(Debug)]
pub struct PlayedSqs {
    /// Where it is asked.
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
}

/// A message, as it waits.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// Its id, by which it is deleted as well.
    pub id: String,
    /// Its text.
    pub body: String,
    /// Its attributes, as they were sent.
    pub attributes: Value,
    /// When it can be received.
    pub visible_ms: u64,
    received: u32,
}

#[derive(Debug, Default)]
struct State {
    queues: BTreeMap<String, Vec<Waiting>>,
    now_ms: u64,
    made: u64,
    requests: Vec<String>,
    down: bool,
}

impl PlayedSqs {
    /// Takes messages from now on, which is this time.
    ///
    /// # Errors
    /// When there is no port for it.
    pub async fn start(now_ms: u64) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(Mutex::new(State {
            now_ms,
            ..State::default()
        }));
        let serving = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&serving);
                let service = service_fn(move |request| answer(Arc::clone(&state), request));
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        Ok(Self { address, state })
    }

    /// Lets time pass.
    pub fn set_ms(&self, now_ms: u64) {
        locked(&self.state).now_ms = now_ms;
    }

    /// Breaks every connection, or no more.
    pub fn is_down(&self, down: bool) {
        locked(&self.state).down = down;
    }

    /// What waits in a queue, whenever it can be received.
    #[must_use]
    pub fn waiting(&self, queue: &str) -> Vec<Waiting> {
        let state = locked(&self.state);
        state.queues.get(queue).cloned().unwrap_or_default()
    }

    /// The operations that it was asked for.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        locked(&self.state).requests.clone()
    }
}

/// An error here breaks the connection.
async fn answer(
    state: Arc<Mutex<State>>,
    request: Request<Incoming>,
) -> io::Result<Response<Full<Bytes>>> {
    let header = |name: &str| {
        let value = request.headers().get(name);
        let text = value.and_then(|value| value.to_str().ok());
        text.unwrap_or_default().to_owned()
    };
    let (target, signed) = (header("x-amz-target"), header("authorization"));
    let body = request.collect().await.map_err(io::Error::other)?;
    let body: Value = serde_json::from_slice(&body.to_bytes())?;
    let mut state = locked(&state);
    if state.down {
        return Err(io::ErrorKind::ConnectionReset.into());
    }
    let operation = target.strip_prefix("AmazonSQS.").unwrap_or_default();
    state.requests.push(operation.to_owned());
    let (status, said) = match signed.contains("/eu-west-1/sqs/aws4_request") {
        true => state.execute(operation, &body),
        false => (403, json!({"__type": "com.amazonaws.sqs#AccessDenied"})),
    };
    let response = Response::builder()
        .status(status)
        .header("content-type", "application/x-amz-json-1.0")
        .body(Full::from(said.to_string()));
    response.map_err(io::Error::other)
}

impl State {
    fn execute(&mut self, operation: &str, body: &Value) -> (u16, Value) {
        let url = body["QueueUrl"].as_str().unwrap_or_default();
        let queue = url.rsplit('/').next().unwrap_or_default().to_owned();
        match operation {
            "SendMessageBatch" => self.send(&queue, body),
            "ReceiveMessage" => self.receive(&queue, body),
            "DeleteMessage" => {
                let waiting = self.queues.entry(queue).or_default();
                waiting.retain(|message| body["ReceiptHandle"] != *message.id);
                (200, json!({}))
            }
            _ => (
                400,
                json!({"__type": "com.amazonaws.sqs#UnsupportedOperation"}),
            ),
        }
    }

    fn send(&mut self, queue: &str, body: &Value) -> (u16, Value) {
        let entries = body["Entries"].as_array().cloned().unwrap_or_default();
        let mut ids: Vec<&str> = entries.iter().filter_map(|it| it["Id"].as_str()).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        let late = |entry: &Value| entry["DelaySeconds"].as_u64().unwrap_or(0) > 900;
        let fits = (1..=10).contains(&count) && ids.len() == count;
        if !fits || entries.iter().any(late) {
            return (
                400,
                json!({"__type": "com.amazonaws.sqs#InvalidParameterValue"}),
            );
        }
        let mut taken = Vec::new();
        for entry in &entries {
            self.made += 1;
            let delay_ms = entry["DelaySeconds"].as_u64().unwrap_or(0) * 1000;
            let message = Waiting {
                id: format!("message-{}", self.made),
                body: entry["MessageBody"].as_str().unwrap_or_default().to_owned(),
                attributes: entry["MessageAttributes"].clone(),
                visible_ms: self.now_ms + delay_ms,
                received: 0,
            };
            taken.push(json!({"Id": entry["Id"], "MessageId": message.id}));
            self.queues
                .entry(queue.to_owned())
                .or_default()
                .push(message);
        }
        (200, json!({"Successful": taken, "Failed": []}))
    }

    fn receive(&mut self, queue: &str, body: &Value) -> (u16, Value) {
        let most = body["MaxNumberOfMessages"].as_u64().unwrap_or(1);
        let now_ms = self.now_ms;
        let waiting = self.queues.entry(queue.to_owned()).or_default();
        let over =
            |message: &mut Waiting| message.visible_ms <= now_ms && message.received >= RECEIVES;
        let given_up: Vec<Waiting> = waiting.extract_if(.., over).collect();
        let mut received = Vec::new();
        for message in waiting.iter_mut().filter(|it| it.visible_ms <= now_ms) {
            if received.len() as u64 == most {
                break;
            }
            message.visible_ms = now_ms + VISIBLE_MS;
            message.received += 1;
            received.push(json!({"MessageId": message.id, "ReceiptHandle": message.id,
                "Body": message.body}));
        }
        let dead = self.queues.entry("dead".to_owned()).or_default();
        dead.extend(given_up);
        (200, json!({ "Messages": received }))
    }
}

// held for a few instructions and never across a wait
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
