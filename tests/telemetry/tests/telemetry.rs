//! What the hosts send to a collector: the local host as a process, and a Lambda bootstrap behind
//! function URL events. What a call answers is the same with and without one.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Stdio;
use std::time::{Duration, Instant};

use mcpfn_core::port::{HttpClient as _, HttpRequest};
use mcpfn_lambda_emulator::{Bootstrap, Environment, Invocation};
use mcpfn_native::Client;
use mcpfn_telemetry_tests::{Collector, attribute};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
/// For what must come; nothing is waited for that must not.
const PATIENCE: Duration = Duration::from_secs(20);

fn call(id: &str, tool: &str, arguments: &Value, meta: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": tool, "arguments": arguments, "_meta": meta}})
}

/// The program `traced` on this machine.
struct Local {
    process: Child,
    _stdout: BufReader<ChildStdout>,
    url: String,
}

impl Local {
    async fn start(variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_traced"));
        command
            .args(["--port", "0"])
            .env_clear()
            .envs(variables.iter().copied());
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut process = command.spawn().unwrap();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        let url = loop {
            let mut line = String::new();
            assert!(
                stdout.read_line(&mut line).await.unwrap() > 0,
                "the server ended before it listened"
            );
            if let Some(url) = line.trim().strip_prefix("listening on ") {
                break url.to_owned();
            }
        };
        Self {
            process,
            _stdout: stdout,
            url,
        }
    }

    async fn send(&self, message: &Value) -> Value {
        let request = HttpRequest::post(&self.url, "application/json", message.to_string());
        let request = request.header("accept", "application/json, text/event-stream");
        serde_json::from_slice(&Client::new().send(request).await.unwrap().body).unwrap()
    }

    /// Ends it as an operator does, and gives its log.
    async fn stop(mut self) -> String {
        let id = self.process.id().unwrap().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &id])
                .status()
                .await
                .unwrap()
                .success()
        );
        assert!(
            tokio::time::timeout(PATIENCE, self.process.wait())
                .await
                .unwrap()
                .unwrap()
                .success()
        );
        let mut log = String::new();
        self.process
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut log)
            .await
            .unwrap();
        log
    }
}

fn named<'a>(spans: &'a [Span], id: &str) -> &'a Span {
    spans
        .iter()
        .find(|span| said(span, "jsonrpc.request.id").as_deref() == Some(id))
        .unwrap_or_else(|| panic!("no span {id}: {spans:?}"))
}

fn said(span: &Span, key: &str) -> Option<String> {
    attribute(&span.attributes, key)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn failed(span: &Span) -> bool {
    span.status
        .as_ref()
        .is_some_and(|status| status.code == StatusCode::Error as i32)
}

#[tokio::test]
async fn a_call_is_one_span_below_the_clients_and_holds_no_argument() {
    let collector = Collector::start(200).await.unwrap();
    let (endpoint, rate) = (format!("http://{}", collector.address), "3/h");
    let local = Local::start(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-test=hunter1"),
        ("MCPFN_RATE_LIMIT", rate),
    ])
    .await;
    let said_words = json!({"words": "hunter2"});
    let meta = json!({"traceparent": PARENT, "tracestate": "rojo=1"});
    let answer = local
        .send(&call("good", "letters", &said_words, &meta))
        .await;
    assert_eq!(answer["result"]["content"][0]["text"], "7", "{answer}");
    let answer = local
        .send(&call("failing", "fail", &json!({}), &json!({})))
        .await;
    assert_eq!(answer["result"]["isError"], true, "{answer}");
    let not_sampled = json!({"traceparent": PARENT.replace("-01", "-00")});
    local
        .send(&call("unseen", "letters", &said_words, &not_sampled))
        .await;
    let answer = local
        .send(&call("refused", "letters", &said_words, &json!({})))
        .await;
    let code = answer["error"]["code"]
        .as_i64()
        .unwrap_or_else(|| panic!("{answer}"))
        .to_string();
    let log = local.stop().await;

    let spans = collector.spans(3).await;
    assert_eq!(
        spans.len(),
        3,
        "the client did not want the fourth to be recorded: {spans:?}"
    );
    let good = named(&spans, "good");
    assert_eq!(
        (good.name.as_str(), good.kind),
        ("tools/call letters", SpanKind::Server as i32)
    );
    assert_eq!(hex(&good.trace_id), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(hex(&good.parent_span_id), "00f067aa0ba902b7");
    assert_eq!(good.trace_state, "rojo=1");
    assert!(
        good.start_time_unix_nano > 0 && good.start_time_unix_nano <= good.end_time_unix_nano,
        "{good:?}"
    );
    assert!(!failed(good));
    for (key, value) in [
        ("mcp.method.name", Some("tools/call")),
        ("gen_ai.tool.name", Some("letters")),
        ("gen_ai.operation.name", Some("execute_tool")),
        ("mcp.protocol.version", Some("2025-03-26")),
        ("network.transport", Some("tcp")),
        ("error.type", None),
        ("rpc.response.status_code", None),
        ("mcp.session.id", None),
    ] {
        assert_eq!(said(good, key).as_deref(), value, "{key}");
    }
    let failing = named(&spans, "failing");
    assert!(
        failed(failing) && failing.parent_span_id.is_empty(),
        "{failing:?}"
    );
    assert_eq!(said(failing, "error.type").as_deref(), Some("tool_error"));
    let refused = named(&spans, "refused");
    assert!(failed(refused));
    assert_eq!(said(refused, "error.type"), Some(code.clone()));
    assert_eq!(said(refused, "rpc.response.status_code"), Some(code));

    for received in collector.received() {
        assert_eq!(
            received.head,
            ["/v1/traces", "application/x-protobuf", "hunter1"]
        );
        assert_eq!(
            received.service, "traced",
            "the server's name, as nobody gave another"
        );
        assert!(
            !String::from_utf8_lossy(&received.raw).contains("hunter"),
            "an argument or a secret left: {received:?}"
        );
    }
    assert!(
        !log.contains("hunter") && !log.contains("collector"),
        "{log}"
    );
}

#[tokio::test]
async fn variables_name_the_service_and_sample() {
    let collector = Collector::start(200).await.unwrap();
    let endpoint = format!("http://{}/own/path", collector.address);
    let mut variables = vec![
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", endpoint.as_str()),
        ("OTEL_SERVICE_NAME", "shop"),
    ];
    let local = Local::start(&variables).await;
    local
        .send(&call("1", "letters", &json!({"words": ""}), &json!({})))
        .await;
    local.stop().await;
    let received = collector.received();
    assert_eq!(
        (
            received.len(),
            received[0].service.as_str(),
            received[0].head[0].as_str()
        ),
        (1, "shop", "/own/path")
    );
    variables.push(("OTEL_TRACES_SAMPLER", "always_off"));
    let local = Local::start(&variables).await;
    local
        .send(&call("1", "letters", &json!({"words": ""}), &json!({})))
        .await;
    local.stop().await;
    assert_eq!(collector.received().len(), 1);
}

#[tokio::test]
async fn without_an_endpoint_nothing_is_sent() {
    let collector = Collector::start(200).await.unwrap();
    let endpoint = format!("http://{}", collector.address);
    for variables in [
        &[("OTEL_SERVICE_NAME", "shop")][..],
        &[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
            ("OTEL_SDK_DISABLED", "true"),
        ],
        &[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
            ("OTEL_TRACES_EXPORTER", "none"),
        ],
    ] {
        let local = Local::start(variables).await;
        local
            .send(&call("1", "letters", &json!({"words": ""}), &json!({})))
            .await;
        local.stop().await;
    }
    assert!(
        collector.received().is_empty(),
        "{:?}",
        collector.received()
    );
}

#[tokio::test]
async fn a_collector_that_is_down_costs_no_call_and_is_named_once() {
    let nobody = format!("http://{}", closed_port());
    let local = Local::start(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &nobody)]).await;
    let answer = local
        .send(&call("1", "letters", &json!({"words": "four"}), &json!({})))
        .await;
    assert_eq!(answer["result"]["content"][0]["text"], "4", "{answer}");
    let log = local.stop().await;
    assert_eq!(
        log.matches("the collector of OpenTelemetry took no spans")
            .count(),
        1,
        "{log}"
    );

    let function = lambda(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &nobody)]).await;
    for _ in 0..5 {
        assert_eq!(
            text(
                &function,
                &call("1", "letters", &json!({"words": "four"}), &json!({}))
            )
            .await,
            "4"
        );
    }
    drain(&function).await;
    let log = function.log().join("\n");
    assert_eq!(
        log.matches("the collector of OpenTelemetry took no spans")
            .count(),
        1,
        "{log}"
    );
}

#[tokio::test]
async fn a_collector_that_never_answers_holds_no_answer_up() {
    let silent = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let function = lambda(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)]).await;
    let start = Instant::now();
    assert_eq!(
        text(
            &function,
            &call("1", "letters", &json!({"words": "four"}), &json!({}))
        )
        .await,
        "4"
    );
    assert!(
        start.elapsed() < Duration::from_millis(1500),
        "the answer waited for the collector: {:?}",
        start.elapsed()
    );
    drain(&function).await;
    // known to be silent, it is not asked after these
    let start = Instant::now();
    for _ in 0..20 {
        text(
            &function,
            &call("1", "letters", &json!({"words": "four"}), &json!({})),
        )
        .await;
    }
    drain(&function).await;
    assert!(
        start.elapsed() < Duration::from_millis(1500),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test]
async fn a_collector_that_refuses_is_asked_once_and_named_with_its_status() {
    let collector = Collector::start(503).await.unwrap();
    let endpoint = format!("http://{}", collector.address);
    let local = Local::start(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)]).await;
    local
        .send(&call("1", "letters", &json!({"words": "four"}), &json!({})))
        .await;
    let log = local.stop().await;
    assert!(log.contains("503") && log.contains("lost=1"), "{log}");
    assert_eq!(
        collector.received().len(),
        1,
        "nothing waits for a second try"
    );
}

#[tokio::test]
async fn on_lambda_spans_are_there_before_the_next_event() {
    let collector = Collector::start(200).await.unwrap();
    let endpoint = format!("http://{}", collector.address);
    let function = lambda(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)]).await;
    for id in ["first", "second", "third"] {
        let meta = json!({"traceparent": PARENT});
        assert_eq!(
            text(
                &function,
                &call(id, "letters", &json!({"words": "four"}), &meta)
            )
            .await,
            "4"
        );
    }
    // this event is asked for only when the spans of those before it have left
    drain(&function).await;
    let spans: Vec<Span> = collector
        .received()
        .into_iter()
        .flat_map(|received| received.spans)
        .collect();
    assert_eq!(spans.len(), 3, "{spans:?}");
    for id in ["first", "second", "third"] {
        assert_eq!(hex(&named(&spans, id).parent_span_id), "00f067aa0ba902b7");
    }
}

#[tokio::test]
async fn a_protocol_that_is_not_spoken_and_an_endpoint_that_is_none_stop_the_start() {
    for (name, value, told) in [
        (
            "OTEL_EXPORTER_OTLP_PROTOCOL",
            "grpc",
            "OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf",
        ),
        (
            "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
            "http/json",
            "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL must be http/protobuf",
        ),
        (
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            "not an address",
            "the collector of OpenTelemetry can't be used",
        ),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_traced"));
        command
            .args(["--port", "0"])
            .env_clear()
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
            .env(name, value);
        let output = tokio::time::timeout(PATIENCE, command.kill_on_drop(true).output())
            .await
            .expect("it does not start")
            .unwrap();
        assert!(!output.status.success());
        let log = String::from_utf8_lossy(&output.stderr);
        assert!(log.contains(told), "{log}");
    }
}

async fn lambda(variables: &[(&str, &str)]) -> Environment {
    let mut all = vec![("MCPFN_AUTH", "none"), ("MCPFN_RATE_LIMIT", "none")];
    all.extend_from_slice(variables);
    Environment::start(&Bootstrap::new(env!("CARGO_BIN_EXE_traced"), &all))
        .await
        .unwrap()
}

async fn text(function: &Environment, message: &Value) -> String {
    let reply = function
        .invoke(Invocation::new(event(message)))
        .await
        .unwrap();
    reply.json()["result"]["content"][0]["text"]
        .as_str()
        .unwrap_or_else(|| panic!("no text in {reply:?}"))
        .to_owned()
}

/// One more event, which makes no span: it is asked for when the work after the one before is done.
async fn drain(function: &Environment) {
    let reply = function
        .invoke(Invocation::new(event(
            &json!({"jsonrpc": "2.0", "id": 9, "method": "ping"}),
        )))
        .await
        .unwrap();
    assert_eq!(reply.head.status, 200);
}

fn event(message: &Value) -> Value {
    json!({"version": "2.0", "rawPath": "/mcp", "rawQueryString": "", "isBase64Encoded": false, "body": message.to_string(),
        "headers": {"content-type": "application/json", "accept": "application/json, \
            text/event-stream", "host": "abc.lambda-url.eu-west-1.on.aws"},
        "requestContext": {"accountId": "anonymous", "apiId": "abc", "domainName": "abc.lambda-url.eu-west-1.on.aws",
            "http": {"method": "POST", "path": "/mcp", "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7"}, "stage": "$default"}})
}

/// An address at which nobody listens.
fn closed_port() -> SocketAddr {
    std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap()
        .local_addr()
        .unwrap()
}
