//! What a request knows of its event, for every trigger, every method and every shape of claims: the
//! same as through our own loop. And what a body waits for.

use std::convert::Infallible;
use std::ffi::OsString;
use std::future::{Ready, ready};
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use lambda_http::Context as Invocation;
use mcpfn_core::{NoArguments, PrincipalKind, Scopes, Server, Tool};
use serde_json::{Value, json};

use super::*;
use crate::event::TriggerEvent;
use crate::event::tests::{rest, triggers, version_2};

/// What reached the service.
type Seen = (Principal, Option<Deadline>, String);

/// Answers with what reached it.
#[derive(Clone)]
struct Probe;

impl<B> Service<Request<B>> for Probe {
    type Response = Response<Seeing>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Seeing>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let extensions = request.extensions();
        let seen = (
            extensions.get::<Principal>().unwrap().clone(),
            extensions.get::<Deadline>().copied(),
            request.uri().to_string(),
        );
        let mut response = Response::new(Full::new(Bytes::from_static(b"seen")));
        response.extensions_mut().insert(seen);
        ready(Ok(response))
    }
}

type Seeing = Full<Bytes>;

fn layer(variables: &[(&str, &str)]) -> Result<(EventLayer, Endpoint), String> {
    let variable = |name: &str| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| OsString::from(value))
    };
    let names = variables.iter().map(|(name, _)| (*name).to_owned());
    let setup = || {
        let tick = Tool::new("tick").description("Says tick.");
        let tick = tick.handler(|_: NoArguments| async { "tick" });
        Ok::<_, Infallible>(Setup {
            builder: Server::builder("clock", "1.0.0").tool(tick),
            ports: |platform: Platform| platform,
        })
    };
    parts_from(EnvReader::new(&variable).with_names(names), setup, &[])
}

/// As `lambda_http` reads it.
fn request(event: &Value) -> lambda_http::Request {
    lambda_http::request::from_str(&event.to_string()).unwrap()
}

async fn seen(layer: &EventLayer, request: lambda_http::Request) -> Seen {
    let Ok(response) = layer.layer(Probe).call(request).await;
    response.extensions().get::<Seen>().unwrap().clone()
}

#[tokio::test]
async fn callers_are_those_of_our_own_loop() {
    let iam = json!({"iam": {"userArn": "arn:aws:iam::123456789012:user/alice"}});
    let mut events = vec![
        rest(&json!({})),
        version_2(&json!({})),
        version_2(&json!({"authorizer": iam})),
        rest(&json!({"identity": {"userArn": "arn:aws:iam::1:user/a", "sourceIp": "203.0.113.7"}})),
        json!({
            "httpMethod": "POST", "path": "/mcp", "requestContext": {"elb": {"targetGroupArn": "a"}},
            "headers": {"x-forwarded-for": "10.0.0.1, 203.0.113.7"},
        }),
    ];
    for claims in [
        json!({"scope": "hello crm:read"}),
        json!({"scope": "*"}),
        json!({}),
        json!({"token_use": "id", "scope": "hello"}),
    ] {
        events.extend(triggers(&claims).into_iter().map(|(_, _, event)| event));
    }
    let url = ("MCPFN_PUBLIC_URL", "https://mcp.example.com/mcp");
    let issuer = ("MCPFN_ISSUER", "https://login.example.com");
    for variables in [
        [("MCPFN_AUTH", "iam")].as_slice(),
        &[("MCPFN_AUTH", "authorizer"), ("MCPFN_DEFAULT_SCOPES", "d")],
        &[("MCPFN_AUTH", "none")],
        &[("MCPFN_AUTH", "oauth"), url, issuer],
    ] {
        let (layer, _) = layer(variables).unwrap();
        let Function {
            callers, platform, ..
        } = &layer.shared.function;
        let mut named = 0;
        for event in &events {
            let own = TriggerEvent::read(event.to_string().as_bytes()).unwrap();
            let recognised = own.caller(&callers.default_scopes);
            let expected = callers.principal(recognised, own.address(), platform);
            named += usize::from(expected.kind != PrincipalKind::Anonymous);
            let mut request = request(event);
            // what was there before is not believed
            request.extensions_mut().insert(Principal::local());
            let (found, _, path) = seen(&layer, request).await;
            assert_eq!(found, expected, "{variables:?}: {event}");
            assert_eq!(path, "/mcp");
        }
        let believes = variables[0].1 != "oauth";
        assert_eq!(named > 0, believes, "{variables:?}: {named}");
    }
}

/// Events that `lambda_http` reads where other crates of a program ask it to, and none at all.
#[tokio::test]
async fn requests_of_no_http_trigger_are_of_nobody() {
    let (layer, _) = layer(&[("MCPFN_AUTH", "authorizer")]).unwrap();
    let web_socket = json!({
        "requestContext": {
            "connectionId": "a", "eventType": "MESSAGE", "messageDirection": "IN", "stage": "p",
            "authorizer": {"principalId": "user-1", "scope": "crm"},
        },
        "body": "{}", "isBase64Encoded": false,
    });
    let lattice = json!({
        "version": "2.0", "method": "POST", "path": "/mcp", "headers": {}, "body": "{}",
        "requestContext": {
            "serviceNetworkArn": "arn", "serviceArn": "arn", "targetGroupArn": "arn",
            "identity": {"principal": "arn:aws:iam::1:user/a", "type": "AWS_IAM"},
            "region": "eu-west-1", "timeEpoch": "1",
        },
    });
    for event in [web_socket, lattice, json!({"Records": []})] {
        let (found, _, _) = seen(&layer, request(&event)).await;
        assert_eq!(found, Principal::anonymous(), "{event}");
    }
    let (found, _, _) = seen(&layer, lambda_http::Request::default()).await;
    assert_eq!(found, Principal::anonymous());
    assert_eq!(found.scopes, Scopes::none());
}

#[tokio::test]
async fn stage_and_base_path_are_taken_off_and_the_deadline_leaves_a_margin() {
    let variables = [
        ("MCPFN_AUTH", "iam"),
        ("MCPFN_BASE_PATH", "/tools"),
        ("MCPFN_DEADLINE_MARGIN_MS", "500"),
    ];
    let (layer, _) = layer(&variables).unwrap();
    let events = [
        ("path", rest(&json!({}))),
        ("rawPath", version_2(&json!({}))),
    ];
    for (member, mut event) in events {
        for (path, stage, expected) in [
            ("/mcp", "$default", "/mcp"),
            ("/prod/mcp", "prod", "/mcp"),
            ("/prod/tools/mcp", "prod", "/mcp"),
            ("/tools/health", "prod", "/health"),
            ("/toolshed/mcp", "prod", "/toolshed/mcp"),
        ] {
            event[member] = json!(path);
            event["requestContext"]["stage"] = json!(stage);
            let mut context = Invocation::default();
            context.deadline = 4_000_000_000_000;
            let request = request(&event).with_lambda_context(context);
            let (_, deadline, found) = seen(&layer, request).await;
            assert_eq!(found, expected, "{event}");
            assert_eq!(deadline, Some(Deadline(3_999_999_999_500)));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_ends_after_the_work_that_follows_it() {
    let (layer, _) = layer(&[("MCPFN_AUTH", "none")]).unwrap();
    let done = Arc::new(AtomicBool::new(false));
    let Function {
        platform, process, ..
    } = &layer.shared.function;
    let mark = Arc::clone(&done);
    mcpfn_core::port::Background::run(
        &process.tasks,
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            mark.store(true, Ordering::SeqCst);
        }),
    );
    assert!(platform.now_ms() > 0);
    let Ok(response) = layer.layer(Probe).call(request(&rest(&json!({})))).await;
    let mut body = response.into_body();
    let first = body.frame().await.unwrap().unwrap();
    assert_eq!(first.into_data().unwrap(), "seen");
    assert!(!done.load(Ordering::SeqCst), "the answer does not wait");
    assert!(body.frame().await.is_none());
    assert!(done.load(Ordering::SeqCst), "its end does");
    assert!(body.frame().await.is_none(), "and it stays ended");
}

#[test]
fn without_a_word_on_callers_or_with_one_on_modes_nothing_is_made() {
    let refused = layer(&[]).unwrap_err();
    assert!(refused.contains("MCPFN_AUTH is not set"), "{refused}");
    let refused = layer(&[("MCPFN_AUTH", "iam"), ("MCPFN_LAMBDA_MODE", "stream")]).unwrap_err();
    assert!(refused.contains("run_with_streaming_response"), "{refused}");
}
