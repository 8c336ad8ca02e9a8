//! Work that outlives its call, as tokio tasks. A host that is about to freeze or to end waits for
//! it here.

use std::sync::{Arc, Mutex, PoisonError};

use mcpfn_core::{handler::BoxFuture, port::Background};
use tokio::task::JoinSet;

/// The tasks of this process that no call waits for.
#[derive(Debug, Clone, Default)]
pub struct Tasks(Arc<Mutex<JoinSet<()>>>);

impl Tasks {
    /// How many have not ended.
    #[must_use]
    pub fn count(&self) -> usize {
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.len()
    }

    /// Waits until every task has ended, also those that start meanwhile.
    pub async fn drain(&self) {
        loop {
            let mut tasks =
                std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
            if tasks.is_empty() {
                return;
            }
            while tasks.join_next().await.is_some() {}
        }
    }
}

impl Background for Tasks {
    fn run(&self, work: BoxFuture<'static, ()>) {
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // what has ended takes no place
        while tasks.try_join_next().is_some() {}
        tasks.spawn(work);
    }
}
