//! Answers to questions on their way to the call that waits, in the objects of idempotent writes: a
//! letter is kept as the result of a write that only one can finish, and looked for until it is
//! there.

use std::collections::hash_map::DefaultHasher;
use std::hash::Hasher as _;
use std::time::Duration;

use bytes::Bytes;
use mcpfn_core::handler::BoxFuture;
use mcpfn_core::port::{Holder, Mailbox, StoreError};
use worker::js_sys::Date;

use super::{DurableIdempotency, failed};
use crate::idempotency_message::{HoldAction, HoldAnswer};
use crate::ports::Timeout;

/// Milliseconds from one look to the next; the last holds for all that come after. Each look is a
/// subrequest, of which a request on the free plan has 50: these last for three minutes.
const PAUSES_MS: [u64; 7] = [100, 250, 500, 1_000, 1_000, 2_000, 4_000];

impl Mailbox for DurableIdempotency {
    fn put<'a>(
        &'a self,
        key: &'a str,
        letter: Bytes,
        _now_ms: u64,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let action = HoldAction::Complete {
                expires_ms,
                result: &letter,
            };
            match self.ask(action, key, &signed(&letter)).await? {
                // another letter was there first
                HoldAnswer::Kept | HoldAnswer::Lost => Ok(()),
                other => Err(failed(format_args!("it answered {other:?}"))),
            }
        })
    }

    fn wait<'a>(&'a self, keys: &'a [String]) -> BoxFuture<'a, Result<Vec<Bytes>, StoreError>> {
        Box::pin(async move {
            let mut letters = Vec::with_capacity(keys.len());
            for key in keys {
                letters.push(self.letter(key).await?);
            }
            Ok(letters)
        })
    }
}

impl DurableIdempotency {
    async fn letter(&self, key: &str) -> Result<Bytes, StoreError> {
        let (mut pauses, mut pause_ms) = (PAUSES_MS.into_iter(), 0);
        loop {
            let now_ms = Date::now() as u64;
            let look = HoldAction::Look { now_ms };
            match self.ask(look, key, &Holder::default()).await? {
                HoldAnswer::Done(letter) => return Ok(letter.into()),
                HoldAnswer::Free => {}
                other => return Err(failed(format_args!("it answered {other:?}"))),
            }
            pause_ms = pauses.next().unwrap_or(pause_ms);
            Timeout::new(Duration::from_millis(pause_ms)).await;
        }
    }
}

/// Whose a letter is: another one of the same key has another holder, and the same one, sent twice,
/// has the same. (No defence: who can write under the key was asked.)
fn signed(letter: &[u8]) -> Holder {
    let mut holder = Holder::default();
    for (part, seed) in holder.chunks_mut(8).zip(0_u8..) {
        let mut hasher = DefaultHasher::new();
        hasher.write_u8(seed);
        hasher.write(letter);
        part.copy_from_slice(&hasher.finish().to_be_bytes());
    }
    holder
}
