//! The client of tests, over a small server with everything that it can ask for. How servers behave
//! is tested elsewhere: here stands what a test sees of it.

use std::time::Duration;

use mcpfn::prelude::*;
use mcpfn::testing::{Answer, ClientError, CompletionTarget, TestClient, TestClock};
use mcpfn::{
    LogLevel, Revision,
    port::{CacheStatus, Outcome},
    round_trip::{InputResponse, Sampling},
};
use serde_json::{Value, json};

#[input]
struct Named {
    /// A name.
    name: String,
}

/// Greets.
#[tool(read_only)]
async fn greet(args: Named) -> String {
    format!("Hello, {}!", args.name)
}

/// Doubles a number.
#[tool(read_only, cache = "60s")]
async fn double(args: Number) -> Json<Doubled> {
    Json(Doubled {
        doubled: args.number * 2,
    })
}

#[input]
struct Number {
    /// A number.
    number: u32,
}

#[output]
struct Doubled {
    /// Twice the number.
    doubled: u32,
}

/// Fails for a reason of its own.
#[tool]
async fn fail() -> Result<String, ToolError> {
    Err(ToolError::unavailable(
        "the printer is out of paper",
        "tray 2: 0 sheets",
    ))
}

/// Takes ten seconds in two steps.
#[tool(timeout = "20s")]
async fn slow(cx: &Cx) -> &'static str {
    for step in [1.0, 2.0] {
        cx.progress(step, Some(2.0), Some("a step"));
        cx.log(LogLevel::Info, json!({"step": step}));
        cx.sleep(Duration::from_secs(5)).await;
    }
    "done"
}

/// Asks everything at once.
#[tool]
async fn ask(cx: &Cx) -> Result<String, ToolError> {
    let (Some(InputResponse::Sampling(said)), Some(InputResponse::Roots { roots })) =
        (cx.answer("said"), cx.answer("roots"))
    else {
        return Err(cx
            .ask()
            .sample("said", Sampling::new("Say something.", 10))
            .roots("roots")
            .into());
    };
    let text = said.text().unwrap_or_default();
    Ok(format!("{text} in {}", roots[0].uri))
}

/// Asks twice, the first answer in the state.
#[tool]
async fn ask_twice(cx: &Cx) -> Result<String, ToolError> {
    let first = match cx.request_state::<String>() {
        Some(first) => first,
        None => {
            let form = Form::new("First?").text("word", "A word");
            let word = cx.elicit("first", form)?.text("word").unwrap_or_default();
            word.to_owned()
        }
    };
    let form = Form::new("Second?").text("word", "A word");
    match cx.answer("second") {
        Some(InputResponse::Elicitation(second)) => Ok(format!(
            "{first} {}",
            second.text("word").unwrap_or_default()
        )),
        _ => Err(cx.ask().form("second", form).state(first).into()),
    }
}

/// Asks twice and forgets.
#[tool]
async fn forget(cx: &Cx) -> Result<String, ToolError> {
    cx.elicit("first", Form::new("First?"))?;
    cx.elicit("second", Form::new("Second?"))?;
    Ok("never".to_owned())
}

/// Introduces somebody.
#[prompt]
async fn introduce(args: Named) -> String {
    format!("Introduce {}.", args.name)
}

fn server() -> Builder {
    let notes = Resource::new("note://{name}", "notes")
        .description("Notes.")
        .handler(|args: Named| async move { format!("note of {}", args.name) })
        .complete("name", |typed: String, cx: Cx| async move {
            let team = cx.completion_argument("team").unwrap_or("none").to_owned();
            vec![format!("{typed}da"), team]
        });
    let about = Resource::new("about://server", "about")
        .description("About.")
        .fresh_for(Duration::from_secs(9))
        .handler(|| async { "a server" });
    Server::builder("everything", "1.2.3")
        .instructions("Use it.")
        .logging()
        .page_size(2)
        .tool(greet)
        .tool(double)
        .tool(fail)
        .tool(slow)
        .tool(ask)
        .tool(ask_twice)
        .tool(forget)
        .prompt(introduce)
        .resource(notes)
        .resource(about)
}

fn client() -> TestClient {
    TestClient::new(server())
}

#[test]
fn lists_are_typed_and_have_all_pages() {
    let client = client();
    let tools = client.list_tools().wait().unwrap();
    let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "greet",
            "double",
            "fail",
            "slow",
            "ask",
            "ask_twice",
            "forget"
        ]
    );
    assert!(tools[0].is_read_only() && !tools[2].is_read_only());
    assert_eq!(tools[0].input_schema["required"], json!(["name"]));
    assert!(tools[1].output_schema.is_some());
    let prompts = client.list_prompts().wait().unwrap();
    assert_eq!(prompts[0].arguments[0].name, "name");
    assert!(prompts[0].arguments[0].required);
    assert_eq!(
        client.list_resources().wait().unwrap()[0].uri,
        "about://server"
    );
    assert_eq!(
        client.list_templates().wait().unwrap()[0].uri,
        "note://{name}"
    );
}

#[test]
fn results_are_typed() {
    let client = client();
    let result = client.call("greet", json!({"name": "Ada"})).wait().unwrap();
    assert_eq!(
        (result.text().as_str(), result.is_error()),
        ("Hello, Ada!", false)
    );
    let doubled = client.call("double", json!({"number": 4})).wait().unwrap();
    assert_eq!(doubled.structured::<Value>(), json!({"doubled": 8}));
    let read = client.read("about://server").wait().unwrap();
    assert_eq!((read.text(), read.ttl_ms), (Some("a server"), Some(9000)));
    let prompt = client
        .get_prompt("introduce", json!({"name": "Ada"}))
        .wait()
        .unwrap();
    assert_eq!(prompt.messages[0].content, "Introduce Ada.".into());
    let completion = client
        .complete(CompletionTarget::resource("note://{name}"), "name", "A")
        .with_argument("team", "red")
        .wait()
        .unwrap();
    assert_eq!(completion.values, ["Ada", "red"]);
}

#[test]
fn failures_of_tools_are_results_and_errors_have_their_codes() {
    let client = client();
    let failed = client.call("fail", json!({})).wait().unwrap();
    assert!(failed.is_error());
    assert!(
        failed.text().starts_with("the printer is out of paper"),
        "{}",
        failed.text()
    );
    assert_eq!(client.audit().causes(), ["tray 2: 0 sheets"]);
    let calls = client.audit().calls();
    assert_eq!(
        (calls[0].name.as_str(), calls[0].outcome),
        ("fail", Outcome::Failed)
    );

    let unknown = client.call("nothing", json!({})).wait().unwrap_err();
    assert_eq!(unknown.code(), Some(-32602));
    assert!(unknown.message().contains("nothing"), "{unknown}");
    let missing = client
        .request("tools/nothing", json!({}))
        .wait()
        .unwrap_err();
    assert_eq!(missing.code(), Some(-32601));
}

#[test]
fn time_passes_when_it_is_told_to() {
    let client = client();
    let mut call = std::pin::pin!(client.call("slow", json!({})).into_future());
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    for _ in 0..2 {
        assert!(call.as_mut().poll(&mut cx).is_pending());
        client.time().advance(Duration::from_secs(5));
    }
    let std::task::Poll::Ready(result) = call.as_mut().poll(&mut cx) else {
        panic!("ten seconds are over");
    };
    assert_eq!(result.unwrap().text(), "done");
    assert_eq!(client.audit().calls()[0].duration_ms, 10_000);
}

#[test]
fn an_automatic_clock_needs_no_help() {
    let client = TestClient::with_clock(server(), TestClock::auto());
    assert_eq!(
        client.call("slow", json!({})).wait().unwrap().text(),
        "done"
    );
    let heard: Vec<f64> = client.progress().iter().map(|said| said.progress).collect();
    assert_eq!(heard, [1.0, 2.0]);
    assert_eq!(client.logs()[1].data, json!({"step": 2.0}));
}

#[tokio::test]
async fn requests_are_awaited_under_a_runtime() {
    let client = TestClient::with_clock(server(), TestClock::auto());
    assert_eq!(client.call("slow", json!({})).await.unwrap().text(), "done");
}

#[test]
fn questions_are_answered_by_key_or_by_a_function() {
    let client = client()
        .answer("said", Answer::sampled("Boo"))
        .answers(|question| question.is_roots().then(|| Answer::roots(["file:///home"])));
    let result = client.call("ask", json!({})).wait().unwrap();
    assert_eq!(result.text(), "Boo in file:///home");
}

#[test]
fn a_second_question_comes_with_the_state_of_the_first() {
    let client = client().answers(|question| {
        assert!(question.is_form());
        Some(Answer::accept(json!({"word": question.message()})))
    });
    let result = client.call("ask_twice", json!({})).wait().unwrap();
    assert_eq!(result.text(), "First? Second?");
    let error = client.call("forget", json!({})).wait().unwrap_err();
    assert!(matches!(error, ClientError::AskedTooOften(_)), "{error}");
}

#[test]
fn a_question_without_an_answer_is_an_error_that_names_it() {
    let client = client().answers(|_| None);
    let error = client.call("ask", json!({})).wait().unwrap_err();
    let keys: Vec<&str> = error
        .questions()
        .iter()
        .map(|asked| asked.key.as_str())
        .collect();
    assert_eq!(keys, ["roots", "said"]);
    assert_eq!(error.questions()[1].message(), "Say something.");
    // a client that declares nothing is not asked
    let error = self::client().call("ask", json!({})).wait().unwrap_err();
    assert_eq!(error.code(), Some(-32021));
}

#[test]
fn older_revisions_shake_hands() {
    let client = client();
    let discovery = client.discover().wait().unwrap();
    assert_eq!(
        (discovery.name.as_str(), discovery.version.as_str()),
        ("everything", "1.2.3")
    );
    assert_eq!(discovery.versions, ["2026-07-28"]);
    for revision in Revision::ALL
        .into_iter()
        .filter(|revision| !revision.is_modern())
    {
        let client = client.clone().revision(revision);
        let discovery = client.discover().wait().unwrap();
        assert_eq!(discovery.versions, [revision.as_str()]);
        assert_eq!(discovery.instructions.as_deref(), Some("Use it."));
        assert_eq!(client.list_tools().wait().unwrap().len(), 7);
        let result = client.call("greet", json!({"name": "Ada"})).wait().unwrap();
        assert_eq!(result.text(), "Hello, Ada!");
    }
}

#[test]
fn stores_are_there_and_may_go_down() {
    let client = client();
    let ask = || client.call("double", json!({"number": 4})).wait().unwrap();
    assert_eq!(ask(), ask());
    client.time().advance(Duration::from_secs(60));
    ask();
    client.stores().go_down();
    ask();
    let uses: Vec<CacheStatus> = client
        .audit()
        .calls()
        .iter()
        .map(|call| call.cache)
        .collect();
    assert_eq!(
        uses,
        [
            CacheStatus::Miss,
            CacheStatus::Hit,
            CacheStatus::Miss,
            CacheStatus::Miss
        ]
    );
    assert!(!client.audit().degraded().is_empty());
}
