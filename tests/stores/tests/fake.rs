//! The contract, asked of the stores on a DynamoDB in this process; and what happens to tasks when
//! requests are lost there, or meet.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use mcpfn_core::port::{Swapped, TaskPart, TaskStore as _};
use mcpfn_lambda::dynamodb;
use mcpfn_store_tests::contract::{Stores, checks};
use mcpfn_store_tests::events::EventStores;
use mcpfn_store_tests::fake::{Asked, Fake, Fault};
use mcpfn_store_tests::tasks::{TaskStores, of_tasks};
use mcpfn_store_tests::without_queue::{WithoutQueue, of_kept_events};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dynamodb_keeps_the_contract() {
    let fake = Fake::default();
    let stores = Stores {
        one: Arc::new(dynamodb::Stores::over(Fake::table(), fake.clone())),
        other: Arc::new(dynamodb::Stores::over(Fake::table(), fake)),
    };
    let mut failed = Vec::new();
    for check in checks() {
        if tokio::spawn((check.run)(stores.clone())).await.is_err() {
            failed.push(check.name);
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dynamodb_keeps_the_contract_of_tasks() {
    let fake = Fake::default();
    let stores = TaskStores {
        one: Arc::new(dynamodb::Stores::over(Fake::table(), fake.clone())),
        other: Arc::new(dynamodb::Stores::over(Fake::table(), fake)),
    };
    for check in of_tasks() {
        let ran = tokio::spawn((check.run)(stores.clone())).await;
        assert!(ran.is_ok(), "{}", check.name);
    }
}

const NOW: u64 = 1_795_168_800_000;
const END: u64 = NOW + 60_000;

#[tokio::test]
async fn the_fake_keeps_the_contract_of_events() {
    let (_, one, other) = two();
    let stores = EventStores {
        one: Arc::new(WithoutQueue(Arc::new(one))),
        other: Arc::new(WithoutQueue(Arc::new(other))),
    };
    let mut failed = Vec::new();
    for check in of_kept_events() {
        if tokio::spawn((check.run)(stores.clone())).await.is_err() {
            failed.push(check.name);
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
    assert_eq!(of_kept_events().count(), 12);
}

fn two() -> (Fake, dynamodb::Stores, dynamodb::Stores) {
    let fake = Fake::default();
    let stores = || dynamodb::Stores::over(Fake::table(), fake.clone());
    let (one, other) = (stores(), stores());
    (fake, one, other)
}

async fn created(stores: &dynamodb::Stores) -> bool {
    let created = stores.create("key", "head".into(), "call".into(), NOW, END);
    created.await.unwrap()
}

fn point(text: &'static str) -> Vec<(TaskPart, Bytes)> {
    vec![(TaskPart::Checkpoint, text.into())]
}

/// The next request meets a fault.
fn once(fake: &Fake, fault: Fault) {
    let met = AtomicBool::new(false);
    fake.faults(move |_| match met.swap(true, Ordering::Relaxed) {
        true => Fault::None,
        false => fault,
    });
}

#[tokio::test(start_paused = true)]
async fn a_change_whose_request_or_answer_is_lost_is_made_once() {
    for fault in [
        Fault::LostBefore,
        Fault::LostAfter,
        Fault::AnsweredLate(200),
    ] {
        let (fake, one, other) = two();
        once(&fake, fault);
        assert!(created(&one).await, "{fault:?}");
        once(&fake, fault);
        assert!(!created(&other).await, "{fault:?}");
        for also in [vec![], point("a")] {
            let read = one.read("key", &[], NOW).await.unwrap().unwrap();
            once(&fake, fault);
            let swapped = one.swap("key", read.version, "b".into(), also, NOW, END);
            assert_eq!(swapped.await, Ok(Swapped::Done), "{fault:?}");
            let after = other.read("key", &[], NOW).await.unwrap().unwrap();
            assert_eq!(after.version, read.version + 1, "{fault:?}");
        }
    }
}

/// The part is read, then it changes with the head, and then the head is read.
#[tokio::test(start_paused = true)]
async fn a_part_that_is_older_than_its_head_is_read_again() {
    let (fake, one, other) = two();
    created(&one).await;
    for before in [None, Some("a")] {
        fake.no_faults();
        let read = one.read("key", &[], NOW).await.unwrap().unwrap();
        let slow = |asked: &Asked<'_>| match (asked.operation, asked.kind) {
            ("GetItem", "task.head") => Fault::DoneLate(50),
            _ => Fault::None,
        };
        fake.faults(slow);
        let (next, version) = (if before.is_none() { "a" } else { "b" }, read.version);
        let reading = async {
            let parts = [TaskPart::Checkpoint, TaskPart::Head];
            one.read("key", &parts, NOW).await.unwrap().unwrap()
        };
        let swapping = async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let swapped = other.swap("key", version, next.into(), point(next), NOW, END);
            assert_eq!(swapped.await, Ok(Swapped::Done));
        };
        let (read, ()) = tokio::join!(reading, swapping);
        assert_eq!(read.parts, [Some(next.into()), Some(next.into())]);
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_of_an_earlier_task_is_in_the_next_one_under_its_key() {
    let (_, one, other) = two();
    created(&one).await;
    let swapped = one.swap("key", NOW, "b".into(), point("old"), NOW, END);
    assert_eq!(swapped.await, Ok(Swapped::Done));
    let again = other.create("key", "new".into(), "call".into(), END, END + 60_000);
    assert_eq!(again.await, Ok(true));
    let parts = [TaskPart::Head, TaskPart::Checkpoint];
    let read = one.read("key", &parts, END).await.unwrap().unwrap();
    assert_eq!(read.parts, [Some("new".into()), None]);
    // who saw the earlier one changes nothing
    let late = one.swap("key", NOW + 1, "late".into(), vec![], END, END + 60_000);
    assert_eq!(late.await, Ok(Swapped::Changed));
}

#[tokio::test(start_paused = true)]
async fn what_was_worked_for_is_sent_although_the_table_seems_to_be_down() {
    let (fake, one, _) = two();
    created(&one).await;
    fake.faults(|_| Fault::LostBefore);
    for key in ["a", "b", "c"] {
        one.read(key, &[], NOW).await.unwrap_err();
    }
    fake.no_faults();
    let refused = one.swap("key", NOW, "b".into(), vec![], NOW, END).await;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("is not asked for another"), "{refused}");
    let swapped = one.swap("key", NOW, "b".into(), point("a"), NOW, END);
    assert_eq!(swapped.await, Ok(Swapped::Done));
}

/// Units of writes: 1 for each KB begun, and twice that in a transaction.
#[tokio::test(start_paused = true)]
async fn a_beat_costs_the_head_alone() {
    let (fake, one, _) = two();
    let call = Bytes::from(vec![b'a'; 1000]);
    let created = one.create("key", "head".into(), call, NOW, END);
    assert_eq!(created.await, Ok(true));
    assert_eq!(fake.costs().writes, 4.0);
    let before = fake.costs();
    let swapped = one.swap("key", NOW, "b".into(), vec![], NOW, END);
    assert_eq!(swapped.await, Ok(Swapped::Done));
    let after = fake.costs();
    assert_eq!((after.requests, after.writes), (before.requests + 1, 5.0));
    one.read("key", &[TaskPart::Head], NOW).await.unwrap();
    assert_eq!(fake.costs().reads, 1.0);
}
