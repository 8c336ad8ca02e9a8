//! Keys that change in SSM Parameter Store and in Secrets Manager while a function runs.
//! `cargo xtask lambda` plays both, and says in `MCPFN_TEST_AWS` where.

#[path = "../hosts/host.rs"]
#[expect(dead_code, reason = "another test asks it for more")]
mod host;

use http::Method;
use mcpfn_auth::hash_key;
use mcpfn_core::port::{HttpClient as _, HttpRequest};
use mcpfn_native::Client;
use serde_json::{Value, json};

use host::Host;

const REGION: &str = "eu-west-1";

fn aws() -> String {
    std::env::var("MCPFN_TEST_AWS")
        .expect("`cargo xtask lambda` runs this test, and sets MCPFN_TEST_AWS")
}

/// Where a list of keys is, and the questions that change it.
#[derive(Clone, Copy)]
struct Store {
    service: &'static str,
    target: &'static str,
    make: fn(&str, &str) -> (&'static str, Value),
    change: fn(&str, &str) -> (&'static str, Value),
    delete: fn(&str) -> (&'static str, Value),
}

const STORES: [Store; 2] = [
    Store {
        service: "ssm",
        target: "AmazonSSM",
        make: |name, text| {
            (
                "PutParameter",
                json!({"Name": name, "Value": text, "Type": "SecureString"}),
            )
        },
        change: |name, text| {
            (
                "PutParameter",
                json!({"Name": name, "Value": text, "Type": "SecureString", "Overwrite": true}),
            )
        },
        delete: |name| ("DeleteParameter", json!({"Name": name})),
    },
    Store {
        service: "secretsmanager",
        target: "secretsmanager",
        make: |name, text| ("CreateSecret", json!({"Name": name, "SecretString": text})),
        change: |name, text| {
            (
                "PutSecretValue",
                json!({"SecretId": name, "SecretString": text}),
            )
        },
        delete: |name| {
            (
                "DeleteSecret",
                json!({"SecretId": name, "ForceDeleteWithoutRecovery": true}),
            )
        },
    },
];

impl Store {
    async fn ask(self, (operation, question): (&str, Value)) {
        let scope = format!(
            "Credential=AKIA/20260101/{REGION}/{}/aws4_request, SignedHeaders=host, Signature=0",
            self.service
        );
        let request = HttpRequest::post(aws(), "application/x-amz-json-1.1", question.to_string());
        let request = request.header("x-amz-target", format!("{}.{operation}", self.target));
        let answer = Client::new()
            .send(request.header("authorization", format!("AWS4-HMAC-SHA256 {scope}")))
            .await
            .unwrap();
        assert!(
            answer.is_success(),
            "{operation}: {}",
            String::from_utf8_lossy(&answer.body)
        );
    }
}

fn list(names: &[&str]) -> String {
    let entries: Vec<String> = names
        .iter()
        .map(|name| format!("{name}:{}", hash_key(&format!("{name}-key"))))
        .collect();
    entries.join(";")
}

async fn function(source: &str, endpoint: String) -> Host {
    let settings = vec![
        ("MCPFN_AUTH", "api-key".to_owned()),
        ("MCPFN_API_KEYS_SOURCE", source.to_owned()),
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_REGION", REGION.to_owned()),
        ("AWS_ACCESS_KEY_ID", "AKIA".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "hunter2".to_owned()),
    ];
    Host::lambda(&settings).await
}

async fn status(host: &Host, name: &str) -> u16 {
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("mcp-protocol-version", "2025-06-18".to_owned()),
        ("x-api-key", format!("{name}-key")),
    ];
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "whoami", "arguments": {}}});
    host.send(Method::POST, "/mcp", &headers, &message)
        .await
        .status
}

#[tokio::test]
async fn keys_change_in_the_store_while_the_function_runs() {
    for store in STORES {
        let name = "/mcpfn/rotation";
        store.ask((store.make)(name, &list(&["alice"]))).await;
        let host = function(&format!("{}:{name}", store.service), aws()).await;
        assert_eq!(
            (status(&host, "alice").await, status(&host, "bob").await),
            (200, 401),
            "{}",
            store.service
        );
        store
            .ask((store.change)(name, &list(&["alice", "bob"])))
            .await;
        host.pass(61);
        assert_eq!(
            status(&host, "bob").await,
            200,
            "{}: a key that was added",
            store.service
        );
        store.ask((store.change)(name, &list(&["bob"]))).await;
        host.pass(61);
        // this call goes on with the old list, and behind it the new one is read
        assert_eq!(
            (status(&host, "bob").await, status(&host, "alice").await),
            (200, 401),
            "{}: a key taken away",
            store.service
        );
        store.ask((store.delete)(name)).await;
        for _ in 0..3 {
            host.pass(121);
            assert_eq!(
                (status(&host, "bob").await, status(&host, "alice").await),
                (200, 401),
                "{}: the last list",
                store.service
            );
        }
        let log = host.log();
        assert!(log.contains("does not exist in eu-west-1"), "{log}");
        assert!(!log.contains("hunter2") && !log.contains("-key"), "{log}");
    }
}

#[tokio::test]
async fn without_a_list_nobody_is_let_in_and_the_log_says_why() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    for (source, endpoint, told) in [
        (
            "ssm:/mcpfn/typo",
            aws(),
            "the parameter `/mcpfn/typo` does not exist in eu-west-1: make it, or correct \
             MCPFN_API_KEYS_SOURCE",
        ),
        (
            "secretsmanager:typo",
            aws(),
            "the secret `typo` does not exist in eu-west-1",
        ),
        (
            "ssm:/mcpfn/keys",
            format!("http://{nobody}"),
            "the parameter `/mcpfn/keys` can't be read: unreachable",
        ),
    ] {
        let host = function(source, endpoint).await;
        assert_eq!(status(&host, "alice").await, 503, "{source}");
        let log = host.log();
        assert!(log.contains(told), "{log}");
    }
}

#[tokio::test]
async fn an_entry_with_a_mistake_is_left_out_alone_and_named() {
    let store = STORES[0];
    store
        .ask((store.make)(
            "/mcpfn/broken",
            &format!("alice:alice-key;bob:{}", hash_key("bob-key")),
        ))
        .await;
    let host = function("ssm:/mcpfn/broken", aws()).await;
    assert_eq!(status(&host, "alice").await, 401);
    assert_eq!(status(&host, "bob").await, 200);
    let log = host.log();
    assert!(
        log.contains("entry 1 needs the SHA-256") && !log.contains("alice-key"),
        "{log}"
    );
}
