//! Events with a function of their own that are sent to addresses, too: the function is asked for all
//! subscribers at once, by one instance at a time, and only where somebody subscribed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mcpfn_core::event::{Event, EventOccurrence, EventPage, EventPoll};
use mcpfn_core::host::EventsPumped;
use mcpfn_core::port::{EventRetention, HttpClient};
use mcpfn_core::{Builder, Cx, JsonSchema, Principal, PrincipalKind, Scopes, Server, ToolError};
use mcpfn_testing::{TestClient, TestHttp, block_on};
use serde::Deserialize;
use serde_json::{Value, json};

const MINUTE: Duration = Duration::from_secs(60);

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Chosen {
    #[expect(dead_code, reason = "what it may choose by is in the schema")]
    kind: Option<String>,
}

/// What stands in a table that others write, and how often it was asked for.
#[derive(Default)]
struct Table {
    rows: Mutex<Vec<Value>>,
    asked: AtomicUsize,
    broken: AtomicUsize,
    /// Happens while the function is asked.
    meanwhile: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

#[derive(Clone, Default)]
struct Shared(Arc<Table>);

impl Shared {
    fn add(&self, kind: &str) {
        let mut rows = self.0.rows.lock().unwrap();
        let row = json!({"kind": kind, "n": rows.len() + 1});
        rows.push(row);
    }
}

async fn rows(_: Chosen, poll: EventPoll, cx: Cx) -> Result<EventPage, ToolError> {
    let table = &cx.state::<Shared>()?.0;
    table.asked.fetch_add(1, Ordering::Relaxed);
    if let Some(meanwhile) = table.meanwhile.lock().unwrap().take() {
        meanwhile();
    }
    match table.broken.load(Ordering::Relaxed) {
        0 => {}
        1 => return Err(ToolError::internal("the table is not there")),
        2 => return Err(ToolError::new("try again")),
        _ => return Ok(EventPage::new("0").truncated()),
    }
    let rows = table.rows.lock().unwrap();
    let Some(cursor) = poll.cursor() else {
        return Ok(EventPage::new(rows.len().to_string()));
    };
    let from: usize = cursor.parse().unwrap();
    let until = rows.len().min(from + poll.limit());
    let events = (from..until)
        .map(|row| EventOccurrence::new(format!("row-{}", row + 1), cx.now_ms(), &rows[row]));
    let page = EventPage::new(until.to_string()).events(events);
    Ok(page.more(until < rows.len()))
}

fn builder(table: &Shared, keep: EventRetention) -> Builder {
    let added = Event::new("row.added")
        .description("A row was added.")
        .payload_schema(json!({"type": "object", "properties": {"n": {"type": "integer"}}}))
        .poll(rows)
        .keep(keep)
        .sent();
    Server::builder("rows", "1.0.0")
        .state(table.clone())
        .event(added)
}

/// Confirms its address, and takes everything.
fn receiver() -> TestHttp {
    TestHttp::new(|request| {
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        Ok(TestHttp::json(
            200,
            json!({"challenge": body["challenge"]}).to_string(),
        ))
    })
}

struct World {
    table: Shared,
    receiver: TestHttp,
    client: TestClient,
}

impl World {
    fn new() -> Self {
        Self::keeping(EventRetention::default())
    }

    fn keeping(keep: EventRetention) -> Self {
        let (table, receiver) = (Shared::default(), receiver());
        let alice = Principal::new(PrincipalKind::Jwt, "alice").with_scopes(Scopes::all());
        let client = TestClient::new(builder(&table, keep))
            .principal(alice)
            .with_port::<dyn HttpClient>(Arc::new(receiver.clone()));
        Self {
            table,
            receiver,
            client,
        }
    }

    fn params(more: &Value) -> Value {
        let delivery = json!({
            "mode": "webhook", "url": "https://hooks.example/1",
            "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        });
        let mut params = json!({"name": "row.added", "delivery": delivery});
        for (member, value) in more.as_object().unwrap() {
            params[member] = value.clone();
        }
        params
    }

    fn subscribe(&self, more: &Value) -> Value {
        let params = Self::params(more);
        let subscribed = self.client.request("events/subscribe", params).wait();
        subscribed.unwrap()
    }

    fn pump(&self) -> EventsPumped {
        block_on(self.client.server().pump_events(self.client.platform()))
    }

    /// Ids of what arrived, in whatever order.
    fn arrived(&self) -> Vec<String> {
        self.client.run_events();
        let sent = self.receiver.sent().into_iter();
        let bodies = sent.map(|request| serde_json::from_slice::<Value>(&request.body).unwrap());
        let ids = bodies.filter_map(|body| Some(body["eventId"].as_str()?.to_owned()));
        let mut ids: Vec<String> = ids.collect();
        ids.sort_unstable();
        ids
    }

    /// The cursor of what arrived with this id.
    fn cursor_of(&self, id: &str) -> Value {
        let sent = self.receiver.sent().into_iter();
        let mut bodies = sent.map(|it| serde_json::from_slice::<Value>(&it.body).unwrap());
        let found = bodies.find(|body| body["eventId"] == id);
        found.unwrap()["cursor"].clone()
    }

    fn poll(&self, cursor: &Value, arguments: &Value) -> Vec<String> {
        let params = json!({"name": "row.added", "arguments": arguments, "cursor": cursor});
        let page = self.client.request("events/poll", params).wait().unwrap();
        assert_eq!(page["truncated"], false);
        let events = page["events"].as_array().unwrap().iter();
        events
            .map(|event| event["eventId"].as_str().unwrap().to_owned())
            .collect()
    }
}

#[test]
fn what_is_new_since_somebody_subscribed_is_sent_once() {
    let world = World::new();
    let listed = world.client.request("events/list", json!({})).wait();
    let delivery = &listed.unwrap()["events"][0]["delivery"];
    assert_eq!(*delivery, json!(["poll", "push", "webhook"]));
    world.table.add("a");
    assert_eq!(world.pump(), EventsPumped::default());
    let asked = || world.table.0.asked.load(Ordering::Relaxed);
    assert_eq!(asked(), 0, "nobody waits for it");
    let arguments = json!({"kind": "b"});
    let subscribed = world.subscribe(&json!({ "arguments": arguments }));
    assert_eq!(subscribed["truncated"], false);
    for kind in ["a", "b", "c", "b"] {
        world.table.add(kind);
    }
    let pumped = EventsPumped {
        appended: 4,
        ..Default::default()
    };
    assert_eq!(world.pump(), pumped);
    assert_eq!(world.arrived(), ["row-3", "row-5"]);
    assert_eq!(world.pump(), EventsPumped::default(), "nothing is new");
    assert_eq!(world.arrived().len(), 2);
    // with the cursor that it got it could have asked itself
    assert_eq!(world.poll(&subscribed["cursor"], &arguments).len(), 4);
}

#[test]
fn a_receiver_goes_on_by_itself_with_the_cursor_of_what_it_was_sent() {
    let world = World::new();
    world.subscribe(&json!({}));
    for _ in 0..3 {
        world.table.add("a");
    }
    let _ = world.pump();
    world.arrived();
    world.table.add("a");
    assert_eq!(world.poll(&world.cursor_of("row-3"), &json!({})), ["row-4"]);
    // of one in the middle of a page, nothing is missing
    let rest = world.poll(&world.cursor_of("row-1"), &json!({}));
    assert!(rest.ends_with(&["row-2".into(), "row-3".into(), "row-4".into()]));
}

#[test]
fn who_subscribes_later_hears_of_nothing_from_before() {
    let world = World::new();
    world.subscribe(&json!({"ttlMs": 60_000}));
    world.table.add("a");
    // it ends, and what follows is nobody's
    world.client.time().advance(2 * MINUTE);
    world.table.add("a");
    assert_eq!(world.pump(), EventsPumped::default());
    let subscribed = world.subscribe(&json!({}));
    assert_eq!(subscribed["truncated"], false);
    assert_eq!(world.pump(), EventsPumped::default());
    world.table.add("a");
    assert_eq!(world.pump().appended, 1);
    assert_eq!(world.arrived(), ["row-3"]);
    // one that comes while another is there does not take from it, nor hear of what was its
    world.table.add("a");
    let other = json!({"url": "https://hooks.example/2",
        "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"});
    world.subscribe(&json!({ "delivery": other }));
    world.table.add("a");
    assert_eq!(world.pump().appended, 1);
    let arrived = world.arrived();
    let count = |id: &str| arrived.iter().filter(|known| *known == id).count();
    assert_eq!((count("row-4"), count("row-5")), (1, 2), "{arrived:?}");
}

#[test]
fn many_rows_come_a_round_at_a_time_and_in_order() {
    let world = World::new();
    world.subscribe(&json!({}));
    for _ in 0..1_150 {
        world.table.add("a");
    }
    let (first, second) = (world.pump(), world.pump());
    assert_eq!((first.appended, first.more), (1_000, true));
    assert_eq!((second.appended, second.more), (150, false));
    assert_eq!(world.arrived().len(), 1_150);
}

#[test]
fn a_function_that_fails_loses_nothing_and_is_asked_again() {
    let world = World::new();
    world.subscribe(&json!({}));
    world.table.add("a");
    world.table.0.broken.store(1, Ordering::Relaxed);
    assert_eq!(world.pump().failed, 1);
    let told = world.client.audit().failures();
    assert!(told.iter().any(|told| told.cause.contains("not there")));
    // nobody subscribes to what can't be read
    let other = json!({"url": "https://hooks.example/2",
        "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"});
    let params = World::params(&json!({ "delivery": other }));
    let refused = world.client.request("events/subscribe", params).wait();
    assert!(refused.is_err(), "{refused:?}");
    world.table.0.broken.store(0, Ordering::Relaxed);
    assert_eq!(world.pump().appended, 1);
    assert!(world.arrived().contains(&"row-1".to_owned()));
    // nor where the store is down
    world.table.add("a");
    world.client.events().go_down();
    assert_eq!(world.pump().failed, 1);
    world.client.events().come_back();
    world.client.time().advance(MINUTE);
    assert_eq!(world.pump().appended, 1);
}

#[test]
fn what_does_not_fit_its_schema_holds_up_nothing() {
    let world = World::new();
    world.subscribe(&json!({}));
    world.table.add("a");
    world
        .table
        .0
        .rows
        .lock()
        .unwrap()
        .push(json!({"n": "text"}));
    world.table.add("a");
    assert_eq!(world.pump().appended, 2);
    assert_eq!(world.arrived(), ["row-1", "row-3"]);
}

#[test]
fn an_input_that_needs_something_can_not_be_read_for_all() {
    #[derive(Deserialize, JsonSchema)]
    struct Needs {
        #[expect(dead_code, reason = "its schema is what counts")]
        kind: String,
    }
    let event = Event::new("x")
        .description("X.")
        .payload_schema(json!({}))
        .poll(|_: Needs, _, _| async { Ok(EventPage::new("0")) })
        .sent();
    let told = Server::builder("x", "1").event(event).build().unwrap_err();
    assert!(told.to_string().contains("be optional"), "{told}");
}

/// Of two at the same time one reads, and the other one leaves.
#[test]
fn a_second_reader_at_the_same_time_reads_nothing() {
    let world = World::new();
    world.subscribe(&json!({}));
    world.table.add("a");
    let (server, platform) = (world.client.server(), world.client.platform());
    let (server, platform) = (server.clone(), Arc::clone(platform));
    let asked = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&asked);
    let table = Arc::clone(&world.table.0);
    *world.table.0.meanwhile.lock().unwrap() = Some(Box::new(move || {
        let before = table.asked.load(Ordering::Relaxed);
        let pumped = block_on(server.pump_events(&platform));
        assert_eq!(pumped, EventsPumped::default());
        assert_eq!(table.asked.load(Ordering::Relaxed), before, "it asked");
        seen.fetch_add(1, Ordering::Relaxed);
    }));
    assert_eq!(world.pump().appended, 1);
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    assert_eq!(world.arrived(), ["row-1"]);
}

/// However seldom a schedule runs, and however short an event is kept.
#[test]
fn where_the_function_is_outlives_the_pause_between_two_rounds() {
    let world = World::keeping(EventRetention {
        max_age_ms: 30_000,
        max_events: 10,
    });
    world.subscribe(&json!({"ttlMs": 7_200_000}));
    for hour in 1..=2 {
        world.client.time().advance(50 * MINUTE);
        world.table.add("a");
        assert_eq!(world.pump().appended, 1, "{hour}");
        world.client.run_events();
    }
    assert_eq!(world.arrived(), ["row-1", "row-2"]);
}

#[test]
fn nothing_is_begun_without_the_time_for_it() {
    let world = World::new();
    world.subscribe(&json!({}));
    world.table.add("a");
    let (server, platform) = (world.client.server(), world.client.platform());
    let until = |left_ms| {
        let end_ms = world.client.time().now_ms() + left_ms;
        block_on(server.pump_events_until(platform, end_ms))
    };
    let asked = || world.table.0.asked.load(Ordering::Relaxed);
    let before = asked();
    let left = until(9_000);
    assert_eq!((left.appended, left.more, asked()), (0, true, before));
    // of many, what fits into the time
    for _ in 0..99 {
        world.table.add("a");
    }
    assert_eq!(until(10_000).appended, 100, "no time passes here");
    assert_eq!(world.arrived().len(), 100);
}

/// What nobody is told of is in the log, also where the author gave no cause.
#[test]
fn what_is_not_read_is_said_in_the_log() {
    let world = World::new();
    world.subscribe(&json!({}));
    world.table.add("a");
    world.table.0.broken.store(2, Ordering::Relaxed);
    assert_eq!(world.pump().failed, 1);
    let causes = world.client.audit().causes();
    assert!(
        causes.iter().any(|it| it.contains("try again")),
        "{causes:?}"
    );
    // a cursor that the function can't read any more
    world.table.0.broken.store(3, Ordering::Relaxed);
    assert_eq!(world.pump().failed, 0);
    let causes = world.client.audit().causes();
    assert!(
        causes.iter().any(|it| it.contains("events are missing")),
        "{causes:?}"
    );
}
