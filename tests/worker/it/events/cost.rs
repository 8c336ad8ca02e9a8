//! What events cost: requests to objects, and rows that these read and write, which is what is billed.
//! docs/guide/events.md has the prices.

use mcpfn::port::{
    EventLog as _, EventPosition, EventRetention, EventSubscriptions as _, SubscriptionBounds,
    SubscriptionKey,
};
use std::sync::Arc;

use super::Objects;
use crate::{Host as _, Request, Worker};

const KEEP: EventRetention = EventRetention {
    max_age_ms: 86_400_000,
    max_events: 10_000,
};
const ROOM: SubscriptionBounds = SubscriptionBounds {
    per_owner: 100,
    per_topic: 10_000,
};

/// Requests, rows read and rows written since the last look.
fn cost() -> (u64, u64, u64) {
    let mut request = Request::post("");
    request.path = "/cost".to_owned();
    let cost = Worker::named("counter").send(&request).json();
    let of = |name: &str| cost[name].as_u64().unwrap_or_else(|| panic!("{cost}"));
    (of("requests"), of("read"), of("written"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_step_reads_and_writes_a_few_rows() {
    let store = Objects {
        worker: Worker::named("costed"),
        queue: Arc::default(),
    };
    let ids: Vec<String> = (0..100).map(|number| format!("sub_{number:03}")).collect();
    let now_ms = 1_800_000_000_000;
    let append = || store.append("topic", "{}".into(), now_ms, KEEP);
    let key = |id| SubscriptionKey {
        topic: "topic",
        owner: "owner",
        id,
    };
    let write = |id, replaces| {
        let expires_ms = now_ms + 3_600_000;
        store.write(key(id), replaces, "{}".into(), expires_ms, now_ms, ROOM)
    };
    // objects that are new make their tables, and set their alarms
    let begun = append().await.unwrap();
    for id in &ids {
        write(id.as_str(), None).await.unwrap();
    }
    store.remove(key("sub_099")).await.unwrap();
    let begins = cost();
    println!("100 subscriptions to something new: {begins:?}");
    let mut costs = Vec::new();
    append().await.unwrap();
    costs.push(("append", cost(), (1, 12, 1)));
    let before = EventPosition::from_number(begun.number());
    store.read("topic", before, 1, now_ms, KEEP).await.unwrap();
    costs.push(("read one", cost(), (1, 8, 0)));
    store.end("topic", now_ms, KEEP).await.unwrap();
    costs.push(("end", cost(), (1, 8, 0)));
    store.find(key("sub_007"), now_ms).await.unwrap();
    costs.push(("find", cost(), (1, 2, 0)));
    let page = store.page("topic", None, 100, now_ms).await.unwrap();
    assert_eq!(page.len(), 99);
    costs.push(("a page of 99", cost(), (1, 101, 0)));
    write("sub_007", Some(page[7].version)).await.unwrap();
    costs.push(("renew", cost(), (2, 205, 2)));
    write("sub_new", None).await.unwrap();
    costs.push(("subscribe, as the hundredth", cost(), (2, 310, 2)));
    store.remove(key("sub_new")).await.unwrap();
    costs.push(("unsubscribe", cost(), (2, 6, 2)));
    for (step, (requests, read, written), most) in costs {
        println!("{step}: {requests} requests, {read} rows read, {written} written");
        assert!(
            requests == most.0 && read <= most.1 && written <= most.2,
            "{step}: {requests} requests, {read} read and {written} written, and not {most:?}"
        );
    }
}
