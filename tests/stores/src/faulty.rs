//! Any store with faults, by a schedule: questions that are lost, answers that are lost or late,
//! or that never come. For stores whose requests can't be met on their way; those of DynamoDB are
//! (`fake`).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use mcpfn_core::handler::BoxFuture;
use mcpfn_core::port::{
    Admission, Hold, Holder, IdempotencyStatus, IdempotencyStore, Rate, RateLimiter, ResultCache,
    StoreError,
};
use tokio::time::sleep;

use crate::contract::Store;
use crate::fake::{Asked, Fault, Schedule};

/// A store behind faults. Clones share both.
#[derive(Clone)]
pub struct Faulty {
    store: Arc<dyn Store>,
    schedule: Arc<Schedule>,
}

impl Faulty {
    /// The store behind this schedule.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, schedule: Arc<Schedule>) -> Self {
        Self { store, schedule }
    }

    fn ask<'a, T: Send + 'static>(
        &'a self,
        kind: &'static str,
        key: &'a str,
        question: BoxFuture<'static, Result<T, StoreError>>,
    ) -> BoxFuture<'a, Result<T, StoreError>> {
        let fault = (self.schedule)(&Asked {
            number: 0,
            operation: "",
            key,
            kind,
        });
        let late = |milliseconds| sleep(Duration::from_millis(milliseconds));
        Box::pin(async move {
            match fault {
                Fault::None => question.await,
                Fault::LostBefore | Fault::Throttled => Err(lost()),
                Fault::LostAfter => {
                    drop(question.await);
                    Err(lost())
                }
                Fault::AnsweredLate(milliseconds) => {
                    let answer = question.await;
                    late(milliseconds).await;
                    answer
                }
                Fault::DoneLate(milliseconds) => {
                    // a task of its own: the question is on its way, whoever waits for the answer
                    let done = tokio::spawn(async move {
                        late(milliseconds).await;
                        question.await
                    });
                    done.await.unwrap_or_else(|_| Err(lost()))
                }
                Fault::Hangs => std::future::pending().await,
            }
        })
    }
}

fn lost() -> StoreError {
    StoreError::new("the connection was reset")
}

impl fmt::Debug for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Faulty")
    }
}

impl ResultCache for Faulty {
    fn get<'a>(
        &'a self,
        key: &'a str,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Option<Bytes>, StoreError>> {
        let (store, own) = (Arc::clone(&self.store), key.to_owned());
        let question = Box::pin(async move { store.get(&own, now_ms).await });
        self.ask("cache", key, question)
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        value: Bytes,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let (store, own) = (Arc::clone(&self.store), key.to_owned());
        let question = Box::pin(async move { store.put(&own, value, expires_ms).await });
        self.ask("cache", key, question)
    }
}

impl RateLimiter for Faulty {
    fn admit<'a>(
        &'a self,
        key: &'a str,
        rate: Rate,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Admission, StoreError>> {
        let (store, own) = (Arc::clone(&self.store), key.to_owned());
        let question = Box::pin(async move { store.admit(&own, rate, now_ms).await });
        self.ask("rate", key, question)
    }

    fn give_back(&self, key: &str, rate: Rate, now_ms: u64) {
        self.store.give_back(key, rate, now_ms);
    }
}

impl IdempotencyStore for Faulty {
    fn begin<'a>(
        &'a self,
        key: &'a str,
        holder: &'a Holder,
        hold: Hold,
    ) -> BoxFuture<'a, Result<IdempotencyStatus, StoreError>> {
        let (store, own, holder) = (Arc::clone(&self.store), key.to_owned(), *holder);
        let question = Box::pin(async move { store.begin(&own, &holder, hold).await });
        self.ask("idempotency", key, question)
    }

    fn look<'a>(
        &'a self,
        key: &'a str,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Option<IdempotencyStatus>, StoreError>> {
        let (store, own) = (Arc::clone(&self.store), key.to_owned());
        let question = Box::pin(async move { store.look(&own, now_ms).await });
        self.ask("idempotency", key, question)
    }

    fn complete<'a>(
        &'a self,
        key: &'a str,
        holder: &'a Holder,
        result: Bytes,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let (store, own, holder) = (Arc::clone(&self.store), key.to_owned(), *holder);
        let question =
            Box::pin(async move { store.complete(&own, &holder, result, expires_ms).await });
        self.ask("idempotency", key, question)
    }

    fn release<'a>(
        &'a self,
        key: &'a str,
        holder: &'a Holder,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let (store, own, holder) = (Arc::clone(&self.store), key.to_owned(), *holder);
        let question = Box::pin(async move { store.release(&own, &holder).await });
        self.ask("idempotency", key, question)
    }
}
