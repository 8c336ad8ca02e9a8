//! What a store of idempotent writes must do.

use std::sync::Arc;

use bytes::Bytes;
use mcpfn_core::port::{Admission, Hold, Holder, IdempotencyStatus, Rate, StoreError};

use super::{NOW, Store, Stores, document, key, listed, noise};
use IdempotencyStatus::{Acquired, Completed, InProgress, Unknown};

listed! {
    "of 50 who begin at a time, one is the first" => racing,
    "of 50 who begin when a hold has expired, one is the first" => racing_after_a_hold,
    "a hold ends at the exact millisecond, and is unknown until it expires" => hold,
    "a look says what is known and begins nothing" => look,
    "a result is given until the millisecond in which it expires" => expiry,
    "who lets go leaves the key to the next" => released,
    "letting go takes no result away" => released_too_late,
    "a result that comes after the end of its hold is kept" => late,
    "each request sent twice is done once" => sent_twice,
    "a result whose begin never came is kept" => never_begun,
    "who lost its hold can't keep a result in the place of the next one" => fencing_results,
    "who lost its hold can't keep a result after the next one has \
     finished" => fencing_results_after_the_end,
    "who lost its hold can't let go of the key for the next one" => fencing_holds,
    "an empty result is a result" => empty,
    "every byte of large results comes back" => large,
    "a result that is too large is an error for ever and not half a result" => too_large,
    "budgets, results and writes of one key do not touch each other" => apart,
}

/// A result expires then, and so does a hold.
const EXPIRES: u64 = NOW + 1000;

/// One call, in an instance and under a name of its own.
struct Call {
    store: Arc<dyn Store>,
    key: String,
    holder: Holder,
}

impl Call {
    fn new(store: &Arc<dyn Store>, key: &str) -> Self {
        Self {
            store: Arc::clone(store),
            key: key.to_owned(),
            holder: noise(16).try_into().expect("16 bytes"),
        }
    }

    /// Begins, to hold the key for ten milliseconds.
    async fn begin(&self, now_ms: u64) -> IdempotencyStatus {
        let hold = Hold {
            now_ms,
            until_ms: now_ms + 10,
            expires_ms: now_ms + 1000,
        };
        let begun = self.store.begin(&self.key, &self.holder, hold).await;
        begun.unwrap()
    }

    async fn look(&self, now_ms: u64) -> Option<IdempotencyStatus> {
        self.store.look(&self.key, now_ms).await.unwrap()
    }

    async fn complete(&self, result: &'static str) -> Result<(), StoreError> {
        let result = Bytes::from_static(result.as_bytes());
        self.store
            .complete(&self.key, &self.holder, result, EXPIRES)
            .await
    }

    async fn release(&self) {
        self.store.release(&self.key, &self.holder).await.unwrap();
    }
}

/// Two calls of one key, in both instances.
fn calls(stores: &Stores) -> [Call; 2] {
    let key = key();
    [&stores.one, &stores.other].map(|store| Call::new(store, &key))
}

fn completed(result: &'static str) -> IdempotencyStatus {
    Completed(Bytes::from_static(result.as_bytes()))
}

async fn begun(stores: &Stores, key: &str, now_ms: u64) -> usize {
    let begins = (0..50).map(|begin| {
        let store = if begin % 2 == 0 {
            &stores.one
        } else {
            &stores.other
        };
        let call = Call::new(store, key);
        tokio::spawn(async move { call.begin(now_ms).await })
    });
    let mut first = 0;
    for begin in begins.collect::<Vec<_>>() {
        match begin.await.unwrap() {
            Acquired => first += 1,
            InProgress => {}
            other => panic!("nobody finished, and there is {other:?}"),
        }
    }
    first
}

async fn racing(stores: Stores) {
    assert_eq!(begun(&stores, &key(), NOW).await, 1);
}

async fn racing_after_a_hold(stores: Stores) {
    let key = key();
    assert_eq!(Call::new(&stores.one, &key).begin(NOW).await, Acquired);
    assert_eq!(begun(&stores, &key, EXPIRES).await, 1);
}

async fn hold(stores: Stores) {
    let [one, other] = calls(&stores);
    let third = Call::new(&stores.one, &one.key);
    assert_eq!(one.begin(NOW).await, Acquired);
    for call in [&other, &third] {
        assert_eq!(call.begin(NOW + 9).await, InProgress);
        assert_eq!(call.begin(NOW + 10).await, Unknown);
        assert_eq!(call.begin(EXPIRES - 1).await, Unknown);
    }
    assert_eq!(other.begin(EXPIRES).await, Acquired);
    assert_eq!(third.begin(EXPIRES + 9).await, InProgress);
    assert_eq!(
        one.begin(EXPIRES + 9).await,
        InProgress,
        "not its own any more"
    );
}

async fn look(stores: Stores) {
    let [one, other] = calls(&stores);
    assert_eq!(other.look(NOW).await, None);
    assert_eq!(one.begin(NOW).await, Acquired);
    for call in [&one, &other] {
        assert_eq!(call.look(NOW + 9).await, Some(InProgress));
        assert_eq!(call.look(NOW + 10).await, Some(Unknown));
        assert_eq!(call.look(EXPIRES).await, None);
    }
    one.complete("1").await.unwrap();
    for call in [&one, &other] {
        assert_eq!(call.look(EXPIRES - 1).await, Some(completed("1")));
        assert_eq!(call.look(EXPIRES).await, None);
    }
}

async fn expiry(stores: Stores) {
    let [one, other] = calls(&stores);
    assert_eq!(one.begin(NOW).await, Acquired);
    one.complete("{\"order\":7}").await.unwrap();
    for call in [&one, &other, &Call::new(&stores.one, &one.key)] {
        assert_eq!(call.begin(NOW).await, completed("{\"order\":7}"));
        assert_eq!(call.begin(EXPIRES - 1).await, completed("{\"order\":7}"));
    }
    assert_eq!(other.begin(EXPIRES).await, Acquired);
    assert_eq!(one.begin(EXPIRES).await, InProgress);
}

async fn released(stores: Stores) {
    let [one, other] = calls(&stores);
    assert_eq!(one.begin(NOW).await, Acquired);
    one.release().await;
    assert_eq!(other.look(NOW).await, None);
    assert_eq!(other.begin(NOW).await, Acquired);
}

async fn released_too_late(stores: Stores) {
    let [one, other] = calls(&stores);
    assert_eq!(one.begin(NOW).await, Acquired);
    one.complete("1").await.unwrap();
    one.release().await;
    assert_eq!(other.begin(NOW).await, completed("1"));
}

async fn late(stores: Stores) {
    let [one, other] = calls(&stores);
    assert_eq!(one.begin(NOW).await, Acquired);
    assert_eq!(other.begin(NOW + 10).await, Unknown);
    one.complete("1").await.unwrap();
    assert_eq!(other.begin(NOW + 20).await, completed("1"));
}

async fn sent_twice(stores: Stores) {
    let [one, other] = calls(&stores);
    for _ in 0..2 {
        assert_eq!(one.begin(NOW).await, Acquired);
    }
    assert_eq!(
        one.begin(NOW + 5).await,
        Acquired,
        "and holds it from then on"
    );
    assert_eq!(other.begin(NOW + 14).await, InProgress);
    for _ in 0..2 {
        one.complete("1").await.unwrap();
    }
    assert_eq!(other.begin(NOW).await, completed("1"));
    assert_eq!(
        one.begin(NOW).await,
        completed("1"),
        "what is done is not begun again"
    );
    let [one, other] = calls(&stores);
    assert_eq!(one.begin(NOW).await, Acquired);
    one.release().await;
    assert_eq!(other.begin(NOW).await, Acquired);
    one.release().await;
    assert_eq!(one.begin(NOW).await, InProgress, "still the other one's");
}

async fn never_begun(stores: Stores) {
    let [one, other] = calls(&stores);
    one.release().await;
    one.complete("1").await.unwrap();
    assert_eq!(other.begin(NOW).await, completed("1"));
}

/// A call that held a key for too long, and another one that holds it now.
async fn taken_over(stores: &Stores) -> [Call; 2] {
    let [one, other] = calls(stores);
    assert_eq!(one.begin(NOW - 1000).await, Acquired);
    assert_eq!(other.begin(NOW).await, Acquired);
    [one, other]
}

async fn fencing_results(stores: Stores) {
    let [one, other] = taken_over(&stores).await;
    assert!(one.complete("old").await.unwrap_err().is_lasting());
    assert_eq!(
        one.look(NOW + 1).await,
        Some(InProgress),
        "still the other one's"
    );
    other.complete("new").await.unwrap();
    assert_eq!(one.begin(NOW + 1).await, completed("new"));
}

async fn fencing_results_after_the_end(stores: Stores) {
    let [one, other] = taken_over(&stores).await;
    other.complete("new").await.unwrap();
    assert!(one.complete("old").await.unwrap_err().is_lasting());
    assert_eq!(one.begin(NOW + 1).await, completed("new"));
}

async fn fencing_holds(stores: Stores) {
    let [one, other] = taken_over(&stores).await;
    one.release().await;
    assert_eq!(
        one.begin(NOW + 1).await,
        InProgress,
        "still the other one's"
    );
    assert_eq!(other.begin(NOW + 1).await, Acquired);
}

async fn empty(stores: Stores) {
    let [one, other] = calls(&stores);
    assert_eq!(one.begin(NOW).await, Acquired);
    one.complete("").await.unwrap();
    assert_eq!(other.begin(NOW).await, completed(""));
}

async fn large(stores: Stores) {
    for result in [noise(300_000), document(399_000), document(1_000_000)] {
        let [one, other] = calls(&stores);
        let result = Bytes::from(result);
        assert_eq!(one.begin(NOW).await, Acquired);
        let (key, holder) = (&one.key, &one.holder);
        let kept = one.store.complete(key, holder, result.clone(), EXPIRES);
        kept.await.unwrap();
        assert!(other.begin(NOW).await == Completed(result.clone()));
        assert!(other.look(NOW).await == Some(Completed(result)));
    }
}

async fn too_large(stores: Stores) {
    let [one, other] = calls(&stores);
    assert_eq!(one.begin(NOW).await, Acquired);
    let result = Bytes::from(noise(40_000_000));
    let refused = one.store.complete(&one.key, &one.holder, result, EXPIRES);
    assert!(refused.await.unwrap_err().is_lasting());
    assert_eq!(other.begin(NOW).await, InProgress);
    one.complete("it was too large").await.unwrap();
    assert_eq!(other.begin(NOW).await, completed("it was too large"));
}

async fn apart(stores: Stores) {
    let [one, other] = calls(&stores);
    let (store, key) = (&stores.one, &one.key);
    let cached = Bytes::from_static(b"cached");
    store.put(key, cached.clone(), NOW + 10).await.unwrap();
    let rate = Rate::per_minute(1);
    assert_eq!(store.admit(key, rate, NOW).await, Ok(Admission::Admitted));
    assert_eq!(one.begin(NOW).await, Acquired);
    one.complete("written").await.unwrap();
    assert_eq!(store.get(key, NOW).await, Ok(Some(cached)));
    let refused = store.admit(key, rate, NOW).await;
    assert!(matches!(refused, Ok(Admission::Refused { .. })));
    assert_eq!(other.begin(NOW).await, completed("written"));
}
