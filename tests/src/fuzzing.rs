//! What must hold for any bytes from a client, one function for each target. cargo-fuzz runs them
//! without end (`fuzz/`), the ordinary tests for a few seconds. A function panics when something
//! does not hold.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, header};
use http_body_util::{BodyExt, Full};
use mcpfn::jsonrpc::{self, Id, Incoming, Message};
use mcpfn::prelude::*;
use mcpfn::{
    LogLevel, Principal, PrincipalKind,
    handler::BoxFuture,
    host::{Envelope, Execution, Frame, Params},
    port::{AuditEntry, AuditLog, Clock, Failure, Platform, Random, Timer},
    round_trip::Keyring,
};
use mcpfn_auth::{ApiKey, caller_of_token, hash_key};
use mcpfn_http::{Body, Config, Service, decode_header};
use serde_json::{Value, json};

/// A target: its name, what must hold, and valid inputs to start from.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// As in `cargo fuzz run NAME`.
    pub name: &'static str,
    /// Panics when something does not hold.
    pub check: fn(&[u8]),
    /// Inputs that reach far.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// Every target.
pub const TARGETS: [Target; 8] = [
    Target {
        name: "envelope",
        check: envelope,
        seeds: messages,
    },
    Target {
        name: "sentinel",
        check: sentinel,
        seeds: header_values,
    },
    Target {
        name: "cursor",
        check: cursor,
        seeds: cursors,
    },
    Target {
        name: "request_state",
        check: request_state,
        seeds: states,
    },
    Target {
        name: "http",
        check: http,
        seeds: requests,
    },
    Target {
        name: "trigger",
        check: trigger,
        seeds: events,
    },
    Target {
        name: "claims",
        check: claims,
        seeds: claim_sets,
    },
    Target {
        name: "key_list",
        check: key_list,
        seeds: key_lists,
    },
];

/// A message of any transport: whatever can be read is answered, under its own id, and never with a
/// fault of ours.
pub fn envelope(data: &[u8]) {
    match jsonrpc::read::<Params<'_>>(data, jsonrpc::MAX_VALUES) {
        Ok(Incoming::Single(message)) => one_message(&message),
        Ok(Incoming::Batch(items)) => {
            items
                .iter()
                .filter_map(|item| jsonrpc::read_message(item.get()).ok())
                .for_each(|one| one_message(&one));
        }
        Err(malformed) => is_answer(&jsonrpc::write_error(
            malformed.id.map(Id::as_json),
            &malformed.error,
        )),
    }
}

fn one_message<'a>(message: &Message<'a, Params<'a>>) {
    let Message::Request(request) = message else {
        return;
    };
    let id = request.id.as_json();
    for declared in [
        None,
        Some("2024-11-05"),
        Some("2025-03-26"),
        Some("2026-07-28"),
        Some("tomorrow"),
    ] {
        let envelope = Envelope::new(request.clone());
        let call = envelope.era(declared).and_then(|era| {
            envelope.target()?;
            envelope.arguments::<Value>()?;
            envelope.into_call(era, Principal::anonymous())
        });
        let answer = match call {
            Ok(call) => finish(SERVER.reply(call, &PLATFORM)),
            Err(error) => jsonrpc::write_error(Some(id), &error).into(),
        };
        is_answer(&answer);
        // as text, because a number may be larger than any type of ours
        let repeated = format!("\"id\":{id},");
        assert!(
            answer
                .windows(repeated.len())
                .any(|window| window == repeated.as_bytes()),
            "the id {id} in {}",
            shown(&answer)
        );
    }
}

/// A header that may carry a Base64 sentinel: what has no sentinel is itself.
pub fn sentinel(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return assert_eq!(decode_header(data), None);
    };
    let text = text.trim_matches([' ', '\t']);
    let plain = text
        .bytes()
        .all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte));
    if !plain {
        assert_eq!(decode_header(data), None);
    } else if let Some(payload) = text
        .strip_prefix("=?base64?")
        .and_then(|rest| rest.strip_suffix("?="))
    {
        // three bytes for four characters, less the padding
        let longest = payload.len() / 4 * 3;
        assert!(
            decode_header(data).is_none_or(|decoded| decoded.len() <= longest),
            "more than {longest} bytes"
        );
    } else {
        assert_eq!(decode_header(data).as_deref(), Some(text));
    }
}

/// A cursor: one of those that the server gave, or refused.
pub fn cursor(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let answer = ask(&PAGED, "tools/list", json!({"cursor": text}));
    match CURSORS.iter().position(|known| *known == text) {
        Some(page) => assert_eq!(
            answer["result"]["tools"][0]["name"],
            format!("tool_{}", page + 1)
        ),
        None => assert_eq!(answer["error"]["code"], -32602, "{answer}"),
    }
}

/// Request state, as a token and as a change of a true one: the server opens nothing but what it
/// sealed.
pub fn request_state(data: &[u8]) {
    let retry = |token: &str| {
        let answers = json!({"name": {"action": "accept", "content": {"name": "Ada"}}});
        let answer = ask(
            &SERVER,
            "tools/call",
            json!({"name": "greet", "arguments": {}, "inputResponses": answers, "requestState": token}),
        );
        if token == *STATE {
            assert_eq!(
                answer["result"]["content"][0]["text"], "Hello, Ada!",
                "{answer}"
            );
        } else {
            assert_eq!(answer["error"]["code"], -32602, "{answer}");
        }
    };
    retry(&String::from_utf8_lossy(data));
    let mut changed = STATE.clone().into_bytes();
    for change in data.chunks(2) {
        let position = usize::from(change[0]) % changed.len();
        match change.get(1) {
            Some(byte) => {
                changed[position] =
                    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
                        [usize::from(byte % 64)];
            }
            None => changed.truncate(position.max(1)),
        }
    }
    retry(&String::from_utf8_lossy(&changed));
}

/// An event of AWS Lambda: whatever its claims say, no caller may do everything, and a caller that
/// claims name can be shown in one line.
pub fn trigger(data: &[u8]) {
    let Some(caller) = mcpfn_lambda::caller_of_event(data) else {
        return;
    };
    assert!(!caller.scopes.contains("nobody:granted:this"), "{caller:?}");
    if caller.kind == PrincipalKind::Anonymous || caller.kind == PrincipalKind::Iam {
        assert_eq!(caller.scopes.to_string(), "", "{caller:?}");
    } else {
        assert!(!caller.subject.is_empty() && caller.subject.len() <= 512);
        assert!(!caller.subject.chars().any(char::is_control), "{caller:?}");
    }
}

fn events() -> Vec<Vec<u8>> {
    let claims = json!({"sub": "user-1", "scope": "[a *]", "scp": ["a", "*"], "token_use": "id"});
    let contexts = [
        json!({"authorizer": {"jwt": {"claims": claims, "scopes": ["a"]}}, "http": {"method": "POST"}}),
        json!({"authorizer": {"claims": {"sub": "user-1", "permissions": r#"["*","a"]"#}}}),
        json!({"authorizer": {"lambda": {"principalId": "user-1", "scopes": "a * b"}}}),
        json!({"authorizer": {"principalId": "user-1", "scope": null}, "identity": {"sourceIp": "::1"}}),
        json!({"authorizer": {"iam": {"userArn": "arn:aws:iam::1:user/a"}}}),
        json!({"elb": {}}),
    ];
    contexts
        .iter()
        .map(|context| {
            let event = json!({
                "httpMethod": "POST",
                "path": "/tools/mcp",
                "headers": {"x-forwarded-for": "10.0.0.1, [::1]:443", "accept": null},
                "requestContext": context,
                "body": "e30=",
                "isBase64Encoded": true,
            });
            event.to_string().into_bytes()
        })
        .collect()
}

/// Claims of a token, and the text of a whole one: no caller may do everything, no claim that
/// stands twice counts, and every scope is in a text of the claims.
pub fn claims(data: &[u8]) {
    let encoded = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let header = encoded(br#"{"alg":"ES256","typ":"at+jwt"}"#);
    let token = format!("{header}.{}.{}", encoded(data), encoded(&[7; 64]));
    let _ = caller_of_token(&String::from_utf8_lossy(data));
    let Some(caller) = caller_of_token(&token) else {
        return;
    };
    assert!(!caller.scopes.contains("nobody:granted:this"), "{caller:?}");
    assert!(caller.subject.len() <= 512 + data.len() && !caller.subject.is_empty());
    let said: Value = parsed(data);
    let texts = texts_of(&said);
    for scope in caller.scopes.to_string().split_whitespace() {
        let is_said = texts.iter().any(|text| text.contains(scope));
        assert!(is_said, "{scope} in {}", shown(data));
    }
}

/// Every text in a value.
fn texts_of(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(texts_of).collect(),
        Value::Object(members) => members.values().flat_map(texts_of).collect(),
        _ => Vec::new(),
    }
}

/// Sets of claims, some of which grant something.
fn claim_sets() -> Vec<Vec<u8>> {
    [
        json!({"sub": "user-1", "iss": "https://a.example", "scope": "crm:read hello *"}),
        json!({"sub": "", "client_id": "robot", "scp": ["a", "*"], "aud": ["x", "y"], "exp": 1.5}),
        json!({"sub": "a\u{202e}b", "permissions": "[\"a\", \"b\"]", "token_use": "access"}),
        json!({"sub": "u", "scopes": "[a b]", "typ": "Bearer", "nbf": 7}),
        json!({"sub": "u", "scope": null, "scp": 7, "at_hash": "x"}),
    ]
    .iter()
    .map(|claims| claims.to_string().into_bytes())
    .collect()
}

/// A list of API keys: an entry is a key or a mistake, a mistake repeats nothing of it, and one bad
/// entry takes no other with it.
pub fn key_list(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (keys, mistakes) = ApiKey::parse_each(&text);
    let entries: Vec<&str> = text
        .split([';', '\n'])
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
        .collect();
    assert_eq!(keys.len() + mistakes.len(), entries.len(), "{text:?}");
    match ApiKey::parse(&text) {
        Ok(all) => assert!(
            mistakes.is_empty() && all == keys && !keys.is_empty(),
            "{text:?}"
        ),
        Err(said) => assert!(keys.is_empty() || !mistakes.is_empty(), "{said:?}"),
    }
    for key in &keys {
        assert!(!key.name.is_empty() && key.name.len() <= 128, "{text:?}");
        assert!(!key.name.chars().any(char::is_control), "{text:?}");
        let alone = entries
            .iter()
            .filter(|entry| ApiKey::parse(entry).is_ok_and(|read| read[0] == *key));
        assert!(
            alone.count() >= 1,
            "an entry means the same alone: {text:?}"
        );
    }
    for mistake in &mistakes {
        assert!(
            mistake.starts_with("entry ") && mistake.len() < 200,
            "{mistake}"
        );
    }
}

/// Lists as operators write them, and with what goes wrong.
fn key_lists() -> Vec<Vec<u8>> {
    let (one, other) = (hash_key("one"), hash_key("other"));
    [
        format!("alice:{one}:crm:read hello;bob:{other}"),
        format!("alice:{one}\n\n# off\nbob:{other}:\n"),
        format!("alice:{one};alice:{other}:*;carol:{one}"),
        format!(" a b:{one}; :{other};x:{}", &one[..63]),
        ";\n;".to_owned(),
    ]
    .map(String::into_bytes)
    .to_vec()
}

/// A whole request: the method and the path on the first line, then headers, an empty line, and the
/// body.
pub fn http(data: &[u8]) {
    let (head, body) = match data.windows(2).position(|window| window == b"\n\n") {
        Some(end) => (&data[..end], &data[end + 2..]),
        None => (data, &[][..]),
    };
    let mut lines = head.split(|byte| *byte == b'\n');
    let mut first = lines.next().unwrap_or_default().split(|byte| *byte == b' ');
    let request = Request::builder()
        .method(first.next().unwrap_or_default())
        .uri(first.next().unwrap_or_default());
    // what is no HTTP at all does not get past a host
    let Ok(mut request) = request.body(Full::new(Bytes::copy_from_slice(body))) else {
        return;
    };
    for line in lines {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let (name, value) = (
            HeaderName::from_bytes(&line[..colon]),
            HeaderValue::from_bytes(line[colon + 1..].trim_ascii()),
        );
        if let (Ok(name), Ok(value)) = (name, value) {
            request.headers_mut().append(name, value);
        }
    }
    for service in &*SERVICES {
        is_response(at_once(service.call(request.clone(), &PLATFORM)));
    }
}

fn is_response(response: Response<Body>) {
    let status = response.status().as_u16();
    assert!(
        matches!(status, 200 | 202 | 204 | 400 | 403 | 404 | 405 | 413 | 415),
        "status {status}"
    );
    let kind = response
        .headers()
        .get(header::CONTENT_TYPE)
        .map(|kind| kind.as_bytes().to_vec());
    let Ok(body) = at_once(response.into_body().collect());
    let body = body.to_bytes();
    match kind.as_deref() {
        None => assert!(body.is_empty(), "{}", shown(&body)),
        Some(b"application/json") => match parsed(&body) {
            Value::Array(answers) => answers.iter().for_each(is_answer_value),
            health if health["status"] == "ok" => {}
            answer => {
                is_answer_value(&answer);
                assert!(
                    status == 200 || answer["error"].is_object(),
                    "{status} {answer}"
                );
            }
        },
        Some(b"text/event-stream") => {
            let events = body
                .strip_suffix(b"\n\n")
                .unwrap_or_else(|| panic!("an event ends: {}", shown(&body)));
            for event in shown(events).split("\n\n") {
                let message = parsed(
                    event
                        .strip_prefix("data: ")
                        .unwrap_or_else(|| panic!("an event: {event}"))
                        .as_bytes(),
                );
                if message["method"].is_null() {
                    is_answer_value(&message);
                }
            }
        }
        Some(other) => panic!("the content type {}", shown(other)),
    }
}

fn is_answer(message: &[u8]) {
    is_answer_value(&parsed(message));
}

fn is_answer_value(answer: &Value) {
    assert_eq!(answer["jsonrpc"], "2.0", "{answer}");
    assert!(
        answer["result"].is_object() != answer["error"].is_object(),
        "{answer}"
    );
    assert!(
        answer
            .get("id")
            .is_none_or(|id| id.is_string() || id.is_number()),
        "{answer}"
    );
    assert_ne!(answer["error"]["code"], -32603, "{answer}");
}

fn parsed(text: &[u8]) -> Value {
    serde_json::from_slice(text).unwrap_or_else(|error| panic!("{error}: {}", shown(text)))
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Asks as a client of 2026-07-28.
fn ask(server: &Server, method: &str, mut params: Value) -> Value {
    params["_meta"] = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}}});
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
    let Ok(Incoming::Single(Message::Request(request))) =
        jsonrpc::read(body.as_bytes(), jsonrpc::MAX_VALUES)
    else {
        panic!("a request: {body}")
    };
    let envelope = Envelope::new(request);
    let era = envelope
        .era(None)
        .unwrap_or_else(|error| panic!("{error}: {body}"));
    let call = envelope
        .into_call(era, Principal::anonymous())
        .unwrap_or_else(|error| panic!("{error}: {body}"));
    let answer = parsed(&finish(server.reply(call, &PLATFORM)));
    is_answer_value(&answer);
    answer
}

fn finish(reply: Execution) -> Bytes {
    let mut running = match reply {
        Execution::Done(answer) => return answer.message,
        Execution::Running(running) => running,
    };
    loop {
        match at_once(running.frame()) {
            Some(Frame::Response(answer)) => return answer.message,
            Some(Frame::Notification(notification)) => {
                assert!(parsed(&notification)["method"].is_string());
            }
            None => panic!("a call ends with its answer"),
        }
    }
}

fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("nothing here waits"),
    }
}

/// A platform without I/O: time stands still, a wait has no end, randomness counts upwards,
/// failures go nowhere.
#[must_use]
pub fn platform() -> Arc<Platform> {
    let (clock, random) = (Arc::new(Still), Arc::new(Counting(AtomicU8::new(0))));
    Arc::new(Platform::new(
        clock.clone(),
        clock.clone(),
        random,
        clock,
        Keyring::new([7; 32]),
    ))
}

struct Still;

impl Clock for Still {
    fn now_ms(&self) -> u64 {
        1_800_000_000_000
    }
}

impl Timer for Still {
    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(std::future::pending())
    }
}

impl AuditLog for Still {
    fn failure(&self, _: &Failure<'_>) {}

    fn call(&self, _: &AuditEntry<'_>) {}

    fn denied(&self, _: &str, _: Option<&str>) {}

    fn store_failure(&self, _: &str, _: &str) {}
}

struct Counting(AtomicU8);

impl Random for Counting {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill_with(|| self.0.fetch_add(1, Ordering::Relaxed));
    }
}

static PLATFORM: LazyLock<Arc<Platform>> = LazyLock::new(platform);
static SERVER: LazyLock<Server> = LazyLock::new(|| {
    let builder = Server::builder("fuzzed", "1.0.0").logging().page_size(2);
    let builder = builder
        .tool(add)
        .tool(greet)
        .tool(report)
        .tool(fail)
        .prompt(introduce)
        .resource(notes)
        .resource(note);
    builder.build().expect("the server is valid")
});
static SERVICES: LazyLock<[Service; 2]> = LazyLock::new(|| {
    let mut open = Config::default();
    open.anonymous = true;
    open.origins.listed = vec!["https://app.example.com".to_owned()];
    open.max_body = 4096;
    [
        Service::new(SERVER.clone(), open),
        Service::new(SERVER.clone(), Config::loopback()),
    ]
});
/// A server with three pages, and the cursors of the second and the third.
static PAGED: LazyLock<Server> = LazyLock::new(|| {
    let tool = |number| {
        Tool::new(format!("tool_{number}"))
            .description("Does nothing.")
            .handler(|| async { "done" })
    };
    Server::builder("paged", "1.0.0")
        .page_size(1)
        .tool(tool(0))
        .tool(tool(1))
        .tool(tool(2))
        .build()
        .expect("the server is valid")
});
static CURSORS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let next = |params| {
        ask(&PAGED, "tools/list", params)["result"]["nextCursor"]
            .as_str()
            .map(str::to_owned)
    };
    std::iter::successors(next(json!({})), |cursor| next(json!({"cursor": cursor}))).collect()
});
static STATE: LazyLock<String> = LazyLock::new(|| {
    let asked = ask(
        &SERVER,
        "tools/call",
        json!({"name": "greet", "arguments": {}}),
    );
    asked["result"]["requestState"]
        .as_str()
        .expect("the first round gives a state")
        .to_owned()
});

#[input]
#[serde(deny_unknown_fields)]
struct Numbers {
    /// The first number.
    #[schemars(range(min = -1000, max = 1000), extend("x-mcp-header" = "A"))]
    a: i64,
    /// The others.
    #[serde(default)]
    #[schemars(length(max = 3))]
    others: Vec<f64>,
}

#[output]
struct Sum {
    sum: f64,
}

/// Adds numbers.
#[tool(read_only)]
async fn add(args: Numbers) -> Sum {
    Sum {
        sum: args.others.iter().sum::<f64>() + args.a as f64,
    }
}

/// Asks for a name and greets.
#[tool]
async fn greet(cx: &Cx) -> Result<String, ToolError> {
    let Some(greeting) = cx.request_state::<String>() else {
        return Err(cx
            .ask()
            .form("name", Form::new("Who are you?").text("name", "Your name"))
            .state("Hello")
            .into());
    };
    let answer = cx.elicit("name", Form::new("Who are you?").text("name", "Your name"))?;
    Ok(format!(
        "{greeting}, {}!",
        answer.text("name").unwrap_or("nobody")
    ))
}

/// Reports and logs.
#[tool]
async fn report(cx: &Cx) -> &'static str {
    cx.progress(1.0, Some(2.0), Some("half"));
    cx.log(LogLevel::Warning, "half");
    "done"
}

/// Fails for a reason that nobody is told.
#[tool]
async fn fail() -> Result<String, ToolError> {
    Err(ToolError::unavailable(
        "the other side is down",
        "connection refused",
    ))
}

#[input]
struct Person {
    /// Whom to introduce.
    name: String,
}

/// Introduces somebody.
#[prompt]
async fn introduce(args: Person) -> String {
    format!("Introduce {}.", args.name)
}

/// All notes.
#[resource("notes://all", name = "all")]
async fn notes() -> &'static str {
    "one, two"
}

#[input]
struct Note {
    /// Which note.
    id: String,
}

/// One note.
#[resource("notes://{id}", name = "one")]
async fn note(args: Note) -> String {
    args.id
}

fn messages() -> Vec<Vec<u8>> {
    let meta = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"elicitation":{}},"io.modelcontextprotocol/logLevel":"debug","progressToken":"p"}"#;
    let modern = |method: &str, more: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":"a","method":"{method}","params":{{{more}{meta}}}}}"#)
    };
    let legacy = |method: &str, params: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":-7,"method":"{method}","params":{{{params}}}}}"#)
    };
    let mut seeds = vec![
        modern("server/discover", ""),
        modern("tools/list", r#""cursor":"x","#),
        modern(
            "tools/call",
            r#""name":"add","arguments":{"a":2,"others":[0.5,-1e3]},"#,
        ),
        modern(
            "tools/call",
            r#""name":"greet","inputResponses":{"name":{"action":"decline"}},"requestState":"AQ","#,
        ),
        modern("tools/call", r#""name":"report","#),
        modern("tools/call", r#""name":"fail","#),
        modern(
            "prompts/get",
            r#""name":"introduce","arguments":{"name":"Ada"},"#,
        ),
        modern("resources/read", r#""uri":"notes://%41","#),
        modern(
            "completion/complete",
            r#""ref":{"type":"ref/prompt","name":"introduce"},"argument":{"name":"name","value":"A"},"#,
        ),
        legacy(
            "initialize",
            r#""protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"x","version":"1"}"#,
        ),
        legacy("logging/setLevel", r#""level":"info""#),
        legacy(
            "tools/call",
            r#""name":"report","_meta":{"progressToken":5}"#,
        ),
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#
            .to_owned(),
        r#"{"jsonrpc":"2.0","id":1,"result":{}}"#.to_owned(),
    ];
    seeds.push(format!("[{},{}]", seeds[9], seeds[10]));
    seeds.into_iter().map(String::into_bytes).collect()
}

fn header_values() -> Vec<Vec<u8>> {
    [
        "=?base64?SGVsbG8=?=",
        " plain\t",
        "=?base64??=",
        "=?base64?4pyT?=",
    ]
    .map(|value| value.as_bytes().to_vec())
    .to_vec()
}

fn cursors() -> Vec<Vec<u8>> {
    CURSORS
        .iter()
        .map(|cursor| cursor.clone().into_bytes())
        .chain([Vec::new()])
        .collect()
}

fn states() -> Vec<Vec<u8>> {
    vec![
        STATE.clone().into_bytes(),
        Vec::new(),
        vec![0, b'A'],
        vec![9],
    ]
}

fn requests() -> Vec<Vec<u8>> {
    let head = |more: &str| {
        format!(
            "POST /mcp\nhost: localhost:80\ncontent-type: application/json\naccept: \
             application/json, text/event-stream\n{more}\n"
        )
    };
    let post = |body: Vec<u8>| {
        let message = parsed(&body);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let modern =
            message["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"].is_string();
        let version = if modern { "2026-07-28" } else { "2025-03-26" };
        let name = [&message["params"]["name"], &message["params"]["uri"]]
            .map(text)
            .concat();
        let method = text(&message["method"]);
        let head = head(&format!(
            "mcp-protocol-version: {version}\nmcp-method: {method}\nmcp-name: {name}\nmcp-param-a: \
             2\n"
        ));
        [head.into_bytes(), body].concat()
    };
    let others = [
        "GET /health\n\n",
        "OPTIONS /mcp\norigin: https://app.example.com\n\n",
        "GET /mcp\n\n",
        "POST /other\n\n{}",
    ];
    messages()
        .into_iter()
        .map(post)
        .chain(others.map(|other| other.as_bytes().to_vec()))
        .collect()
}
