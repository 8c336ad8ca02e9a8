//! What the registry and directories of MCP servers read of a domain, through the hosts of this
//! machine and of Lambda. (In workerd: `auth::the_proof_for_the_registry`.)

use crate::support::lambda::{Front, Lambda};
use crate::support::process::{Process, command, run};
use crate::support::socket::send;
use crate::support::{Host, Request, Response};

const PROOF: &str = "v=MCPv1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
const KEY: &str = "robot:b2cfb5518f033861ee2dd12be0f7c0b95c23d0b8d1f4c32c8a788f77bc8a52be";
const VARIABLES: [(&str, &str); 3] = [
    ("MCPFN_AUTH", "api-key"),
    ("MCPFN_API_KEYS", KEY),
    ("MCPFN_REGISTRY_AUTH", PROOF),
];

/// As the registry asks.
fn proof(path: &str) -> Request {
    let mut request = Request::post("");
    request.method = "GET".to_owned();
    path.clone_into(&mut request.path);
    request.headers = [("accept", "text/plain"), ("user-agent", "mcp-registry/1.0")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
    request
}

fn is_proof(response: &Response) {
    assert_eq!(response.status, 200, "{}", response.text());
    assert_eq!(response.header("content-type"), Some("text/plain"));
    assert_eq!(response.text(), PROOF);
}

#[test]
fn every_host_shows_the_proof_to_everybody() {
    let path = "/.well-known/mcp-registry-auth";
    let (_process, address) = Process::http_with(&VARIABLES);
    is_proof(&send(address, &proof(path)));
    assert_eq!(send(address, &proof("/mcp")).status, 401);
    for front in [
        Front::Url,
        Front::UrlStreaming,
        Front::Rest,
        Front::RestStreaming,
    ] {
        let lambda = Lambda::start_with(mcpfn_it::everything, front, &VARIABLES);
        is_proof(&lambda.send(&proof(path)));
    }
    let (_process, address) = Process::http_with(&[]);
    assert_eq!(send(address, &proof(path)).status, 404);
}

#[test]
fn what_is_no_proof_is_a_mistake_that_is_not_repeated() {
    let (code, _, said) = run(command(&["--port", "0"]).env("MCPFN_REGISTRY_AUTH", "hunter2"));
    assert_eq!(code, Some(1));
    assert!(
        said.contains("MCPFN_REGISTRY_AUTH must be `v=MCPv1") && !said.contains("hunter2"),
        "{said}"
    );
}

#[test]
fn every_host_shows_the_card_to_everybody_once_there_is_one() {
    let card = (
        "MCPFN_SERVER_CARD",
        "com.example/shop=https://mcp.example.com/mcp",
    );
    let variables = [VARIABLES[0], VARIABLES[1], card];
    let is_card = |response: &Response, text: &str| {
        assert_eq!(response.status, 200, "{}", response.text());
        assert_eq!(response.header("access-control-allow-origin"), Some("*"));
        assert!(response.text().contains(text), "{}", response.text());
    };
    let (path, catalog) = ("/mcp/server-card", "/.well-known/mcp/catalog.json");
    let (_process, address) = Process::http_with(&variables);
    is_card(&send(address, &proof(path)), r#""name":"com.example/shop""#);
    is_card(&send(address, &proof(catalog)), "urn:air:example.com:shop");
    assert_eq!(send(address, &proof("/mcp")).status, 401);
    for front in [
        Front::Url,
        Front::UrlStreaming,
        Front::Rest,
        Front::RestStreaming,
    ] {
        let lambda = Lambda::start_with(mcpfn_it::everything, front, &variables);
        is_card(&lambda.send(&proof(path)), r#""name":"com.example/shop""#);
        is_card(&lambda.send(&proof(catalog)), "urn:air:example.com:shop");
    }
    let (_process, address) = Process::http_with(&[]);
    assert_eq!(send(address, &proof(path)).status, 404);
    assert_eq!(send(address, &proof(catalog)).status, 404);
}
