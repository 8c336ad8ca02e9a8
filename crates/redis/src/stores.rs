//! Asking Redis: a question, its connection, its limits. What is asked of it is `cache`, `limiter`,
//! `idempotency`, `mailbox`, `tasks` and `topics`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mcpfn_core::handler::BoxFuture;
use mcpfn_core::port::{Dependency, StoreError};
use mcpfn_native::shared::{
    Breaker, Breakers, HotResults, KnownBuckets, RequestFailure, RequestLimits, SharedService,
};
use redis::{Cmd, FromRedisValue, ScriptInvocation};

use crate::failure;
use crate::link::Link;
use crate::server::RedisServer;

/// Most bytes of a result: what one question may keep a connection busy with that all share.
pub(crate) const VALUE: usize = 4 * 1024 * 1024;

/// The five stores over one connection, each with a circuit breaker of its own. Made in no time:
/// nothing happens before the first use. One of these belongs to a process, behind an `Arc`.
#[derive(Debug)]
pub struct RedisStores {
    server: Arc<RedisServer>,
    pub(crate) service: SharedService,
    link: Link,
    pub(crate) breakers: Breakers,
    pub(crate) buckets: KnownBuckets,
    pub(crate) hot: HotResults,
}

impl RedisStores {
    /// Asks nothing yet.
    #[must_use]
    pub fn new(server: RedisServer) -> Self {
        let server = Arc::new(server);
        let service = SharedService {
            subject: format!("Redis at {}", server.place()),
            setting: "MCPFN_REDIS_TIMEOUT_MS",
            limits: RequestLimits::of(server.timeout),
        };
        Self {
            link: Link::new(Arc::clone(&server)),
            server,
            service,
            breakers: Breakers::default(),
            buckets: KnownBuckets::default(),
            hot: HotResults::default(),
        }
    }

    pub(crate) fn key(&self, kind: char, key: &str) -> String {
        format!("{}{kind}:{key}", self.server.prefix)
    }

    /// Asks, unless the breaker says that it is of no use.
    pub(crate) async fn ask<T: FromRedisValue>(
        &self,
        breaker: &Breaker,
        key: &str,
        question: &RedisQuestion,
    ) -> Result<T, StoreError> {
        let answer = self
            .service
            .ask(breaker, key, |left| self.attempt(left, question));
        Ok(answer.await?)
    }

    /// Asks whatever a breaker says.
    pub(crate) async fn insist<T: FromRedisValue>(
        &self,
        question: &RedisQuestion,
    ) -> Result<T, StoreError> {
        let answer = self.service.insist(|left| self.attempt(left, question));
        Ok(answer.await?)
    }

    async fn attempt<T: FromRedisValue>(
        &self,
        left: Duration,
        question: &RedisQuestion,
    ) -> Result<T, RequestFailure> {
        let used = AtomicU64::new(0);
        let asking = async {
            let (number, mut connection) = self.link.connection().await?;
            used.store(number, Ordering::Relaxed);
            let answer = match question {
                RedisQuestion::Command(command) => command.query_async(&mut connection).await,
                RedisQuestion::Script(script) => script.invoke_async(&mut connection).await,
            };
            if connection.mends_itself() {
                // what it answers with an error, it goes on with; silence ends it, as any other
                used.store(0, Ordering::Relaxed);
            }
            answer.map_err(|error| failure::of(&error))
        };
        let answer = self.service.within(left, asking).await;
        if let Err(RequestFailure::Retried(_)) = answer {
            // broken, silent, or to a server that may not write any more
            self.link.forget(used.into_inner()).await;
        }
        answer
    }
}

impl Dependency for RedisStores {
    fn check(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async {
            let ping = RedisQuestion::Command(redis::cmd("PING"));
            let answer: Result<(), _> = self.insist(&ping).await;
            answer.map_err(|error| error.to_string())
        })
    }
}

/// What is asked: the same bytes each time it is sent.
pub(crate) enum RedisQuestion {
    Command(Cmd),
    Script(ScriptInvocation<'static>),
}

/// A time as scripts compare it: exact up to the year 287396.
pub(crate) fn exact(time_ms: u64) -> u64 {
    time_ms.min((1 << 53) - 1)
}
