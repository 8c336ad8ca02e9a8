//! Results that are kept and no longer true: what stands in for a failure, and what a write ends.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::time::Duration;

use mcpfn::host::{ToolChange, ToolSetting};
use mcpfn::prelude::*;
use mcpfn::{
    ServiceFault,
    handler::BoxFuture,
    port::{Background, CacheStatus, Outcome},
};
use mcpfn_native::memory::MemoryStores;
use mcpfn_testing::{TestClient, TestClock, block_on};
use serde_json::{Value, json};

const MINUTE: Duration = Duration::from_secs(60);

/// What the next calls do.
#[derive(Clone, Copy, PartialEq)]
enum Next {
    Works,
    Fails(ServiceFault),
    Errs,
    IsGone,
    Hangs,
    Panics,
}

#[derive(Clone)]
struct Shop {
    next: Arc<Mutex<Next>>,
    runs: Arc<AtomicUsize>,
}

#[output]
struct Price {
    cents: usize,
}

impl Shop {
    fn new() -> Self {
        Self {
            next: Arc::new(Mutex::new(Next::Works)),
            runs: Arc::default(),
        }
    }

    fn then(&self, next: Next) {
        *self.next.lock().unwrap() = next;
    }

    async fn run(self, cx: Cx) -> Result<Json<Price>, ToolError> {
        let next = *self.next.lock().unwrap();
        match next {
            Next::Works => {}
            Next::Fails(fault) => {
                let error = ToolError::unavailable("The till is closed.", "private");
                return Err(error.with_fault(fault));
            }
            Next::Errs => return Err(ToolError::new("There is no such price.")),
            Next::IsGone => return Err(ToolError::not_found("There is no such thing.")),
            Next::Hangs => cx.sleep(MINUTE).await,
            Next::Panics => panic!("boom"),
        }
        let cents = self.runs.fetch_add(1, Ordering::SeqCst) + 1;
        Ok(Json(Price { cents }))
    }

    fn tool(&self, name: &str) -> Tool {
        let shop = self.clone();
        Tool::new(name)
            .description("Does it.")
            .handler(move |_: NoArguments, cx: Cx| shop.clone().run(cx))
    }

    fn builder(&self) -> Builder {
        Server::builder("shop", "1.0.0")
            .tool(
                self.tool("ask")
                    .read_only()
                    .cache(MINUTE)
                    .cache_stale_if_error(10 * MINUTE),
            )
            .tool(
                self.tool("find")
                    .read_only()
                    .open_world(false)
                    .cache(MINUTE),
            )
            .tool(self.tool("look").read_only().open_world(false))
            .tool(self.tool("set").open_world(false))
            .tool(self.tool("send"))
    }

    fn client(&self) -> TestClient {
        TestClient::with_clock(self.builder(), TestClock::auto())
    }
}

fn cents(client: &TestClient, tool: &str) -> usize {
    let result = client.call(tool, json!({})).wait().unwrap();
    assert!(!result.is_error(), "{}", result.text());
    result.structured::<Value>()["cents"].as_u64().unwrap() as usize
}

#[test]
fn an_older_result_stands_in_while_a_service_fails() {
    let shop = Shop::new();
    let client = shop.client();
    assert_eq!(cents(&client, "ask"), 1);
    client.time().advance(5 * MINUTE);
    for fault in ServiceFault::ALL {
        shop.then(Next::Fails(fault));
        let result = client.call("ask", json!({})).wait().unwrap();
        assert!(!result.is_error());
        assert_eq!(result.structured::<Value>(), json!({"cents": 1}));
        let content = serde_json::to_value(result.content()).unwrap();
        assert_eq!(
            content[0]["text"], "{\"cents\":1}",
            "programs find what they know"
        );
        let note = content[1]["text"].as_str().unwrap();
        let expected = "This result is 5 minutes old, because there is no newer one: The till is \
            closed. (error id ";
        assert!(note.starts_with(expected), "{note}");
        let audit = client.audit().calls();
        let last = audit.last().unwrap();
        assert_eq!(
            (last.outcome, last.cache),
            (Outcome::Ok, CacheStatus::StaleIfError)
        );
        assert_eq!(client.audit().causes().last().unwrap(), "private");
    }
    shop.then(Next::Hangs);
    let late = client.call("ask", json!({})).wait().unwrap();
    assert!(
        late.text().contains("did not finish within 5 s"),
        "{}",
        late.text()
    );
    // what the call itself is to blame for is said, whatever there was before
    for next in [Next::Errs, Next::IsGone, Next::Panics] {
        shop.then(next);
        assert!(client.call("ask", json!({})).wait().unwrap().is_error());
    }
    // nobody else's, and none that is too old
    shop.then(Next::Fails(ServiceFault::Failing));
    let other = client.clone().scopes("other");
    assert!(other.call("ask", json!({})).wait().unwrap().is_error());
    client.time().advance(6 * MINUTE);
    assert!(client.call("ask", json!({})).wait().unwrap().is_error());
    shop.then(Next::Works);
    assert_eq!(cents(&client, "ask"), 2);
}

#[test]
fn a_write_ends_what_was_read_of_the_servers_own_data() {
    let shop = Shop::new();
    let client = shop.client();
    let (found, asked) = (cents(&client, "find"), cents(&client, "ask"));
    assert_eq!(cents(&client, "find"), found);
    for write in ["set", "send"] {
        let found = cents(&client, "find");
        cents(&client, write);
        assert_ne!(cents(&client, "find"), found, "{write}");
        assert_eq!(
            cents(&client, "ask"),
            asked,
            "what is elsewhere is not written here"
        );
    }
    // a write that may have happened
    for next in [
        Next::Fails(ServiceFault::TimedOut),
        Next::Panics,
        Next::Hangs,
    ] {
        let found = cents(&client, "find");
        shop.then(next);
        assert!(client.call("set", json!({})).wait().unwrap().is_error());
        shop.then(Next::Works);
        assert_ne!(cents(&client, "find"), found);
    }
    // one that did not
    let found = cents(&client, "find");
    shop.then(Next::Errs);
    assert!(client.call("set", json!({})).wait().unwrap().is_error());
    shop.then(Next::Works);
    assert_eq!(cents(&client, "find"), found);
    cents(&client, "look");
    assert_eq!(cents(&client, "find"), found, "a read ends nothing");
}

#[test]
fn instances_and_versions_that_share_a_store_end_each_others_results() {
    let shop = Shop::new();
    let store = Arc::new(MemoryStores::default());
    let instance = |name: &str, version: &str| {
        let builder = Server::builder(name, version)
            .tool(
                shop.tool("find")
                    .read_only()
                    .open_world(false)
                    .cache(MINUTE),
            )
            .tool(shop.tool("set"));
        let store = Arc::clone(&store);
        TestClient::new(builder).map_platform(|platform| platform.with_cache(store))
    };
    let (one, other) = (instance("shop", "1.0.0"), instance("shop", "1.1.0"));
    let found = cents(&one, "find");
    assert_eq!(cents(&one, "find"), found);
    let stranger = instance("other-shop", "1.0.0");
    cents(&stranger, "set");
    cents(&stranger, "set");
    assert_eq!(cents(&one, "find"), found, "another server's data");
    // twice: random bytes of tests are the same in both at first
    cents(&other, "set");
    cents(&other, "set");
    assert_ne!(cents(&one, "find"), found);
}

/// Where the host can still work then; elsewhere nothing can be done any more.
#[test]
fn a_write_whose_client_went_away_ends_what_was_read_too() {
    struct AtOnce;
    impl Background for AtOnce {
        fn run(&self, work: BoxFuture<'static, ()>) {
            block_on(work);
        }
    }
    let shop = Shop::new();
    let client = TestClient::new(shop.builder())
        .map_platform(|platform| platform.with_background(Arc::new(AtOnce)));
    for (left, ends) in [("look", false), ("set", true)] {
        let found = cents(&client, "find");
        shop.then(Next::Hangs);
        let mut call = client.call(left, json!({})).into_future();
        let polled = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
        drop(call);
        let audit = client.audit().calls();
        assert_eq!(audit.last().unwrap().outcome, Outcome::Cancelled);
        shop.then(Next::Works);
        assert_eq!(cents(&client, "find") != found, ends, "{left}");
    }
}

#[test]
fn while_the_store_is_down_nothing_kept_is_given() {
    let shop = Shop::new();
    let client = shop.client();
    let found = cents(&client, "find");
    client.stores().go_down();
    assert_ne!(cents(&client, "find"), found);
    // a write that the store does not hear of is made all the same, and said to the log
    cents(&client, "set");
    assert!(!client.audit().degraded().is_empty());
}

#[test]
fn an_operator_changes_times_by_name() {
    let setting = |source: &str, tool: &str, change| ToolSetting {
        source: source.to_owned(),
        tool: tool.to_owned(),
        change,
    };
    let (time, kept) = (ToolChange::Timeout, ToolChange::Cache);
    let shop = Shop::new();
    let builder = shop.builder().tool_settings([
        setting("T", "look", time(2 * MINUTE)),
        setting("C", "look", kept(Some(MINUTE))),
        setting("C", "ask", kept(None)),
    ]);
    let client = TestClient::with_clock(builder, TestClock::auto());
    let looked = cents(&client, "look");
    assert_eq!(cents(&client, "look"), looked);
    assert_ne!(cents(&client, "ask"), cents(&client, "ask"));
    cents(&client, "set");
    shop.then(Next::Hangs);
    assert_ne!(
        cents(&client, "look"),
        looked,
        "a minute is within its time now"
    );

    let error = shop
        .builder()
        .tool_settings([
            setting("T", "lock", time(MINUTE)),
            setting("C", "set", kept(Some(MINUTE))),
            setting("C", "zzzzzzzz", kept(None)),
        ])
        .build()
        .unwrap_err();
    assert_eq!(
        error.mistakes,
        [
            "T: there is no tool `lock`; did you mean `look`? Name a tool of this server, or remove \
             the entry",
            "C: `set` may write, and a kept result would skip a write: remove the entry; only tools \
             that read can be cached",
            "C: there is no tool `zzzzzzzz`. Name a tool of this server, or remove the entry",
        ]
    );
}
