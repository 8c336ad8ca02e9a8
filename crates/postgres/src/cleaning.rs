//! Rows that stopped to count a while ago, deleted a few at a time by the instances that write them:
//! each deletes more than it makes, so that tables stay as small as what counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use mcpfn_core::port::StoreError;
use mcpfn_ports::SqlValue;

use crate::client::StoreClient;
use crate::stores::PostgresStores;

/// Rows that one instance writes between two cleanings.
const ROWS: u32 = 256;

/// The most that one cleaning deletes of a table; in statements, too.
pub(crate) const MOST: u32 = 1000;

/// When to clean up.
#[derive(Debug, Default)]
pub(crate) struct Cleaning {
    written: AtomicU32,
    at_work: AtomicBool,
}

impl Cleaning {
    /// One more row was written: whether it is time, for who is asked first.
    fn is_due(&self) -> bool {
        let written = self.written.fetch_add(1, Ordering::Relaxed);
        written % ROWS == ROWS - 1 && !self.at_work.swap(true, Ordering::Relaxed)
    }
}

impl PostgresStores {
    /// Deletes rows that stopped to count more than a minute ago, at most a thousand of each table and
    /// none that another statement works on, and says how many. Calls do so by themselves.
    ///
    /// # Errors
    /// Why the server did not do it.
    pub async fn clean(&self) -> Result<u64, StoreError> {
        self.client.clean().await
    }

    /// Cleans up behind the call that wrote a row, where it is time.
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
            client.cleaning.at_work.store(false, Ordering::Relaxed);
        });
    }
}

impl StoreClient {
    async fn clean(&self) -> Result<u64, StoreError> {
        let mut deleted = 0;
        for statement in &self.statements.clean {
            let rows = self.insist(statement, &[]).await?.rows;
            if let Some([SqlValue::Integer(rows)]) = rows.first().map(Vec::as_slice) {
                deleted += u64::try_from(*rows).unwrap_or_default();
            }
        }
        Ok(deleted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_after_so_many_rows() {
        let cleaning = Cleaning::default();
        let due = |rows: u32| (0..rows).filter(|_| cleaning.is_due()).count();
        assert_eq!(due(ROWS - 1), 0);
        assert_eq!(due(1), 1);
        assert_eq!(due(5 * ROWS), 0, "the first is still at work");
        cleaning.at_work.store(false, Ordering::Relaxed);
        assert_eq!(due(ROWS), 1);
    }
}
