//! The program that is deployed, started with the environment that the template makes of a person's
//! parameters: each toolkit, each method of authentication. `cargo xtask sam` builds it, and says
//! in `MCPFN_TEST_BOOTSTRAP` where it is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use mcpfn_lambda_emulator::template::Template;
use mcpfn_lambda_emulator::{Bootstrap, Environment, Invocation, Reply};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

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
    ("workflow", &[], "run_workflow"),
    ("sql", &[], "query_database"),
    (
        "sql",
        &[
            ("Database", "ssm:/mcpfn/database"),
            (
                "DatabaseReadonlyUrl",
                "secretsmanager:arn:aws:secretsmanager:eu-west-1:123456789012:secret:reader-AbCdEf#url",
            ),
            ("DatabaseFunctions", "public.audit"),
        ],
        "query_database",
    ),
    ("sql", POSTGRES, "query_database"),
    ("knowledge", ELSEWHERE, "semantic_search"),
    ("knowledge", POSTGRES, "semantic_search"),
    ("contracts", ELSEWHERE, "search_documents"),
    ("contracts", POSTGRES, "search_documents"),
    (
        "knowledge",
        &[
            ("Database", "ssm:/mcpfn/database"),
            ("EmbeddingsUrl", "https://embeddings.example/v1"),
            ("EmbeddingsModel", "model"),
            ("EmbeddingsApiKey", "ssm:/mcpfn/embeddings"),
        ],
        "semantic_search",
    ),
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
        "upstream",
        &[
            ("Upstreams", "crm=https://127.0.0.1:1/mcp"),
            (
                "UpstreamTokens",
                "secretsmanager:arn:aws:secretsmanager:eu-west-1:123456789012:secret:tokens-AbCdEf",
            ),
            ("UpstreamScopes", "crm=crm:use"),
        ],
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

/// A database that is found on the first call.
const ELSEWHERE: &[(&str, &str)] = &[("Database", "ssm:/mcpfn/database")];
/// One that is looked for at the start; [`postgres`] plays it.
const POSTGRES: &[(&str, &str)] = &[
    ("Database", "postgres://u:p@127.0.0.1:PORT/d"),
    ("DatabaseReadonlyUrl", "postgres://r:p@127.0.0.1:PORT/d"),
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
        OPEN,
        ("Auth", "oauth"),
        ("Issuer", "https://issuer.example"),
        URL,
        ("IntrospectionUrl", "https://issuer.example/introspect"),
        ("IntrospectionClientId", "mcpfn"),
        ("IntrospectionClientSecret", "ssm:/mcpfn/introspection"),
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

/// A PostgreSQL server that lets everyone in and has one answer to every question: a role that may
/// read and nothing else. Enough for a start; what toolkits do in one is tested on real ones.
async fn postgres() -> std::io::Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(converse(client));
        }
    });
    Ok(port)
}

async fn converse(mut client: TcpStream) -> std::io::Result<()> {
    let length = client.read_u32().await? as usize;
    client.read_exact(&mut vec![0; length - 4]).await?;
    // logged in, the key of a cancellation, ready
    let greeting = [
        b"R\0\0\0\x08\0\0\0\0".as_slice(),
        b"K\0\0\0\x0c\0\0\0\x01\0\0\0\x02",
        b"Z\0\0\0\x05I",
    ];
    client.write_all(&greeting.concat()).await?;
    loop {
        let kind = client.read_u8().await?;
        let length = client.read_u32().await? as usize;
        client.read_exact(&mut vec![0; length - 4]).await?;
        let answer: &[u8] = match kind {
            b'Q' => b"C\0\0\0\x08SET\0Z\0\0\0\x05I",
            b'P' => b"1\0\0\0\x04",
            b'B' => b"2\0\0\0\x04",
            // no columns
            b'D' => b"t\0\0\0\x06\0\0n\0\0\0\x04",
            b'E' => b"C\0\0\0\x0dSELECT 0\0",
            b'C' => b"3\0\0\0\x04",
            b'S' => b"Z\0\0\0\x05I",
            b'X' => return Ok(()),
            _ => b"",
        };
        client.write_all(answer).await?;
    }
}

/// Every toolkit that the template lets a person choose is started below.
#[test]
fn every_toolkit_of_the_template_is_tried() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let template = Template::read(&root.join("template.yaml")).unwrap();
    let known = &template.document()["Rules"]["KnownToolkits"]["Assertions"][0]["Assert"];
    let known: BTreeSet<&str> = known["Fn::EachMemberIn"][1]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    let tried: BTreeSet<&str> = TOOLKITS.iter().map(|(name, ..)| *name).collect();
    assert_eq!(tried, known);
}

#[tokio::test]
async fn every_toolkit_starts_with_what_the_template_sets() {
    let port = postgres().await.unwrap().to_string();
    for (toolkit, needs, tool) in TOOLKITS {
        let needs: Vec<_> = needs
            .iter()
            .map(|(name, value)| (*name, value.replace("PORT", &port)))
            .collect();
        let mut parameters = vec![("Toolkits", *toolkit), ("DefaultScopes", "*")];
        parameters.extend(needs.iter().map(|(name, value)| (*name, value.as_str())));
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
