//! Upstreams of an author's own: one that never answers holds no list of another, and what is listed
//! is the same bytes for every caller of a revision.

use std::future::{pending, ready};
use std::sync::Arc;

use mcpfn::content::{CallToolResult, GetPromptResult, ResourceContents};
use mcpfn::handler::BoxFuture;
use mcpfn::host::ListKind;
use mcpfn::upstream::{CompletionRequest, ListOutcome, Upstream, UpstreamList, icon_is_public};
use mcpfn::{Completions, Cx, Revision, Server, ToolError};
use mcpfn_testing::{TestClient, TestClock, block_on};
use serde_json::{Value, json};

/// A server with lists alone; without tools, it never answers.
struct Lists {
    name: &'static str,
    tools: Option<Vec<Value>>,
}

type Answer<T> = BoxFuture<'static, Result<T, ToolError>>;

fn nothing<T: Send + 'static>() -> Answer<T> {
    Box::pin(ready(Err(ToolError::new("it has lists alone"))))
}

impl Upstream for Lists {
    fn name(&self) -> &str {
        self.name
    }

    fn scope(&self) -> Option<&str> {
        None
    }

    fn list(&self, kind: ListKind, cx: Cx) -> BoxFuture<'static, ListOutcome> {
        let Some(tools) = self.tools.clone() else {
            return Box::pin(pending());
        };
        let (list, left_out) = UpstreamList::read(kind, self.name, tools, cx.now_ms() + 60_000);
        assert_eq!(left_out, Vec::<String>::new());
        Box::pin(ready(ListOutcome {
            listing: Some(Arc::new(list)),
            trouble: None,
        }))
    }

    fn knows(&self, _: ListKind, _: &str) -> bool {
        false
    }

    fn call_tool(&self, _: &str, _: Value, _: Cx) -> Answer<CallToolResult> {
        nothing()
    }

    fn get_prompt(&self, _: &str, _: Value, _: Cx) -> Answer<GetPromptResult> {
        nothing()
    }

    fn read_resource(&self, _: &str, _: Cx) -> Answer<Vec<ResourceContents>> {
        nothing()
    }

    fn complete(&self, _: CompletionRequest, _: Cx) -> Answer<Completions> {
        nothing()
    }
}

fn front(lists: impl IntoIterator<Item = Lists>) -> Server {
    let builder = lists
        .into_iter()
        .fold(Server::builder("front", "1"), |builder, list| {
            builder.upstream(list)
        });
    builder.build().unwrap()
}

#[test]
fn one_that_never_answers_holds_no_other() {
    let tool = json!({"name": "x", "inputSchema": {"type": "object"}});
    let (never, good) = (None, Some(vec![tool]));
    let server =
        front([("never", never), ("good", good)].map(|(name, tools)| Lists { name, tools }));
    let clock = TestClock::auto();
    let client = TestClient::with_clock(server, clock.clone());
    let started_ms = clock.now_ms();
    let list = block_on(async { client.request("tools/list", json!({})).await }).unwrap();
    assert_eq!(list["tools"][0]["name"], "good__x");
    assert_eq!(list["tools"].as_array().unwrap().len(), 1);
    assert_eq!(list["ttlMs"], 5000);
    assert_eq!(clock.now_ms() - started_ms, 10_000);
}

#[test]
fn each_revision_has_what_it_knows_of_an_entry() {
    let icon = json!({"src": "https://cdn.example.com/i.png"});
    let full = json!({"name": "full", "title": "Full", "icons": [icon],
        "inputSchema": {"type": "object"}, "outputSchema": {"type": "object"},
        "annotations": {"readOnlyHint": true}});
    let plain = json!({"name": "plain", "inputSchema": {"type": "object"}});
    let tools = Some(vec![full, plain.clone()]);
    let server = front([Lists { name: "a", tools }]);
    for revision in Revision::ALL {
        let client = TestClient::new(server.clone()).revision(revision);
        // the second time from what the first one kept
        for _ in 0..2 {
            let list = block_on(async { client.request("tools/list", json!({})).await }).unwrap();
            let (full, listed) = (&list["tools"][0], &list["tools"][1]);
            let has = |member: &str| full.get(member).is_some();
            assert_eq!(
                has("title"),
                revision >= Revision::V2025_06_18,
                "{revision:?}"
            );
            assert_eq!(has("outputSchema"), revision >= Revision::V2025_06_18);
            assert_eq!(has("icons"), revision >= Revision::V2025_11_25);
            assert_eq!(has("annotations"), revision >= Revision::V2025_03_26);
            assert_eq!(listed["inputSchema"], plain["inputSchema"]);
        }
    }
}

#[test]
fn icons_of_public_names_alone() {
    for public in [
        "https://a.example/i.png",
        "HTTPS://cdn.a-b.co.uk:8443/i?x=1#y",
        "https://a.b",
    ] {
        assert!(icon_is_public(public), "{public}");
    }
    for other in [
        "",
        "https://",
        "https://a",
        "http://a.example/i",
        "https:/a.example",
        "https://a..example",
        "https://.example",
        "https://127.0.0.1/",
        "https://a.example@127.1/",
        "https://[::1]/",
        "https://a.example:x/",
        "https://a.local",
        "https://a.LOCALHOST.",
        "https://1.2.3.0x7f/",
        "https://a.example/\u{202e}",
        "https://a.example/ b",
        "https://xn--a.example\n.internal",
        "data:image/png;base64,AA==",
        "javascript:alert(1)//https://a.example",
    ] {
        assert!(!icon_is_public(other), "{other}");
    }
}
