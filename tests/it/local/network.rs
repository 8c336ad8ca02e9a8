//! The local host where others can reach it: who is served there, what a load balancer learns, and
//! how it ends.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use serde_json::json;

use crate::support::Request;
use crate::support::process::{PATIENCE, Process, command, run};
use crate::support::socket::send;

const KEY: &str = "robot-key";

fn network(more: &[(&str, &str)]) -> (Process, SocketAddr) {
    let entry = format!("robot:{}:*", mcpfn_auth::hash_key(KEY));
    let mut variables = vec![
        ("MCPFN_LISTEN", "0.0.0.0"),
        ("MCPFN_AUTH", "api-key"),
        ("MCPFN_API_KEYS", &*entry),
        ("MCPFN_ALLOWED_HOSTS", "mcp.internal"),
    ];
    variables.extend(more);
    let (process, address) = Process::http_with(&variables);
    assert!(address.ip().is_unspecified(), "{address}");
    (process, ([127, 0, 0, 1], address.port()).into())
}

fn get(path: &str) -> Request {
    let mut request = Request::post("");
    request.method = "GET".to_owned();
    path.clone_into(&mut request.path);
    request
}

fn list() -> Request {
    Request::modern("tools/list", json!({})).header("x-api-key", KEY)
}

#[test]
fn an_address_that_others_reach_is_not_opened_without_authentication() {
    for (name, value) in [("MCPFN_LOG", "info"), ("MCPFN_AUTH", "none")] {
        for address in ["0.0.0.0:0", "[::]:0"] {
            let (code, stdout, stderr) =
                run(command(&[]).env("MCPFN_LISTEN", address).env(name, value));
            assert_eq!((code, stdout.as_str()), (Some(1), ""), "{stderr}");
            assert!(stderr.contains("MCPFN_AUTH"), "{stderr}");
        }
    }
}

#[test]
fn callers_of_an_address_that_others_reach_are_checked() {
    let (_process, address) = network(&[]);
    for (host, status) in [
        ("mcp.internal", 200),
        ("MCP.internal:8080", 200),
        ("localhost", 200),
        ("evil.example", 403),
        ("mcp.internal.evil.example", 403),
    ] {
        let response = send(address, &list().header("host", host));
        assert_eq!(response.status, status, "{host}");
    }
    let nobody = send(address, &list().without("x-api-key"));
    assert_eq!(nobody.status, 401, "nobody is the local user here");
    // pages of a caller's own machine are not pages of this one
    let page = send(address, &list().header("origin", "http://localhost:3000"));
    assert_eq!(page.status, 403);
}

#[test]
fn a_base_path_stands_in_front_of_everything() {
    let (_process, address) = network(&[("MCPFN_BASE_PATH", "/tools"), ("MCPFN_METRICS", "on")]);
    let mut below = list();
    below.path = "/tools/mcp".to_owned();
    assert_eq!(send(address, &below).status, 200);
    for path in ["/tools/ready", "/ready", "/tools/health", "/health"] {
        assert_eq!(send(address, &get(path)).status, 200, "{path}");
    }
    let metrics = get("/tools/metrics").header("x-api-key", KEY);
    assert_eq!(send(address, &metrics).status, 200);
    for path in ["/toolsready", "/tools/tools/ready"] {
        assert_eq!(send(address, &get(path)).status, 404, "{path}");
    }
}

#[test]
fn a_server_that_drains_says_so_before_it_ends() {
    let (mut process, address) = network(&[("MCPFN_DRAIN_DELAY_SECONDS", "2")]);
    let ready = |method: &str| {
        let mut request = get("/ready");
        method.clone_into(&mut request.method);
        send(address, &request)
    };
    let before = ready("GET");
    assert_eq!(
        (before.status, before.text()),
        (200, r#"{"status":"ready"}"#.to_owned())
    );
    assert_eq!((ready("HEAD").status, ready("POST").status), (200, 405));
    process.terminate();
    let told = Instant::now();
    while ready("GET").status != 503 {
        assert!(told.elapsed() < PATIENCE, "it stays ready");
    }
    assert!(ready("GET").text().contains("draining"));
    // whoever has not heard of it yet is served
    assert_eq!(send(address, &list()).status, 200);
    assert_eq!(process.wait().code(), Some(0));
    let log = process.stderr.collect_all();
    let at = |event: &str| {
        log.find(&format!("event=\"{event}\""))
            .unwrap_or_else(|| panic!("no line {event}: {log}"))
    };
    assert!(at("draining") < at("closing") && at("closing") < at("stopped"));
}

#[test]
fn a_write_whose_client_went_away_is_waited_for_and_told_of() {
    // its connection is not waited for
    let (mut process, address) = Process::http_with(&[("MCPFN_DRAIN_TIMEOUT_SECONDS", "0")]);
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "progressToken": 1, "idempotencyKey": "once",
    });
    let params = json!({"name": "test_slow_write", "arguments": {}, "_meta": meta});
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
    let body = body.to_string();
    let mut client = TcpStream::connect(address).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = format!(
        "POST /mcp HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
         accept: application/json, text/event-stream\r\nmcp-protocol-version: 2026-07-28\r\n\
         mcp-method: tools/call\r\nmcp-name: test_slow_write\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    client.write_all(head.as_bytes()).unwrap();
    let mut heard = Vec::new();
    while !String::from_utf8_lossy(&heard).contains("notifications/progress") {
        let mut piece = [0; 1024];
        let length = client.read(&mut piece).unwrap();
        assert!(length > 0, "{}", String::from_utf8_lossy(&heard));
        heard.extend_from_slice(&piece[..length]);
    }
    drop(client);
    process.terminate();
    assert_eq!(process.wait().code(), Some(0));
    let log = process.stderr.collect_all();
    let at = |event: &str| {
        log.find(&format!("event=\"{event}\""))
            .unwrap_or_else(|| panic!("no line {event}: {log}"))
    };
    assert!(at("calls_stopped") < at("waiting_for_work"));
    assert!(at("waiting_for_work") < at("work_ended"));
}

/// A proxy that keeps connections would send its next request into the end of one.
#[test]
fn a_kept_connection_ends_with_an_answer_once_the_server_drains() {
    let (mut process, address) = network(&[("MCPFN_DRAIN_DELAY_SECONDS", "2")]);
    let mut kept = TcpStream::connect(address).unwrap();
    kept.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut ask = || {
        kept.write_all(b"GET /health HTTP/1.1\r\nhost: mcp.internal\r\n\r\n")
            .unwrap();
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"}") {
            kept.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        String::from_utf8(head).unwrap().to_ascii_lowercase()
    };
    assert!(!ask().contains("connection: close"));
    process.terminate();
    let told = Instant::now();
    while send(address, &get("/ready")).status != 503 {
        assert!(told.elapsed() < PATIENCE, "it stays ready");
    }
    assert!(ask().contains("connection: close"));
    assert_eq!(kept.read(&mut [0]).unwrap(), 0, "and it is closed");
    assert_eq!(process.wait().code(), Some(0));
}

#[test]
fn a_container_can_ask_whether_its_server_is_ready() {
    let (process, address) = network(&[]);
    let port = address.port().to_string();
    let ask = || run(command(&["health"]).env("MCPFN_PORT", &port));
    let (code, stdout, stderr) = ask();
    assert_eq!(
        (code, stdout.as_str()),
        (Some(0), "{\"status\":\"ready\"}\n"),
        "{stderr}"
    );
    drop(process);
    let (code, stdout, stderr) = ask();
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    assert!(stderr.contains("no server answers at"), "{stderr}");
}

#[test]
fn connections_are_as_many_as_the_operator_says() {
    let (_process, address) = network(&[("MCPFN_MAX_CONNECTIONS", "2")]);
    // each waits for its client, so that the oldest one makes room
    let idle: Vec<_> = (0..8)
        .map(|_| TcpStream::connect(address).expect("a connection"))
        .collect();
    assert_eq!(send(address, &list()).status, 200);
    drop(idle);
}
