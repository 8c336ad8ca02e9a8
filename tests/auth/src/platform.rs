//! A platform with a real client and a clock that stands until a test moves it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mcpfn_core::{
    handler::BoxFuture,
    port::{AuditEntry, AuditLog, Clock, Failure, HttpClient, Platform, Random, Timer},
    round_trip::Keyring,
};
use mcpfn_native::Client;

/// The time, in milliseconds since 1970.
#[derive(Debug)]
pub struct TestClock(AtomicU64);

impl TestClock {
    /// Lets seconds pass.
    pub fn pass(&self, seconds: u64) {
        self.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    /// Seconds since 1970, as tokens write them.
    #[must_use]
    pub fn seconds(&self) -> u64 {
        self.now_ms() / 1000
    }
}

impl Clock for TestClock {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

struct Rest;

impl Timer for Rest {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

impl Random for Rest {
    fn fill(&self, buffer: &mut [u8]) {
        aws_lc_rs::rand::fill(buffer).expect("the library gives randomness");
    }
}

impl AuditLog for Rest {
    fn failure(&self, _: &Failure<'_>) {}

    fn call(&self, _: &AuditEntry<'_>) {}

    fn denied(&self, _: &str, _: Option<&str>) {}

    fn store_failure(&self, _: &str, _: &str) {}
}

/// The platform, and its clock.
#[must_use]
pub fn platform() -> (Platform, Arc<TestClock>) {
    let clock = Arc::new(TestClock(AtomicU64::new(1_800_000_000_000)));
    let rest = Arc::new(Rest);
    let platform = Platform::new(
        Arc::clone(&clock) as _,
        Arc::clone(&rest) as _,
        Arc::clone(&rest) as _,
        rest,
        Keyring::new([7; 32]),
    );
    (
        platform.with_port::<dyn HttpClient>(Arc::new(Client::new())),
        clock,
    )
}
