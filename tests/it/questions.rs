//! Questions in the middle of a call, to clients of revisions with a handshake: asked by one
//! instance, answered to another, which share nothing but their keys and a mailbox.

mod refused;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http_body_util::BodyExt as _;
use mcpfn::prelude::*;
use mcpfn::{Principal, PrincipalKind, policy::FailureMode, port::Mailbox};
use mcpfn_http::Config;
use mcpfn_native::memory::MemoryStores;
use serde_json::{Value, json};

use crate::support::in_process::InProcess;
use crate::support::time::{self, block_on};
use crate::support::{Request, Response};

/// The revisions with a handshake.
const LEGACY: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];

fn alice() -> Principal {
    Principal::new(PrincipalKind::Iam, "alice").with_scopes(mcpfn::Scopes::all())
}

/// Two instances: the one that is called, and the one that answers reach.
struct Pair {
    here: InProcess,
    there: InProcess,
}

impl Pair {
    fn new(server: fn() -> Builder) -> Self {
        Self::with(server, Arc::new(MemoryStores::default()))
    }

    fn with(server: fn() -> Builder, mailbox: Arc<dyn Mailbox>) -> Self {
        let instance = || {
            let mailbox = Arc::clone(&mailbox);
            InProcess::with_config(server, Config::default())
                .called_by(alice())
                .on(|platform| platform.with_mailbox(mailbox))
        };
        let (here, mut there) = (instance(), instance());
        // the same hour on both, and not the same randomness
        there.platform = Arc::new(
            Arc::unwrap_or_clone(time::platform(&here.time, &there.log, time::keys()))
                .with_mailbox(mailbox),
        );
        Self { here, there }
    }

    /// The session of a client that declares these capabilities.
    fn session(&self, revision: &str, capabilities: Value) -> Session {
        let params = json!({
            "protocolVersion": revision,
            "capabilities": capabilities,
            "clientInfo": {"name": "test", "version": "1"}
        });
        let initialize =
            json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params});
        let response =
            crate::support::Host::send(&self.here, &Request::post(initialize.to_string()));
        assert_eq!(response.json()["result"]["protocolVersion"], revision);
        let token = response.header("mcp-session-id").expect("a session");
        Session {
            revision: revision.to_owned(),
            token: token.to_owned(),
        }
    }

    /// Calls here, and has each question answered there.
    fn talk(&self, call: &Request, answer: &dyn Fn(&Value) -> Vec<Request>) -> Talk {
        block_on(&self.here.time, async {
            let http = self.here.to_http(call);
            let response = self.here.service.call(http, &self.here.platform).await;
            let is_stream = response.headers()["content-type"] == "text/event-stream";
            let (mut body, mut talk) = (response.into_body(), Talk::default());
            let mut buffer = Vec::new();
            while let Some(frame) = body.frame().await {
                let bytes = frame.unwrap().into_data().unwrap();
                let event = String::from_utf8(bytes.to_vec()).unwrap();
                let Some(data) = event.strip_prefix("data: ").filter(|_| is_stream) else {
                    talk.comments += usize::from(event.starts_with(':'));
                    buffer.extend_from_slice(&bytes);
                    continue;
                };
                let message: Value = serde_json::from_str(data).unwrap();
                if message["method"].is_null() || message["id"].is_null() {
                    talk.response = message;
                    continue;
                }
                for answer in answer(&message) {
                    let http = self.there.to_http(&answer);
                    let answered = self.there.service.call(http, &self.there.platform).await;
                    talk.statuses.push(answered.status().as_u16());
                }
                talk.questions.push(message);
            }
            if !is_stream {
                talk.response = serde_json::from_slice(&buffer).unwrap();
            }
            talk
        })
    }
}

struct Session {
    revision: String,
    token: String,
}

impl Session {
    fn request(&self, message: Value) -> Request {
        let request = Request::from_client(&self.revision, message);
        // clients of these two know no header for it: the session says it
        let request = match self.revision.as_str() {
            "2024-11-05" | "2025-03-26" => request.without("mcp-protocol-version"),
            _ => request,
        };
        request.header("mcp-session-id", &self.token)
    }

    fn call(&self, tool: &str, arguments: Value) -> Request {
        let params = json!({"name": tool, "arguments": arguments});
        self.request(json!({"id": 7, "method": "tools/call", "params": params}))
    }

    /// An answer: `result` or `error` with its value.
    fn answer(&self, question: &Value, answer: Value) -> Request {
        let mut message = json!({"jsonrpc": "2.0", "id": question["id"]});
        message
            .as_object_mut()
            .unwrap()
            .extend(answer.as_object().unwrap().clone());
        self.request(message)
    }
}

/// What went over the wire.
#[derive(Default)]
struct Talk {
    questions: Vec<Value>,
    /// Of the requests that carried answers.
    statuses: Vec<u16>,
    comments: usize,
    response: Value,
}

impl Talk {
    fn says(&self) -> &str {
        let text = &self.response["result"]["content"][0]["text"];
        text.as_str().unwrap_or_else(|| panic!("{}", self.response))
    }
}

fn everything_declared() -> Value {
    json!({"elicitation": {}, "sampling": {}, "roots": {}})
}

/// What a helpful client says to each kind of question.
fn helpful(question: &Value) -> Value {
    match question["method"].as_str().unwrap() {
        "elicitation/create" => json!({"result": {
            "action": "accept",
            "content": {"name": "Alice", "username": "alice", "color": "red", "ok": true, "size": "L", "context": "work"}
        }}),
        "sampling/createMessage" => json!({"result": {
            "role": "assistant", "content": {"type": "text", "text": "Paris"}, "model": "small"
        }}),
        _ => json!({"result": {"roots": [{"uri": "file:///tmp"}]}}),
    }
}

#[test]
fn every_kind_of_question_is_answered_on_another_instance() {
    for revision in LEGACY {
        let pair = Pair::new(mcpfn_it::everything);
        let session = pair.session(revision, everything_declared());
        for (tool, arguments, questions, says) in [
            (
                "test_elicitation",
                json!({"message": "Who?"}),
                1,
                "User response: Accept",
            ),
            (
                "test_sampling",
                json!({"prompt": "The capital?"}),
                1,
                "LLM response: Paris",
            ),
            (
                "test_input_required_result_list_roots",
                json!({}),
                1,
                "1 roots",
            ),
            (
                "test_input_required_result_request_state",
                json!({}),
                1,
                "state-ok",
            ),
            (
                "test_input_required_result_multiple_inputs",
                json!({}),
                3,
                "all three answered",
            ),
            (
                "test_input_required_result_multi_round",
                json!({}),
                2,
                "Alice likes red",
            ),
        ] {
            let talk = pair.talk(&session.call(tool, arguments), &|question| {
                vec![session.answer(question, helpful(question))]
            });
            assert_eq!(talk.says(), says, "{revision} {tool}");
            assert_eq!(talk.questions.len(), questions, "{revision} {tool}");
            assert_eq!(talk.statuses, vec![202; questions], "{revision} {tool}");
            assert_eq!(talk.response["id"], 7);
            for question in &talk.questions {
                let has_mode = question["params"]["mode"] == "form";
                let is_form = question["method"] == "elicitation/create";
                assert_eq!(has_mode, is_form && revision == "2025-11-25", "{question}");
            }
        }
        let prompt = json!({"id": 8, "method": "prompts/get", "params": {"name": "test_input_required_result_prompt"}});
        let talk = pair.talk(&session.request(prompt), &|question| {
            vec![session.answer(question, helpful(question))]
        });
        let messages = &talk.response["result"]["messages"];
        assert!(
            messages[0]["content"]["text"].is_string(),
            "{}",
            talk.response
        );
        assert_eq!(pair.here.log.kept(), []);
        // one entry for a call, whatever it asked
        assert_eq!(
            pair.here.log.calls().len(),
            8,
            "{:?}",
            pair.here.log.calls()
        );
    }
}

#[test]
fn what_a_client_says_reaches_the_handler_or_ends_the_call() {
    let error = json!({"error": {"code": -1, "message": "no \u{202e}model\u{1b}[31m"}});
    for (tool, answer, says, is_error) in [
        (
            "test_elicitation",
            json!({"result": {"action": "decline"}}),
            "User response: Decline",
            false,
        ),
        (
            "test_elicitation",
            json!({"result": {"action": "decline", "content": null}}),
            "User response: Decline",
            false,
        ),
        (
            "test_elicitation",
            json!({"result": {"action": "cancel"}}),
            "User response: Cancel",
            false,
        ),
        (
            "test_elicitation",
            error.clone(),
            "User response: Cancel",
            false,
        ),
        (
            "test_sampling",
            error,
            "the client did not answer `sampling/createMessage` and said: no \u{fffd}model\u{fffd}[31m (code -1)",
            true,
        ),
        (
            "test_sampling",
            json!({"error": 7}),
            "the client did not answer `sampling/createMessage` and said: no reason (code 0)",
            true,
        ),
    ] {
        let pair = Pair::new(mcpfn_it::everything);
        let session = pair.session("2025-11-25", everything_declared());
        let arguments = match tool {
            "test_sampling" => json!({"prompt": "?"}),
            _ => json!({"message": "?"}),
        };
        let talk = pair.talk(&session.call(tool, arguments), &|question| {
            vec![session.answer(question, answer.clone())]
        });
        assert_eq!(talk.says(), says, "{answer}");
        assert_eq!(
            talk.response["result"]["isError"] == true,
            is_error,
            "{answer}"
        );
    }
}

#[test]
fn an_answer_of_another_shape_is_named() {
    for answer in [
        json!({"result": {"action": "perhaps"}}),
        json!({"result": []}),
        json!({"result": "yes"}),
        json!({"result": null}),
    ] {
        let pair = Pair::new(mcpfn_it::everything);
        let session = pair.session("2025-11-25", everything_declared());
        let call = session.call("test_elicitation", json!({"message": "?"}));
        let talk = pair.talk(&call, &|question| {
            vec![session.answer(question, answer.clone())]
        });
        assert_eq!(talk.response["error"]["code"], -32602, "{answer}");
        let message = talk.response["error"]["message"].as_str().unwrap();
        assert!(
            message.contains("\"username\"") || message.contains("`username`"),
            "{message}"
        );
    }
}

#[test]
fn a_form_that_is_never_filled_in_as_asked_ends_after_some_rounds() {
    let pair = Pair::new(mcpfn_it::everything);
    let session = pair.session("2025-11-25", everything_declared());
    let call = session.call("test_elicitation", json!({"message": "?"}));
    let talk = pair.talk(&call, &|question| {
        let answer = json!({"result": {"action": "accept", "content": {"username": 7}}});
        vec![session.answer(question, answer)]
    });
    assert_eq!(talk.questions.len(), 8);
    assert_eq!(
        talk.says(),
        "`test_elicitation` asked 8 times and did not end"
    );
    let mut ids: Vec<_> = talk
        .questions
        .iter()
        .map(|asked| asked["id"].to_string())
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 8, "each question has an id of its own");
}

/// A shop that asks before it sells, and counts.
fn shop() -> Builder {
    static SOLD: AtomicUsize = AtomicUsize::new(0);

    #[input]
    struct Order {
        #[serde(default, rename = "request")]
        #[schemars(extend("x-idempotency-key" = true))]
        _request: Option<String>,
    }

    Server::builder("shop", "1.0.0").tool(
        Tool::new("buy")
            .description("Buys.")
            .timeout(Duration::from_secs(5))
            .handler(|_: Order, cx: Cx| async move {
                let size = cx.elicit("size", Form::new("Which size?").text("size", "Size"))?;
                let sold = SOLD.fetch_add(1, Ordering::SeqCst) + 1;
                let size = size.text("size").unwrap_or("none").to_owned();
                Ok::<_, ToolError>(format!("number {sold}, size {size}"))
            }),
    )
}

#[test]
fn a_write_that_asks_happens_once_and_a_persons_time_is_not_the_tools() {
    let mut pair = Pair::new(shop);
    let stores = Arc::new(MemoryStores::default());
    pair.here = pair
        .here
        .on(|platform| platform.with_idempotency(stores, FailureMode::Closed));
    let session = pair.session("2025-11-25", json!({"elicitation": {}}));
    let call = session.call("buy", json!({"request": "7f0c"}));
    let answer = |question: &Value| {
        // longer than the tool may take
        pair.here.time.pass(Duration::from_secs(60));
        vec![session.answer(question, helpful(question))]
    };
    let first = pair.talk(&call, &answer);
    assert_eq!(first.says(), "number 1, size L");
    let second = pair.talk(&call, &answer);
    assert_eq!(second.says(), "number 1, size L", "the kept result");
    assert_eq!((first.questions.len(), second.questions.len()), (1, 0));
}

#[test]
fn a_call_that_waits_gives_signs_of_life_and_ends() {
    let pair = Pair::new(mcpfn_it::everything);
    let session = pair.session("2025-11-25", everything_declared());
    let talk = pair.talk(
        &session.call("test_elicitation", json!({"message": "?"})),
        &|_| Vec::new(),
    );
    assert_eq!(pair.here.time.elapsed_ms(), 600_000);
    // each ten seconds, and none at the end
    assert_eq!(talk.comments, 59);
    assert_eq!(
        talk.says(),
        "`test_elicitation` asked the client something and had no answer within 600 s; nothing more \
         was done. Call again when the question can be answered"
    );
    assert_eq!(
        pair.here.log.calls().last().unwrap(),
        "test_elicitation timeout off"
    );
}

#[test]
fn a_host_that_ends_calls_is_given_the_answer_before_it_does() {
    let pair = Pair::new(mcpfn_it::everything);
    let session = pair.session("2025-11-25", everything_declared());
    let call = session.call("test_elicitation", json!({"message": "?"}));
    let mut http = pair.here.to_http(&call);
    let end_ms = mcpfn::port::Clock::now_ms(&pair.here.time) + 29_000;
    http.extensions_mut().insert(mcpfn_http::Deadline(end_ms));
    block_on(&pair.here.time, async {
        let response = pair.here.service.call(http, &pair.here.platform).await;
        response.into_body().collect().await.unwrap()
    });
    assert_eq!(pair.here.time.elapsed_ms(), 28_000);
}

fn is_told_why(response: &Response) -> bool {
    response.text().contains("Mcp-Session-Id")
}
