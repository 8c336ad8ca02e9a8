//! `connect`: a server on stdin and stdout that passes every message to a remote one, for clients that
//! start programs and can't sign requests. It reads no more of a message than where it belongs.

mod ending;
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
/// After a sentence about an answer that did not come.
const UNKNOWN: &str = ", so that it is not known whether the call had an effect";
/// How long the end of a session may take.
const GOODBYE: Duration = Duration::from_secs(2);

pub(crate) fn run(arguments: &ConnectArguments) -> CliResult {
    let remote = Remote::new(&arguments.url, &arguments.access)?.with_sign_in(&arguments.sign_in);
    let finish = Duration::from_secs(arguments.finish_seconds);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("the runtime can't start: {error}"))?;
    let served = runtime.block_on(serve(remote, finish));
    // a thread may still wait for stdin, which nothing can interrupt
    runtime.shutdown_background();
    served
}

/// Lines for the client; one task writes them, so that none is cut by another. `None` is the end.
type Lines = mpsc::UnboundedSender<Option<String>>;

/// What all messages share.
struct Bridge {
    remote: Remote,
    lines: Lines,
    /// Requests that wait for their answers, by their ids as text.
    waiting: Mutex<HashMap<String, WaitingRequest>>,
    /// The handshake, to make it again when a server forgot it.
    hello: Mutex<Option<Value>>,
}

struct WaitingRequest {
    id: Value,
    task: AbortHandle,
}

async fn serve(remote: Remote, finish: Duration) -> CliResult {
    let (lines, written) = mpsc::unbounded_channel();
    let mut writer = tokio::spawn(write_lines(written));
    let bridge = Arc::new(Bridge {
        remote,
        lines,
        waiting: Mutex::default(),
        hello: Mutex::default(),
    });
    // every message on its way holds a sender; none is left when the last one has arrived
    let (underway, mut arrived) = mpsc::channel::<()>(1);
    let passing = async {
        bridge.read(underway).await?;
        // who closes stdin may still read what was asked before
        let _ = tokio::time::timeout(finish, arrived.recv()).await;
        Ok(ExitCode::SUCCESS)
    };
    let (ended, why) = tokio::select! {
        ended = passing => {
            let limit = finish.as_secs();
            (ended, format!("stdin ended, and no answer came within {limit} s (--finish-seconds)"))
        }
        () = ending::told_to_end() => {
            (Ok(ExitCode::SUCCESS), "the bridge was told to end before the answer came".to_owned())
        }
        // whatever else is said now, nobody reads
        _ = &mut writer => (Ok(ExitCode::SUCCESS), String::new()),
        () = ending::reader_left() => (Ok(ExitCode::SUCCESS), String::new()),
    };
    bridge.end_all(&why);
    let _ = tokio::time::timeout(GOODBYE, bridge.remote.close()).await;
    // a reader that left does not take it
    let _ = bridge.lines.send(None);
    if !writer.is_finished() {
        let _ = tokio::time::timeout(GOODBYE, writer).await;
    }
    ended
}

/// Writes each line as it comes, until the end or until nobody reads.
async fn write_lines(mut lines: mpsc::UnboundedReceiver<Option<String>>) {
    let mut stdout = tokio::io::stdout();
    while let Some(Some(mut line)) = lines.recv().await {
        line.push('\n');
        let done = stdout.write_all(line.as_bytes()).await;
        if done.is_err() || stdout.flush().await.is_err() {
            return;
        }
    }
}

impl Bridge {
    /// Takes every line of the client.
    async fn read(self: &Arc<Self>, underway: mpsc::Sender<()>) -> Result<(), CliError> {
        let mut stdin = BufReader::new(tokio::io::stdin());
        loop {
            let mut line = Vec::new();
            let mut bounded = (&mut stdin).take(MAX_MESSAGE);
            match bounded.read_until(b'\n', &mut line).await {
                Ok(0) => return Ok(()),
                Ok(_) if line.len() as u64 == MAX_MESSAGE && !line.ends_with(b"\n") => {
                    return Err(format!("a message is larger than {MAX_MESSAGE} bytes").into());
                }
                Ok(_) => self.take(&line, underway.clone()),
                Err(error) => return Err(format!("stdin can't be read: {error}").into()),
            }
        }
    }

    /// Takes a line of the client; `underway` is dropped when all that it asks for is done.
    fn take(self: &Arc<Self>, line: &[u8], underway: mpsc::Sender<()>) {
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
            drop(underway);
        });
        // this task has not run yet: there is one thread
        if let Some(id) = id.filter(|_| is_request) {
            let task = task.abort_handle();
            let waiting = WaitingRequest { id, task };
            self.waiting().insert(waiting.id.to_string(), waiting);
        }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, HashMap<String, WaitingRequest>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cancel(&self, id: &Value) {
        if let Some(waiting) = self.waiting().remove(&id.to_string()) {
            waiting.task.abort();
        }
    }

    /// Gives up what still waits; a request is answered all the same.
    fn end_all(&self, why: &str) {
        for (_, WaitingRequest { id, task }) in self.waiting().drain() {
            task.abort();
            self.refuse(&id, &format!("{why}{UNKNOWN}"));
        }
    }

    fn write(&self, message: &Value) {
        // a client that went away wants no more
        let _ = self.lines.send(Some(message.to_string()));
    }

    /// Answers a request that the server does not answer.
    fn refuse(&self, id: &Value, why: &str) {
        let error = json!({"code": -32603, "message": why});
        self.write(&json!({"jsonrpc": "2.0", "id": id, "error": error}));
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
            Err(failure) if is_request => self.refuse(&message["id"], &failure.0),
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
                    let cause = lost.cause;
                    return Err(format!(
                        "the connection was lost before the answer{UNKNOWN}: {cause}"
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
        let body = whole(response.into_body()).await;
        let body = body.map_err(|cause| format!("{cause}{UNKNOWN}"))?;
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
