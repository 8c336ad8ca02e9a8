//! A repeat while the first call is at work: how long it waits, how often it looks, and what it does
//! when the other one has ended. With a store that a test plays, moment by moment.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use mcpfn::{
    handler::BoxFuture,
    policy::FailureMode,
    port::{Background, Hold, Holder, IdempotencyStatus, IdempotencyStore, StoreError},
};
use mcpfn_http::Config;
use serde_json::json;

use super::{Later, Runs, alice, counted, keyed, says, shop};
use crate::support::Host as _;
use crate::support::in_process::InProcess;
use crate::support::time::Time;

/// What another environment does with the key.
#[derive(Clone, Copy)]
enum Other {
    /// It has it until then, in milliseconds, and wrote nothing.
    HasIt(u64),
    /// It has it, and the store can't say so when it is looked at.
    HasItUnseen,
    /// It has nothing, and the store's answer took so long without any timer having rung.
    TookLong(u64),
    /// It has nothing, and the store's answers are lost, this many of those to letting go.
    AnswersAreLost(usize),
    /// It has nothing, and the store refuses the first result: what it is, or at this moment.
    Refuses(Refused),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refused {
    WhatItIs,
    ThisMoment,
}

struct Played {
    time: Time,
    other: Other,
    /// When it was looked at, in milliseconds.
    looks: Mutex<Vec<u64>>,
    /// When the key was let go of.
    releases: Mutex<Vec<u64>>,
    /// What it was to keep.
    results: Mutex<Vec<Bytes>>,
}

impl Played {
    fn status(&self) -> Option<IdempotencyStatus> {
        let busy = match self.other {
            Other::HasIt(until_ms) => self.time.elapsed_ms() < until_ms,
            Other::HasItUnseen => true,
            Other::TookLong(_) | Other::AnswersAreLost(_) | Other::Refuses(_) => false,
        };
        busy.then_some(IdempotencyStatus::InProgress)
    }
}

impl IdempotencyStore for Played {
    fn begin<'a>(
        &'a self,
        _: &'a str,
        _: &'a Holder,
        _: Hold,
    ) -> BoxFuture<'a, Result<IdempotencyStatus, StoreError>> {
        if let Other::TookLong(ms) = self.other {
            self.time.pass(Duration::from_millis(ms));
        }
        let status = self.status().unwrap_or(IdempotencyStatus::Acquired);
        let answer = match self.other {
            Other::AnswersAreLost(_) => Err(StoreError::new("connection reset")),
            _ => Ok(status),
        };
        Box::pin(async { answer })
    }

    fn look<'a>(
        &'a self,
        _: &'a str,
        _: u64,
    ) -> BoxFuture<'a, Result<Option<IdempotencyStatus>, StoreError>> {
        self.looks.lock().unwrap().push(self.time.elapsed_ms());
        let answer = match self.other {
            Other::HasItUnseen => Err(StoreError::new("connection refused")),
            _ => Ok(self.status()),
        };
        Box::pin(async { answer })
    }

    fn complete<'a>(
        &'a self,
        _: &'a str,
        _: &'a Holder,
        bytes: Bytes,
        _: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let mut results = self.results.lock().unwrap();
        results.push(bytes);
        let answer = match self.other {
            Other::Refuses(refused) if results.len() == 1 => Err(match refused {
                Refused::WhatItIs => StoreError::lasting("too large"),
                Refused::ThisMoment => StoreError::new("throttled"),
            }),
            _ => Ok(()),
        };
        Box::pin(async { answer })
    }

    fn release<'a>(&'a self, _: &'a str, _: &'a Holder) -> BoxFuture<'a, Result<(), StoreError>> {
        let mut releases = self.releases.lock().unwrap();
        releases.push(self.time.elapsed_ms());
        let answer = match self.other {
            Other::AnswersAreLost(count) if releases.len() <= count => {
                Err(StoreError::new("connection reset"))
            }
            _ => Ok(()),
        };
        Box::pin(async { answer })
    }
}

fn played(other: Other, runs: &Runs) -> (InProcess, Arc<Played>) {
    let host = InProcess::with_config(|| shop(runs), Config::default()).called_by(alice());
    let store = Arc::new(Played {
        time: host.time.clone(),
        other,
        looks: Mutex::default(),
        releases: Mutex::default(),
        results: Mutex::default(),
    });
    let writes = Arc::clone(&store) as _;
    let host = host.on(|platform| platform.with_idempotency(writes, FailureMode::Closed));
    (host, store)
}

/// The sentence of a call beside `other`, when it came, and when the store was looked at.
fn beside(other: Other, runs: &Runs) -> (String, u64, Vec<u64>) {
    let (host, store) = played(other, runs);
    let said = says(&host.send(&keyed("buy", json!({"sku": "a"}), json!("order-1"))));
    let looks = store.looks.lock().unwrap().clone();
    (said, host.time.elapsed_ms(), looks)
}

/// Seldom enough for the store, and no longer than the call itself might take.
const LOOKS: [u64; 11] = [25, 75, 175, 375, 775, 1575, 2375, 3175, 3975, 4775, 5000];

#[test]
fn a_repeat_waits_as_long_as_the_call_itself_might_take() {
    for other in [Other::HasIt(u64::MAX), Other::HasItUnseen] {
        let runs = Runs::default();
        let (said, after_ms, looks) = beside(other, &runs);
        assert!(said.contains("is still running: repeat it"), "{said}");
        assert_eq!((after_ms, looks.as_slice()), (5000, &LOOKS[..]));
        assert_eq!(counted(&runs), 0);
    }
}

#[test]
fn a_repeat_writes_itself_once_the_other_one_ended_without() {
    for (until_ms, after_ms, looked) in [(1, 25, 1), (776, 1575, 6), (5000, 5000, 11)] {
        let runs = Runs::default();
        let (said, found_ms, looks) = beside(Other::HasIt(until_ms), &runs);
        assert_eq!((said.as_str(), counted(&runs)), ("run 1: 0 x a", 1));
        assert_eq!((found_ms, looks.as_slice()), (after_ms, &LOOKS[..looked]));
    }
}

/// The hold was measured from before the question: one that is granted too late ends before the call
/// does, and another call could write meanwhile.
#[test]
fn a_hold_that_was_given_too_late_is_none() {
    for (ms, holds) in [(0, true), (1000, true), (1001, false), (60_000, false)] {
        let runs = Runs::default();
        let (said, _, _) = beside(Other::TookLong(ms), &runs);
        assert_eq!(counted(&runs), usize::from(holds), "{ms}: {said}");
        assert_eq!(said.contains("the write was not made"), !holds, "{said}");
    }
}

/// Else the client's next attempt waits for a call that never was; but not for ever, as a store that
/// is down would be asked without end.
#[test]
fn a_key_that_may_be_held_is_let_go_of_for_two_seconds() {
    let attempts = [50, 150, 350, 750, 1550];
    for (lost, releases) in [(0, &attempts[..1]), (2, &attempts[..3]), (99, &attempts)] {
        let runs = Runs::default();
        let (host, store) = played(Other::AnswersAreLost(lost), &runs);
        let later = Arc::new(Later::default());
        let host = host.on(|platform| platform.with_background(Arc::clone(&later) as _));
        let said = says(&host.send(&keyed("buy", json!({"sku": "a"}), json!("order-1"))));
        assert!(said.contains("so the write was not made"), "{said}");
        later.run_all(&host);
        assert_eq!(*store.releases.lock().unwrap(), releases, "{lost}");
        assert_eq!(counted(&runs), 0);
    }
}

/// That a write happened is remembered in any case: a store that does not take its result gets the
/// sentence that there was one.
#[test]
fn what_a_store_refuses_is_tried_again_or_replaced() {
    for refused in [Refused::WhatItIs, Refused::ThisMoment] {
        let runs = Runs::default();
        let (host, store) = played(Other::Refuses(refused), &runs);
        let said = says(&host.send(&keyed("buy", json!({"sku": "a"}), json!("order-1"))));
        assert_eq!(said, "run 1: 0 x a", "{refused:?}");
        let results = store.results.lock().unwrap();
        let [first, second] = &results[..] else {
            panic!("{refused:?}: {results:?}")
        };
        assert_eq!(first == second, refused == Refused::ThisMoment);
        assert_eq!(host.log.stores().len(), 1, "{refused:?}");
    }
}

#[test]
fn a_call_is_told_when_its_host_drops_the_write() {
    struct Stopped;
    impl Background for Stopped {
        fn run(&self, work: BoxFuture<'static, ()>) {
            drop(work);
        }
    }
    let runs = Runs::default();
    let (host, _) = played(Other::TookLong(0), &runs);
    let host = host.on(|platform| platform.with_background(Arc::new(Stopped)));
    let answer = host.send(&keyed("buy", json!({"sku": "a"}), json!("order-1")));
    let sentence = answer.error().1;
    assert!(
        sentence.contains("look whether it happened before"),
        "{sentence}"
    );
}
