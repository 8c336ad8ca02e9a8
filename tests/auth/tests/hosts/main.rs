//! What HTTP says to clients about who they are: the same table through the service in this
//! process, the local host as a process, and a Lambda bootstrap. And that nobody sees what was kept
//! for somebody else.
//!
//! `cargo test -p mcpfn-auth-tests --test hosts local -- --nocapture` prints the table as the local
//! server answers it.

mod cases;
mod host;

use http::Method;
use mcpfn_auth::hash_key;
use mcpfn_auth_tests::Mood;
use serde_json::{Value, json};

use cases::{Case, Expected, SERVER, World, bearer};
use host::{Host, RpcResponse};

async fn call(host: &Host, proof: &[(&'static str, String)], tool: &str) -> RpcResponse {
    let mut headers = vec![
        ("content-type", "application/json".to_owned()),
        ("mcp-protocol-version", "2025-06-18".to_owned()),
    ];
    headers.extend_from_slice(proof);
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": {}}});
    host.send(Method::POST, "/mcp", &headers, &message).await
}

fn text(answer: &RpcResponse) -> &str {
    answer.body["result"]["content"][0]["text"]
        .as_str()
        .unwrap_or_else(|| panic!("no text in {answer:?}"))
}

/// Every case, against what is expected; gives the rows as they were answered. No part of a proof
/// may be in what anybody is told.
async fn table(world: &World, host: &Host) -> Vec<String> {
    let mut rows = vec![
        "| input | tool | status | `WWW-Authenticate` | body |".to_owned(),
        "|---|---|---|---|---|".to_owned(),
    ];
    let mut secrets = Vec::new();
    ask(host, world.well(host.now()), &mut rows, &mut secrets).await;
    world.rotate();
    host.pass(61);
    ask(host, world.rotated(host.now()), &mut rows, &mut secrets).await;
    world.issuer.is(Mood::Gone);
    host.pass(61);
    ask(host, world.down(host.now()), &mut rows, &mut secrets).await;
    let told = [rows.join("\n"), host.log()].concat();
    for secret in &secrets {
        assert!(!told.contains(secret), "{}: `{secret}` was told", host.name);
    }
    rows
}

async fn ask(host: &Host, cases: Vec<Case>, rows: &mut Vec<String>, secrets: &mut Vec<String>) {
    for Case {
        input,
        headers,
        tool,
        expected,
        joined,
    } in cases
    {
        let answer = call(host, &headers, tool).await;
        let what = format!("{}: {input}: {answer:?}", host.name);
        assert_eq!(answer.status, expected.status(), "{what}");
        assert_eq!(
            answer.header("www-authenticate").map(str::to_owned),
            expected.challenge(),
            "{what}"
        );
        match (
            &expected,
            expected.body(joined.filter(|_| host.joins_headers())),
        ) {
            (Expected::Says(said), _) => assert_eq!(text(&answer), said, "{what}"),
            (_, body) => assert_eq!(Some(&answer.body), body.as_ref(), "{what}"),
        }
        // the sentence and the header say the same
        let said = answer.body.to_string();
        let said = said
            .split_once("; retry in ")
            .and_then(|(_, rest)| rest.split_once(" s"));
        assert_eq!(
            answer.header("retry-after"),
            said.map(|(seconds, _)| seconds),
            "{what}"
        );
        assert_eq!(
            answer.header("retry-after").is_some(),
            matches!(expected, Expected::Unavailable(_)),
            "{what}"
        );
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{what}");
        let parts = headers
            .iter()
            .flat_map(|(_, value)| value.split(['.', ' ']));
        secrets.extend(parts.filter(|part| part.len() > 8).map(str::to_owned));
        let shown = answer
            .header("www-authenticate")
            .map(|header| format!("`{header}`"));
        let body = if answer.status == 200 {
            text(&answer).to_owned()
        } else {
            answer.body.to_string()
        };
        let (shown, status) = (shown.as_deref().unwrap_or("-"), answer.status);
        rows.push(format!(
            "| {input} | {tool} | {status} | {shown} | `{body}` |"
        ));
    }
}

#[tokio::test]
async fn in_process() {
    let world = World::new().await;
    table(&world, &Host::in_process(&world.settings())).await;
}

#[tokio::test]
async fn local() {
    let world = World::new().await;
    let rows = table(&world, &Host::local(&world.settings()).await).await;
    println!("\n{}\n", rows.join("\n"));
}

#[tokio::test]
async fn lambda() {
    let world = World::new().await;
    table(&world, &Host::lambda(&world.settings()).await).await;
}

/// The hosts that keep results.
async fn processes(world: &World) -> [Host; 2] {
    [
        Host::local(&world.settings()).await,
        Host::lambda(&world.settings()).await,
    ]
}

#[tokio::test]
async fn the_metadata_document_tells_where_tokens_come_from() {
    let world = World::new().await;
    for host in processes(&world).await {
        let answer = host
            .send(
                Method::GET,
                "/.well-known/oauth-protected-resource/mcp",
                &[],
                &Value::Null,
            )
            .await;
        assert_eq!(
            (answer.status, answer.header("access-control-allow-origin")),
            (200, Some("*")),
            "{}",
            host.name
        );
        let expected = json!({
            "resource": SERVER,
            "authorization_servers": world.issuers(),
            "bearer_methods_supported": ["header"],
            "scopes_supported": ["crm:read"],
            "resource_name": "guarded",
        });
        assert_eq!(answer.body, expected, "{}", host.name);
    }
}

#[tokio::test]
async fn keys_in_a_file_change_while_the_server_runs() {
    let file = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("keys-{}", std::process::id()));
    let list = |names: &[&str]| {
        let entries: Vec<String> = names
            .iter()
            .map(|name| format!("{name}:{}", hash_key(&format!("{name}-key"))))
            .collect();
        std::fs::write(&file, entries.join("\n")).expect("the folder of tests can be written to");
    };
    list(&["alice"]);
    let source = format!("file:{}", file.display());
    let host = Host::local(&vec![
        ("MCPFN_AUTH", "api-key".to_owned()),
        ("MCPFN_API_KEYS_SOURCE", source),
    ])
    .await;
    let status = async |name: &str| {
        call(&host, &[("x-api-key", format!("{name}-key"))], "whoami")
            .await
            .status
    };
    assert_eq!((status("alice").await, status("bob").await), (200, 401));
    list(&["alice", "bob"]);
    host.pass(61);
    assert_eq!(
        (status("bob").await, status("alice").await),
        (200, 200),
        "an unknown key is looked for in the file"
    );
    list(&["bob"]);
    host.pass(121);
    assert_eq!(
        (status("bob").await, status("alice").await),
        (200, 401),
        "a key that was taken away"
    );
    std::fs::remove_file(&file).expect("it was written");
    host.pass(121);
    assert_eq!(
        (status("bob").await, status("alice").await),
        (200, 401),
        "without the file the last list serves"
    );
}

#[tokio::test]
async fn two_principals_never_see_each_others_kept_results() {
    let world = World::new().await;
    for host in processes(&world).await {
        let proofs =
            ["alice", "bob"].map(|subject| bearer(&world.token(host.now(), subject, "crm:read")));
        let robot = vec![("x-api-key", "robot-key".to_owned())];
        // at the same time at first: equal calls of one caller may share a result, those of two may
        // not
        let first = tokio::join!(
            call(&host, &proofs[0], "kept"),
            call(&host, &proofs[1], "kept"),
            call(&host, &robot, "kept")
        );
        let first = [first.0, first.1, first.2].map(|answer| text(&answer).to_owned());
        let subjects = [
            format!("alice@{}", world.issuer.id),
            format!("bob@{}", world.issuer.id),
            "robot".to_owned(),
        ];
        for (said, subject) in first.iter().zip(&subjects) {
            assert!(
                said.ends_with(&format!(" for {subject}")),
                "{}: {said}",
                host.name
            );
        }
        for _ in 0..3 {
            for (proof, kept) in [&proofs[0], &proofs[1], &robot].into_iter().zip(&first) {
                assert_eq!(
                    text(&call(&host, proof, "kept").await),
                    kept,
                    "{}: it is kept, and the caller's own",
                    host.name
                );
            }
        }
        // the same subject with other scopes has other lists and, as far as anybody can tell, other
        // results
        let narrow = bearer(&world.token(host.now(), "alice", "mail"));
        assert!(
            text(&call(&host, &narrow, "kept").await).ends_with(&format!(" for {}", subjects[0])),
            "{}",
            host.name
        );
    }
}

#[tokio::test]
async fn two_principals_never_see_each_others_lists() {
    let world = World::new().await;
    for host in processes(&world).await {
        for _ in 0..2 {
            for (scope, tools) in [
                ("crm:read", &["whoami", "accounts", "kept"][..]),
                ("", &["whoami", "kept"]),
                ("crm mail", &["whoami", "accounts", "notify", "kept"]),
                ("mail:send", &["whoami", "kept"]),
            ] {
                let (names, cache_scope) =
                    list(&host, &bearer(&world.token(host.now(), "alice", scope))).await;
                assert_eq!(
                    (&names[..], &*cache_scope),
                    (
                        &tools.iter().map(ToString::to_string).collect::<Vec<_>>()[..],
                        "private"
                    ),
                    "{scope}"
                );
            }
        }
    }
}

/// The names of the listed tools, and who may keep the list.
async fn list(host: &Host, proof: &[(&'static str, String)]) -> (Vec<String>, String) {
    let mut headers = vec![
        ("mcp-protocol-version", "2026-07-28".to_owned()),
        ("mcp-method", "tools/list".to_owned()),
    ];
    headers.extend_from_slice(proof);
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}});
    let message =
        json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": meta}});
    let answer = host.send(Method::POST, "/mcp", &headers, &message).await;
    let tools = answer.body["result"]["tools"]
        .as_array()
        .unwrap_or_else(|| panic!("no list in {answer:?}"));
    let name = |tool: &Value| tool["name"].as_str().unwrap_or_default().to_owned();
    (
        tools.iter().map(name).collect(),
        answer.body["result"]["cacheScope"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
    )
}
