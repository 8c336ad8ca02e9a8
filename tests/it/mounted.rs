//! The endpoint inside other servers: every fixture through axum, hyper and the loops of
//! `lambda_http`; what a mount, a method and a path are together; bodies that are too large, cut or
//! in pieces; answers in pieces; panics; whom middleware names.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::Request as AxumRequest;
use axum::middleware::{Next, from_fn};
use mcpfn::prelude::*;
use mcpfn::{Principal, PrincipalKind, Scopes};
use mcpfn_http::{Body, CallerLayer, Config, Endpoint, Service};
use serde_json::{Value, json};
use tower_layer::Layer as _;

use crate::support::in_process::InProcess;
use crate::support::lambda::{Front, Lambda};
use crate::support::mounted::{Mount, Mounted, platform};
use crate::support::socket::{Local, encode, send_raw};
use crate::support::{Host, Request, runner};

#[test]
fn every_fixture_through_every_mount() {
    for mount in Mount::ALL {
        for folder in ["wire", "refuse"] {
            runner::over_http(folder, |server| Box::new(Mounted::start(server, mount)));
        }
    }
}

/// Each loop of `lambda_http`, and the front that takes its answers.
const LOOPS: [(&str, Front); 4] = [
    ("run", Front::Url),
    ("run_concurrent", Front::Url),
    ("run_with_streaming_response", Front::UrlStreaming),
    (
        "run_with_streaming_response_concurrent",
        Front::UrlStreaming,
    ),
];

/// What AWS does not let through to a function URL.
const NOT_THROUGH_AWS: [&str; 10] = [
    "host_address",
    "host_and_origin",
    "host_empty",
    "host_other",
    "host_port",
    "host_port_userinfo",
    "host_suffix",
    "host_userinfo",
    "method_header_twice",
    "version_header_twice",
];

#[test]
fn every_fixture_through_the_loops_of_lambda_http() {
    for (name, front) in LOOPS {
        let start = |server: fn() -> Builder| -> Box<dyn Host> {
            let variables = [("MCPFN_LAMBDA_MODE", ""), ("MCPFN_TEST_LOOP", name)];
            Box::new(Lambda::start_with(server, front, &variables))
        };
        runner::over_http_except("wire", &["host_loopback"], start);
        runner::over_http_except("refuse", &NOT_THROUGH_AWS, start);
    }
}

/// Whatever a method does at a path, it does wherever the endpoint is mounted.
#[test]
fn a_mount_changes_no_answer() {
    let reference = Local::start(mcpfn_it::everything);
    let list = Request::modern("tools/list", json!({}));
    let hosts = Mount::ALL.map(|mount| Mounted::start(mcpfn_it::everything, mount));
    for method in ["POST", "GET", "HEAD", "OPTIONS", "PUT", "DELETE"] {
        for path in [
            "/mcp",
            "/health",
            "/.well-known/oauth-protected-resource",
            "/other",
        ] {
            let mut request = list.clone();
            method.clone_into(&mut request.method);
            path.clone_into(&mut request.path);
            let expected = reference.send(&request);
            for host in &hosts {
                let found = host.send(&request);
                let of = |name: &str| (expected.header(name), found.header(name));
                let what = format!("{method} {path}: {} {:?}", host.name(), found.text());
                assert_eq!(expected.status, found.status, "{what}");
                for header in ["allow", "content-type", "cache-control"] {
                    let (expected, found) = of(header);
                    assert_eq!(expected, found, "{header} of {what}");
                }
                if path != "/other" && found.status != 404 {
                    assert_eq!(expected.text(), found.text(), "{what}");
                }
            }
        }
    }
}

#[test]
fn bodies_are_bounded_and_must_be_complete() {
    let large = Request::post(vec![b' '; 4 * 1024 * 1024 + 1]);
    for mount in Mount::ALL {
        let host = Mounted::start(mcpfn_it::everything, mount);
        for chunked in [false, true] {
            let mut request = large.clone();
            request.chunked = chunked;
            let response = host.send(&request);
            assert_eq!(response.status, 413, "{mount:?}, chunked: {chunked}");
        }
        let mut request = Request::modern("tools/list", json!({}));
        request.path = mount.path(&request.path);
        let whole = encode(host.address, &request);
        let mut cut = TcpStream::connect(host.address).unwrap();
        cut.write_all(&whole[..whole.len() - 10]).unwrap();
        cut.shutdown(std::net::Shutdown::Write).unwrap();
        cut.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut answer = Vec::new();
        // a server may close the connection of a client that went away
        let _ = cut.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        assert!(!answer.contains("200 OK"), "{mount:?}: {answer}");
        assert_eq!(send_raw(host.address, &whole).status, 200, "{mount:?}");
    }
}

/// How many calls were given up.
static GIVEN_UP: AtomicUsize = AtomicUsize::new(0);

struct Watch;

impl Drop for Watch {
    fn drop(&mut self) {
        GIVEN_UP.fetch_add(1, Ordering::SeqCst);
    }
}

/// One tool that reports and then waits for ever, one that panics before and after a report.
fn hard() -> Builder {
    let wait = Tool::new("wait").description("Reports and waits.").handler(
        |_: NoArguments, cx: Cx| async move {
            let _watch = Watch;
            cx.progress(1.0, None, Some("here"));
            std::future::pending::<String>().await
        },
    );
    let fall = |name: &str, reports: bool| {
        Tool::new(name)
            .description("Panics.")
            .handler(move |_: NoArguments, cx: Cx| async move {
                if reports {
                    cx.progress(1.0, None, None);
                }
                if cx.principal().kind != PrincipalKind::Iam {
                    panic!("a fall that no client hears of");
                }
                "never said"
            })
    };
    Server::builder("hard", "1.0.0")
        .tool(wait)
        .tool(fall("fall", false))
        .tool(fall("fall_later", true))
}

fn call(tool: &str) -> Request {
    let meta = json!({"progressToken": "t"});
    Request::modern(
        "tools/call",
        json!({"name": tool, "arguments": {}, "_meta": meta}),
    )
}

#[test]
fn what_is_reported_arrives_at_once_and_leaving_ends_the_call() {
    for mount in Mount::ALL {
        let host = Mounted::start(hard, mount);
        let mut request = call("wait");
        request.path = mount.path(&request.path);
        let before = GIVEN_UP.load(Ordering::SeqCst);
        let mut client = TcpStream::connect(host.address).unwrap();
        client
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        client.write_all(&encode(host.address, &request)).unwrap();
        let (mut heard, mut buffer) = (String::new(), [0; 4096]);
        while !heard.contains("notifications/progress") {
            let read = client.read(&mut buffer).expect("the report arrives");
            assert_ne!(read, 0, "{mount:?} ended the answer: {heard}");
            heard += &String::from_utf8_lossy(&buffer[..read]);
        }
        assert!(heard.contains("text/event-stream"), "{mount:?}: {heard}");
        drop(client);
        let given_up = (0..1000).any(|_| {
            std::thread::sleep(Duration::from_millis(5));
            GIVEN_UP.load(Ordering::SeqCst) > before
        });
        assert!(given_up, "{mount:?}: the call goes on without its client");
    }
}

#[test]
fn a_panic_is_one_answer_with_an_error() {
    for mount in Mount::ALL {
        let host = Mounted::start(hard, mount);
        for tool in ["fall", "fall_later"] {
            let response = host.send(&call(tool));
            let text = response.text();
            assert_eq!(response.status, 200, "{mount:?}: {text}");
            assert!(!text.contains("no client hears"), "{mount:?}: {text}");
            let answer = response.json();
            let failed = answer["error"].is_object() || answer["result"]["isError"] == true;
            assert!(failed, "{mount:?}: {text}");
        }
        assert_eq!(
            host.send(&Request::modern("tools/list", json!({}))).status,
            200
        );
    }
}

/// What a middleware for logins knows.
#[derive(Clone)]
struct User(String);

/// Logs a caller in by a header, as a test may.
async fn login(mut request: AxumRequest, next: Next) -> axum::response::Response {
    let name = request.headers().get("x-test-user");
    if let Some(name) = name.and_then(|name| name.to_str().ok()) {
        let user = User(name.to_owned());
        request.extensions_mut().insert(user);
    }
    // what was there before the layer counts for nothing
    request.extensions_mut().insert(Principal::local());
    next.run(request).await
}

fn whoami() -> Builder {
    let who = Tool::new("whoami")
        .description("Says who calls.")
        .scope("me:read")
        .handler(|_: NoArguments, cx: Cx| async move {
            let caller = cx.principal();
            format!("{:?} {} [{}]", caller.kind, caller.subject, caller.scopes)
        });
    Server::builder("who", "1.0.0").tool(who)
}

fn named() -> Router {
    let service = Service::new(whoami().build().unwrap(), Config::default());
    let layer = CallerLayer::extension(|user: &User| {
        let scopes = match user.0.as_str() {
            "nobody" => return None,
            "guest" => Scopes::none(),
            _ => Scopes::parse("me:read"),
        };
        Some(Principal::new(PrincipalKind::Authorizer, &user.0).with_scopes(scopes))
    });
    let endpoint = layer.layer(Endpoint::behind_middleware(service, platform()));
    Router::new()
        .nest_service("/tools", endpoint)
        .layer(from_fn(login))
}

#[test]
fn middleware_names_the_caller_and_nobody_else_is_let_in() {
    let mount = Mount::Nest("/tools");
    let host = Mounted::serve(named(), mount);
    let ask = |user: Option<&str>| {
        let request = Request::modern("tools/call", json!({"name": "whoami", "arguments": {}}));
        host.send(&match user {
            Some(user) => request.header("x-test-user", user),
            None => request,
        })
    };
    let known = ask(Some("ada"));
    assert_eq!(
        known.json()["result"]["content"][0]["text"],
        "Authorizer ada [me:read]"
    );
    let guest = ask(Some("guest"));
    assert_eq!(guest.status, 403, "{}", guest.text());
    for stranger in [None, Some("nobody")] {
        let refused = ask(stranger);
        assert_eq!(refused.status, 403, "{}", refused.text());
        assert!(
            refused.error().1.contains("authentication required"),
            "{}",
            refused.text()
        );
    }
    // a probe has no credential
    let mut health = Request::modern("tools/list", json!({}));
    "GET".clone_into(&mut health.method);
    "/health".clone_into(&mut health.path);
    assert_eq!(host.send(&health).status, 200);
}

#[test]
fn an_endpoint_that_would_refuse_everybody_is_not_made() {
    let service = |config| Service::new(whoami().build().unwrap(), config);
    let refused = Endpoint::new(service(Config::default()), platform()).unwrap_err();
    assert!(refused.to_string().contains("Config::auth"), "{refused}");
    let mut open = Config::default();
    open.anonymous = true;
    assert!(Endpoint::new(service(open), platform()).is_ok());
    // one that was made for middleware, and is mounted without it, is closed
    let endpoint = Endpoint::behind_middleware(service(Config::default()), platform());
    let router = Router::new().nest_service("/tools", endpoint);
    let host = Mounted::serve(router, Mount::Nest("/tools"));
    let response = host.send(&Request::modern("tools/list", json!({})));
    assert_eq!(response.status, 403, "{}", response.text());
}

#[test]
fn what_servers_with_threads_ask_of_a_service_holds() {
    fn shared<T: Send + Sync + 'static>() {}
    fn cloned<T: Clone + Send + Sync + 'static>(_: &T) {}
    shared::<Body>();
    shared::<http::Response<Body>>();
    let host = InProcess::new(mcpfn_it::everything);
    cloned(&Endpoint::behind_middleware(host.service, host.platform));
}

/// Callers whom IAM recognised, through each loop of `lambda_http`, as through our own.
#[test]
fn the_platforms_caller_is_the_same_through_every_loop() {
    let own = [("", Front::Url)];
    for (name, front) in own.into_iter().chain(LOOPS) {
        let variables = [
            (
                "MCPFN_LAMBDA_MODE",
                if name.is_empty() { "buffer" } else { "" },
            ),
            ("MCPFN_TEST_LOOP", name),
            ("MCPFN_AUTH", "iam"),
        ];
        let variables = if name.is_empty() {
            &[variables[0], variables[2]]
        } else {
            variables.as_slice()
        };
        let host = Lambda::start_with(mcpfn_it::everything, front, variables);
        let request = Request::modern("tools/list", json!({}));
        let stranger = host.send(&request);
        assert_eq!(stranger.status, 403, "{name}: {}", stranger.text());
        let mut event = host.event(&request);
        event["requestContext"]["authorizer"] =
            json!({"iam": {"userArn": "arn:aws:iam::123456789012:user/alice"}});
        let known = host.invoke(event.clone());
        assert_eq!(known.status, 200, "{name}: {}", known.text());
        event["requestContext"]["authorizer"] = Value::Null;
        event["headers"]["x-amzn-iam-user-arn"] = json!("arn:aws:iam::123456789012:user/alice");
        assert_eq!(host.invoke(event).status, 403, "{name}");
    }
}
