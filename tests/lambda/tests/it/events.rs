//! Events: subscribed to in one environment, emitted in another, sent by a second function from a queue
//! whose messages come twice, come again, or are none; over TLS to a receiver that is slow or away.

use std::time::Duration;

use mcpfn_lambda_emulator::event_house::{ACCOUNT, EventHouse, now_ms};
use mcpfn_lambda_emulator::{Invocation, PlayedSqs, Waiting};
use mcpfn_store_tests::fake::Fault;
use serde_json::{Value, json};

use crate::{start, through_url};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A house, and the queues that this process plays.
struct Played {
    house: EventHouse,
    sqs: PlayedSqs,
}

impl Played {
    async fn start() -> Self {
        Self::with(&[]).await
    }

    async fn with(more: &[(&str, &str)]) -> Self {
        let sqs = PlayedSqs::start(now_ms()).await.unwrap();
        let program = env!("CARGO_BIN_EXE_everything-lambda");
        let house = EventHouse::start(program, sqs.address, more).await;
        Self { house, sqs }
    }

    fn waiting(&self) -> Vec<Waiting> {
        self.sqs.waiting("events")
    }

    /// Lets time pass until the next message can be received, and receives it; whether there was one.
    async fn next(&self) -> bool {
        let Some(first) = self.waiting().iter().map(|it| it.visible_ms).min() else {
            return false;
        };
        let now_ms = self.house.pass_ms(0);
        let now_ms = self.house.pass_ms(first.saturating_sub(now_ms) + 1);
        self.sqs.set_ms(now_ms);
        let turn = self.house.source.turn().await;
        assert_eq!(turn.failed, None);
        true
    }

    /// Receives what can be received by now.
    async fn drain(&self) {
        self.sqs.set_ms(self.house.pass_ms(0) + 1000);
        self.house.source.drain().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_goes_from_one_environment_to_another_and_from_a_third_to_its_receiver() {
    let played = Played::with(&[("MCPFN_METRICS", "emf")]).await;
    let house = &played.house;
    let listed = house.ask("events/list", json!({})).await;
    let listed = &listed["result"]["events"][0];
    assert_eq!(listed["delivery"], json!(["poll", "webhook"]), "{listed}");
    let begins = house
        .ask("events/poll", json!({"name": "door.opened"}))
        .await;
    house.subscribe().await;
    house.open_door(7).await;
    assert!(house.front.started() >= 3, "each in another environment");
    let [message] = &played.waiting()[..] else {
        panic!("{:?}", played.waiting());
    };
    for secret in ["whsec", "hook", "number"] {
        assert!(!message.body.contains(secret), "{}", message.body);
    }
    played.drain().await;
    let delivered = house.receiver.delivered();
    assert_eq!(
        house.taken(),
        ["door-7"],
        "{delivered:?}: {:#?}",
        house.source.fleet.log()
    );
    assert_eq!(delivered[0].body["data"]["number"], 7);
    assert!(played.waiting().is_empty() && played.sqs.waiting("dead").is_empty());
    let lines = house.lines("event_delivery");
    let [line] = &lines[..] else {
        panic!("{lines:?}");
    };
    assert_eq!(
        (&line["outcome"], &line["Deliveries"]),
        (&json!("delivered"), &json!(1))
    );
    let metrics = &line["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(
        metrics["Dimensions"],
        json!([["service"], ["service", "outcome"]])
    );
    // who asks hears of it, too
    let cursor = &begins["result"]["cursor"];
    let params = json!({"name": "door.opened", "cursor": cursor});
    let polled = house.ask("events/poll", params).await;
    assert_eq!(
        polled["result"]["events"][0]["eventId"], "door-7",
        "{polled}"
    );
    assert_eq!(polled["result"]["truncated"], false);
    for secret in ["hunter2", "whsec"] {
        let log = [house.front.log(), house.source.fleet.log()].concat();
        assert!(!log.concat().contains(secret), "{secret}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_comes_twice_is_the_same_event() {
    let played = Played::start().await;
    played.house.subscribe().await;
    played.house.open_door(1).await;
    let message = played.waiting().remove(0);
    // what SQS may do with any message: here with the first, and with the one that follows it
    let record = |message: &Waiting| {
        json!({"messageId": message.id, "receiptHandle": "x", "body": message.body,
            "eventSource": "aws:sqs", "eventSourceARN": played.house.source.arn})
    };
    let twice = json!({"Records": [record(&message), record(&message)]});
    let answer = played
        .house
        .source
        .fleet
        .event(Invocation::new(twice))
        .await;
    assert_eq!(answer.unwrap(), r#"{"batchItemFailures":[]}"#);
    played.drain().await;
    let taken = played.house.taken();
    assert!((1..=3).contains(&taken.len()), "{taken:?}");
    assert!(taken.iter().all(|id| id == "door-1"), "{taken:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_that_is_killed_is_made_once_its_message_comes_again() {
    let played = Played::start().await;
    let house = &played.house;
    house.subscribe().await;
    house.open_door(1).await;
    assert!(played.next().await, "who is to hear of it");
    house.receiver.becomes(None);
    let dies = async {
        let begun = std::time::Instant::now();
        while house.receiver.delivered().is_empty() {
            assert!(
                begun.elapsed() < PATIENCE,
                "{:#?}",
                house.source.fleet.log()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        house.source.fleet.kill().await
    };
    played.sqs.set_ms(house.pass_ms(0) + 1000);
    let (turn, killed) = tokio::join!(house.source.turn(), dies);
    assert_eq!((turn.received, killed), (1, 1));
    assert!(turn.failed.unwrap().contains("Exited"));
    house.receiver.becomes(Some(200));
    assert_eq!(
        house.source.turn().await.received,
        0,
        "it is nobody else's yet"
    );
    assert!(played.next().await);
    assert_eq!(house.taken(), ["door-1"]);
    assert!(played.waiting().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_whose_receiver_is_away_for_an_hour_arrives_once() {
    let played = Played::start().await;
    let house = &played.house;
    house.subscribe().await;
    house.receiver.becomes(Some(503));
    house.open_door(1).await;
    let begun_ms = house.pass_ms(0);
    while house.pass_ms(0) < begun_ms + 3_600_000 {
        assert!(played.next().await, "{:#?}", house.source.fleet.log());
    }
    let failed = house.lines("event_delivery");
    assert!(
        failed.iter().all(|line| line["outcome"] == "retried"),
        "{failed:?}"
    );
    assert_eq!(failed.len(), 5, "after 0 s, 10 s, 1, 5 and 15 minutes");
    house.receiver.becomes(Some(200));
    while played.next().await {}
    assert_eq!(house.taken(), ["door-1"]);
    let last = house.lines("event_delivery").pop().unwrap();
    assert_eq!(
        (&last["outcome"], &last["failures"]),
        (&json!("delivered"), &json!(5))
    );
    assert!(played.sqs.waiting("dead").is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_given_up_is_kept_with_its_reason_and_can_be_sent_again() {
    let played = Played::start().await;
    let house = &played.house;
    house.subscribe().await;
    house.receiver.becomes(Some(410));
    house.open_door(1).await;
    while played.next().await {}
    let dead = played.sqs.waiting("dead");
    let [dead] = &dead[..] else {
        panic!("{dead:?}: {:#?}", house.source.fleet.log());
    };
    let reason = dead.attributes["reason"]["StringValue"].as_str().unwrap();
    assert!(reason.contains("1 attempts failed"), "{reason}");
    let lines = house.lines("event_given_up");
    assert_eq!(
        (lines.len(), lines[0]["reason"].as_str().unwrap()),
        (1, reason)
    );
    // an operator moves it back
    house.receiver.becomes(Some(200));
    let entry = json!({"Id": "0", "MessageBody": dead.body});
    house
        .source
        .ask("SendMessageBatch", json!({"Entries": [entry]}))
        .await;
    while played.next().await {}
    assert_eq!(house.taken(), ["door-1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_that_cannot_be_done_comes_again_and_none_of_it_is_lost() {
    let played = Played::with(&[("MCPFN_DYNAMODB_TIMEOUT_MS", "200")]).await;
    let house = &played.house;
    house.subscribe().await;
    house.open_door(1).await;
    house.table.faults(|_| Fault::LostBefore);
    played.sqs.set_ms(house.pass_ms(1000));
    let turn = house.source.turn().await;
    assert_eq!((turn.received, turn.again, turn.failed), (1, 1, None));
    house.table.no_faults();
    // the table is back, and the queue is not: its work is not over
    let now_ms = house.pass_ms(360_000);
    played.sqs.set_ms(now_ms);
    let received = played.waiting().remove(0);
    let record = json!({"messageId": received.id, "receiptHandle": "x", "body": received.body,
        "eventSource": "aws:sqs", "eventSourceARN": house.source.arn});
    played.sqs.is_down(true);
    let event = Invocation::new(json!({"Records": [record]}));
    let answer = house.source.fleet.event(event).await.unwrap();
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!(
        answer["batchItemFailures"],
        json!([{"itemIdentifier": received.id}])
    );
    played.sqs.is_down(false);
    while played.next().await {}
    assert_eq!(house.taken(), ["door-1"]);
    let named = house.lines("dependency_unavailable");
    let named = named.iter().filter_map(|line| line["dependency"].as_str());
    let named: Vec<&str> = named.collect();
    assert!(named.contains(&"events") && !named.is_empty(), "{named:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_work_of_the_own_queue_and_server_is_done() {
    let played = Played::start().await;
    let house = &played.house;
    house.subscribe().await;
    house.open_door(1).await;
    let work = played.waiting().remove(0).body;
    let record = |arn: &str, body: &str| {
        json!({"messageId": "m", "receiptHandle": "x", "body": body, "eventSource": "aws:sqs",
            "eventSourceARN": arn})
    };
    let own = house.source.arn.as_str();
    let foreign = [
        format!("arn:aws:sqs:eu-west-1:{ACCOUNT}:other"),
        "arn:aws:sqs:eu-west-1:210987654321:events".to_owned(),
        format!("arn:aws:sns:eu-west-1:{ACCOUNT}:events"),
    ];
    for arn in &foreign {
        let event = json!({"Records": [record(own, &work), record(arn, &work)]});
        let refused = house.source.fleet.event(Invocation::new(event)).await;
        assert!(
            format!("{refused:?}").contains("NotOfTheQueue"),
            "{refused:?}"
        );
    }
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    for event in [
        json!({}),
        json!({"mcpfn.task": "a"}),
        through_url(&call).event,
    ] {
        let refused = house.source.fleet.event(Invocation::new(event)).await;
        assert!(
            format!("{refused:?}").contains("NotOfTheQueue"),
            "{refused:?}"
        );
    }
    assert_eq!(house.receiver.delivered().len(), 0);
    // what is in the own queue and is no work of this server is nobody's
    let mut other: Value = serde_json::from_str(&work).unwrap();
    other["mcpfn.events"] = json!("of-another-server");
    let mut no_base64: Value = serde_json::from_str(&work).unwrap();
    no_base64["work"] = json!("%");
    let mut no_work: Value = serde_json::from_str(&work).unwrap();
    no_work["work"] = json!("e30=");
    let bodies = [
        "hunter3 is no JSON".to_owned(),
        "{}".to_owned(),
        other.to_string(),
        no_base64.to_string(),
        no_work.to_string(),
    ];
    for body in &bodies {
        let event = json!({"Records": [record(own, body)]});
        let answer = house.source.fleet.event(Invocation::new(event)).await;
        assert_eq!(answer.unwrap(), r#"{"batchItemFailures":[]}"#, "{body}");
        let dead = played.sqs.waiting("dead").pop().unwrap();
        assert_eq!(dead.body, *body);
        assert!(
            dead.attributes["reason"]["StringValue"].is_string(),
            "{body}"
        );
    }
    assert!(!house.source.fleet.log().concat().contains("hunter3"));
    // and the function that answers clients takes no messages
    let event = json!({"Records": [record(own, &work)]});
    let refused = house.front.event(Invocation::new(event)).await;
    assert!(format!("{refused:?}").contains("NotHttp"), "{refused:?}");
    played.drain().await;
    assert_eq!(house.taken(), ["door-1"]);
}

#[tokio::test]
async fn a_function_of_events_without_what_it_needs_does_not_start() {
    type Variables = &'static [(&'static str, &'static str)];
    let cases: [(Variables, &[&str]); 2] = [
        (&[], &["MCPFN_EVENTS_QUEUE"]),
        (
            &[(
                "MCPFN_EVENTS_QUEUE",
                "http://127.0.0.1:9/123456789012/events",
            )],
            &["MCPFN_DYNAMODB_TABLE", "MCPFN_STATE_KEY"],
        ),
    ];
    for (more, names) in cases {
        let own = [("MCPFN_AUTH", "none"), ("MCPFN_LAMBDA_MODE", "events")];
        let function = start(&[&own, more].concat()).await;
        function.exited().await;
        let told = function.init_error().unwrap().to_string();
        for name in names {
            assert!(told.contains(name), "{told}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_call_is_for_the_program_and_can_be_emitted_there() {
    let played = Played::with(&[("TEST_SENSOR", "on")]).await;
    let house = &played.house;
    house.subscribe().await;
    let opened = json!({"source": "house.sensor", "detail": {"door": 4}});
    let answer = house.front.event(Invocation::new(opened)).await;
    assert_eq!(answer.unwrap(), r#"{"emitted":"door-4"}"#);
    played.drain().await;
    assert_eq!(house.taken(), ["door-4"]);
    // what it can't take is told without its cause, and comes again as the platform has it
    let failed = house
        .front
        .event(Invocation::new(json!({"source": "hunter3"})))
        .await;
    let failed = format!("{failed:?}");
    assert!(
        failed.contains("EventFailed") && !failed.contains("loose"),
        "{failed}"
    );
    let log = house.front.log().concat();
    assert!(
        log.contains("the sensor is loose") && !log.contains("hunter3"),
        "{log}"
    );
}

/// What EventBridge sends for a rule with a rate.
fn schedule() -> Value {
    json!({
        "version": "0", "id": "1", "detail-type": "Scheduled Event", "source": "aws.events",
        "account": ACCOUNT, "time": "2026-11-30T12:00:00Z", "region": "eu-west-1",
        "resources": ["arn:aws:events:eu-west-1:123456789012:rule/events"], "detail": {},
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_function_knows_is_read_by_a_schedule_for_its_subscribers() {
    const HOUR_MS: u64 = 3_600_000;
    let played = Played::with(&[("MCPFN_EVENTS_SCHEDULE", "on")]).await;
    let house = &played.house;
    let run = async || house.source.fleet.event(Invocation::new(schedule())).await;
    // nobody subscribed
    assert_eq!(run().await.unwrap(), "null");
    assert!(played.waiting().is_empty());
    house.subscribe_to("tide.turned").await;
    house.pass_ms(3 * HOUR_MS);
    assert_eq!(run().await.unwrap(), "null");
    // the same hours a second time: nothing is new
    assert_eq!(run().await.unwrap(), "null");
    played.drain().await;
    let taken = house.taken();
    assert_eq!(taken.len(), 3, "{taken:?}");
    // a run that can't read is one that failed, and the next one goes on
    house.pass_ms(HOUR_MS);
    house.know_tides(false);
    let failed = format!("{:?}", run().await);
    assert!(failed.contains("EventsUnread"), "{failed}");
    assert!(!failed.contains("tide table"), "{failed}");
    let log = house.source.fleet.log().concat();
    assert!(log.contains("no tide table"), "{log}");
    house.know_tides(true);
    assert_eq!(run().await.unwrap(), "null");
    played.drain().await;
    assert_eq!(house.taken().len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schedule_that_nobody_promised_is_refused_and_its_event_is_not_for_addresses() {
    let played = Played::start().await;
    let house = &played.house;
    let listed = house.ask("events/list", json!({})).await;
    let listed = listed["result"]["events"].as_array().unwrap();
    let tide = listed.iter().find(|event| event["name"] == "tide.turned");
    assert_eq!(tide.unwrap()["delivery"], json!(["poll"]));
    let refused = house.source.fleet.event(Invocation::new(schedule())).await;
    let refused = format!("{refused:?}");
    assert!(refused.contains("MCPFN_EVENTS_SCHEDULE=on"), "{refused}");
    // to the function that answers clients it is an event like any other
    let refused = house.front.event(Invocation::new(schedule())).await;
    assert!(format!("{refused:?}").contains("NotHttp"), "{refused:?}");
}
