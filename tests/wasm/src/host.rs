//! The smallest host there can be: time that passes only while everybody waits, randomness that
//! counts, and an executor that knows one future.

use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use mcpfn::{
    handler::BoxFuture,
    port::{AuditEntry, AuditLog, Clock, Failure, Platform, Random, Timer},
    round_trip::Keyring,
};

/// How far the clock goes while a future waits, in milliseconds.
const STEP: u64 = 10;

thread_local! {
    static NOW: Cell<u64> = const { Cell::new(1_800_000_000_000) };
    static RANDOM: Cell<u8> = const { Cell::new(0) };
    static PLATFORM: Arc<Platform> = {
        let host = Arc::new(Host);
        Arc::new(Platform::new(host.clone(), host.clone(), host.clone(), host, Keyring::new([7; 32])))
    };
}

pub(crate) fn platform() -> Arc<Platform> {
    PLATFORM.with(Arc::clone)
}

/// Runs a future to its end. All it can wait for is time, so time goes on whenever it waits.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        match future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            Poll::Ready(value) => return value,
            Poll::Pending => NOW.set(NOW.get() + STEP),
        };
    }
}

struct Host;

impl Clock for Host {
    fn now_ms(&self) -> u64 {
        NOW.get()
    }
}

impl Timer for Host {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let until = NOW.get() + u64::try_from(duration.as_millis()).unwrap_or(u64::MAX / 2);
        Box::pin(std::future::poll_fn(move |_| {
            if NOW.get() >= until {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        }))
    }
}

impl Random for Host {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill_with(|| RANDOM.replace(RANDOM.get().wrapping_add(1)));
    }
}

impl AuditLog for Host {
    fn failure(&self, _: &Failure<'_>) {}

    fn call(&self, _: &AuditEntry<'_>) {}

    fn denied(&self, _: &str, _: Option<&str>) {}

    fn store_failure(&self, _: &str, _: &str) {}
}
