//! Answers near what each trigger takes: what is counted is the document that leaves, and one that
//! would be too large is an answer that says so, not the platform's failure.

use mcpfn_lambda_emulator::{Invocation, Reply};
use serde_json::{Value, json};

use crate::{Fixture, call, function, text};

/// Texts that take more or less room in JSON, and in JSON within JSON.
const PIECES: [&str; 3] = ["x", "\"", "\u{1}"];

/// One event of each trigger, and of each way to write its answer.
const TRIGGERS: [&str; 6] = [
    "url-none",
    "http-api-own-domain",
    "http-api-payload-1",
    "rest-iam",
    "load-balancer",
    "load-balancer-multi-value",
];

fn large(piece: &str, times: usize, report: bool) -> Value {
    let mut call = call(
        "large",
        &json!({"piece": piece, "times": times, "report": report}),
    );
    call["id"] = json!("a \"name\"");
    call
}

/// What one piece takes of a document.
fn room(piece: &str, decodes_base64: bool) -> f64 {
    let once = json!(piece).to_string().len() - 2;
    let twice = json!(json!(piece).to_string()).to_string().len() - 6;
    if decodes_base64 {
        (twice as f64).min(once as f64 * 4.0 / 3.0)
    } else {
        twice as f64
    }
}

/// The beginning of an answer.
fn short(answer: &Value) -> String {
    answer.to_string().chars().take(200).collect()
}

/// An error that says how large the answer may be, under the id of the call.
fn says_too_large(reply: &Reply, fixture: &Fixture, context: &str) {
    let answer = reply.json();
    assert_eq!(reply.head.status, 200, "{context}");
    assert_eq!(answer["id"], "a \"name\"", "{context}: {}", short(&answer));
    assert_eq!(
        answer["error"]["code"],
        -32603,
        "{context}: {}",
        short(&answer)
    );
    let message = answer["error"]["message"].as_str().unwrap_or_default();
    let limit = fixture.max_document.to_string();
    assert!(
        message.contains(&limit) && message.contains("Ask for less"),
        "{context}: {message}"
    );
}

#[tokio::test]
async fn what_is_counted_is_the_document() {
    let function = function(&[]).await;
    for fixture in TRIGGERS.map(Fixture::named) {
        for piece in PIECES {
            let fits = fixture.max_document as f64 / room(piece, fixture.decodes_base64);
            for (share, whole) in [(0.98, true), (1.01, false)] {
                // a result has a limit of its own, in bytes of its own JSON
                let own = 5 * 1024 * 1024 / (json!(piece).to_string().len() - 2);
                let times = (fits * share) as usize;
                if times + 1000 > own {
                    continue;
                }
                let context = format!("{} {times} times {piece:?}", fixture.name);
                let reply = function
                    .invoke(Invocation::new(fixture.with(&large(piece, times, false))))
                    .await
                    .unwrap_or_else(|failure| panic!("{context}: {failure:?}"));
                assert!(
                    reply.document_bytes <= fixture.max_document,
                    "{context}: {} bytes",
                    reply.document_bytes
                );
                if whole {
                    assert!(text(&reply) == piece.repeat(times), "{context}");
                } else {
                    says_too_large(&reply, &fixture, &context);
                }
            }
        }
    }
}

#[tokio::test]
async fn a_buffered_stream_and_a_batch_that_are_too_large_say_so_under_their_ids() {
    let function = function(&[]).await;
    let fixture = Fixture::named("load-balancer");
    let reports = fixture.with(&large("x", 2_000_000, true));
    let reply = function.invoke(Invocation::new(reports)).await.unwrap();
    says_too_large(&reply, &fixture, "reports");

    let mut other = large("x", 10, false);
    other["id"] = json!(2);
    let batch = json!([large("x", 2_000_000, false), other, {"jsonrpc": "2.0", "method": "x"}]);
    let mut event = fixture.with(&batch);
    event["headers"]["mcp-protocol-version"] = json!("2025-03-26");
    let reply = function.invoke(Invocation::new(event)).await.unwrap();
    let answers = reply.json();
    let ids: Vec<_> = answers
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["id"].clone())
        .collect();
    assert_eq!(ids, [json!("a \"name\""), json!(2)]);
    for answer in answers.as_array().unwrap() {
        assert_eq!(answer["error"]["code"], -32603, "{}", short(answer));
    }
}

#[tokio::test]
async fn streams_have_no_such_limit() {
    let function = function(&[("MCPFN_LAMBDA_MODE", "stream")]).await;
    for name in ["url-none", "rest-iam"] {
        let event = Fixture::named(name).with(&large("\"", 2_000_000, false));
        let reply = function.invoke(Invocation::new(event)).await.unwrap();
        assert!(reply.streamed, "{name}");
        assert_eq!(text(&reply).len(), 2_000_000, "{name}");
    }
}
