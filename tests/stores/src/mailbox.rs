//! What every mailbox must do: answers that arrive at one instance are given to the call that waits
//! on another.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use mcpfn_core::port::Mailbox;
use tokio::time::timeout;

use crate::contract::{Running, key, noise};

/// What is under test.
#[derive(Clone)]
pub struct Mailboxes {
    /// Where calls wait.
    pub one: Arc<dyn Mailbox>,
    /// Where answers arrive; where instances share nothing, the same one.
    pub other: Arc<dyn Mailbox>,
}

impl std::fmt::Debug for Mailboxes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mailboxes").finish_non_exhaustive()
    }
}

/// One thing that a mailbox must do.
#[derive(Debug, Clone, Copy)]
pub struct MailboxCheck {
    /// A sentence.
    pub name: &'static str,
    /// Panics where the mailbox does not.
    pub run: fn(Mailboxes) -> Running,
}

/// All of them.
pub fn of_letters() -> impl Iterator<Item = MailboxCheck> {
    CHECKS.iter().copied()
}

const CHECKS: &[MailboxCheck] = &[
    MailboxCheck {
        name: "a letter that is there is given at once",
        run: |mailboxes| Box::pin(there(mailboxes)),
    },
    MailboxCheck {
        name: "who waits for a letter is given it once it is there",
        run: |mailboxes| Box::pin(waited_for(mailboxes)),
    },
    MailboxCheck {
        name: "several letters are given together, in the order in which they are wanted",
        run: |mailboxes| Box::pin(several(mailboxes)),
    },
    MailboxCheck {
        name: "of letters under one key the first counts, also of many at the same time",
        run: |mailboxes| Box::pin(first(mailboxes)),
    },
    MailboxCheck {
        name: "a letter is for nobody who waits under another key",
        run: |mailboxes| Box::pin(other_key(mailboxes)),
    },
    MailboxCheck {
        name: "a letter of a quarter of a mebibyte comes as it went, whatever its bytes",
        run: |mailboxes| Box::pin(large(mailboxes)),
    },
    MailboxCheck {
        name: "who gives up waiting takes nothing from who comes later",
        run: |mailboxes| Box::pin(given_up(mailboxes)),
    },
];

/// Longer than any wait here should be.
const PATIENCE: Duration = Duration::from_secs(10);
/// In this time nothing comes that does not come.
const NEVER: Duration = Duration::from_millis(300);

async fn put(mailbox: &dyn Mailbox, key: &str, letter: &[u8]) {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap();
    let now_ms = u64::try_from(now.as_millis()).unwrap();
    let letter = Bytes::copy_from_slice(letter);
    mailbox
        .put(key, letter, now_ms, now_ms + 600_000)
        .await
        .unwrap();
}

async fn wait(mailbox: &dyn Mailbox, keys: &[String]) -> Vec<Bytes> {
    let letters = timeout(PATIENCE, mailbox.wait(keys)).await;
    letters.expect("the letters come").unwrap()
}

async fn there(Mailboxes { one, other }: Mailboxes) {
    let key = key();
    put(&*other, &key, b"yes").await;
    assert_eq!(wait(&*one, &[key]).await, ["yes"]);
}

async fn waited_for(Mailboxes { one, other }: Mailboxes) {
    let keys = [key()];
    let (waited, ()) = tokio::join!(wait(&*one, &keys), async {
        tokio::time::sleep(NEVER).await;
        put(&*other, &keys[0], b"yes").await;
    });
    assert_eq!(waited, ["yes"]);
}

async fn several(Mailboxes { one, other }: Mailboxes) {
    let keys = [key(), key(), key()];
    let (waited, ()) = tokio::join!(wait(&*one, &keys), async {
        for place in [2, 0, 1] {
            put(
                &*other,
                &keys[place],
                &[b'0' + u8::try_from(place).unwrap()],
            )
            .await;
        }
    });
    assert_eq!(waited, ["0", "1", "2"]);
}

async fn first(Mailboxes { one, other }: Mailboxes) {
    let keys = [key()];
    put(&*other, &keys[0], b"first").await;
    let others: Vec<_> = (0..8)
        .map(|_| {
            let (mailbox, key) = (Arc::clone(&one), keys[0].clone());
            tokio::spawn(async move { put(&*mailbox, &key, b"later").await })
        })
        .collect();
    for other in others {
        other.await.unwrap();
    }
    assert_eq!(wait(&*one, &keys).await, ["first"]);
}

async fn other_key(Mailboxes { one, other }: Mailboxes) {
    put(&*other, &key(), b"for somebody else").await;
    let mine = [key()];
    assert!(timeout(NEVER, one.wait(&mine)).await.is_err());
}

async fn large(Mailboxes { one, other }: Mailboxes) {
    let (keys, letter) = ([key()], noise(256 * 1024));
    put(&*other, &keys[0], &letter).await;
    assert_eq!(wait(&*one, &keys).await, [letter]);
}

async fn given_up(Mailboxes { one, other }: Mailboxes) {
    let keys = [key(), key()];
    put(&*other, &keys[0], b"a").await;
    assert!(timeout(NEVER, one.wait(&keys)).await.is_err());
    put(&*other, &keys[1], b"b").await;
    assert_eq!(wait(&*one, &keys).await, ["a", "b"]);
}
