//! Events through an SQS that is not ours, which `cargo xtask lambda` starts (`MCPFN_TEST_SQS`): that it
//! takes what the function writes, waits as long as it is told, and gives it back.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mcpfn_lambda_emulator::EventSource;
use mcpfn_lambda_emulator::event_house::EventHouse;
use serde_json::{Value, json};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

async fn house() -> EventHouse {
    let address = std::env::var("MCPFN_TEST_SQS").expect("run `cargo xtask lambda`");
    let address: SocketAddr = address.parse().expect("an address");
    let program = env!("CARGO_BIN_EXE_everything-lambda");
    let house = EventHouse::start(program, address, &[]).await;
    for name in ["events", "dead"] {
        let made = house
            .source
            .ask("CreateQueue", json!({"QueueName": name}))
            .await;
        let url = made["QueueUrl"].as_str().unwrap();
        assert!(url.ends_with(&format!("/123456789012/{name}")), "{url}");
        let purged = of(&house, name).ask("PurgeQueue", json!({})).await;
        assert!(purged.is_null() || purged.is_object());
    }
    house
}

/// Another queue of the same service.
fn of(house: &EventHouse, name: &str) -> EventSource {
    let source = &house.source;
    let url = source.url.replace("/events", &format!("/{name}"));
    let fleet = std::sync::Arc::clone(&source.fleet);
    EventSource::new(source.service.clone(), url, source.arn.clone(), fleet)
}

/// Receives until that is so.
async fn until(house: &EventHouse, is: impl Fn(&EventHouse) -> bool) {
    let begun = Instant::now();
    while !is(house) {
        let turn = house.source.turn().await;
        assert_eq!((turn.failed, turn.again), (None, 0));
        assert!(
            begun.elapsed() < PATIENCE,
            "{:#?}",
            house.source.fleet.log()
        );
    }
}

/// One test, because the queues are shared.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_put_and_taken_sent_later_and_given_up() {
    let house = house().await;
    house.subscribe().await;
    for number in 0..12 {
        house.open_door(number).await;
    }
    until(&house, |house| house.taken().len() >= 12).await;
    let mut taken = house.taken();
    taken.sort_unstable();
    taken.dedup();
    assert_eq!(taken.len(), 12);
    // an attempt that fails is followed by another one, ten seconds later
    house.receiver.becomes(Some(503));
    house.open_door(20).await;
    until(&house, |house| {
        !house.lines("event_delivery").iter().all(delivered)
    })
    .await;
    let names = json!({"AttributeNames": ["ApproximateNumberOfMessagesDelayed"]});
    let counted = house.source.ask("GetQueueAttributes", names).await;
    let delayed = &counted["Attributes"]["ApproximateNumberOfMessagesDelayed"];
    assert_eq!(delayed, "1", "{counted}");
    let failed = Instant::now();
    house.receiver.becomes(Some(200));
    until(&house, |house| {
        house.taken().contains(&"door-20".to_owned())
    })
    .await;
    assert!(
        failed.elapsed() > Duration::from_secs(8),
        "{:?}",
        failed.elapsed()
    );
    // and what a receiver wants no more is kept with its reason
    house.receiver.becomes(Some(410));
    house.open_door(30).await;
    until(&house, |house| !house.lines("event_given_up").is_empty()).await;
    let all = json!({"MessageAttributeNames": ["All"]});
    let dead = of(&house, "dead").ask("ReceiveMessage", all).await;
    let dead = &dead["Messages"][0];
    let reason = &dead["MessageAttributes"]["reason"]["StringValue"];
    assert!(
        reason.as_str().unwrap().contains("attempts failed"),
        "{dead}"
    );
}

fn delivered(line: &Value) -> bool {
    line["outcome"] == "delivered"
}
