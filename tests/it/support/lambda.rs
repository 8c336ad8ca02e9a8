//! The Lambda host as a process behind the Runtime API: requests become events as AWS makes them,
//! answers come back buffered or streamed. It states what AWS refuses by itself.

use std::net::{IpAddr, Ipv4Addr};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mcpfn::Builder;
use mcpfn_lambda_emulator::{Bootstrap, Environment, Failure, Invocation, event};
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;

use super::{Host, Request, Response};

/// The largest event that AWS takes.
const MAX_EVENT_BYTES: usize = 6 * 1024 * 1024;
/// The origins of this machine that the fixtures let in.
const ORIGINS: &str =
    "http://localhost:3000,https://localhost:3000,http://127.0.0.1,http://[::1]:8080";

/// What stands in front of the function, and how it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Front {
    Url,
    UrlStreaming,
    Rest,
    RestStreaming,
}

/// A function of its own; its process ends with it.
pub(crate) struct Lambda {
    runtime: Runtime,
    function: Environment,
    front: Front,
}

impl Lambda {
    pub(crate) fn start(server: impl FnOnce() -> Builder, front: Front) -> Self {
        Self::start_with(server, front, &[])
    }

    /// With these variables, also in the place of the usual ones.
    pub(crate) fn start_with(
        server: impl FnOnce() -> Builder,
        front: Front,
        others: &[(&str, &str)],
    ) -> Self {
        let server = server().build().unwrap_or_else(|error| panic!("{error}"));
        let mode = if matches!(front, Front::UrlStreaming | Front::RestStreaming) {
            "stream"
        } else {
            "buffer"
        };
        let key = STANDARD.encode([7; 32]);
        let usual = [
            ("MCPFN_TEST_SERVER", server.name()),
            ("MCPFN_AUTH", "none"),
            ("MCPFN_RATE_LIMIT", "none"),
            ("MCPFN_LAMBDA_MODE", mode),
            ("MCPFN_ALLOWED_ORIGINS", ORIGINS),
            ("MCPFN_STATE_KEY", &key),
            ("MCPFN_LOG", "error"),
        ];
        let replaced = |name: &str| others.iter().any(|(other, _)| *other == name);
        let usual = usual.into_iter().filter(|(name, _)| !replaced(name));
        let variables: Vec<(&str, &str)> = usual.chain(others.iter().copied()).collect();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let bootstrap = Bootstrap::new(env!("CARGO_BIN_EXE_fixtures-lambda"), &variables);
        let function = runtime
            .block_on(Environment::start(&bootstrap))
            .expect("the bootstrap starts");
        Self {
            runtime,
            function,
            front,
        }
    }

    /// Answers one event as it is.
    pub(crate) fn invoke(&self, event: Value) -> Response {
        let reply = self
            .runtime
            .block_on(self.function.invoke(Invocation::new(event)));
        let reply = reply.unwrap_or_else(|failure: Failure| {
            panic!(
                "{}: no answer: {failure:?}\n{}",
                self.name(),
                self.function.log().join("\n")
            )
        });
        let text =
            |value: &http::HeaderValue| value.to_str().expect("our headers are ASCII").to_owned();
        let headers = reply
            .head
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), text(value)))
            .collect();
        let mut body = reply.body().to_vec();
        if reply.streamed {
            assert!(
                !body.is_empty(),
                "a stream is never empty: some clients of AWS wait for its first byte"
            );
            if body == b"\n" {
                body.clear();
            }
        }
        Response {
            status: reply.head.status.as_u16(),
            headers,
            body,
        }
    }

    /// The event that a request becomes.
    pub(crate) fn event(&self, request: &Request) -> Value {
        match self.front {
            Front::Url | Front::UrlStreaming => url_event(request),
            Front::Rest | Front::RestStreaming => rest_event(request),
        }
    }
}

impl Host for Lambda {
    fn name(&self) -> &'static str {
        match self.front {
            Front::Url => "lambda, function URL",
            Front::UrlStreaming => "lambda, function URL that streams",
            Front::Rest => "lambda, REST API",
            Front::RestStreaming => "lambda, REST API that streams",
        }
    }

    fn impossible(&self, request: &Request) -> Option<&'static str> {
        if request.find("host").is_some() {
            return Some(
                "AWS finds a function by its Host: a request with another one does not arrive",
            );
        }
        let twice = |name: &str| {
            request
                .headers
                .iter()
                .filter(|(known, _)| known.eq_ignore_ascii_case(name))
                .count()
                > 1
        };
        if matches!(self.front, Front::Url | Front::UrlStreaming)
            && ["mcp-method", "mcp-protocol-version"]
                .into_iter()
                .any(twice)
        {
            return Some(
                "a function URL makes one header of two, and that is refused for its value",
            );
        }
        (request.body.len() > MAX_EVENT_BYTES).then_some("AWS takes no event over 6 MB")
    }

    fn send(&self, request: &Request) -> Response {
        self.invoke(self.event(request))
    }
}

/// With the one header that AWS passes on although it is about the connection.
fn headers(request: &Request) -> Vec<(String, String)> {
    let mut headers = request.headers.clone();
    if !request.chunked && !request.body.is_empty() && request.find("content-length").is_none() {
        headers.push(("content-length".to_owned(), request.body.len().to_string()));
    }
    headers
}

/// Names in lower case, values of one name joined.
fn url_event(request: &Request) -> Value {
    let mut built = http::Request::builder()
        .method(request.method.as_str())
        .uri(&request.path);
    for (name, value) in headers(request) {
        built = built.header(
            name,
            http::HeaderValue::from_bytes(value.as_bytes()).expect("a header value"),
        );
    }
    let (parts, ()) = built.body(()).expect("a request").into_parts();
    event(
        &parts,
        &request.body.clone().into(),
        IpAddr::V4(Ipv4Addr::LOCALHOST),
        None,
    )
}

/// Names as they were sent, every value in its place.
fn rest_event(request: &Request) -> Value {
    let (mut single, mut multiple) = (Map::new(), Map::<String, Value>::new());
    for (name, value) in headers(request) {
        match multiple.entry(name.clone()).or_insert_with(|| json!([])) {
            Value::Array(values) => values.push(value.clone().into()),
            _ => unreachable!("only lists were put in"),
        }
        single.insert(name, value.into());
    }
    let path = request.path.split('?').next().unwrap_or_default();
    let text = std::str::from_utf8(&request.body).ok();
    json!({
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": request.method,
        "headers": single,
        "multiValueHeaders": multiple,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api2",
            "domainName": "api2.execute-api.eu-west-1.amazonaws.com",
            "httpMethod": request.method,
            "identity": {"sourceIp": "203.0.113.7", "userArn": null},
            "path": format!("/prod{path}"),
            "resourcePath": "/{proxy+}",
            "stage": "prod",
        },
        "body": text.map_or_else(|| STANDARD.encode(&request.body), str::to_owned),
        "isBase64Encoded": text.is_none(),
    })
}
