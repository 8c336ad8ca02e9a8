//! `cargo mcpfn connect` between a client on its pipes and real servers over HTTP: both kinds of
//! revisions, reports, cancellation, servers that are away or forgot a session.

mod bridge;
mod ended;
mod forgetful;
mod oauth;
mod resumed;
mod signed;

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use mcpfn_core::{Builder, Cx, NoArguments, Server, Tool, round_trip::Keyring};
use mcpfn_http::{Config, Service};
use serde_json::{Value, json};

use bridge::Bridge;

/// Longer than anything here takes, and short enough to wait for.
const PATIENCE: Duration = Duration::from_secs(20);

/// Serves on a port until the test ends, and says which.
fn serve(builder: Builder, port: u16) -> u16 {
    let (ready, served) = channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let service = Service::new(builder.build().expect("a server"), Config::loopback());
            let service = service.assume_local_user();
            let platform = mcpfn_local::platform(Keyring::new([7; 32])).into();
            let say = |address: std::net::SocketAddr| ready.send(address.port()).expect("a test");
            let _ = mcpfn_local::serve(service, platform, port, say, std::future::pending()).await;
        });
    });
    served.recv_timeout(PATIENCE).expect("the server listens")
}

/// Says when it is dropped.
struct Guard(Sender<&'static str>);

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.send("dropped");
    }
}

/// A server that greets, counts, and waits for nobody.
fn builder() -> (Builder, Receiver<&'static str>) {
    let (seen, sees) = channel();
    let greet = Tool::new("greet").description("Greets.");
    let count = Tool::new("count").description("Counts.");
    let wait = Tool::new("wait").description("Waits.");
    let builder = Server::builder("behind", "1.0.0")
        .tool(greet.handler(|_: NoArguments| async { "Hello!" }))
        .tool(count.handler(|_: NoArguments, cx: Cx| async move {
            for done in 1..=3 {
                cx.progress(f64::from(done), Some(3.0), None);
            }
            "counted"
        }))
        .tool(wait.handler(move |_: NoArguments, cx: Cx| {
            let seen = seen.clone();
            async move {
                let _guard = Guard(seen.clone());
                cx.progress(1.0, None, None);
                let _ = seen.send("started");
                std::future::pending::<&'static str>().await
            }
        }));
    (builder, sees)
}

fn modern(id: u64, method: &str, mut params: Value) -> Value {
    params["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2026-07-28");
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({});
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
}

fn call(id: u64, tool: &str) -> Value {
    let params = json!({"name": tool, "arguments": {}, "_meta": {"progressToken": id}});
    modern(id, "tools/call", params)
}

fn hello(id: u64) -> Value {
    let client = json!({"name": "test", "version": "1"});
    let params = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client});
    json!({"jsonrpc": "2.0", "id": id, "method": "initialize", "params": params})
}

fn text(answer: &Value) -> &str {
    answer["result"]["content"][0]["text"]
        .as_str()
        .unwrap_or_default()
}

#[test]
fn the_newest_revision_passes() {
    let port = serve(builder().0, 0);
    let mut bridge = Bridge::to(port);
    bridge.send(&modern(1, "tools/list", json!({})));
    let list = bridge.next();
    assert_eq!(
        list["result"]["tools"].as_array().map(Vec::len),
        Some(3),
        "{list}"
    );
    bridge.send(&call(2, "greet"));
    assert_eq!(text(&bridge.next()), "Hello!");
}

#[test]
fn older_revisions_pass() {
    let port = serve(builder().0, 0);
    let mut bridge = Bridge::to(port);
    bridge.send(&hello(1));
    let met = bridge.next();
    assert_eq!(met["result"]["protocolVersion"], "2025-06-18", "{met}");
    bridge.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
    let params = json!({"name": "greet", "arguments": {}});
    bridge.send(&json!({"jsonrpc": "2.0", "id": "x", "method": "tools/call", "params": params}));
    let answer = bridge.next();
    assert_eq!((text(&answer), &answer["id"]), ("Hello!", &json!("x")));
}

#[test]
fn reports_come_before_their_answer() {
    let port = serve(builder().0, 0);
    let mut bridge = Bridge::to(port);
    bridge.send(&call(7, "count"));
    for done in 1..=3 {
        let report = bridge.next();
        assert_eq!(
            report["params"]["progress"].as_f64(),
            Some(f64::from(done)),
            "{report}"
        );
    }
    assert_eq!(text(&bridge.next()), "counted");
}

#[test]
fn a_cancelled_call_ends_at_the_server() {
    let (builder, sees) = builder();
    let port = serve(builder, 0);
    let mut bridge = Bridge::to(port);
    bridge.send(&call(3, "wait"));
    bridge.next();
    assert_eq!(sees.recv_timeout(PATIENCE), Ok("started"));
    let params = json!({"requestId": 3});
    let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params});
    bridge.send(&cancel);
    assert_eq!(sees.recv_timeout(PATIENCE), Ok("dropped"));
    // and others go on
    bridge.send(&call(4, "greet"));
    assert_eq!(bridge.next()["id"], 4);
}

#[test]
fn a_server_that_comes_back_is_found() {
    let free = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let port = free.local_addr().expect("an address").port();
    let mut bridge = Bridge::to(port);
    drop(free);
    bridge.send(&call(1, "greet"));
    serve(builder().0, port);
    assert_eq!(text(&bridge.next()), "Hello!");
}

#[test]
fn a_line_that_is_no_message_is_answered() {
    let mut bridge = Bridge::to(serve(builder().0, 0));
    bridge.write("not json\n");
    assert_eq!(bridge.next()["error"]["code"], -32700);
    bridge.send(&call(1, "greet"));
    assert_eq!(text(&bridge.next()), "Hello!");
}

#[test]
fn a_refusal_says_how_to_give_credentials() {
    let mut bridge = Bridge::to(forgetful::refusing());
    bridge.send(&call(1, "greet"));
    let answer = bridge.next();
    let message = answer["error"]["message"].as_str().unwrap_or_default();
    assert!(
        message.contains("401") && message.contains("--header"),
        "{answer}"
    );
    assert_eq!(answer["id"], 1);
}

#[test]
fn a_key_that_is_refused_is_named_and_nobody_signs_in() {
    for (header, given) in [
        ("X-Api-Key: hunter2", "--header 'x-api-key: ..'"),
        (
            "Authorization: Bearer hunter2",
            "--header 'authorization: ..'",
        ),
        (
            "Authorization: Basic hunter2",
            "--header 'authorization: ..'",
        ),
        ("Cookie: session=hunter2", "--header 'cookie: ..'"),
    ] {
        let mut bridge = Bridge::with(forgetful::refusing(), |command| {
            command.args(["--header", header]);
        });
        bridge.send(&call(1, "greet"));
        let answer = bridge.next();
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(
            message.contains(given) && message.contains("401"),
            "{answer}"
        );
        assert!(
            !message.contains("sign-in") && !message.contains("hunter2"),
            "{answer}"
        );
    }
}

#[test]
fn a_session_that_was_forgotten_is_begun_again() {
    let mut bridge = Bridge::to(forgetful::forgetting());
    bridge.send(&hello(1));
    assert_eq!(bridge.next()["id"], 1);
    let ping = json!({"jsonrpc": "2.0", "id": 2, "method": "ping"});
    bridge.send(&ping);
    let answer = bridge.next();
    assert_eq!(answer["result"]["session"], "s-2", "{answer}");
}

#[test]
fn a_call_that_was_cut_is_not_made_twice() {
    let (port, calls) = forgetful::cutting();
    let mut bridge = Bridge::to(port);
    bridge.send(&call(1, "greet"));
    let answer = bridge.next();
    let message = answer["error"]["message"].as_str().unwrap_or_default();
    assert!(message.contains("not known whether"), "{answer}");
    assert_eq!(calls.try_iter().count(), 1);
}
