//! The connections to one server as one role: how many, which are free, which are still any good.
//! Knows nothing of statements.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::address::PostgresAddress;
use super::connect::Target;
use crate::protocol::{CancelKey, Fault, MAX_MESSAGE_BYTES, PostgresSession};

/// How many connections there may be at the same time.
const CONNECTIONS: usize = 4;

/// How long a statement waits for a connection that others use.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long connecting may take, with encryption and password.
const CONNECTING: Duration = Duration::from_secs(4);

/// A connection that was unused for longer may have been forgotten by something on the way, without
/// a word.
const OLD: Duration = Duration::from_secs(60);

pub(super) struct PostgresPool {
    target: Arc<Target>,
    /// What every connection is told after it was made.
    settings: String,
    idle: Mutex<Vec<(PostgresSession, Instant)>>,
    permits: Semaphore,
}

/// A connection in use. Dropped without [`Lease::give_back`], it is closed, and a statement that
/// still runs is stopped.
pub(super) struct Lease<'a> {
    pool: &'a PostgresPool,
    session: Option<PostgresSession>,
    _permit: SemaphorePermit<'a>,
}

impl PostgresPool {
    pub(super) fn new(target: Target, settings: String) -> Self {
        Self {
            target: Arc::new(target),
            settings,
            idle: Mutex::default(),
            permits: Semaphore::new(CONNECTIONS),
        }
    }

    /// Where its server is, without credentials.
    pub(super) fn place(&self) -> String {
        let PostgresAddress {
            host,
            port,
            database,
            ..
        } = &self.target.address;
        format!("{host}:{port}/{database}")
    }

    pub(super) fn settings(&self) -> &str {
        &self.settings
    }

    /// A connection that was open a moment ago.
    pub(super) async fn lease(&self) -> Result<Lease<'_>, Fault> {
        let permit = self.permit().await?;
        self.leased(permit).await
    }

    /// A connection that was never used, and no idle one is left: what one of them met, the others may
    /// have met, and nothing tells.
    pub(super) async fn new_lease(&self) -> Result<Lease<'_>, Fault> {
        self.idle().clear();
        let permit = self.permit().await?;
        Ok(Lease {
            pool: self,
            session: Some(self.connect().await?),
            _permit: permit,
        })
    }

    async fn permit(&self) -> Result<SemaphorePermit<'_>, Fault> {
        let busy = || Fault::Broken(format!("all {CONNECTIONS} connections are busy"));
        let permit = timeout(PATIENCE, self.permits.acquire())
            .await
            .map_err(|_| busy())?
            .map_err(|_| busy())?;
        Ok(permit)
    }

    /// The same without a wait for others; `None` when all connections are in use.
    pub(super) async fn free_lease(&self) -> Result<Option<Lease<'_>>, Fault> {
        match self.permits.try_acquire() {
            Ok(permit) => self.leased(permit).await.map(Some),
            Err(_) => Ok(None),
        }
    }

    async fn leased<'a>(&'a self, permit: SemaphorePermit<'a>) -> Result<Lease<'a>, Fault> {
        loop {
            let Some((mut session, since)) = self.idle().pop() else {
                break;
            };
            if since.elapsed() < OLD && session.is_usable().await {
                return Ok(Lease {
                    pool: self,
                    session: Some(session),
                    _permit: permit,
                });
            }
        }
        let session = self.connect().await?;
        Ok(Lease {
            pool: self,
            session: Some(session),
            _permit: permit,
        })
    }

    /// A connection that belongs to no pool.
    pub(super) async fn connect(&self) -> Result<PostgresSession, Fault> {
        let connecting = async {
            let (wire, key) = self.target.connect().await?;
            let mut session = PostgresSession::new(wire, key);
            session.set_largest_message(MAX_MESSAGE_BYTES);
            session.command(&self.settings).await?;
            Ok(session)
        };
        let address = &self.target.address;
        let late = |_| {
            Fault::Broken(format!(
                "{address:?} did not answer within {} s",
                CONNECTING.as_secs()
            ))
        };
        timeout(CONNECTING, connecting).await.map_err(late)?
    }

    /// No code panics while it holds the lock, so a poisoned one is as good as any.
    fn idle(&self) -> MutexGuard<'_, Vec<(PostgresSession, Instant)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease<'_> {
    /// The connection, until it was given back.
    pub(super) fn session(&mut self) -> Result<&mut PostgresSession, Fault> {
        self.session
            .as_mut()
            .ok_or_else(|| Fault::Broken("the connection was given back".to_owned()))
    }

    /// Keeps the connection for others, if the last statement left it as it found it.
    pub(super) fn give_back(mut self) {
        if let Some(mut session) = self.session.take().filter(|session| session.clean) {
            session.set_largest_message(MAX_MESSAGE_BYTES);
            self.pool.idle().push((session, Instant::now()));
        }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let Some(session) = self.session.take().filter(|session| !session.clean) else {
            return;
        };
        stop(Arc::clone(&self.pool.target), session.key);
    }
}

/// Stops what a connection still runs. Without a runtime, the server's own time limit does.
fn stop(target: Arc<Target>, key: CancelKey) {
    if let Ok(runtime) = Handle::try_current() {
        runtime.spawn(async move {
            // a courtesy to the server: when it fails there is nothing to do
            let _ = timeout(CONNECTING, target.cancel(key)).await;
        });
    }
}
