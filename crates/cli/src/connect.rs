//! `connect`: a server on stdin and stdout that passes every message to a remote one, for clients that
//! start programs and can't sign requests. It reads no more of a message than where it belongs.

mod stream;

use std::collections::HashMap;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::Response;
use hyper::body::Incoming;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use crate::arguments::ConnectArguments;
use crate::events::SseReader;
use crate::http::whole;
use crate::output::{CliError, CliResult, remark};
use crate::remote::{Remote, SESSION};

/// Bytes of a message from the client.
const MAX_MESSAGE: u64 = 64 * 1024 * 1024;
/// Waits before a request that reached nobody is sent again.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(5),
];
/// How long the end of a session may take.
const GOODBYE: Duration = Duration::from_secs(2);

pub(crate) fn run(arguments: &ConnectArguments) -> CliResult {
    let remote = Remote::new(&arguments.url, &arguments.access)?.with_sign_in(&arguments.sign_in);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("the runtime can't start: {error}"))?;
    let served = runtime.block_on(serve(remote));
    // a thread may still wait for stdin, which nothing can interrupt
    runtime.shutdown_background();
    served
}

/// Lines for the client; one task writes them, so that none is cut by another.
type Lines = mpsc::UnboundedSender<String>;

/// What all messages share.
struct Bridge {
    remote: Remote,
    lines: Lines,
    /// Requests that wait for their answers, by their ids.
    waiting: Mutex<HashMap<String, AbortHandle>>,
    /// The handshake, to make it again when a server forgot it.
    hello: Mutex<Option<Value>>,
}

async fn serve(remote: Remote) -> CliResult {
    let (lines, mut written) = mpsc::unbounded_channel::<String>();
    let writer = tokio::spawn(async move {
        let mut stdout = tokio::io::stdout();
        while let Some(mut line) = written.recv().await {
            line.push('\n');
            let done = stdout.write_all(line.as_bytes()).await;
            if done.is_err() || stdout.flush().await.is_err() {
                return;
            }
        }
    });
    let bridge = Arc::new(Bridge {
        remote,
        lines,
        waiting: Mutex::default(),
        hello: Mutex::default(),
    });
    let mut stdin = BufReader::new(tokio::io::stdin());
    loop {
        let mut line = Vec::new();
        let mut bounded = (&mut stdin).take(MAX_MESSAGE);
        match bounded.read_until(b'\n', &mut line).await {
            Ok(0) => break,
            Ok(_) if line.len() as u64 == MAX_MESSAGE && !line.ends_with(b"\n") => {
                return Err(format!("a message is larger than {MAX_MESSAGE} bytes").into());
            }
            Ok(_) => bridge.take(&line),
            Err(error) => return Err(format!("stdin can't be read: {error}").into()),
        }
        if writer.is_finished() {
            break;
        }
    }
    bridge.end_all();
    let _ = tokio::time::timeout(GOODBYE, bridge.remote.close()).await;
    drop(bridge);
    let _ = tokio::time::timeout(GOODBYE, writer).await;
    Ok(ExitCode::SUCCESS)
}

impl Bridge {
    /// Takes a line of the client.
    fn take(self: &Arc<Self>, line: &[u8]) {
        let line = line.trim_ascii();
        if line.is_empty() {
            return;
        }
        let Ok(message) = serde_json::from_slice::<Value>(line) else {
            let error = json!({"code": -32700, "message": "the line is no JSON"});
            self.write(&json!({"jsonrpc": "2.0", "id": null, "error": error}));
            return;
        };
        if message["method"] == "notifications/cancelled" {
            self.cancel(&message["params"]["requestId"]);
            // before 2026-07-28 a server hears of it by the message, since then by the stream's end
            if !self.remote.is_older() {
                return;
            }
        }
        let id = message.get("id").cloned();
        let is_request = message.get("method").is_some() && id.is_some();
        let bridge = Arc::clone(self);
        let task = tokio::spawn(async move {
            bridge.pass(&message).await;
            if let Some(id) = message.get("id") {
                bridge.waiting().remove(&id.to_string());
            }
        });
        // this task has not run yet: there is one thread
        if let Some(id) = id.filter(|_| is_request) {
            self.waiting().insert(id.to_string(), task.abort_handle());
        }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, HashMap<String, AbortHandle>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cancel(&self, id: &Value) {
        if let Some(task) = self.waiting().remove(&id.to_string()) {
            task.abort();
        }
    }

    fn end_all(&self) {
        for (_, task) in self.waiting().drain() {
            task.abort();
        }
    }

    fn write(&self, message: &Value) {
        // a client that went away wants no more
        let _ = self.lines.send(message.to_string());
    }

    /// Passes a message on, and what comes back to the client. A request is always answered.
    async fn pass(self: &Arc<Self>, message: &Value) {
        let is_request = message.get("method").is_some() && message.get("id").is_some();
        if message["method"] == "initialize" {
            let mut hello = self.hello.lock().unwrap_or_else(PoisonError::into_inner);
            *hello = Some(message.clone());
        }
        match self.ask(message).await {
            Ok(()) => {
                if message["method"] == "notifications/initialized" && self.remote.has_session() {
                    tokio::spawn(Arc::clone(self).hear());
                }
            }
            Err(failure) if is_request => {
                let error = json!({"code": -32603, "message": failure.0});
                self.write(&json!({"jsonrpc": "2.0", "id": message["id"], "error": error}));
            }
            Err(failure) => remark(format_args!("a notification was lost: {failure}")),
        }
    }

    async fn ask(self: &Arc<Self>, message: &Value) -> Result<(), CliError> {
        let mut response = self.send(message).await?;
        if response.status() == 404
            && self.remote.has_session()
            && message["method"] != "initialize"
        {
            self.greet_again().await?;
            response = self.send(message).await?;
        }
        // a token, and more scopes; who refuses then as well is believed
        for _ in 0..2 {
            match self.remote.let_in(&response).await {
                Ok(true) => response = self.send(message).await?,
                Ok(false) => break,
                Err(why) => {
                    let challenge = header(&response, "www-authenticate");
                    let refusal = self.refused(response.status().as_u16(), &challenge);
                    return Err(format!("{refusal}. No sign-in: {why}").into());
                }
            }
        }
        self.answer(message, response).await
    }

    /// Sends it, again where nothing of it was sent, or where it changes nothing.
    async fn send(&self, message: &Value) -> Result<Response<Incoming>, CliError> {
        let harmless = message["method"] != "tools/call";
        let mut pauses = PAUSES.iter();
        loop {
            let lost = match self.remote.post(message).await {
                Ok(response) => return Ok(response),
                Err(lost) => lost,
            };
            if lost.unmade {
                return Err(lost.cause.into());
            }
            match pauses.next() {
                Some(pause) if lost.unsent || harmless => tokio::time::sleep(*pause).await,
                _ if lost.unsent => {
                    let url = &self.remote.url;
                    return Err(format!("{url} can't be reached: {}", lost.cause).into());
                }
                _ => {
                    return Err(format!(
                        "the connection was lost before the answer, so that it is not known whether \
                         the call had an effect: {}",
                        lost.cause
                    )
                    .into());
                }
            }
        }
    }

    /// Makes the handshake again that the server no longer knows.
    async fn greet_again(self: &Arc<Self>) -> Result<(), CliError> {
        let hello = self
            .hello
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let hello = hello.ok_or("the server knows no session, and there was no handshake")?;
        let response = self.send(&hello).await?;
        let session = response.headers().get(SESSION).cloned();
        let body = messages(response).await?;
        for answer in &body {
            self.remote.learn(&hello, session.as_ref(), answer);
        }
        let ready = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        self.send(&ready).await?;
        // the stream of the session that is gone has ended with it
        if self.remote.has_session() {
            tokio::spawn(Arc::clone(self).hear());
        }
        Ok(())
    }

    /// Gives the client what an answer has in it.
    async fn answer(&self, message: &Value, response: Response<Incoming>) -> Result<(), CliError> {
        let is_request = message.get("method").is_some() && message.get("id").is_some();
        let status = response.status();
        let session = response.headers().get(SESSION).cloned();
        if is_stream(&response) && status.is_success() {
            return self.stream(message, response).await;
        }
        let challenge = header(&response, "www-authenticate");
        let body = whole(response.into_body()).await?;
        if let Ok(answer) = serde_json::from_slice::<Value>(&body)
            && (answer.get("result").is_some() || answer.get("error").is_some())
        {
            self.remote.learn(message, session.as_ref(), &answer);
            if is_request {
                self.write(&with_id(answer, &message["id"]));
            }
            return Ok(());
        }
        match status {
            _ if status.is_success() && !is_request => Ok(()),
            _ if status == 401 || status == 403 => Err(self.refused(status.as_u16(), &challenge)),
            _ => Err(format!(
                "{} answered with status {status} and no message of the protocol; `cargo mcpfn \
                 doctor` says why",
                self.remote.url
            )
            .into()),
        }
    }

    fn refused(&self, status: u16, challenge: &str) -> CliError {
        let how = if challenge.is_empty() {
            String::new()
        } else {
            format!(" It asks for: {}.", challenge.escape_debug())
        };
        CliError(match self.remote.credentials() {
            Some(given) => format!(
                "the server refused {given}, with status {status}.{how} See that it is for this server, \
                 has not expired, and may do what was asked"
            ),
            None => format!(
                "the server refused with status {status}.{how} Give credentials with --header, such \
                 as --header 'Authorization: Bearer ${{TOKEN}}', or with --sigv4 for an endpoint of AWS"
            ),
        })
    }
}

/// Every message of an answer, whether it is one or a stream of them.
pub(crate) async fn messages(response: Response<Incoming>) -> Result<Vec<Value>, CliError> {
    let stream = is_stream(&response);
    let body = whole(response.into_body()).await?;
    if !stream {
        return Ok(serde_json::from_slice(&body).into_iter().collect());
    }
    let mut reader = SseReader::default();
    reader.take(&body)?;
    let events = std::iter::from_fn(|| reader.next());
    Ok(events
        .filter_map(|event| serde_json::from_str(&event.data).ok())
        .collect())
}

pub(crate) fn is_stream(response: &Response<Incoming>) -> bool {
    header(response, "content-type").starts_with("text/event-stream")
}

pub(crate) fn header(response: &Response<Incoming>, name: &str) -> String {
    let value = response.headers().get(name);
    let text = value.and_then(|value| value.to_str().ok());
    text.unwrap_or_default().to_owned()
}

/// A refusal has no id where the server could not read one.
fn with_id(mut answer: Value, id: &Value) -> Value {
    if answer["id"].is_null() {
        answer["id"] = id.clone();
    }
    answer
}
