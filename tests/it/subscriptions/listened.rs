//! Streams of changes, for clients without a handshake.

use super::*;

/// The frames of a stream, with when each came, in seconds; `meanwhile` is done after the first.
pub(super) fn frames(
    here: &InProcess,
    request: &Request,
    meanwhile: impl Fn(u64),
) -> Vec<(u64, Value)> {
    block_on(&here.time, async {
        let http = here.to_http(request);
        let response = here.service.call(http, &here.platform).await;
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let (mut body, mut frames) = (response.into_body(), Vec::new());
        while let Some(frame) = body.frame().await {
            let bytes = frame.unwrap().into_data().unwrap();
            let second = here.time.elapsed_ms() / 1000;
            let event = String::from_utf8(bytes.to_vec()).unwrap();
            if let Some(data) = event.strip_prefix("data: ") {
                frames.push((second, serde_json::from_str(data).unwrap()));
                meanwhile(second);
            }
        }
        frames
    })
}

pub(super) fn listen(id: Value, notifications: Value) -> Request {
    let params = json!({"notifications": notifications});
    let message = json!({"id": id, "method": "subscriptions/listen", "params": params});
    Request::from_client("2026-07-28", message)
}

#[test]
fn a_stream_is_acknowledged_and_tells_of_what_was_asked_for() {
    let mut pair = Pair::new();
    pair.here.turn_into(caller("alice", Scopes::parse("other")));
    let discovered = pair
        .here
        .send(&Request::modern("server/discover", json!({})));
    let resources = &discovered.json()["result"]["capabilities"]["resources"];
    assert_eq!(*resources, json!({"subscribe": true}));
    for id in [json!(7), json!("seven")] {
        let wanted = json!({
            "toolsListChanged": true,
            "taskIds": ["a"],
            "resourceSubscriptions": ["shop://stock", "shop://ledger", "shop://moon", "shop://stock"]
        });
        let began = pair.here.time.elapsed_ms() / 1000;
        let frames = frames(&pair.here, &listen(id.clone(), wanted), |second| {
            if second - began < 10 {
                for uri in ["shop://stock", "shop://ledger", "shop://moon"] {
                    pair.change(uri);
                }
            }
        });
        let meta = json!({"io.modelcontextprotocol/subscriptionId": id});
        let honoured = json!({"resourceSubscriptions": ["shop://stock"]});
        let (first, rest) = frames.split_first().unwrap();
        assert_eq!(
            first.1,
            json!({
                "jsonrpc": "2.0",
                "method": "notifications/subscriptions/acknowledged",
                "params": {"_meta": meta, "notifications": honoured}
            })
        );
        let (last, updates) = rest.split_last().unwrap();
        let seconds: Vec<u64> = updates.iter().map(|(second, _)| second - began).collect();
        assert_eq!(seconds, [2, 4, 6, 8, 10]);
        for (_, update) in updates {
            let params = json!({"_meta": meta, "uri": "shop://stock"});
            assert_eq!(update["method"], "notifications/resources/updated");
            assert_eq!(update["params"], params);
        }
        assert_eq!((last.0 - began, &last.1["id"]), (60, &id));
        let result = &last.1["result"];
        assert_eq!(result["resultType"], "complete");
        let named = &result["_meta"]["io.modelcontextprotocol/subscriptionId"];
        assert_eq!(*named, id);
    }
    assert_eq!(
        pair.here.log.calls().last().unwrap(),
        "[subscriptions/listen] ok off"
    );
}

#[test]
fn nothing_to_tell_of_ends_at_once() {
    let pair = Pair::new();
    let wanted = [
        json!({}),
        json!({"toolsListChanged": true}),
        json!({"resourceSubscriptions": null}),
    ];
    for wanted in wanted {
        let frames = frames(&pair.here, &listen(json!(1), wanted), |_| ());
        assert_eq!(frames.len(), 2);
        assert_eq!(frames[0].1["params"]["notifications"], json!({}));
    }
    assert_eq!(pair.here.time.elapsed_ms(), 0);
}

#[test]
fn what_is_wrong_with_a_stream_is_said_before_it_is_one() {
    let pair = Pair::new();
    let uris: Vec<String> = (0..51).map(|item| format!("shop://items/{item}")).collect();
    let many = json!({"resourceSubscriptions": uris});
    for (request, code, says) in [
        (listen(json!(1), many), -32602, "at most 50 URIs"),
        (
            listen(json!(1), json!([])),
            -32602,
            "`params.notifications`",
        ),
        (
            listen(json!(1), json!({"resourceSubscriptions": [7]})),
            -32602,
            "`params.notifications`",
        ),
        (
            Request::modern("subscriptions/listen", json!({})),
            -32602,
            "`params.notifications`",
        ),
        (
            listen(json!(1), json!({})).header("accept", "application/json"),
            -32600,
            "`Accept: application/json, text/event-stream`",
        ),
    ] {
        let error = pair.here.send(&request).json()["error"].clone();
        assert_eq!(error["code"], code, "{error}");
        assert!(error["message"].as_str().unwrap().contains(says), "{error}");
    }
    let subscriptions = Subscriptions {
        poll: true,
        listen: None,
    };
    let billed = Pair::with(subscriptions, Arc::new(MemoryStores::default()));
    let refused = billed.here.send(&listen(json!(1), json!({})));
    assert_eq!(
        (refused.status, &refused.json()["error"]["code"]),
        (404, &json!(-32601))
    );
    assert!(refused.text().contains("`ttlMs`"), "{}", refused.text());
}

#[test]
fn a_client_that_leaves_is_the_end_of_its_stream() {
    let pair = Pair::new();
    block_on(&pair.here.time, async {
        let wanted = json!({"resourceSubscriptions": ["shop://stock"]});
        let http = pair.here.to_http(&listen(json!(1), wanted));
        let response = pair.here.service.call(http, &pair.here.platform).await;
        let mut body = response.into_body();
        assert!(body.frame().await.is_some());
    });
    assert_eq!(pair.here.log.calls(), ["[subscriptions/listen] ok off"]);
}
