//! A platform whose every port is under a test's control. No port of a real machine.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mcpfn_core::{
    policy::{FailureMode, RateLimits},
    port::{EventPorts, Platform, Random},
    round_trip::Keyring,
};

use crate::audit::TestAudit;
use crate::clock::TestClock;
use crate::events::TestEvents;
use crate::stores::TestStores;
use crate::tasks::TestTasks;

/// Randomness that counts, so that two runs of a test are equal. Anybody can guess it.
#[derive(Debug, Default)]
pub struct TestRandom(AtomicU64);

impl Random for TestRandom {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            let bytes = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
            chunk.copy_from_slice(&bytes[8 - chunk.len()..]);
        }
    }
}

/// These ports, with stores in memory behind all three policies, for tasks and for events.
pub(crate) fn platform(
    clock: &TestClock,
    audit: &TestAudit,
    stores: &TestStores,
    tasks: &TestTasks,
    events: &TestEvents,
) -> Platform {
    let time = Arc::new(clock.clone());
    let stores = Arc::new(stores.clone());
    let events = Arc::new(events.clone());
    let rate_limits = RateLimits {
        limiter: stores.clone(),
        rate: None,
        failure_mode: FailureMode::Open,
    };
    Platform::new(
        time.clone(),
        time,
        Arc::new(TestRandom::default()),
        Arc::new(audit.clone()),
        Keyring::new([7; 32]),
    )
    .with_cache(stores.clone())
    .with_rate_limits(rate_limits)
    .with_idempotency(stores, FailureMode::Closed)
    .with_tasks(Arc::new(tasks.clone()), Arc::new(tasks.clone()))
    .with_events(
        EventPorts::new(events.clone())
            .webhooks(events.clone(), events)
            .streams(Duration::from_secs(600))
            .pumped(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn randomness_counts() {
        let random = TestRandom::default();
        let mut buffers = [[0; 12]; 2];
        for buffer in &mut buffers {
            random.fill(buffer);
        }
        assert_ne!(buffers[0], buffers[1]);
        let again = TestRandom::default();
        let mut first = [0; 12];
        again.fill(&mut first);
        assert_eq!(first, buffers[0]);
    }
}
