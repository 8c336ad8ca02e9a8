//! How a running statement is stopped from outside its thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::InterruptHandle;

/// How a connection is stopped from outside its thread.
pub(super) struct Brake {
    interrupt: InterruptHandle,
    /// An interrupt that comes before the statement's first step is lost; this flag, read by the
    /// connection's progress handler, is not.
    pulled: Arc<AtomicBool>,
}

impl Brake {
    pub(super) fn new(interrupt: InterruptHandle, pulled: Arc<AtomicBool>) -> Arc<Self> {
        Arc::new(Self { interrupt, pulled })
    }

    pub(super) fn pull(&self) {
        self.pulled.store(true, Ordering::Relaxed);
        self.interrupt.interrupt();
    }

    pub(super) fn release(&self) {
        self.pulled.store(false, Ordering::Relaxed);
    }
}
