//! What a store of rate limits must do.

use std::time::Duration;

use mcpfn_core::port::{Admission, Rate};
use proptest::collection::vec;
use proptest::strategy::{Strategy, ValueTree as _};
use proptest::test_runner::TestRunner;

use super::{NOW, Stores, key, listed};

listed! {
    "200 calls at a time on a budget of 20 are admitted 20 times" => racing,
    "200 calls at a time on a bucket that gained 5 are admitted 5 times" => racing_on_a_used_bucket,
    "a bucket gains a call at the exact millisecond" => refill,
    "a bucket that is full again is as good as new" => full_again,
    "a clock that is behind takes nothing away" => behind,
    "buckets do not touch each other" => apart,
    "decisions over random times are those of Rate::take" => like_take,
    "decisions of two instances that take turns are those of Rate::take" => like_take_in_turns,
}

async fn admitted(stores: &Stores, key: &str, rate: Rate, now_ms: u64) -> usize {
    let calls = (0..200).map(|call| {
        let (store, key) = (
            if call % 2 == 0 {
                stores.one.clone()
            } else {
                stores.other.clone()
            },
            key.to_owned(),
        );
        tokio::spawn(async move { store.admit(&key, rate, now_ms).await })
    });
    let mut admitted = 0;
    for call in calls.collect::<Vec<_>>() {
        admitted += usize::from(call.await.unwrap().unwrap() == Admission::Admitted);
    }
    admitted
}

async fn racing(stores: Stores) {
    assert_eq!(
        admitted(&stores, &key(), Rate::per_minute(20), NOW).await,
        20
    );
}

async fn racing_on_a_used_bucket(stores: Stores) {
    let (key, rate) = (key(), Rate::per_minute(20));
    assert_eq!(admitted(&stores, &key, rate, NOW).await, 20);
    assert_eq!(admitted(&stores, &key, rate, NOW + 15_000).await, 5);
}

async fn refill(stores: Stores) {
    let (key, rate) = (key(), Rate::per_minute(3));
    for _ in 0..3 {
        assert_eq!(
            stores.one.admit(&key, rate, NOW).await,
            Ok(Admission::Admitted)
        );
    }
    let refused = |milliseconds| {
        Ok(Admission::Refused {
            retry_after: Duration::from_millis(milliseconds),
        })
    };
    for store in [&stores.one, &stores.other] {
        assert_eq!(store.admit(&key, rate, NOW).await, refused(20_000));
        assert_eq!(store.admit(&key, rate, NOW + 19_999).await, refused(1));
    }
    assert_eq!(
        stores.other.admit(&key, rate, NOW + 20_000).await,
        Ok(Admission::Admitted)
    );
    assert!(matches!(
        stores.one.admit(&key, rate, NOW + 20_000).await,
        Ok(Admission::Refused { .. })
    ));
}

async fn full_again(stores: Stores) {
    let (key, rate) = (key(), Rate::per_minute(2));
    for now_ms in [NOW, NOW + 60_000, NOW + 120_000, NOW + 86_400_000] {
        for store in [&stores.one, &stores.other] {
            assert_eq!(
                store.admit(&key, rate, now_ms).await,
                Ok(Admission::Admitted),
                "{now_ms}"
            );
        }
        assert!(matches!(
            stores.one.admit(&key, rate, now_ms).await,
            Ok(Admission::Refused { .. })
        ));
    }
}

async fn behind(stores: Stores) {
    let (key, rate) = (key(), Rate::per_minute(1));
    assert_eq!(
        stores.one.admit(&key, rate, NOW).await,
        Ok(Admission::Admitted)
    );
    let refused = stores.other.admit(&key, rate, NOW - 1000).await;
    assert_eq!(
        refused,
        Ok(Admission::Refused {
            retry_after: Duration::from_secs(61)
        })
    );
    assert_eq!(
        stores.one.admit(&key, rate, NOW + 60_000).await,
        Ok(Admission::Admitted)
    );
}

async fn apart(stores: Stores) {
    let (one, other, rate) = (key(), key(), Rate::per_minute(1));
    assert_eq!(
        stores.one.admit(&one, rate, NOW).await,
        Ok(Admission::Admitted)
    );
    assert_eq!(
        stores.one.admit(&other, rate, NOW).await,
        Ok(Admission::Admitted)
    );
}

/// Rates, and how many milliseconds pass before each call.
fn cases(count: usize) -> impl Iterator<Item = (Rate, Vec<u64>)> {
    let rates = (1..=8_u32, 1..=20_000_u64).prop_map(|(calls, per)| Rate {
        calls,
        per: Duration::from_millis(per),
    });
    let waits = vec(
        proptest::prop_oneof![3 => 0..5_u64, 3 => 0..3000_u64, 1 => 0..60_000_u64],
        1..30,
    );
    let strategy = (rates, waits);
    let mut runner = TestRunner::deterministic();
    (0..count).map(move |_| {
        strategy
            .new_tree(&mut runner)
            .expect("nothing is filtered")
            .current()
    })
}

async fn like_take(stores: Stores) {
    for (rate, waits) in cases(12) {
        let (key, mut full_at, mut now_ms) = (key(), 0, NOW);
        for (call, wait) in waits.iter().enumerate() {
            now_ms += wait;
            let expected = match rate.take(full_at, now_ms * 1000) {
                Ok(next) => {
                    full_at = next;
                    Admission::Admitted
                }
                Err(retry_after) => Admission::Refused { retry_after },
            };
            assert_eq!(
                stores.one.admit(&key, rate, now_ms).await,
                Ok(expected),
                "call {call} of {waits:?} at {rate:?}"
            );
        }
    }
}

async fn like_take_in_turns(stores: Stores) {
    for (rate, waits) in cases(12) {
        let (key, mut full_at, mut now_ms) = (key(), 0, NOW);
        for (call, wait) in waits.iter().enumerate() {
            now_ms += wait;
            let store = if (call + *wait as usize).is_multiple_of(2) {
                &stores.one
            } else {
                &stores.other
            };
            let decided = store.admit(&key, rate, now_ms).await.unwrap();
            let place = format!("call {call} of {waits:?} at {rate:?}");
            match (rate.take(full_at, now_ms * 1000), decided) {
                (Ok(next), Admission::Admitted) => full_at = next,
                // an instance may know of fewer calls than there were, but never of more
                (Err(longest), Admission::Refused { retry_after }) => {
                    assert!(!retry_after.is_zero() && retry_after <= longest, "{place}");
                }
                (expected, decided) => panic!("{decided:?} in the place of {expected:?}, {place}"),
            }
        }
    }
}
