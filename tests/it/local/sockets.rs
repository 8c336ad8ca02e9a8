//! What the local host listens on beside TCP ports, and what comes before HTTP on its connections:
//! Unix sockets, PROXY headers, an address for metrics alone.

#![cfg(unix)]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;

use serde_json::json;

use crate::support::process::{PATIENCE, Process, command, run};
use crate::support::socket::{decode, encode, send};
use crate::support::{Request, Response};

const KEY: &str = "robot-key";

fn with_keys<'a>(entry: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut variables = vec![
        ("MCPFN_AUTH", "api-key"),
        ("MCPFN_API_KEYS", entry),
        ("MCPFN_ALLOWED_HOSTS", "mcp.internal"),
    ];
    variables.extend(more);
    variables
}

fn entry() -> String {
    format!("robot:{}:*", mcpfn_auth::hash_key(KEY))
}

fn list() -> Request {
    Request::modern("tools/list", json!({})).header("x-api-key", KEY)
}

fn get(path: &str) -> Request {
    let mut request = Request::post("");
    request.method = "GET".to_owned();
    path.clone_into(&mut request.path);
    request
}

fn over_a_file(path: &Path, request: &Request) -> Response {
    let mut stream = UnixStream::connect(path).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 80));
    stream.write_all(&encode(nowhere, request)).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    decode(&answer)
}

/// Sends bytes before a request; nothing comes back where the connection was not opened.
fn after(address: SocketAddr, first: &[u8], request: &Request) -> Option<Response> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let bytes = [first, &encode(address, request)].concat();
    let _ = stream.write_all(&bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    (!answer.is_empty()).then(|| decode(&answer))
}

#[test]
fn a_socket_file_is_served_as_an_address_that_others_reach() {
    let path = std::env::temp_dir().join(format!("mcpfn-it-{}.sock", std::process::id()));
    let listen = format!("unix:{}", path.display());
    let entry = entry();
    let (code, _, stderr) = run(command(&[]).env("MCPFN_LISTEN", &listen));
    assert_eq!(code, Some(1));
    assert!(stderr.contains("MCPFN_AUTH"), "{stderr}");
    let variables = with_keys(
        &entry,
        &[("MCPFN_LISTEN", &listen), ("MCPFN_SOCKET_MODE", "0600")],
    );
    let start = || {
        let process = Process::start(command(&[]).envs(variables.iter().copied()));
        let line = process.stdout.find("listening on ");
        assert_eq!(line, format!("listening on unix:{} /mcp", path.display()));
        process
    };
    let killed = start();
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(over_a_file(&path, &list()).status, 200);
    assert_eq!(over_a_file(&path, &list().without("x-api-key")).status, 401);
    let (code, _, stderr) = run(command(&[]).envs(variables.iter().copied()));
    assert_eq!(code, Some(1));
    assert!(stderr.contains("another process serves"), "{stderr}");
    drop(killed);
    assert!(path.exists(), "who is killed can't remove it");
    let mut ended = start();
    assert_eq!(over_a_file(&path, &list()).status, 200);
    let health = || run(command(&["health"]).envs(variables.iter().copied())).0;
    assert_eq!(health(), Some(0));
    ended.terminate();
    assert_eq!(ended.wait().code(), Some(0));
    assert!(!path.exists());
    assert_eq!(health(), Some(1));
}

/// Credentials that are wrong are counted for each address: the one in the header, where that is
/// believed.
#[test]
fn a_proxy_says_for_whom_it_calls_before_anything_else() {
    let entry = entry();
    let local = [
        ("MCPFN_TRUSTED_PROXIES", "127.0.0.1"),
        ("MCPFN_PROXY_PROTOCOL", "on"),
    ];
    let (process, address) = Process::http_with(&with_keys(&entry, &local));
    let one = b"PROXY TCP4 203.0.113.7 127.0.0.1 1 2\r\n";
    let other = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x08\x08\x08\x08\x7f\0\0\x01\0\x01\0\x02";
    for first in [&one[..], other, b"PROXY UNKNOWN\r\n"] {
        assert_eq!(after(address, first, &list()).unwrap().status, 200);
    }
    let mut guess = list().without("x-api-key").header("x-api-key", "guess");
    let status = |first: &[u8], request: &Request| after(address, first, request).unwrap().status;
    let guesses = (0..100).take_while(|_| status(one, &guess) == 401).count();
    assert!(guesses < 100, "its guesses are counted");
    assert_eq!(status(other, &guess), 401, "and are not the other's");
    guess
        .headers
        .push(("x-forwarded-for".to_owned(), "8.8.8.8".to_owned()));
    assert_eq!(
        status(one, &guess),
        429,
        "a client that is no proxy is not believed"
    );

    let guesses = (0..100).take_while(|guess_of| {
        let mut guess = list().without("x-api-key").header("x-api-key", "guess");
        let named = ("x-forwarded-for".to_owned(), format!("8.8.4.{guess_of}"));
        guess.headers.push(named);
        status(b"PROXY UNKNOWN\r\n", &guess) == 401
    });
    assert!(guesses.count() < 100, "its word is the whole connection's");

    assert!(after(address, b"", &list()).is_none(), "it is required");
    assert!(after(address, b"PROXY TCP4 nobody\r\n", &list()).is_none());
    process.stderr.find_with("proxy_header_missing");
    let port = address.port().to_string();
    let variables = with_keys(&entry, &local);
    let asked = run(command(&["health"]).envs(variables).env("MCPFN_PORT", port));
    assert_eq!(asked.0, Some(0), "{asked:?}");
}

#[test]
fn a_reload_without_certificates_ends_nothing() {
    let (process, address) = Process::http_with(&with_keys(&entry(), &[]));
    process.signal("HUP");
    process.stderr.find_with("reload_ignored");
    assert_eq!(after(address, b"", &list()).unwrap().status, 200);
}

#[test]
fn a_header_of_nobody_in_particular_is_no_header() {
    let entry = entry();
    let elsewhere = [("MCPFN_TRUSTED_PROXIES", "127.0.0.1")];
    let (_process, address) = Process::http_with(&with_keys(&entry, &elsewhere));
    let refused = after(
        address,
        b"PROXY TCP4 203.0.113.7 127.0.0.1 1 2\r\n",
        &list(),
    );
    assert!(refused.is_none_or(|refused| refused.status == 400));
    let (code, _, stderr) =
        run(command(&[]).envs(with_keys(&entry, &[("MCPFN_PROXY_PROTOCOL", "on")])));
    assert_eq!(code, Some(1));
    assert!(stderr.contains("MCPFN_TRUSTED_PROXIES"), "{stderr}");
}

#[test]
fn metrics_have_an_address_of_their_own() {
    let entry = entry();
    let own = [("MCPFN_METRICS_LISTEN", "127.0.0.1:0")];
    let (process, address) = Process::http_with(&with_keys(&entry, &own));
    let line = process.stderr.find_with("metrics_listen");
    let (_, rest) = line.split_once("http://").unwrap();
    let theirs: SocketAddr = rest.split(' ').next().unwrap().parse().unwrap();
    assert_eq!(send(address, &list()).status, 200);
    let metrics = send(theirs, &get("/metrics"));
    assert_eq!(
        (metrics.status, metrics.header("content-type").is_some()),
        (200, true)
    );
    assert_eq!(send(theirs, &get("/ready")).text(), r#"{"status":"ready"}"#);
    assert_eq!(send(theirs, &get("/health")).status, 200);
    for path in ["/mcp", "/", "/.well-known/oauth-protected-resource"] {
        let mut request = list();
        path.clone_into(&mut request.path);
        assert_eq!(send(theirs, &request).status, 404, "{path}");
    }
    let there = send(address, &get("/metrics").header("x-api-key", KEY));
    assert_eq!(there.status, 404, "and are nowhere else");
    // a page of the web may have its name lead here, and names neither an address nor this server
    for (host, status) in [
        ("evil.example", 403),
        ("evil.example:9090", 403),
        ("127.0.0.1.evil.example", 403),
        ("localhost.evil.example", 403),
        ("a@127.0.0.1", 403),
        ("", 403),
        ("127.0.0.1:9090", 200),
        ("10.1.2.3:9090", 200),
        ("[::1]:9090", 200),
        ("localhost:9090", 200),
        ("mcpfn:9090", 200),
        ("MCP.internal", 200),
    ] {
        for path in ["/metrics", "/ready", "/health"] {
            let asked = get(path).without("host").header("host", host);
            assert_eq!(send(theirs, &asked).status, status, "{host} {path}");
        }
    }
}

#[test]
fn the_head_of_a_request_is_bounded() {
    let entry = entry();
    let small = [("MCPFN_MAX_HEAD_BYTES", "8192")];
    let (_process, address) = Process::http_with(&with_keys(&entry, &small));
    let with = |bytes: usize| list().header("x-padding", &"a".repeat(bytes));
    assert_eq!(send(address, &with(4096)).status, 200);
    assert_eq!(send(address, &with(20_000)).status, 431);
    let (_process, address) = Process::http_with(&with_keys(&entry, &[]));
    assert_eq!(send(address, &with(50_000)).status, 200);
    assert_eq!(send(address, &with(140_000)).status, 431);
}
