//! The connection that all questions share: made at the first one, and made anew after it broke or
//! fell silent. How it is made is `connection`'s business, and what is asked over it the stores'.

#[cfg(feature = "cluster")]
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use mcpfn_native::shared::RequestFailure;
use redis::{InfoDict, RedisResult};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::connection::{self, RedisConnection};
use crate::server::RedisServer;

/// A connection that was idle for longer may be forgotten by something on the way, without a word.
const IDLE: Duration = Duration::from_secs(60);

pub(crate) struct Link {
    server: Arc<RedisServer>,
    open: Mutex<OpenLink>,
}

#[derive(Default)]
struct OpenLink {
    /// Of the last connection; the first has 1.
    number: u64,
    connection: Option<RedisConnection>,
    used: Option<Instant>,
    /// The operator was told of a server that may forget.
    looked: bool,
}

impl Link {
    pub(crate) fn new(server: Arc<RedisServer>) -> Self {
        Self {
            server,
            open: Mutex::default(),
        }
    }

    /// The connection and its number. Who finds none makes it, and the others wait for that.
    pub(crate) async fn connection(&self) -> Result<(u64, RedisConnection), RequestFailure> {
        let mut state = self.open.lock().await;
        let now = Instant::now();
        let fresh = state.used.is_some_and(|used| now < used + IDLE);
        if let Some(connection) = state.connection.clone().filter(|_| fresh) {
            state.used = Some(now);
            return Ok((state.number, connection));
        }
        state.connection = None;
        let limit = self.server.timeout * 2 / 5;
        let made = timeout(limit, connection::connect(&self.server, limit));
        let connection = made.await.map_err(|_| {
            RequestFailure::Retried(format!(
                "timed out after {} ms (MCPFN_REDIS_TIMEOUT_MS) while connecting",
                limit.as_millis()
            ))
        })??;
        if !std::mem::replace(&mut state.looked, true) {
            tokio::spawn(warn_of_eviction(connection.clone(), self.server.place()));
        }
        state.number += 1;
        state.used = Some(Instant::now());
        state.connection = Some(connection.clone());
        Ok((state.number, connection))
    }

    /// The connection of this number is of no use any more, if it is still the one.
    pub(crate) async fn forget(&self, number: u64) {
        let mut state = self.open.lock().await;
        if state.number == number {
            state.connection = None;
        }
    }
}

/// Says once that a server may drop what it was told to keep.
async fn warn_of_eviction(mut connection: RedisConnection, place: String) {
    let mut ask = redis::cmd("INFO");
    ask.arg("memory");
    // a server that does not let us look is as good as any
    let told: RedisResult<Vec<InfoDict>> = match &connection {
        RedisConnection::Single(_) => ask
            .query_async(&mut connection)
            .await
            .map(|told| vec![told]),
        // of every node
        #[cfg(feature = "cluster")]
        RedisConnection::Cluster(_) => {
            let told: RedisResult<HashMap<String, InfoDict>> =
                ask.query_async(&mut connection).await;
            told.map(|told| told.into_values().collect())
        }
    };
    if told.is_ok_and(|told| told.iter().any(evicts)) {
        tracing::warn!(
            event = "redis_evicts",
            "Redis at {place} drops keys when its memory is full: an idempotent write that it \
             dropped would be made again; set its maxmemory-policy to noeviction"
        );
    }
}

fn evicts(told: &InfoDict) -> bool {
    let limit: u64 = told.get("maxmemory").unwrap_or_default();
    let policy: String = told.get("maxmemory_policy").unwrap_or_default();
    limit > 0 && !policy.is_empty() && policy != "noeviction"
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").finish_non_exhaustive()
    }
}
