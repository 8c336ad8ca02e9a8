//! What a store of results must do.

use bytes::Bytes;

use super::{NOW, Stores, document, key, listed, noise};

listed! {
    "a result that was never put is not found" => unknown,
    "a result is found until the millisecond in which it expires" => expiry,
    "a later result takes the place of an earlier one" => replaced,
    "an empty result is a result" => empty,
    "every byte comes back as it was" => binary,
    "large results come back as they were" => large,
    "a result that is too large is left out or kept, and is no error" => too_large,
    "50 puts at a time of one key leave one of them whole" => racing,
}

async fn unknown(stores: Stores) {
    assert_eq!(stores.one.get(&key(), NOW).await, Ok(None));
}

async fn expiry(stores: Stores) {
    let key = key();
    let value = Bytes::from_static(b"{}");
    stores.one.put(&key, value.clone(), NOW + 1).await.unwrap();
    for store in [&stores.one, &stores.other] {
        assert_eq!(store.get(&key, NOW).await, Ok(Some(value.clone())));
        assert_eq!(store.get(&key, NOW + 1).await, Ok(None));
        assert_eq!(store.get(&key, u64::MAX).await, Ok(None));
    }
}

async fn replaced(stores: Stores) {
    let key = key();
    stores
        .one
        .put(&key, Bytes::from(document(50_000)), NOW + 1000)
        .await
        .unwrap();
    stores
        .other
        .put(&key, Bytes::from_static(b"new"), NOW + 10)
        .await
        .unwrap();
    assert_eq!(
        stores.one.get(&key, NOW).await,
        Ok(Some(Bytes::from_static(b"new")))
    );
    assert_eq!(
        stores.one.get(&key, NOW + 10).await,
        Ok(None),
        "the older one does not come back"
    );
}

async fn empty(stores: Stores) {
    let key = key();
    stores.one.put(&key, Bytes::new(), NOW + 1).await.unwrap();
    assert_eq!(stores.one.get(&key, NOW).await, Ok(Some(Bytes::new())));
}

async fn binary(stores: Stores) {
    let key = key();
    let value: Bytes = (0..=u8::MAX)
        .chain([0, 0, 0xff, 0xfe, b'"', b'\\'])
        .collect();
    stores.one.put(&key, value.clone(), NOW + 1).await.unwrap();
    assert_eq!(stores.other.get(&key, NOW).await, Ok(Some(value)));
}

async fn large(stores: Stores) {
    for value in [
        noise(769),
        noise(300_000),
        document(1500),
        document(399_000),
        document(1_000_000),
    ] {
        let (key, value) = (key(), Bytes::from(value));
        stores.one.put(&key, value.clone(), NOW + 1).await.unwrap();
        let found = stores.other.get(&key, NOW).await.unwrap();
        assert!(
            found.as_ref() == Some(&value),
            "{} bytes came back as {:?}",
            value.len(),
            found.map(|found| found.len())
        );
    }
}

async fn too_large(stores: Stores) {
    for value in [noise(409_600), noise(5_000_000), document(5_000_000)] {
        let (key, value) = (key(), Bytes::from(value));
        stores.one.put(&key, value.clone(), NOW + 1).await.unwrap();
        let found = stores.one.get(&key, NOW).await.unwrap();
        assert!(found.is_none_or(|found| found == value));
    }
}

async fn racing(stores: Stores) {
    let key = key();
    let puts = (0..50_u8).map(|writer| {
        let (store, key) = (
            if writer % 2 == 0 {
                stores.one.clone()
            } else {
                stores.other.clone()
            },
            key.clone(),
        );
        tokio::spawn(async move { store.put(&key, vec![writer; 2000].into(), NOW + 1).await })
    });
    for put in puts.collect::<Vec<_>>() {
        put.await.unwrap().unwrap();
    }
    let found = stores.one.get(&key, NOW).await.unwrap().unwrap();
    assert!(found.len() == 2000 && found.iter().all(|byte| *byte == found[0]));
}
