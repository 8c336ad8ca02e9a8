//! The local host behind a proxy on the same machine: who is the person at this machine, which
//! hosts a request may name, and what `/metrics` needs. Every header that proxies add, every kind
//! of host and every configured method are a table in `fixtures/proxied`.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde::Deserialize;
use serde_json::json;

use crate::support::process::Process;
use crate::support::socket::{encode, send, send_raw};
use crate::support::{Request, Response};

const KEY: &str = "robot-key";
const READER: &str = "reader-key";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    headers: Vec<String>,
    hosts: Vec<String>,
    rows: BTreeMap<String, Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    direct: Outcomes,
    proxied: Outcomes,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Outcomes {
    loopback: String,
    public: String,
    other: String,
}

impl Outcomes {
    fn of(&self, host: &str) -> &str {
        let plain = host.to_ascii_lowercase();
        let (name, port) = match plain.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => (name, port),
            _ => (&*plain, "0"),
        };
        let is_port = port.bytes().all(|byte| byte.is_ascii_digit());
        match name {
            "localhost" | "127.0.0.1" | "[::1]" if is_port => &self.loopback,
            "mcp.example.com" if is_port => &self.public,
            _ => &self.other,
        }
    }
}

fn keys() -> String {
    let (robot, reader) = (mcpfn_auth::hash_key(KEY), mcpfn_auth::hash_key(READER));
    format!("robot:{robot}:hello;reader:{reader}:metrics:read")
}

fn started(auth: &str) -> (Process, SocketAddr) {
    let keys = keys();
    let mut variables = vec![("MCPFN_METRICS", "on")];
    if auth.starts_with("api-key") {
        variables.extend([("MCPFN_AUTH", "api-key"), ("MCPFN_API_KEYS", &keys)]);
        // more calls than a caller has by default
        variables.push(("MCPFN_RATE_LIMIT", "none"));
    }
    if auth.contains("public URL") {
        variables.push(("MCPFN_PUBLIC_URL", "https://mcp.example.com/mcp"));
    }
    Process::http_with(&variables)
}

/// The status, and the settings that a refusal names.
fn outcome(response: &Response) -> String {
    let mut words = vec![response.status.to_string()];
    if response.status == 403 {
        let (_, message) = response.error();
        let named = ["MCPFN_AUTH", "MCPFN_PUBLIC_URL", "MCPFN_TRUSTED_PROXIES"]
            .into_iter()
            .filter(|name| message.contains(name));
        words.extend(named.map(str::to_owned));
    }
    words.join(" ")
}

#[test]
fn whoever_comes_through_a_proxy_is_not_the_person_at_this_machine() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/proxied/table.json");
    let text = std::fs::read_to_string(path).expect("the table");
    let table: Table = serde_json::from_str(&text).expect("the table's form");
    let mut wrong = Vec::new();
    for (auth, row) in &table.rows {
        let (_process, address) = started(auth);
        let list = Request::modern("tools/list", json!({}));
        let list = match auth.contains("with the key") {
            true => list.header("x-api-key", KEY),
            false => list,
        };
        for host in &table.hosts {
            let list = list.clone().header("host", host);
            let mut check = |header: &str, request: &Request, expected: &str| {
                let found = outcome(&send(address, request));
                if found != expected {
                    wrong.push(format!(
                        "{auth} | {host} | {header}: {found}, not {expected}"
                    ));
                }
            };
            check("", &list, row.direct.of(host));
            for header in &table.headers {
                let (name, value) = header.split_once(':').expect("a header");
                let request = list.clone().header(name, value.trim());
                check(header, &request, row.proxied.of(host));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_host_that_stands_twice_or_not_at_all_is_refused() {
    let (_process, address) = started("none");
    let list = Request::modern("tools/list", json!({})).header("host", "localhost");
    let bytes = encode(address, &list);
    let text = String::from_utf8(bytes).expect("our requests are text");
    let line = text
        .lines()
        .find(|line| line.to_ascii_lowercase().starts_with("host:"))
        .expect("a host");
    for replaced in [
        text.replacen(line, "host: localhost\r\nhost: evil.example", 1),
        text.replacen(line, "host: evil.example\r\nhost: localhost", 1),
        text.replacen(line, "host:", 1),
        text.replacen(line, "x-no-host: localhost", 1),
        text.replacen("/mcp ", "http://evil.example/mcp ", 1),
        text.replacen("/mcp ", "http://localhost:1@evil.example/mcp ", 1),
    ] {
        let status = send_raw(address, replaced.as_bytes()).status;
        assert!(matches!(status, 400 | 403), "{status}: {replaced}");
    }
    assert_eq!(send_raw(address, text.as_bytes()).status, 200);
}

fn get(path: &str) -> Request {
    let mut request = Request::post("");
    request.method = "GET".to_owned();
    path.clone_into(&mut request.path);
    request
}

#[test]
fn metrics_are_behind_the_same_checks_as_the_endpoint() {
    let (_process, address) = started("none");
    let metrics = || get("/metrics");
    assert_eq!(send(address, &metrics()).status, 200);
    for (name, value) in [
        ("host", "evil.example"),
        ("host", "127.0.0.1:80@evil.example"),
        ("origin", "https://evil.example"),
        ("x-forwarded-for", "203.0.113.7"),
        ("via", "1.1 front"),
    ] {
        let response = send(address, &metrics().header(name, value));
        assert_eq!(response.status, 403, "{name}: {value}");
        assert!(!response.text().contains("mcpfn_calls_total"));
    }

    let (_process, address) = started("api-key");
    for (key, status) in [
        (None, 401),
        (Some("wrong"), 401),
        (Some(KEY), 403),
        (Some(READER), 200),
    ] {
        let request = match key {
            Some(key) => metrics().header("x-api-key", key),
            None => metrics(),
        };
        let response = send(address, &request);
        assert_eq!(response.status, status, "{key:?}");
        assert_eq!(response.text().contains("mcpfn_calls_total"), status == 200);
        if status == 403 {
            assert!(response.error().1.contains("metrics:read"));
        }
        // probes have no key, and learn nothing but a name
        assert_eq!(send(address, &get("/health")).status, 200);
    }
}
