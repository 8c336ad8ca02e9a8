//! Who can't be asked, and answers that nobody asked for.

use std::sync::Mutex;

use bytes::Bytes;
use mcpfn::{handler::BoxFuture, port::StoreError};

use super::*;
use crate::support::Host as _;

#[test]
fn who_can_not_be_asked_reads_a_sentence_and_no_question() {
    let pair = Pair::new(mcpfn_it::everything);
    let arguments = || json!({"message": "?"});
    let declared = pair.session("2025-11-25", everything_declared());
    let sampling_only = pair.session("2025-11-25", json!({"sampling": {}}));
    let odd = pair.session("2025-11-25", json!("all of them"));
    let call = declared.call("test_elicitation", arguments());
    for (what, request) in [
        ("no session", call.clone().without("mcp-session-id")),
        (
            "a foreign session",
            call.clone().header("mcp-session-id", "3f0c-11"),
        ),
        (
            "no stream",
            call.clone().header("accept", "application/json"),
        ),
        (
            "no capability",
            sampling_only.call("test_elicitation", arguments()),
        ),
        (
            "odd capabilities",
            odd.call("test_elicitation", arguments()),
        ),
    ] {
        let response = pair.here.send(&request);
        assert!(
            !response.is_stream() && is_told_why(&response),
            "{what}: {}",
            response.text()
        );
        assert_eq!(response.json()["result"]["isError"], true, "{what}");
    }
    let alone = InProcess::with_config(mcpfn_it::everything, Config::default()).called_by(alice());
    let response = alone.send(&call);
    assert!(
        !response.is_stream() && is_told_why(&response),
        "no mailbox"
    );
    // a batch has no stream
    let batch = json!([{"jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": "test_elicitation", "arguments": arguments()}}]);
    let session = pair.session("2025-03-26", everything_declared());
    let batch = Request::post(batch.to_string()).header("mcp-session-id", &session.token);
    assert!(is_told_why(&pair.here.send(&batch)));
}

#[test]
fn a_session_says_nothing_to_clients_that_describe_themselves() {
    let pair = Pair::new(mcpfn_it::everything);
    let session = pair.session("2025-11-25", everything_declared());
    let modern = Request::modern(
        "tools/call",
        json!({"name": "test_elicitation", "arguments": {"message": "?"}}),
    );
    let response = pair
        .here
        .send(&modern.header("mcp-session-id", &session.token));
    assert_eq!(response.error().0, -32021);
    for request in [
        Request::modern("server/discover", json!({})),
        session.request(json!({"id": 1, "method": "tools/list"})),
    ] {
        assert_eq!(pair.here.send(&request).header("mcp-session-id"), None);
    }
    let refused = json!({"id": 1, "method": "initialize", "params": {"capabilities": {}}});
    let refused = pair.here.send(&Request::from_client("2025-11-25", refused));
    assert_eq!(refused.header("mcp-session-id"), None, "{}", refused.text());
}

/// A mailbox that counts what it is given, and may be down.
struct Counted {
    stores: MemoryStores,
    put: Mutex<Vec<String>>,
    down: bool,
}

impl Counted {
    fn new(down: bool) -> Arc<Self> {
        let (stores, put) = (MemoryStores::default(), Mutex::default());
        Arc::new(Self { stores, put, down })
    }
}

impl Mailbox for Counted {
    fn put<'a>(
        &'a self,
        key: &'a str,
        letter: Bytes,
        now_ms: u64,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        self.put.lock().unwrap().push(key.to_owned());
        if self.down {
            return Box::pin(async { Err(StoreError::new("no route to host 10.0.0.7")) });
        }
        Mailbox::put(&self.stores, key, letter, now_ms, expires_ms)
    }

    fn wait<'a>(&'a self, keys: &'a [String]) -> BoxFuture<'a, Result<Vec<Bytes>, StoreError>> {
        if self.down {
            return Box::pin(async { Err(StoreError::new("no route to host 10.0.0.7")) });
        }
        self.stores.wait(keys)
    }
}

#[test]
fn only_the_first_answer_of_the_one_who_was_asked_counts() {
    let mailbox = Counted::new(false);
    let mut pair = Pair::with(mcpfn_it::everything, Arc::clone(&mailbox) as _);
    let session = pair.session("2025-11-25", everything_declared());
    let call = session.call("test_elicitation", json!({"message": "?"}));
    let accept = json!({"result": {"action": "accept", "content": {"username": "mallory"}}});
    // others, with the very id
    pair.there
        .turn_into(Principal::new(PrincipalKind::Iam, "mallory"));
    let talk = pair.talk(&call, &|question| {
        vec![session.answer(question, accept.clone())]
    });
    assert_eq!(
        (&talk.statuses[..], mailbox.put.lock().unwrap().len()),
        (&[202][..], 0)
    );
    assert!(
        talk.says().contains("no answer within 600 s"),
        "{}",
        talk.says()
    );
    pair.there.turn_into(alice());
    let decline = json!({"result": {"action": "decline"}});
    let talk = pair.talk(&call, &|question| {
        let id = question["id"].as_str().unwrap();
        let forged = [
            id.to_uppercase(),
            format!("{id}A"),
            "q.".to_owned(),
            String::new(),
        ];
        let mut answers: Vec<Request> = forged
            .iter()
            .map(|id| session.answer(&json!({"id": id}), accept.clone()))
            .collect();
        answers.push(session.answer(&json!({"id": 7}), accept.clone()));
        answers.push(session.answer(question, decline.clone()));
        answers.push(session.answer(question, accept.clone()));
        answers
    });
    assert_eq!(talk.says(), "User response: Decline");
    assert_eq!(talk.statuses, [202; 7]);
    assert_eq!(
        mailbox.put.lock().unwrap().len(),
        2,
        "made-up ids ask no store"
    );
}

#[test]
fn an_answer_has_a_limit_and_modern_clients_send_none() {
    let pair = Pair::new(mcpfn_it::everything);
    let session = pair.session("2025-11-25", everything_declared());
    let call = session.call("test_elicitation", json!({"message": "?"}));
    let talk = pair.talk(&call, &|question| {
        let content = json!({"username": "x".repeat(256 * 1024)});
        let large = json!({"result": {"action": "accept", "content": content}});
        let fitting = json!({"result": {"action": "decline"}});
        let modern = session.answer(question, fitting.clone());
        vec![
            session.answer(question, large),
            modern.header("mcp-protocol-version", "2026-07-28"),
            session.answer(question, fitting),
        ]
    });
    assert_eq!(talk.statuses, [413, 400, 202]);
    assert_eq!(talk.says(), "User response: Decline");
}

#[test]
fn a_mailbox_that_is_down_is_told_to_the_log_alone() {
    let pair = Pair::with(mcpfn_it::everything, Counted::new(true));
    let session = pair.session("2025-11-25", everything_declared());
    let call = session.call("test_elicitation", json!({"message": "?"}));
    let talk = pair.talk(&call, &|question| {
        vec![session.answer(question, json!({"result": {"action": "decline"}}))]
    });
    assert_eq!(talk.statuses, [503]);
    assert_eq!(
        talk.says(),
        "the client's answer could not be fetched: call again"
    );
    for log in [pair.here.log.stores(), pair.there.log.stores()] {
        assert_eq!(log, ["mailbox: no route to host 10.0.0.7"]);
    }
}
