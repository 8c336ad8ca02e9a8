//! Requests one after another to a server, in the newest revision that it speaks.

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::arguments::InspectArguments;
use crate::connect::messages;
use crate::output::CliError;
use crate::remote::{REVISION, REVISION_KEY, Remote, SESSION};

/// Bytes of a line of a program.
const MAX_LINE: u64 = 64 * 1024 * 1024;
const OLDER: &str = "2025-11-25";

pub(crate) struct InspectSession {
    way: Way,
    modern: bool,
    next: u64,
    /// How long each answer may take.
    patience: Duration,
    /// What the server calls itself.
    pub(crate) server: Value,
}

enum Way {
    Http(Box<Remote>),
    Pipe(Box<Pipe>),
}

struct Pipe {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl InspectSession {
    pub(crate) async fn open(arguments: &InspectArguments) -> Result<Self, CliError> {
        let way = match arguments.command.split_first() {
            Some((program, rest)) => Way::Pipe(Box::new(Pipe::start(program, rest)?)),
            None => {
                let url = arguments.url.as_deref().ok_or(
                    "give the URL of a server, or a program, such as \
                     `cargo mcpfn inspect --command target/debug/weather,--stdio`",
                )?;
                Way::Http(Box::new(Remote::new(url, &arguments.access)?))
            }
        };
        let mut session = Self {
            way,
            modern: true,
            next: 0,
            patience: Duration::from_secs(arguments.timeout_seconds),
            server: Value::Null,
        };
        match session.request("server/discover", json!({})).await {
            Ok(found) => {
                let named = &found["_meta"]["io.modelcontextprotocol/serverInfo"];
                session.server = if named.is_object() {
                    named.clone()
                } else {
                    found["serverInfo"].clone()
                };
            }
            Err(first) => session.greet(first).await?,
        }
        Ok(session)
    }

    /// The handshake of older revisions. If that fails as well, what failed first says more.
    async fn greet(&mut self, first: CliError) -> Result<(), CliError> {
        self.modern = false;
        let client = json!({"name": "cargo-mcpfn", "version": env!("CARGO_PKG_VERSION")});
        let params = json!({"protocolVersion": OLDER, "capabilities": {}, "clientInfo": client});
        let found = self.request("initialize", params).await;
        let found = found.map_err(|_| first)?;
        self.server = found["serverInfo"].clone();
        let ready = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        self.exchange(&ready).await.map(drop)
    }

    pub(crate) async fn request(
        &mut self,
        method: &str,
        mut params: Value,
    ) -> Result<Value, CliError> {
        self.next += 1;
        if self.modern {
            let client = json!({"name": "cargo-mcpfn", "version": env!("CARGO_PKG_VERSION")});
            params["_meta"] = json!({
                REVISION_KEY: REVISION,
                "io.modelcontextprotocol/clientInfo": client,
                "io.modelcontextprotocol/clientCapabilities": {},
            });
        }
        let id = self.next;
        let message = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        let mut answer = self.exchange(&message).await?;
        if let Some(error) = answer.get("error") {
            let text = error["message"].as_str().unwrap_or("refused");
            return Err(format!("{method}: {text} ({})", error["code"]).into());
        }
        match answer["result"].take() {
            Value::Null => Err(format!("the answer to {method} has no result").into()),
            result => Ok(result),
        }
    }

    /// Sends a message and waits for the whole answer, for as long as it may take.
    async fn exchange(&mut self, message: &Value) -> Result<Value, CliError> {
        let patience = self.patience;
        let exchanged = tokio::time::timeout(patience, self.way.exchange(message)).await;
        exchanged.map_err(|_| {
            format!(
                "no answer to {} within {} s; --timeout-seconds gives it more",
                message["method"].as_str().unwrap_or_default(),
                patience.as_secs()
            )
        })?
    }

    pub(crate) async fn close(self) {
        match self.way {
            Way::Http(remote) => {
                let _ = tokio::time::timeout(Duration::from_secs(2), remote.close()).await;
            }
            Way::Pipe(pipe) => {
                let Pipe {
                    mut child, input, ..
                } = *pipe;
                drop(input);
                if tokio::time::timeout(Duration::from_secs(2), child.wait())
                    .await
                    .is_err()
                {
                    let _ = child.kill().await;
                }
            }
        }
    }
}

impl Way {
    async fn exchange(&mut self, message: &Value) -> Result<Value, CliError> {
        match self {
            Self::Http(remote) => {
                let response = remote.post(message).await.map_err(|lost| lost.cause)?;
                let status = response.status();
                let session = response.headers().get(SESSION).cloned();
                let said = messages(response).await?;
                let is_it = |said: &Value| {
                    said.get("id") == message.get("id") && said.get("method").is_none()
                        || said["id"].is_null() && said.get("error").is_some()
                };
                let Some(answer) = said.into_iter().find(is_it) else {
                    if message.get("id").is_none() && status.is_success() {
                        return Ok(Value::Null);
                    }
                    return Err(format!(
                        "status {status} and no answer; `cargo mcpfn doctor {}` says why",
                        remote.url
                    )
                    .into());
                };
                remote.learn(message, session.as_ref(), &answer);
                Ok(answer)
            }
            Self::Pipe(pipe) => pipe.exchange(message).await,
        }
    }
}

impl Pipe {
    fn start(program: &str, arguments: &[String]) -> Result<Self, CliError> {
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("`{program}` can't be started: {error}"))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("a program without pipes".into());
        };
        Ok(Self {
            child,
            input,
            output: BufReader::new(output),
        })
    }

    async fn exchange(&mut self, message: &Value) -> Result<Value, CliError> {
        let gone = |error| format!("the program does not listen: {error}");
        let line = format!("{message}\n");
        self.input.write_all(line.as_bytes()).await.map_err(gone)?;
        self.input.flush().await.map_err(gone)?;
        if message.get("id").is_none() {
            return Ok(Value::Null);
        }
        loop {
            let mut line = Vec::new();
            let mut bounded = (&mut self.output).take(MAX_LINE);
            let read = bounded.read_until(b'\n', &mut line).await;
            if read.map_err(gone)? == 0 {
                return Err("the program ended without an answer; what it said is above".into());
            }
            let said: Value = serde_json::from_slice(&line)
                .map_err(|_| "the program printed a line that is no message on its stdout")?;
            if said.get("id") == message.get("id") && said.get("method").is_none() {
                return Ok(said);
            }
        }
    }
}
