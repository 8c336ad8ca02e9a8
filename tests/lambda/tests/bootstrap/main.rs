//! The program that is deployed, started with the environment that the template makes of a person's
//! parameters: each toolkit, each method of authentication. `cargo xtask sam` builds it, and says
//! in `MCPFN_TEST_BOOTSTRAP` where it is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mcpfn_lambda_emulator::template::Template;
use mcpfn_lambda_emulator::{Bootstrap, Environment, Invocation, Reply};
use serde_json::{Value, json};

const CALLER: &str = "arn:aws:iam::123456789012:user/alice";
const OPEN: (&str, &str) = ("AuthType", "NONE");
const ENTRY: &str = "me:0000000000000000000000000000000000000000000000000000000000000000:*";
const URL: (&str, &str) = ("PublicUrl", "https://mcp.example/mcp");

/// Toolkits, the parameters that they need, and a tool that each then lists.
const TOOLKITS: &[(&str, &[(&str, &str)], &str)] = &[
    ("hello", &[], "hello_world"),
    ("catalog", &[], "search_products"),
    (
        "database",
        &[("DatabaseTables", "products,orders(id,status)")],
        "query_table",
    ),
    ("crm", &[], "search_customers"),
    ("inventory", &[], "get_stock_levels"),
    ("sql", &[], "query_database"),
    (
        "weather",
        &[("WeatherApiKey", "ssm:/mcpfn/weather")],
        "get_weather",
    ),
    ("company", &[("CompanyApiKey", "key")], "lookup_company"),
    ("fetch", &[("FetchHosts", "wiki.example:8080")], "fetch_url"),
    (
        "web",
        &[("SearchApiKey", "key"), ("SearchApi", "serper")],
        "search",
    ),
    ("github", &[("GithubToken", "token")], "list_pull_requests"),
    (
        "upstream",
        &[("Upstreams", "crm=https://127.0.0.1:1/mcp")],
        "",
    ),
    (
        "files",
        &[
            ("FilesBucket", "bucket"),
            ("FilesPrefix", "team"),
            ("FilesWritable", "on"),
        ],
        "write_file",
    ),
];

const METHODS: &[&[(&str, &str)]] = &[
    &[],
    &[("IamScopes", "arn:aws:iam::123456789012:user/*=*")],
    &[OPEN, ("Auth", "none")],
    &[OPEN, ("Auth", "api-key"), ("ApiKeys", ENTRY)],
    &[
        OPEN,
        ("Auth", "api-key"),
        ("ApiKeysSource", "ssm:/mcpfn/keys"),
    ],
    &[
        OPEN,
        ("Auth", "oauth"),
        ("Issuer", "https://issuer.example"),
        URL,
    ],
    &[
        OPEN,
        ("Auth", "oauth,api-key"),
        ("Issuer", "https://issuer.example"),
        URL,
        ("ApiKeys", ENTRY),
        ("KeysMaxAgeSeconds", "60"),
    ],
    &[
        ("Auth", "api-key"),
        ("ApiKeys", ENTRY),
        ("CloudFront", "yes"),
    ],
    &[
        ("StateKeyRotation", "1"),
        ("Metrics", "emf"),
        ("LogArguments", "redacted"),
        ("MaxBodyBytes", "1000000"),
        ("MaxValues", "1000"),
        ("BasePath", "/tools"),
        ("DeadlineMarginMs", "100"),
        ("DynamodbTimeoutMs", "100"),
        ("RateLimit", "5/10s"),
        ("RateLimitOnError", "deny"),
        ("AllowedOrigins", "https://app.example"),
    ],
];

fn bootstrap() -> PathBuf {
    std::env::var_os("MCPFN_TEST_BOOTSTRAP")
        .expect("`cargo xtask sam` runs this test, and sets MCPFN_TEST_BOOTSTRAP")
        .into()
}

fn environment(parameters: &[(&str, &str)]) -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let template = Template::read(&root.join("template.yaml")).unwrap();
    let stack = template.deploy(parameters);
    let mut variables = stack
        .unwrap_or_else(|why| panic!("{why:?}"))
        .environment("Function");
    // each reference stands for a secret of 42 letters
    let key = variables.get_mut("MCPFN_STATE_KEY").unwrap();
    let parts = key
        .split(',')
        .map(|part| format!("{}{}", "aB3xY9".repeat(7), &part[part.len() - 2..]));
    *key = parts.collect::<Vec<_>>().join(",");
    let name = format!("mcpfn-bootstrap-{}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    variables.insert(
        "MCPFN_DATA_DIR".to_owned(),
        folder.to_string_lossy().into_owned(),
    );
    // what Lambda sets; nothing that is asked here answers
    for (name, value) in [
        ("AWS_ACCESS_KEY_ID", "AKIA"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
    ] {
        variables.insert(name.to_owned(), value.to_owned());
    }
    variables
}

async fn started(parameters: &[(&str, &str)]) -> Environment {
    let variables = environment(parameters);
    let pairs: Vec<_> = variables
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let function = Environment::start(&Bootstrap::new(bootstrap(), &pairs))
        .await
        .unwrap();
    if let Err(failure) = function.ready().await {
        panic!(
            "{parameters:?}: {failure:?} {:?} {:?}",
            function.init_error(),
            function.log()
        );
    }
    function
}

async fn listed(function: &Environment) -> Reply {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "0"},
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let message =
        json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": meta}});
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/lambda/url-iam-user.json");
    let fixture: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut event = fixture["event"].clone();
    event["body"] = json!(message.to_string());
    event["isBase64Encoded"] = json!(false);
    event["headers"]["mcp-protocol-version"] = json!("2026-07-28");
    event["headers"]["mcp-method"] = json!("tools/list");
    assert_eq!(
        event["requestContext"]["authorizer"]["iam"]["userArn"],
        CALLER
    );
    function.invoke(Invocation::new(event)).await.unwrap()
}

#[tokio::test]
async fn every_toolkit_starts_with_what_the_template_sets() {
    for (toolkit, needs, tool) in TOOLKITS {
        let mut parameters = vec![("Toolkits", *toolkit), ("DefaultScopes", "*")];
        parameters.extend_from_slice(needs);
        let function = started(&parameters).await;
        let reply = listed(&function).await;
        assert_eq!(reply.head.status, 200, "{toolkit}: {:?}", function.log());
        let tools = reply.json()["result"]["tools"].clone();
        let found = tools
            .as_array()
            .unwrap()
            .iter()
            .any(|listed| listed["name"] == *tool);
        assert!(found || tool.is_empty(), "{toolkit}: {tools}");
    }
}

#[tokio::test]
async fn every_method_starts_with_what_the_template_sets() {
    for parameters in METHODS {
        let function = started(parameters).await;
        let warned = function
            .log()
            .iter()
            .any(|line| line.contains("\"event\":\"open_server\""));
        let open = parameters.contains(&("Auth", "none"));
        assert_eq!(warned, open, "{parameters:?}: {:?}", function.log());
    }
}
