//! Every example is run: its server through the client of `mcpfn::testing`, one of them through the
//! local host and over HTTP. What the product does is tested elsewhere.

#![allow(
    dead_code,
    reason = "each example is a program, and has a `main` that no test calls"
)]

#[path = "../axum.rs"]
mod axum;
#[path = "../computing.rs"]
mod computing;
#[path = "../database.rs"]
mod database;
#[path = "../elicitation.rs"]
mod elicitation;
#[path = "../events.rs"]
mod events;
#[path = "../hello.rs"]
mod hello;
#[path = "../idempotent_write.rs"]
mod idempotent_write;
#[path = "../lambda_http.rs"]
mod lambda_http;
#[path = "../long_work.rs"]
mod long_work;
#[path = "../oauth.rs"]
mod oauth;
#[path = "../own_port.rs"]
mod own_port;
#[path = "../pages_and_skills.rs"]
mod pages_and_skills;
#[path = "../policies.rs"]
mod policies;
#[path = "../progress.rs"]
mod progress;
#[path = "../prompts.rs"]
mod prompts;
#[path = "../resources.rs"]
mod resources;
#[path = "../secret.rs"]
mod secret;
#[path = "../sensor.rs"]
mod sensor;
#[path = "../structured.rs"]
mod structured;
#[path = "../upstream.rs"]
mod upstream;
#[path = "../without_macros.rs"]
mod without_macros;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mcpfn::policy::WebhookSettings;
use mcpfn::port::{PlatformEvents, Sql};
use mcpfn::testing::{Answer, CompletionTarget, TestClient, TestClock, TestHttp, block_on};
use mcpfn::{
    Principal, PrincipalKind, Scopes, Variables,
    handler::BoxFuture,
    port::{CacheStatus, HttpClient, HttpRequest, StoreError},
    round_trip::Keyring,
};
use mcpfn_http::{Config, Service};
use mcpfn_lambda_emulator::{Bootstrap, Environment, Invocation};
use mcpfn_native::Client;
use serde_json::{Value, json};
use tokio::sync::oneshot;

#[test]
fn hello_greets() {
    let client = TestClient::new(hello::server());
    let result = client.call("hello", json!({"name": "Ada"})).wait().unwrap();
    assert_eq!(result.text(), "Hello, Ada!");
    // a mistake of the model's is a result that says what to correct
    let wrong = client.call("hello", json!({"nmae": "Ada"})).wait().unwrap();
    assert!(
        wrong.is_error() && wrong.text().contains("did you mean `name`?"),
        "{}",
        wrong.text()
    );
}

#[test]
fn structured_results_have_fields() {
    let client = TestClient::new(structured::server());
    let ask = |arguments: Value| client.call("convert", arguments).wait().unwrap();
    let warm = ask(json!({"amount": 20, "from": "celsius", "to": "fahrenheit"}));
    assert_eq!(
        warm.structured::<Value>(),
        json!({"amount": 68.0, "freezing": false})
    );
    let cold = ask(json!({"amount": 32, "from": "fahrenheit"}));
    assert_eq!(
        cold.structured::<Value>(),
        json!({"amount": 273.15, "freezing": true})
    );
    let impossible = ask(json!({"amount": -300, "from": "celsius"}));
    assert!(impossible.is_error() && impossible.text().contains("give a higher `amount`"));
    let unbounded = ask(json!({"amount": -1e9, "from": "celsius"}));
    assert!(
        unbounded.is_error() && unbounded.text().contains("/amount"),
        "{}",
        unbounded.text()
    );
}

#[test]
fn the_database_is_asked() {
    let database = block_on(database::database()).unwrap();
    let client = TestClient::new(database::server()).with_port::<dyn Sql>(Arc::new(database));
    let books = client
        .call("find_books", json!({"title": "SEA"}))
        .wait()
        .unwrap();
    let books: Value = books.structured();
    assert_eq!(
        books["result"][0],
        json!({"title": "The Sea-Wolf", "year": 1904})
    );
    assert_eq!(books["result"].as_array().unwrap().len(), 2);
    let none = client
        .call("find_books", json!({"title": "' OR '1'='1"}))
        .wait()
        .unwrap();
    assert_eq!(none.structured::<Value>(), json!({"result": []}));
}

#[test]
fn a_page_and_a_skill_come_from_files() {
    let client = TestClient::new(pages_and_skills::server());
    let orders = client.call("list_orders", json!({})).wait().unwrap();
    assert_eq!(orders.structured::<Value>()["orders"][1]["id"], "A-2");
    let page = client.read("ui://shop/orders").wait().unwrap();
    assert!(page.text().unwrap().contains("<title>Orders</title>"));
    let listed = client.request("skills/list", json!({})).wait().unwrap();
    assert_eq!(listed["skills"][0]["frontmatter"]["name"], "refunds");
    let skill = client.read("skill://refunds/SKILL.md").wait().unwrap();
    assert!(skill.text().unwrap().contains("`list_orders`"));
}

#[test]
fn resources_are_read_and_completed() {
    let client = TestClient::new(resources::server());
    let index = client.read("note://index").wait().unwrap();
    assert_eq!(index.text(), Some("breakfast\nbread\ngarden"));
    let note = client.read("note://garden").wait().unwrap();
    assert_eq!(note.text(), Some("Water the beans."));
    let missing = client.read("note://attic").wait().unwrap_err();
    assert!(missing.message().contains("note://index"), "{missing}");
    assert_eq!(
        client.list_templates().wait().unwrap()[0].uri,
        "note://{name}"
    );
    let template = CompletionTarget::resource("note://{name}");
    let offered = client.complete(template, "name", "br").wait().unwrap();
    assert_eq!(offered.values, ["breakfast", "bread"]);
}

#[test]
fn prompts_start_a_conversation() {
    let client = TestClient::new(prompts::server());
    let prompt = client.get_prompt("review", json!({"code": "x = 1", "focus": "speed"}));
    let prompt = prompt.wait().unwrap();
    assert_eq!(prompt.messages.len(), 2);
    let asked = "Review this code and say what makes it slow:\n\nx = 1";
    assert_eq!(prompt.messages[0].content, asked.into());
    let offered = client
        .complete(CompletionTarget::prompt("review"), "focus", "s")
        .wait()
        .unwrap();
    assert_eq!(offered.values, ["security", "speed", "style"]);
}

#[test]
fn elicitation_asks_and_goes_on() {
    let server = elicitation::server().build().unwrap();
    let book = |answer: Answer| {
        let client = TestClient::new(server.clone()).answer("guests", answer);
        client
            .call("book_table", json!({"day": "2026-07-28"}))
            .wait()
    };
    let booked = book(Answer::accept(json!({"guests": 3, "outside": true}))).unwrap();
    assert_eq!(booked.text(), "Booked outside for 3 on 2026-07-28.");
    let booked = book(Answer::accept(json!({"guests": 3}))).unwrap();
    assert_eq!(booked.text(), "Booked inside for 3 on 2026-07-28.");
    assert_eq!(
        book(Answer::decline()).unwrap().text(),
        "Nothing was booked."
    );
    // an answer that does not fit is asked for again
    let error = book(Answer::accept(json!({"guests": 13}))).unwrap_err();
    assert_eq!(error.questions()[0].message(), "How many guests?");
}

#[test]
fn long_work_is_a_task_and_fits_a_call_too() {
    let year = json!({"year": 2026});
    let client = TestClient::with_clock(long_work::server(), TestClock::auto());
    let within = client.call("close_year", year.clone()).wait().unwrap();
    assert_eq!(within.text(), "2026 is closed.");
    let client = client.does_tasks();
    let task = client.begin("close_year", year).wait().unwrap();
    client.run_tasks();
    let task = client.task(task.id()).wait().unwrap();
    assert_eq!(task.result().text(), "2026 is closed.");
    assert_eq!(task.message(), Some("12 of 12 months"));
}

#[test]
fn what_a_sensor_says_is_heard_of() {
    let client = TestClient::new(sensor::server().builder);
    let poll = |cursor: &Value| {
        let params = json!({"name": "door.opened", "cursor": cursor});
        client.request("events/poll", params).wait().unwrap()
    };
    let begun = poll(&Value::Null);
    let (server, platform) = (client.server(), client.platform());
    let take = |event: Value| block_on(sensor::Sensor.take(event, server, platform));
    let said = json!({"id": "e-1", "detail": {"door": 7}});
    assert_eq!(take(said).unwrap(), Value::Null);
    assert!(take(json!({"id": "e-2"})).is_err(), "no door");
    let heard = poll(&begun["cursor"]);
    let events = heard["events"].as_array().unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["data"], json!({"door": 7}));
}

#[test]
fn an_order_is_heard_of_by_who_asks_and_who_subscribed() {
    let receiver = TestHttp::new(|_| Ok(TestHttp::json(200, "")));
    let settings = WebhookSettings::default().trusted_hosts(["hooks.example"]);
    let client = TestClient::new(events::server())
        .with_port::<dyn HttpClient>(Arc::new(receiver.clone()))
        .map_platform(|platform| platform.with_webhook_settings(settings));
    let poll = |name: &str, cursor: Value| {
        let params = json!({"name": name, "cursor": cursor});
        client.request("events/poll", params).wait().unwrap()
    };
    let begun = ["order.created", "item.listed"].map(|name| poll(name, Value::Null));
    let delivery = json!({"mode": "webhook", "url": "https://hooks.example/1",
        "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"});
    let params =
        json!({"name": "order.created", "arguments": {"least_cents": 500}, "delivery": delivery});
    client.request("events/subscribe", params).wait().unwrap();
    for item in ["tea", "cakes"] {
        client.call("order", json!({"item": item})).wait().unwrap();
    }
    let heard = poll("order.created", begun[0]["cursor"].clone());
    assert_eq!(
        heard["events"][1]["data"],
        json!({"number": 2, "item": "cakes", "cents": 500})
    );
    let listed = poll("item.listed", begun[1]["cursor"].clone());
    assert_eq!(listed["events"].as_array().unwrap().len(), 2);
    client.run_events();
    let sent = receiver.sent();
    assert_eq!(
        sent.len(),
        1,
        "the other one is cheaper than what was wanted"
    );
    let event: Value = serde_json::from_slice(&sent[0].body).unwrap();
    assert_eq!(event["eventId"], "order-2");
}

#[test]
fn a_repeated_write_happens_once() {
    let client = TestClient::new(idempotent_write::server());
    let order = |key: &str| {
        let request = client.call("order", json!({"item": "tea"}));
        request.idempotency_key(key).wait().unwrap().text()
    };
    assert_eq!(order("a"), "Order number 1.");
    assert_eq!(order("a"), "Order number 1.");
    assert_eq!(order("b"), "Order number 2.");
    let by_argument = || {
        let arguments = json!({"item": "cake", "request_id": "c"});
        client.call("order", arguments).wait().unwrap().text()
    };
    assert_eq!(
        (by_argument(), by_argument()),
        ("Order number 3.".into(), "Order number 3.".into())
    );
}

#[test]
fn primes_are_counted() {
    let client = TestClient::new(computing::server());
    for (limit, count) in [(2, 1), (10, 4), (100, 25), (10_000, 1229)] {
        let counted = client
            .call("count_primes", json!({"limit": limit}))
            .wait()
            .unwrap();
        assert_eq!(
            counted.text(),
            format!("There are {count} primes up to {limit}.")
        );
    }
}

#[test]
fn progress_is_reported_on_the_way() {
    let client = TestClient::with_clock(progress::server(), TestClock::auto());
    let result = client
        .call("count_down", json!({"from": 3}))
        .wait()
        .unwrap();
    assert_eq!(result.text(), "Counted down from 3.");
    let said = client.progress();
    let said: Vec<_> = said
        .iter()
        .filter_map(|said| said.message.as_deref())
        .collect();
    assert_eq!(said, ["2 left", "1 left", "0 left"]);
    assert_eq!(client.logs()[0].data, json!("lift-off"));
    assert_eq!(client.audit().calls()[0].duration_ms, 3000);
}

#[test]
fn policies_stand_before_the_handler() {
    let client = TestClient::new(policies::server());
    let ask = |client: &TestClient| {
        client
            .call("exchange_rate", json!({"currency": "CHF"}))
            .wait()
    };
    let euros: Value = ask(&client).unwrap().structured();
    assert_eq!(euros, json!({"euros": 1.07}));
    assert_eq!(ask(&client).unwrap().structured::<Value>(), euros);
    let third = ask(&client).unwrap_err();
    assert_eq!(third.code(), Some(429));
    client.time().advance(Duration::from_secs(10));
    ask(&client).unwrap();
    let uses: Vec<CacheStatus> = client
        .audit()
        .calls()
        .iter()
        .map(|call| call.cache)
        .collect();
    assert_eq!(uses[..2], [CacheStatus::Miss, CacheStatus::Hit]);

    let stranger = client.clone().scopes("weather");
    assert_eq!(ask(&stranger).unwrap_err().code(), Some(403));
    assert!(stranger.list_tools().wait().unwrap().is_empty());
}

#[test]
fn scopes_of_a_token_decide() {
    let server = oauth::server().build().unwrap();
    let token = |subject: &str, scopes: &str| {
        let principal = Principal::new(PrincipalKind::Jwt, subject);
        TestClient::new(server.clone()).principal(principal.with_scopes(Scopes::parse(scopes)))
    };
    let (alice, bob) = (token("alice", "notes"), token("bob", "notes:read"));
    alice
        .call("remember", json!({"text": "water"}))
        .wait()
        .unwrap();
    let notes = |client: &TestClient| -> Value {
        client
            .call("list_notes", json!({}))
            .wait()
            .unwrap()
            .structured()
    };
    assert_eq!(notes(&alice), json!({"result": ["water"]}));
    assert_eq!(notes(&bob), json!({"result": []}), "each sees their own");
    let refused = bob
        .call("remember", json!({"text": "fire"}))
        .wait()
        .unwrap_err();
    assert_eq!(refused.code(), Some(403));
    assert!(refused.message().contains("notes:write"), "{refused}");
}

struct Deaf;

impl own_port::Announcer for Deaf {
    fn say<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<u32, StoreError>> {
        Box::pin(async { Err(StoreError::new("the cable is cut")) })
    }
}

#[test]
fn an_own_port_has_another_implementation_in_tests() {
    let cache = Arc::new(own_port::SmallCache::default());
    let client = TestClient::new(own_port::server())
        .with_port::<dyn own_port::Announcer>(Arc::new(Deaf))
        .map_platform(|platform| platform.with_cache(cache));
    let said = client
        .call("announce", json!({"text": "tea"}))
        .wait()
        .unwrap();
    assert!(said.is_error() && said.text().starts_with("nobody can hear us now"));
    assert_eq!(client.audit().causes(), ["the cable is cut"]);
    let time = || client.call("time", json!({})).wait().unwrap().text();
    assert_eq!(time(), "00:00 UTC");
    client.time().advance(Duration::from_secs(59));
    assert_eq!(time(), "00:00 UTC");
    client.time().advance(Duration::from_secs(1));
    assert_eq!(time(), "00:01 UTC");
    let uses: Vec<CacheStatus> = client.audit().calls()[1..]
        .iter()
        .map(|call| call.cache)
        .collect();
    assert_eq!(
        uses,
        [CacheStatus::Miss, CacheStatus::Hit, CacheStatus::Miss]
    );
}

#[test]
fn without_macros_everything_is_there_too() {
    let client = TestClient::new(without_macros::server());
    client.time().set_ms(41);
    let rolled = client.call("roll", json!({"sides": 20})).wait().unwrap();
    assert_eq!(rolled.text(), "2");
    let wrong = client.call("roll", json!({"sides": 1})).wait().unwrap();
    assert!(
        wrong.is_error() && wrong.text().contains("/sides"),
        "{}",
        wrong.text()
    );
    assert_eq!(
        client.read("dice://rules").wait().unwrap().text(),
        Some("The highest number wins.")
    );
    let prompt = client.get_prompt("play", json!({})).wait().unwrap();
    assert_eq!(prompt.messages[0].content, "Let us roll dice.".into());
}

#[test]
fn an_upstream_that_is_down_hides_nothing_else() {
    let down = TestHttp::new(|_| Ok(TestHttp::json(503, "{}")));
    let client = TestClient::new(upstream::server("http://127.0.0.1:9/mcp"))
        .with_port::<dyn HttpClient>(Arc::new(down.clone()));
    let tools = client.list_tools().wait().unwrap();
    let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["about"]);
    assert!(!down.sent().is_empty());
}

/// Variables as an operator sets them.
fn variables(pairs: &[(&str, &str)]) -> Variables {
    let pairs = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Variables::default().with_file(pairs.collect())
}

#[test]
fn a_key_goes_to_its_service_and_nowhere_else() {
    let service = TestHttp::new(|_| Ok(TestHttp::json(200, "rain")));
    let set = [
        ("WEATHER_API_KEY", "k-hunter2"),
        ("WEATHER_URL", "http://127.0.0.1:9"),
    ];
    let client = TestClient::new(secret::server(&variables(&set)).unwrap())
        .with_port::<dyn HttpClient>(Arc::new(service.clone()));
    let answer = client.call("forecast", json!({"city": "Oslo"})).wait();
    assert_eq!(answer.unwrap().text(), "rain");
    let sent = &service.sent()[0];
    assert_eq!(sent.headers[0].1, "Bearer k-hunter2");
    assert_eq!(sent.url, "http://127.0.0.1:9/forecast");
}

#[test]
fn a_server_without_its_key_does_not_start() {
    let refused = secret::server(&variables(&[])).unwrap_err();
    assert!(
        refused.starts_with("WEATHER_API_KEY is not set"),
        "{refused}"
    );
}

/// `hello` as a process would serve it, and what stops it.
async fn serve_hello() -> (String, oneshot::Sender<()>) {
    let (stop, stopped) = oneshot::channel::<()>();
    let (ready, address) = oneshot::channel();
    let service = Service::new(hello::server().build().unwrap(), Config::loopback());
    let platform = Arc::new(mcpfn_local::platform(Keyring::new([1; 32])));
    tokio::spawn(async move {
        let ready = |address| ready.send(address).unwrap();
        let stopped = async { drop(stopped.await) };
        mcpfn_local::serve(service, platform, 0, ready, stopped)
            .await
            .unwrap();
    });
    (format!("http://{}/mcp", address.await.unwrap()), stop)
}

#[tokio::test]
async fn hello_answers_over_http_and_behind_a_front() {
    let (url, stop) = serve_hello().await;
    let body = json!({
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "hello", "arguments": {"name": "Ada"}},
    });
    let request = HttpRequest::post(&url, "application/json", body.to_string())
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2025-06-18");
    let http = Arc::new(Client::new());
    let response = http.send(request).await.unwrap();
    assert_eq!(response.status, 200);
    let answer: Value = serde_json::from_slice(&response.body).unwrap();
    assert_eq!(answer["result"]["content"][0]["text"], "Hello, Ada!");

    let front = TestClient::new(upstream::server(&url)).with_port::<dyn HttpClient>(http);
    let tools = front.list_tools().await.unwrap();
    let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["about", "greeter__hello"]);
    let result = front
        .call("greeter__hello", json!({"name": "Bob"}))
        .await
        .unwrap();
    assert_eq!(result.text(), "Hello, Bob!");
    stop.send(()).unwrap();
}

#[test]
fn every_example_is_listed_and_included_here() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| fs::read_to_string(folder.join(path)).unwrap();
    let (manifest, list, tests) = (
        read("Cargo.toml"),
        read("../docs/examples.md"),
        read("tests/examples.rs"),
    );
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Some(example) = name.strip_suffix(".rs").filter(|name| *name != "lib") else {
            continue;
        };
        count += 1;
        assert!(
            manifest.contains(&format!("name = \"{example}\"")),
            "{example}: no [[example]]"
        );
        assert!(
            list.contains(&format!("examples/{name}")),
            "{example}: not in docs/examples.md"
        );
        assert!(
            tests.contains(&format!("mod {example};")),
            "{example}: not run by a test"
        );
        let text = read(&name);
        let runs = format!("cargo run -p mcpfn-examples --example {example}");
        assert!(
            text.contains(&runs),
            "{example}: its comment does not say how to run it"
        );
    }
    assert!(count >= 15, "{count} examples were found");
}

/// An HTTP POST of one message to a server on loopback.
fn post(url: &str, token: Option<&str>, message: &Value) -> HttpRequest {
    let request = HttpRequest::post(url, "application/json", message.to_string())
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2025-11-25")
        .timeout(Duration::from_secs(5));
    match token {
        Some(token) => request.header("authorization", format!("Bearer {token}")),
        None => request,
    }
}

#[tokio::test]
async fn an_application_of_axum_names_its_users_to_the_endpoint() {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .unwrap();
    let address = listener.local_addr().unwrap();
    let app = axum::app().unwrap();
    tokio::spawn(async move { ::axum::serve(listener, app).await.unwrap() });
    let client = Client::new();
    let url = format!("http://{address}/tools/mcp");
    let call = |tool: &str, arguments: Value| {
        json!({
            "jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": {"name": tool, "arguments": arguments},
        })
    };
    let answer = |token: Option<&'static str>, message: Value| {
        let request = post(&url, token, &message);
        let client = &client;
        async move {
            let answer = client.send(request).await.unwrap();
            let body: Value = serde_json::from_slice(&answer.body).unwrap();
            (answer.status, body)
        }
    };
    let (_, body) = answer(Some("bob-s-session"), call("whoami", json!({}))).await;
    assert_eq!(body["result"]["content"][0]["text"], "bob", "{body}");
    let page = call("publish", json!({"title": "News"}));
    let (_, body) = answer(Some("ada-s-session"), page.clone()).await;
    assert_eq!(body["result"]["content"][0]["text"], "News is public.");
    let (status, _) = answer(Some("bob-s-session"), page.clone()).await;
    assert_eq!(status, 403, "bob only reads");
    for stranger in [None, Some("somebody-s-session")] {
        let (status, body) = answer(stranger, page.clone()).await;
        assert_eq!(status, 403, "{body}");
    }
    let home = client
        .send(HttpRequest::get(format!("http://{address}/")))
        .await
        .unwrap();
    assert_eq!(home.body, "An application of its own.");
    let health = HttpRequest::get(format!("http://{address}/tools/health"));
    assert_eq!(client.send(health).await.unwrap().status, 200);
}

/// Cargo builds the examples beside the tests.
fn program(name: &str) -> std::path::PathBuf {
    let test = std::env::current_exe().unwrap();
    let target = test.parent().and_then(Path::parent).unwrap();
    let name = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    target.join("examples").join(name)
}

#[tokio::test]
async fn a_program_that_runs_lambda_http_serves_events() {
    let start = |variables: &'static [(&'static str, &'static str)]| {
        let bootstrap = Bootstrap::new(program("lambda_http"), variables);
        async move { Environment::start(&bootstrap).await.unwrap() }
    };
    let function = start(&[("MCPFN_AUTH", "iam")]).await;
    let message = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": "hello", "arguments": {"name": "Ada"}},
    });
    let event = |authorizer: Value| {
        json!({
            "version": "2.0",
            "rawPath": "/mcp",
            "headers": {
                "content-type": "application/json",
                "accept": "application/json, text/event-stream",
                "mcp-protocol-version": "2025-11-25",
            },
            "requestContext": {
                "http": {"method": "POST", "path": "/mcp", "sourceIp": "203.0.113.7"},
                "authorizer": authorizer,
            },
            "body": message.to_string(),
        })
    };
    let alice = json!({"iam": {"userArn": "arn:aws:iam::123456789012:user/alice"}});
    let known = function
        .invoke(Invocation::new(event(alice)))
        .await
        .unwrap();
    let body: Value = serde_json::from_slice(&known.body()).unwrap();
    assert_eq!(body["result"]["content"][0]["text"], "Hello, Ada!");
    let policy = known.head.headers.get("strict-transport-security");
    assert!(policy.is_some(), "{:?}", known.head.headers);
    let stranger = function.invoke(Invocation::new(event(Value::Null))).await;
    assert_eq!(stranger.unwrap().head.status.as_u16(), 403);

    let open = start(&[]).await;
    open.exited().await;
    let log = open.log().join("\n");
    assert!(log.contains("MCPFN_AUTH is not set"), "{log}");
}
