//! The smallest host there can be: time that passes only while everybody waits, randomness that counts, and an executor
//! that knows one future.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use mcpfn::{BoxFuture, Clock, Failure, Keyring, Platform, Random, Records, Timer};

/// Milliseconds since 1970, and how far the clock goes while a future waits.
static NOW: AtomicU64 = AtomicU64::new(1_800_000_000_000);
const STEP: u64 = 10;

pub(crate) static PLATFORM: LazyLock<Arc<Platform>> = LazyLock::new(|| {
    let nothing = Arc::new(Host);
    Arc::new(Platform::new(nothing.clone(), nothing.clone(), nothing.clone(), nothing, Keyring::new([7; 32])))
});

/// Runs a future to its end. All it can wait for is time, so time goes on whenever it waits.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => return value,
            Poll::Pending => NOW.fetch_add(STEP, Ordering::Relaxed),
        };
    }
}

struct Host;

impl Clock for Host {
    fn now_ms(&self) -> u64 {
        NOW.load(Ordering::Relaxed)
    }
}

impl Timer for Host {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let until = Host.now_ms() + duration.as_millis() as u64;
        Box::pin(std::future::poll_fn(move |_| if Host.now_ms() >= until { Poll::Ready(()) } else { Poll::Pending }))
    }
}

impl Random for Host {
    fn fill(&self, buffer: &mut [u8]) {
        static NEXT: AtomicU8 = AtomicU8::new(0);
        buffer.fill_with(|| NEXT.fetch_add(1, Ordering::Relaxed));
    }
}

impl Records for Host {
    fn failure(&self, _: &Failure<'_>) {}
}
