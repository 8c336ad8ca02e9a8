//! The stores over one server. How it is asked is `client`, and what it is asked is `cache`,
//! `limiter`, `idempotency`, `mailbox`, `topics`, `tasks` and `event_*`.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mcpfn_core::handler::BoxFuture;
use mcpfn_core::port::{Dependency, StoreError};
use mcpfn_native::shared::{Breaker, Breakers, HotResults, KnownBuckets};
use mcpfn_ports::{Rows, SqlValue};

use crate::client::StoreClient;
use crate::server::PostgresServer;

/// Most bytes of a result: what one question may keep a connection busy with.
pub(crate) const VALUE: usize = 4 * 1024 * 1024;

/// The stores over one server, each with a circuit breaker of its own. Made in no time: nothing
/// happens before the first use. One of these belongs to a process, behind an `Arc`.
pub struct PostgresStores {
    pub(crate) client: Arc<StoreClient>,
    pub(crate) breakers: Breakers,
    pub(crate) buckets: KnownBuckets,
    pub(crate) hot: HotResults,
}

impl PostgresStores {
    /// Asks nothing yet.
    #[must_use]
    pub fn new(server: PostgresServer) -> Self {
        Self {
            client: Arc::new(StoreClient::new(server)),
            breakers: Breakers::default(),
            buckets: KnownBuckets::default(),
            hot: HotResults::default(),
        }
    }

    /// Deletes rows that stopped to count more than a minute ago, at most a thousand of each table and
    /// none that another statement works on, and says how many. Calls do so by themselves.
    ///
    /// # Errors
    /// Why the server did not do it.
    pub async fn clean(&self) -> Result<u64, StoreError> {
        self.client.clean().await
    }

    /// A row of a task was written, so that there is a table to clean up.
    pub(crate) fn wrote_task(&self) {
        self.client.has_tasks.store(true, Ordering::Relaxed);
        self.wrote();
    }

    /// A row of events was written, likewise.
    pub(crate) fn wrote_event(&self) {
        self.client.has_events.store(true, Ordering::Relaxed);
        self.wrote();
    }

    /// A row was written: cleans up behind the call, where it is time.
    pub(crate) fn wrote(&self) {
        if !self.client.cleaning.is_due() {
            return;
        }
        let client = Arc::clone(&self.client);
        tokio::spawn(async move {
            if let Err(error) = client.clean().await {
                // what is left over is deleted next time
                tracing::warn!(event = "store_not_cleaned", %error, "{error}");
            }
            client.cleaning.ended();
        });
    }

    /// Asks, unless the breaker says that it is of no use.
    pub(crate) async fn ask(
        &self,
        breaker: &Breaker,
        key: &str,
        statement: &str,
        parameters: &[SqlValue],
    ) -> Result<Rows, StoreError> {
        let first = AtomicBool::new(true);
        let attempt = |left| {
            let first = first.swap(false, Ordering::Relaxed);
            self.client.attempt(left, first, statement, parameters)
        };
        Ok(self.client.service.ask(breaker, key, attempt).await?)
    }
}

impl Dependency for PostgresStores {
    fn check(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async {
            // before the first call, this makes the tables
            let answer = self.client.insist(&self.client.statements.check, &[]).await;
            answer.map(drop).map_err(|error| error.to_string())
        })
    }
}

impl fmt::Debug for PostgresStores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStores")
            .field("server", &self.client.server)
            .finish_non_exhaustive()
    }
}

/// A number as a row has it; none of ours is larger.
pub(crate) fn number(number: u64) -> SqlValue {
    SqlValue::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}

pub(crate) fn blob(bytes: &[u8]) -> SqlValue {
    SqlValue::Blob(bytes.to_vec())
}
