//! The guarded server in three places: the HTTP service in this process, the local host as a
//! process, and a Lambda bootstrap behind function URL events. The settings are the same text for
//! all.

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use http_body_util::{BodyExt as _, Full};
use mcpfn::port::Platform;
use mcpfn_auth_tests::{TestClock, guarded, platform};
use mcpfn_http::{Config, Service};
use mcpfn_lambda_emulator::{Bootstrap, Environment, Invocation, event};
use mcpfn_settings::{AuthMethod, Common, EnvReader, Hosts};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdout, Command};

/// Names and values of variables.
pub(crate) type Settings = Vec<(&'static str, String)>;

/// What a client got.
#[derive(Debug)]
pub(crate) struct RpcResponse {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl RpcResponse {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)
            .map(|value| value.to_str().expect("our headers are ASCII"))
    }
}

pub(crate) struct Host {
    pub(crate) name: &'static str,
    place: Place,
}

enum Place {
    InProcess {
        service: Box<Service>,
        platform: Arc<Platform>,
        clock: Arc<TestClock>,
    },
    Local {
        address: SocketAddr,
        ahead: Ahead,
        _process: Box<Child>,
        _stdout: BufReader<ChildStdout>,
    },
    Lambda {
        function: Environment,
        ahead: Ahead,
    },
}

impl Host {
    pub(crate) fn in_process(settings: &Settings) -> Self {
        let variable = |name: &str| {
            settings
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| OsString::from(value))
        };
        let mut reader = EnvReader::new(&variable);
        let host = mcpfn_settings::Host {
            id: Hosts::ALL,
            methods: &[AuthMethod::OAuth, AuthMethod::ApiKey],
            auth_unset: None,
            max_body: 4 * 1024 * 1024,
            rate: None,
            rate_with_auth: None,
            key_source: None,
            listening: None,
            deployment: None,
        };
        let common = Common::read(&mut reader, &host, &[]);
        let mut config = Config::default();
        config.auth = reader
            .finish(common.credentials)
            .expect("the settings have no mistake")
            .auth;
        let (platform, clock) = platform();
        let service = Service::new(
            guarded().build().expect("the server has no mistake"),
            config,
        );
        Self {
            name: "in process",
            place: Place::InProcess {
                service: Box::new(service),
                platform: Arc::new(platform),
                clock,
            },
        }
    }

    pub(crate) async fn local(settings: &Settings) -> Self {
        let ahead = Ahead::new();
        let mut command = Command::new(env!("CARGO_BIN_EXE_guarded"));
        command
            .args(["--port", "0"])
            .env_clear()
            .envs(settings.iter().map(|(name, value)| (name, value)));
        command
            .env("MCPFN_TEST_CLOCK", &ahead.file)
            .env("MCPFN_LOG", "error")
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut process = command.spawn().expect("the server starts");
        let mut stdout = BufReader::new(process.stdout.take().expect("its output is ours"));
        let address = loop {
            let mut line = String::new();
            assert!(
                stdout
                    .read_line(&mut line)
                    .await
                    .expect("its output is text")
                    > 0,
                "the server ended before it listened"
            );
            if let Some(address) = line
                .trim()
                .strip_prefix("listening on http://")
                .and_then(|url| url.strip_suffix("/mcp"))
            {
                break address.parse().expect("an address");
            }
        };
        Self {
            name: "local",
            place: Place::Local {
                address,
                ahead,
                _process: Box::new(process),
                _stdout: stdout,
            },
        }
    }

    pub(crate) async fn lambda(settings: &Settings) -> Self {
        let ahead = Ahead::new();
        let mut bootstrap = Bootstrap::new(
            env!("CARGO_BIN_EXE_guarded"),
            &[("MCPFN_RATE_LIMIT", "none")],
        );
        bootstrap.variables.extend(
            settings
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone())),
        );
        bootstrap.variables.push((
            "MCPFN_TEST_CLOCK".to_owned(),
            ahead.file.to_str().expect("a path in text").to_owned(),
        ));
        let function = Environment::start(&bootstrap)
            .await
            .expect("the function starts");
        Self {
            name: "lambda",
            place: Place::Lambda { function, ahead },
        }
    }

    /// Whether what is in front makes one header of several of one name.
    pub(crate) fn joins_headers(&self) -> bool {
        matches!(self.place, Place::Lambda { .. })
    }

    /// What it logged, where that is kept.
    pub(crate) fn log(&self) -> String {
        match &self.place {
            Place::Lambda { function, .. } => function.log().join("\n"),
            Place::InProcess { .. } | Place::Local { .. } => String::new(),
        }
    }

    /// The time there, in seconds since 1970.
    pub(crate) fn now(&self) -> u64 {
        match &self.place {
            Place::InProcess { clock, .. } => clock.seconds(),
            Place::Local { ahead, .. } | Place::Lambda { ahead, .. } => ahead.now(),
        }
    }

    /// Lets seconds pass there.
    pub(crate) fn pass(&self, seconds: u64) {
        match &self.place {
            Place::InProcess { clock, .. } => clock.pass(seconds),
            Place::Local { ahead, .. } | Place::Lambda { ahead, .. } => ahead.pass(seconds),
        }
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, String)],
        body: &Value,
    ) -> RpcResponse {
        let body = if body.is_null() {
            Bytes::new()
        } else {
            body.to_string().into()
        };
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-length", body.len());
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        match &self.place {
            Place::InProcess {
                service, platform, ..
            } => {
                let request = request
                    .header("host", "localhost")
                    .body(Full::new(body))
                    .expect("a request");
                let (head, body) = service.call(request, platform).await.into_parts();
                let body = body
                    .collect()
                    .await
                    .expect("our bodies do not fail")
                    .to_bytes();
                RpcResponse {
                    status: head.status.as_u16(),
                    headers: head.headers,
                    body: json(&body),
                }
            }
            Place::Local { address, .. } => {
                over_tcp(*address, &request.body(body).expect("a request")).await
            }
            Place::Lambda { function, .. } => {
                let (head, body) = request.body(body).expect("a request").into_parts();
                let invocation = Invocation::new(event(
                    &head,
                    &body,
                    Ipv4Addr::new(203, 0, 113, 7).into(),
                    None,
                ));
                let reply = function
                    .invoke(invocation)
                    .await
                    .expect("the function answers");
                RpcResponse {
                    status: reply.head.status.as_u16(),
                    headers: reply.head.headers.clone(),
                    body: json(&reply.body()),
                }
            }
        }
    }
}

fn json(body: &[u8]) -> Value {
    serde_json::from_slice(body)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(body)))
}

/// Sends exactly these headers, also several of one name, over a connection of its own.
async fn over_tcp(address: SocketAddr, request: &Request<Bytes>) -> RpcResponse {
    let mut text = format!(
        "{} {} HTTP/1.1\r\nhost: localhost:{}\r\nconnection: close\r\n",
        request.method(),
        request.uri(),
        address.port()
    );
    for (name, value) in request.headers() {
        text += &format!("{name}: {}\r\n", value.to_str().expect("ASCII"));
    }
    let mut stream = TcpStream::connect(address)
        .await
        .expect("the server listens");
    stream
        .write_all(&[(text + "\r\n").as_bytes(), request.body()].concat())
        .await
        .expect("the server reads");
    let mut received = Vec::new();
    stream
        .read_to_end(&mut received)
        .await
        .expect("the server answers");
    let end = received
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .expect("the head has an end");
    let head = std::str::from_utf8(&received[..end]).expect("the head is ASCII");
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1)?.parse().ok())
        .expect("a status");
    let mut headers = HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a header's name");
        headers.append(
            name,
            HeaderValue::from_str(value).expect("a header's value"),
        );
    }
    RpcResponse {
        status,
        headers,
        body: json(&received[end + 4..]),
    }
}

/// By how much the clock of a process runs ahead.
struct Ahead {
    file: PathBuf,
    seconds: AtomicU64,
}

impl Ahead {
    fn new() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let name = format!(
            "clock-{}-{}",
            std::process::id(),
            NUMBER.fetch_add(1, Ordering::Relaxed)
        );
        let ahead = Self {
            file: PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name),
            seconds: AtomicU64::new(0),
        };
        ahead.pass(0);
        ahead
    }

    fn now(&self) -> u64 {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("it is after 1970");
        now.as_secs() + self.seconds.load(Ordering::Relaxed)
    }

    fn pass(&self, seconds: u64) {
        let ahead = self.seconds.fetch_add(seconds, Ordering::Relaxed) + seconds;
        std::fs::write(&self.file, ahead.to_string())
            .expect("the folder of tests can be written to");
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        // what is left is in Cargo's own folder
        let _ = std::fs::remove_file(&self.file);
    }
}
