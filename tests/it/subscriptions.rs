//! Subscriptions to resources, without sessions in memory: two instances, which share nothing but
//! their keys and a store. By GET for clients with a handshake, on a stream for others.

mod listened;
mod refused;
mod tasks;

use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt as _;
use mcpfn::prelude::*;
use mcpfn::{Principal, PrincipalKind, Scopes, port::Topics};
use mcpfn_core::host::{Listening, Subscriptions};
use mcpfn_http::Config;
use mcpfn_native::memory::MemoryStores;
use serde_json::{Value, json};

use crate::support::in_process::InProcess;
use crate::support::time::{self, block_on};
use crate::support::{Host as _, Request, Response};

const BOTH: Subscriptions = Subscriptions {
    poll: true,
    listen: Some(Listening::new(
        Duration::from_secs(2),
        Duration::from_secs(60),
    )),
};

#[derive(serde::Deserialize, JsonSchema)]
struct Which {
    uri: String,
}

/// Resources, one of them for some callers only, and a tool that changes any of them.
fn shop() -> Builder {
    let resource = |uri: &str, name: &str| {
        let resource = Resource::new(uri, name).description("A thing.");
        resource.handler(|_: Cx| async { "text" })
    };
    let ledger = Resource::new("shop://ledger", "ledger").description("The ledger.");
    let ledger = ledger.scope("ledger").handler(|_: Cx| async { "text" });
    let item = Resource::new("shop://items/{uri}", "item").description("An item.");
    let change = Tool::new("change").description("Changes something.");
    Server::builder("shop", "1.0.0")
        .resource(resource("shop://stock", "stock"))
        .resource(ledger)
        .resource(item.handler(|which: Which| async move { which.uri }))
        .tool(change.handler(|which: Which, cx: Cx| async move {
            cx.changed(&which.uri).await;
            "changed"
        }))
}

fn caller(name: &str, scopes: Scopes) -> Principal {
    Principal::new(PrincipalKind::ApiKey, name).with_scopes(scopes)
}

fn initialize(revision: &str) -> String {
    let params = json!({
        "protocolVersion": revision,
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"}
    });
    json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}).to_string()
}

/// Two instances.
struct Pair {
    here: InProcess,
    there: InProcess,
}

impl Pair {
    fn new() -> Self {
        Self::with(BOTH, Arc::new(MemoryStores::default()))
    }

    fn with(subscriptions: Subscriptions, topics: Arc<dyn Topics>) -> Self {
        let instance = || {
            let topics = Arc::clone(&topics);
            let server = || shop().subscriptions(subscriptions);
            InProcess::with_config(server, Config::default())
                .called_by(caller("alice", Scopes::all()))
                .on(|platform| platform.with_topics(topics))
        };
        let (here, mut there) = (instance(), instance());
        // the same hour on both
        let platform = time::platform(&here.time, &there.log, time::keys());
        there.platform = Arc::new(Arc::unwrap_or_clone(platform).with_topics(topics));
        let pair = Self { here, there };
        for _ in 0..300 {
            // and not the same randomness: each session takes some
            pair.there.send(&Request::post(initialize("2025-11-25")));
        }
        pair
    }

    fn session(&self, revision: &str) -> Session {
        let response = self.here.send(&Request::post(initialize(revision)));
        let capabilities = &response.json()["result"]["capabilities"];
        assert_eq!(capabilities["resources"], json!({"subscribe": true}));
        Session {
            revision: revision.to_owned(),
            token: response.header("mcp-session-id").unwrap().to_owned(),
        }
    }

    /// A handler there says that something changed.
    fn change(&self, uri: &str) {
        let call = json!({"name": "change", "arguments": {"uri": uri}});
        let response = self.there.send(&Request::modern("tools/call", call));
        assert_eq!(response.json()["result"]["content"][0]["text"], "changed");
    }
}

struct Session {
    revision: String,
    token: String,
}

impl Session {
    fn request(&self, method: &str, uri: &str) -> Request {
        let message = json!({"id": 7, "method": method, "params": {"uri": uri}});
        Request::from_client(&self.revision, message).header("mcp-session-id", &self.token)
    }

    fn subscribe(&self, host: &InProcess, uri: &str) -> Value {
        host.send(&self.request("resources/subscribe", uri)).json()
    }

    /// As clients open the stream of their session.
    fn get(&self, seen: Option<&str>) -> Request {
        let mut request = Request::post("")
            .without("content-type")
            .header("accept", "text/event-stream")
            .header("mcp-session-id", &self.token);
        request.method = "GET".to_owned();
        match seen {
            Some(id) => request.header("last-event-id", id),
            None => request,
        }
    }

    fn poll(&self, host: &InProcess, seen: Option<&str>) -> Told {
        Told::read(&host.send(&self.get(seen)))
    }
}

/// What a client reads of an answer to a GET.
#[derive(Debug)]
struct Told {
    /// Resources that changed.
    uris: Vec<String>,
    id: Option<String>,
}

impl Told {
    fn read(response: &Response) -> Self {
        assert_eq!(response.status, 200, "{}", response.text());
        assert_eq!(response.header("content-type"), Some("text/event-stream"));
        let text = response.text();
        assert!(
            text.starts_with("retry: 30000\n") && text.ends_with("\n\n"),
            "{text}"
        );
        let (mut uris, mut id) = (Vec::new(), None);
        for line in text.lines() {
            if let Some(data) = line.strip_prefix("data: ") {
                let message: Value = serde_json::from_str(data).unwrap();
                assert_eq!(message["method"], "notifications/resources/updated");
                assert!(message.get("id").is_none());
                uris.push(message["params"]["uri"].as_str().unwrap().to_owned());
            }
            id = line.strip_prefix("id: ").map(str::to_owned).or(id);
        }
        Self { uris, id }
    }
}

#[test]
fn every_instance_tells_of_changes_until_the_client_knows_them() {
    for revision in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let pair = Pair::new();
        let session = pair.session(revision);
        // opened before anything is subscribed to
        let first = session.poll(&pair.there, None);
        assert!(first.uris.is_empty() && first.id.is_some(), "{first:?}");
        let result = json!({"jsonrpc": "2.0", "id": 7, "result": {}});
        assert_eq!(session.subscribe(&pair.here, "shop://stock"), result);
        assert_eq!(session.subscribe(&pair.there, "shop://items/1"), result);
        assert_eq!(
            session.subscribe(&pair.there, "shop://stock"),
            result,
            "again"
        );
        let nothing = session.poll(&pair.here, first.id.as_deref());
        assert_eq!(nothing.uris, [""; 0]);
        pair.change("shop://stock");
        pair.change("shop://items/2");
        let told = session.poll(&pair.here, nothing.id.as_deref());
        assert_eq!(told.uris, ["shop://stock"]);
        // one whose answer was lost asks as before
        let again = session.poll(&pair.there, nothing.id.as_deref());
        assert_eq!(again.uris, ["shop://stock"]);
        let known = session.poll(&pair.there, again.id.as_deref());
        assert_eq!(known.uris, [""; 0]);
        pair.change("shop://items/1");
        pair.change("shop://stock");
        pair.change("shop://stock");
        let both = session.poll(&pair.here, known.id.as_deref());
        assert_eq!(both.uris, ["shop://items/1", "shop://stock"]);
        for _ in 0..2 {
            let left = session.request("resources/unsubscribe", "shop://stock");
            assert_eq!(pair.there.send(&left).json(), result);
        }
        pair.change("shop://stock");
        let after = session.poll(&pair.here, both.id.as_deref());
        assert_eq!(after.uris, [""; 0]);
        let calls = [pair.here.log.calls(), pair.there.log.calls()].concat();
        let polls = calls.iter().filter(|call| call.contains("GET"));
        assert_eq!(polls.count(), 7, "{calls:?}");
    }
}

#[test]
fn sessions_and_callers_have_their_own() {
    let mut pair = Pair::new();
    let (one, other) = (pair.session("2025-11-25"), pair.session("2025-11-25"));
    one.subscribe(&pair.here, "shop://stock");
    let seen = one.poll(&pair.here, None);
    pair.change("shop://stock");
    assert_eq!(other.poll(&pair.here, None).uris, [""; 0]);
    // another session's id counts as none
    let foreign = other.poll(&pair.here, seen.id.as_deref());
    assert_eq!(foreign.uris, [""; 0]);
    pair.here.turn_into(caller("mallory", Scopes::all()));
    assert_eq!(one.poll(&pair.here, seen.id.as_deref()).uris, [""; 0]);
    let leave = one.request("resources/unsubscribe", "shop://stock");
    assert_eq!(pair.here.send(&leave).json()["result"], json!({}));
    pair.here.turn_into(caller("alice", Scopes::all()));
    assert_eq!(
        one.poll(&pair.here, seen.id.as_deref()).uris,
        ["shop://stock"]
    );
    for forged in ["", "x", "AAAA", &"A".repeat(60_000), "\u{e9}"] {
        let told = one.poll(&pair.here, Some(forged));
        assert_eq!(told.uris, ["shop://stock"], "as if it had seen nothing");
    }
}

#[test]
fn who_may_not_read_any_more_is_told_nothing() {
    let mut pair = Pair::new();
    let session = pair.session("2025-11-25");
    session.subscribe(&pair.here, "shop://ledger");
    session.subscribe(&pair.here, "shop://stock");
    pair.change("shop://ledger");
    assert_eq!(session.poll(&pair.here, None).uris, ["shop://ledger"]);
    pair.here.turn_into(caller("alice", Scopes::parse("other")));
    assert_eq!(session.poll(&pair.here, None).uris, [""; 0]);
    let refused = session.subscribe(&pair.here, "shop://ledger");
    assert_eq!(refused["error"]["code"], 403);
    pair.here
        .turn_into(caller("alice", Scopes::parse("ledger")));
    assert_eq!(session.poll(&pair.here, None).uris, ["shop://ledger"]);
}

#[test]
fn a_client_that_asks_keeps_its_subscriptions_and_one_that_is_gone_does_not() {
    let hours = |hours: u64| Duration::from_secs(hours * 3600);
    for (pauses, told) in [(&[11, 11, 11, 11][..], 1), (&[13, 11], 1), (&[25], 0)] {
        let pair = Pair::new();
        let session = pair.session("2025-11-25");
        session.subscribe(&pair.here, "shop://stock");
        let mut seen = None;
        for pause in pauses {
            pair.here.time.pass(hours(*pause));
            seen = session.poll(&pair.here, seen.as_deref()).id;
        }
        pair.change("shop://stock");
        let found = session.poll(&pair.here, seen.as_deref()).uris;
        assert_eq!(found.len(), told, "{pauses:?}");
    }
}
