//! Answers in pieces: reports leave as they happen, no stream is empty, fixed bodies end at once, a
//! broken one ends its call.

use std::time::Duration;

use mcpfn_lambda_emulator::{Failure, Invocation, Part};
use serde_json::json;

use crate::{Fixture, call, function, text, through_url, wait_for};

const STREAM: (&str, &str) = ("MCPFN_LAMBDA_MODE", "stream");

#[tokio::test]
async fn progress_leaves_as_it_happens() {
    let function = function(&[STREAM]).await;
    let reply = function
        .invoke(through_url(&call("count", &json!({}))))
        .await
        .unwrap();
    assert!(reply.streamed);
    assert_eq!(reply.head.headers["content-type"], "text/event-stream");
    let events: Vec<_> = reply
        .pieces
        .iter()
        .map(|(at, piece)| (*at, String::from_utf8_lossy(piece).into_owned()))
        .collect();
    assert_eq!(
        events.len(),
        6,
        "five reports and the answer, each in a piece of its own: {events:?}"
    );
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
    let reply = function
        .invoke(through_url(&call("count", &json!({}))))
        .await
        .unwrap();
    assert!(!reply.streamed);
    assert_eq!(
        String::from_utf8_lossy(&reply.body())
            .matches("notifications/progress")
            .count(),
        5
    );
    assert_eq!(text(&reply), "done");
}

#[tokio::test]
async fn no_stream_is_empty() {
    let notification = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    for (mode, length) in [("stream", 1), ("buffer", 0)] {
        let function = function(&[("MCPFN_LAMBDA_MODE", mode)]).await;
        for (method, path, status) in [
            ("POST", "/mcp", 202),
            ("OPTIONS", "/mcp", 204),
            ("HEAD", "/health", 200),
        ] {
            let mut event = Fixture::named("url-none").with(&notification);
            event["requestContext"]["http"]["method"] = json!(method);
            event["rawPath"] = json!(path);
            let reply = function.invoke(Invocation::new(event)).await.unwrap();
            assert_eq!(
                (reply.head.status.as_u16(), reply.body().len()),
                (status, length),
                "{mode} {method}"
            );
        }
    }
}

#[tokio::test]
async fn a_fixed_body_arrives_together_and_ends_at_once() {
    let function = function(&[STREAM]).await;
    let mut shortest = Duration::MAX;
    // on a busy machine one of several may wait for other reasons
    for _ in 0..5 {
        let mut parts = function.send(through_url(&call("whoami", &json!({}))));
        let mut arrived = Vec::new();
        while let Some(part) = parts.next().await {
            arrived.push(part);
        }
        // `cargo lambda watch` tells head and delimiter from the body by their chunks
        assert_eq!(arrived.len(), 4, "head, delimiter, body, end: {arrived:?}");
        assert_eq!(arrived[1].1, Part::Piece(vec![0; 8].into()));
        assert_eq!(
            arrived[3].1,
            Part::End(None),
            "nothing broke, and no trailers say so"
        );
        shortest = shortest.min(arrived[3].0 - arrived[0].0);
    }
    assert!(
        shortest < Duration::from_millis(20),
        "small writes that wait for each other take 40 ms: {shortest:?}"
    );
}

#[tokio::test]
async fn triggers_that_take_no_streams_get_none() {
    let function = function(&[STREAM]).await;
    for fixture in Fixture::all() {
        let reply = function
            .invoke(Invocation::new(fixture.with(&call("whoami", &json!({})))))
            .await
            .unwrap();
        assert_eq!(
            (reply.streamed, text(&reply)),
            (fixture.takes_streams, fixture.whoami),
            "{}",
            fixture.name
        );
    }
}

#[tokio::test]
async fn a_broken_stream_ends_its_call_and_nothing_else() {
    let function = function(&[STREAM]).await;
    let invocation = Invocation {
        cut_after: Some(4),
        ..through_url(&call("count", &json!({})))
    };
    let Err(Failure::Broken(_, seen)) = function.invoke(invocation).await else {
        panic!("the answer was whole")
    };
    let seen = String::from_utf8_lossy(&seen).into_owned();
    assert!(
        seen.contains("\"progress\":1.0") && !seen.contains("\"progress\":5.0"),
        "{seen}"
    );
    let log = wait_for(&function, "did not reach the Lambda runtime API").await;
    assert!(
        log.contains("count was given up"),
        "the handler was dropped: {log}"
    );
    let reply = function
        .invoke(through_url(&call("whoami", &json!({}))))
        .await
        .unwrap();
    assert_eq!(text(&reply), "Anonymous ", "the same process");
}

#[tokio::test]
async fn a_panic_after_reports_is_an_answer_in_the_same_stream() {
    let function = function(&[STREAM]).await;
    let reply = function
        .invoke(through_url(&call("count", &json!({"to": 2, "fall": true}))))
        .await
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&reply.body())
            .matches("notifications/progress")
            .count(),
        2
    );
    assert_eq!(reply.json()["result"]["isError"], true);
    assert!(
        text(&reply).contains("internal error") && !text(&reply).contains("a fall after reports"),
        "{}",
        text(&reply)
    );
}

#[tokio::test]
async fn a_client_that_hangs_up_costs_its_own_call_only() {
    // AWS reads a function's stream to its end and tells nobody that the client is gone: the call
    // goes on, and the next one waits
    let function = function(&[STREAM]).await;
    let mut parts = function.send(through_url(&call("count", &json!({}))));
    assert!(parts.next().await.is_some());
    drop(parts);
    let reply = function
        .invoke(through_url(&call("whoami", &json!({}))))
        .await
        .unwrap();
    assert_eq!(text(&reply), "Anonymous ");
    assert!(
        !function.log().join("\n").contains("count was given up"),
        "the call ended by itself"
    );
}
