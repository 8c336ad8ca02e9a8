//! What a store of idempotent writes must do.

use bytes::Bytes;
use mcpfn_core::port::IdempotencyStatus;

use super::{NOW, Stores, document, key, listed, noise};

listed! {
    "of 50 who begin at a time, one is the first" => racing,
    "of 50 who begin at the end of a hold, one is the first" => racing_after_a_hold,
    "a hold ends at the exact millisecond" => hold,
    "a result is given until the millisecond in which it expires" => expiry,
    "who lets go leaves the key to the next" => released,
    "letting go takes no result away" => released_too_late,
    "a result that comes after the end of its hold is kept if nobody began" => late,
    "who lost its hold can't keep a result in the place of the next one" => fencing_results,
    "who lost its hold can't keep a result after the next one has \
     finished" => fencing_results_after_the_end,
    "who lost its hold can't let go of the key for the next one" => fencing_holds,
    "an empty result is a result" => empty,
    "every byte of large results comes back" => large,
    "a result that is too large is an error and not half a result" => too_large,
    "budgets, results and writes of one key do not touch each other" => apart,
}

async fn begun(stores: &Stores, key: &str, now_ms: u64) -> usize {
    let begins = (0..50).map(|begin| {
        let (store, key) = (
            if begin % 2 == 0 {
                stores.one.clone()
            } else {
                stores.other.clone()
            },
            key.to_owned(),
        );
        tokio::spawn(async move { store.begin(&key, now_ms, now_ms + 1000).await })
    });
    let mut first = 0;
    for begin in begins.collect::<Vec<_>>() {
        match begin.await.unwrap().unwrap() {
            IdempotencyStatus::Acquired => first += 1,
            IdempotencyStatus::InProgress => {}
            IdempotencyStatus::Completed(result) => {
                panic!("nobody finished, and there is a result: {result:?}")
            }
        }
    }
    first
}

async fn racing(stores: Stores) {
    assert_eq!(begun(&stores, &key(), NOW).await, 1);
}

async fn racing_after_a_hold(stores: Stores) {
    let key = key();
    assert_eq!(
        stores.one.begin(&key, NOW, NOW + 10).await,
        Ok(IdempotencyStatus::Acquired)
    );
    assert_eq!(begun(&stores, &key, NOW + 10).await, 1);
}

async fn hold(stores: Stores) {
    let key = key();
    assert_eq!(
        stores.one.begin(&key, NOW, NOW + 10).await,
        Ok(IdempotencyStatus::Acquired)
    );
    assert_eq!(
        stores.one.begin(&key, NOW + 9, NOW + 20).await,
        Ok(IdempotencyStatus::InProgress)
    );
    assert_eq!(
        stores.other.begin(&key, NOW + 9, NOW + 20).await,
        Ok(IdempotencyStatus::InProgress)
    );
    assert_eq!(
        stores.other.begin(&key, NOW + 10, NOW + 20).await,
        Ok(IdempotencyStatus::Acquired)
    );
    assert_eq!(
        stores.one.begin(&key, NOW + 19, NOW + 30).await,
        Ok(IdempotencyStatus::InProgress)
    );
}

async fn expiry(stores: Stores) {
    let (key, result) = (key(), Bytes::from_static(b"{\"order\":7}"));
    assert_eq!(
        stores.one.begin(&key, NOW, NOW + 10).await,
        Ok(IdempotencyStatus::Acquired)
    );
    stores
        .one
        .complete(&key, result.clone(), NOW + 1000)
        .await
        .unwrap();
    for store in [&stores.one, &stores.other] {
        assert_eq!(
            store.begin(&key, NOW, NOW + 10).await,
            Ok(IdempotencyStatus::Completed(result.clone()))
        );
        assert_eq!(
            store.begin(&key, NOW + 999, NOW + 1010).await,
            Ok(IdempotencyStatus::Completed(result.clone()))
        );
    }
    assert_eq!(
        stores.other.begin(&key, NOW + 1000, NOW + 1010).await,
        Ok(IdempotencyStatus::Acquired)
    );
    assert_eq!(
        stores.one.begin(&key, NOW + 1000, NOW + 1010).await,
        Ok(IdempotencyStatus::InProgress)
    );
}

async fn released(stores: Stores) {
    let key = key();
    assert_eq!(
        stores.one.begin(&key, NOW, NOW + 10).await,
        Ok(IdempotencyStatus::Acquired)
    );
    stores.one.release(&key).await.unwrap();
    assert_eq!(
        stores.other.begin(&key, NOW, NOW + 10).await,
        Ok(IdempotencyStatus::Acquired)
    );
}

async fn released_too_late(stores: Stores) {
    let key = key();
    assert_eq!(
        stores.one.begin(&key, NOW, NOW + 10).await,
        Ok(IdempotencyStatus::Acquired)
    );
    stores
        .one
        .complete(&key, Bytes::from_static(b"1"), NOW + 1000)
        .await
        .unwrap();
    stores.one.release(&key).await.unwrap();
    assert_eq!(
        stores.one.begin(&key, NOW, NOW + 10).await,
        Ok(IdempotencyStatus::Completed(Bytes::from_static(b"1")))
    );
}

async fn late(stores: Stores) {
    let key = key();
    assert_eq!(
        stores.one.begin(&key, NOW, NOW + 10).await,
        Ok(IdempotencyStatus::Acquired)
    );
    // at NOW + 20, which a store is not told: nothing else happened since
    stores
        .one
        .complete(&key, Bytes::from_static(b"1"), NOW + 1000)
        .await
        .unwrap();
    assert_eq!(
        stores.other.begin(&key, NOW + 20, NOW + 30).await,
        Ok(IdempotencyStatus::Completed(Bytes::from_static(b"1")))
    );
}

async fn fencing_results(stores: Stores) {
    let Some(key) = taken_over(&stores).await else {
        return;
    };
    let refused = stores
        .one
        .complete(&key, Bytes::from_static(b"old"), NOW + 5000)
        .await;
    assert!(refused.is_err());
    assert_eq!(
        stores.one.begin(&key, NOW + 11, NOW + 1000).await,
        Ok(IdempotencyStatus::InProgress),
        "still the other one's"
    );
    stores
        .other
        .complete(&key, Bytes::from_static(b"new"), NOW + 5000)
        .await
        .unwrap();
    assert_eq!(
        stores.one.begin(&key, NOW + 11, NOW + 1000).await,
        Ok(IdempotencyStatus::Completed(Bytes::from_static(b"new")))
    );
}

async fn fencing_results_after_the_end(stores: Stores) {
    let Some(key) = taken_over(&stores).await else {
        return;
    };
    stores
        .other
        .complete(&key, Bytes::from_static(b"new"), NOW + 5000)
        .await
        .unwrap();
    let refused = stores
        .one
        .complete(&key, Bytes::from_static(b"old"), NOW + 5000)
        .await;
    assert!(refused.is_err());
    assert_eq!(
        stores.one.begin(&key, NOW + 11, NOW + 1000).await,
        Ok(IdempotencyStatus::Completed(Bytes::from_static(b"new")))
    );
}

async fn fencing_holds(stores: Stores) {
    let Some(key) = taken_over(&stores).await else {
        return;
    };
    stores.one.release(&key).await.unwrap();
    assert_eq!(
        stores.one.begin(&key, NOW + 11, NOW + 1000).await,
        Ok(IdempotencyStatus::InProgress),
        "still the other one's"
    );
}

/// A key that one instance held for too long, and another one holds now. None where there is one
/// instance, which can't tell its holds of one key apart: the port names no holder.
async fn taken_over(stores: &Stores) -> Option<String> {
    if !stores.two {
        return None;
    }
    let key = key();
    assert_eq!(
        stores.one.begin(&key, NOW, NOW + 10).await,
        Ok(IdempotencyStatus::Acquired)
    );
    assert_eq!(
        stores.other.begin(&key, NOW + 10, NOW + 1000).await,
        Ok(IdempotencyStatus::Acquired)
    );
    Some(key)
}

async fn empty(stores: Stores) {
    let key = key();
    assert_eq!(
        stores.one.begin(&key, NOW, NOW + 10).await,
        Ok(IdempotencyStatus::Acquired)
    );
    stores
        .one
        .complete(&key, Bytes::new(), NOW + 10)
        .await
        .unwrap();
    assert_eq!(
        stores.other.begin(&key, NOW, NOW + 10).await,
        Ok(IdempotencyStatus::Completed(Bytes::new()))
    );
}

async fn large(stores: Stores) {
    for result in [noise(300_000), document(399_000), document(1_000_000)] {
        let (key, result) = (key(), Bytes::from(result));
        assert_eq!(
            stores.one.begin(&key, NOW, NOW + 10).await,
            Ok(IdempotencyStatus::Acquired)
        );
        stores
            .one
            .complete(&key, result.clone(), NOW + 10)
            .await
            .unwrap();
        assert!(
            stores.other.begin(&key, NOW, NOW + 10).await
                == Ok(IdempotencyStatus::Completed(result))
        );
    }
}

async fn too_large(stores: Stores) {
    let (key, result) = (key(), Bytes::from(noise(40_000_000)));
    assert_eq!(
        stores.one.begin(&key, NOW, NOW + 10).await,
        Ok(IdempotencyStatus::Acquired)
    );
    assert!(stores.one.complete(&key, result, NOW + 1000).await.is_err());
    assert_eq!(
        stores.one.begin(&key, NOW, NOW + 10).await,
        Ok(IdempotencyStatus::InProgress)
    );
}

async fn apart(stores: Stores) {
    use mcpfn_core::port::{Admission, Rate};
    let key = key();
    stores
        .one
        .put(&key, Bytes::from_static(b"cached"), NOW + 10)
        .await
        .unwrap();
    assert_eq!(
        stores.one.admit(&key, Rate::per_minute(1), NOW).await,
        Ok(Admission::Admitted)
    );
    assert_eq!(
        stores.one.begin(&key, NOW, NOW + 10).await,
        Ok(IdempotencyStatus::Acquired)
    );
    stores
        .one
        .complete(&key, Bytes::from_static(b"written"), NOW + 10)
        .await
        .unwrap();
    assert_eq!(
        stores.one.get(&key, NOW).await,
        Ok(Some(Bytes::from_static(b"cached")))
    );
    assert!(matches!(
        stores.one.admit(&key, Rate::per_minute(1), NOW).await,
        Ok(Admission::Refused { .. })
    ));
    assert_eq!(
        stores.one.begin(&key, NOW, NOW + 10).await,
        Ok(IdempotencyStatus::Completed(Bytes::from_static(b"written")))
    );
}
