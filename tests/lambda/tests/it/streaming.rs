//! Answers in pieces: reports leave as they happen, no stream is empty, fixed bodies end at once, a broken one ends its call.

use std::time::Duration;

use mcpfn_lambda_emulator::{Failure, Invocation};
use serde_json::json;

use crate::{Fixture, call, function, text, through_url, wait_for};

const STREAM: (&str, &str) = ("MCPFN_LAMBDA_MODE", "stream");

#[tokio::test]
async fn progress_leaves_as_it_happens() {
    let function = function(&[STREAM]).await;
    let reply = function.invoke(through_url(&call("count", &json!({})))).await.unwrap();
    assert!(reply.streamed);
    assert_eq!(reply.head.headers["content-type"], "text/event-stream");
    let events: Vec<_> = reply.pieces.iter().map(|(at, piece)| (*at, String::from_utf8_lossy(piece).into_owned())).collect();
    assert_eq!(events.len(), 6, "five reports and the answer, each in a piece of its own: {events:?}");
    for pair in events.windows(2) {
        let gap = pair[1].0.saturating_sub(pair[0].0);
        assert!(gap > Duration::from_millis(50), "{gap:?} between {pair:?}");
    }
    assert!(events[0].1.contains("notifications/progress"), "{events:?}");
    assert_eq!(text(&reply), "done");
}

#[tokio::test]
async fn the_same_reports_buffered_arrive_together() {
    let function = function(&[]).await;
    let reply = function.invoke(through_url(&call("count", &json!({})))).await.unwrap();
    assert!(!reply.streamed);
    assert_eq!(String::from_utf8_lossy(&reply.body()).matches("notifications/progress").count(), 5);
    assert_eq!(text(&reply), "done");
}

#[tokio::test]
async fn no_stream_is_empty() {
    let notification = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    for (mode, length) in [("stream", 1), ("buffer", 0)] {
        let function = function(&[("MCPFN_LAMBDA_MODE", mode)]).await;
        for (method, path, status) in [("POST", "/mcp", 202), ("OPTIONS", "/mcp", 204), ("HEAD", "/health", 200)] {
            let mut event = Fixture::named("url-none").with(&notification);
            event["requestContext"]["http"]["method"] = json!(method);
            event["rawPath"] = json!(path);
            let reply = function.invoke(Invocation::new(event)).await.unwrap();
            assert_eq!((reply.head.status.as_u16(), reply.body().len()), (status, length), "{mode} {method}");
        }
    }
}

#[tokio::test]
async fn a_fixed_body_is_one_piece_and_ends_at_once() {
    let function = function(&[STREAM]).await;
    let mut parts = function.send(through_url(&call("whoami", &json!({}))));
    let mut arrived = Vec::new();
    while let Some(part) = parts.next().await {
        arrived.push(part);
    }
    assert_eq!(arrived.len(), 2, "head with body, end: {arrived:?}");
    let wait = arrived[1].0 - arrived[0].0;
    assert!(wait < Duration::from_millis(50), "{wait:?}");
}

#[tokio::test]
async fn triggers_that_take_no_streams_get_none() {
    let function = function(&[STREAM]).await;
    for fixture in Fixture::all() {
        let reply = function.invoke(Invocation::new(fixture.with(&call("whoami", &json!({}))))).await.unwrap();
        assert_eq!((reply.streamed, text(&reply)), (fixture.takes_streams, fixture.whoami), "{}", fixture.name);
    }
}

#[tokio::test]
async fn a_broken_stream_ends_its_call_and_nothing_else() {
    let function = function(&[STREAM]).await;
    let invocation = Invocation { cut_after: Some(2), ..through_url(&call("count", &json!({}))) };
    let Err(Failure::Broken(_, seen)) = function.invoke(invocation).await else { panic!("the answer was whole") };
    let seen = String::from_utf8_lossy(&seen).into_owned();
    assert!(seen.contains("\"progress\":1.0") && !seen.contains("\"progress\":5.0"), "{seen}");
    let log = wait_for(&function, "did not reach the Lambda runtime API").await;
    assert!(log.contains("count was given up"), "the handler was dropped: {log}");
    let reply = function.invoke(through_url(&call("whoami", &json!({})))).await.unwrap();
    assert_eq!(text(&reply), "Anonymous ", "the same process");
}
