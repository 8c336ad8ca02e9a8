//! A platform of which every port is under a test's control: time passes only when everything waits
//! for it, randomness counts, records are kept.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use mcpfn::{
    handler::BoxFuture,
    port::{AuditEntry, AuditLog, Clock, Failure, Platform, Random, Timer},
    round_trip::Keyring,
};

/// 2026-07-28T00:00Z.
const START_MS: u64 = 1_785_196_800_000;

/// Time that stands still until [`block_on`] finds nothing else to do.
#[derive(Clone)]
pub(crate) struct Time(Arc<Mutex<State>>);

struct State {
    now_ms: u64,
    next: u64,
    /// By when they end, then by who slept first.
    sleepers: BTreeMap<(u64, u64), Waker>,
}

impl Time {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(State {
            now_ms: START_MS,
            next: 0,
            sleepers: BTreeMap::new(),
        })))
    }

    /// Milliseconds since the start of the test.
    pub(crate) fn elapsed_ms(&self) -> u64 {
        self.0.lock().unwrap().now_ms - START_MS
    }

    /// Lets time pass between two requests.
    pub(crate) fn pass(&self, duration: Duration) {
        self.0.lock().unwrap().now_ms += milliseconds(duration);
    }

    /// Goes to the next end of a sleep and wakes the sleeper; `false` when nobody sleeps.
    fn wake_next(&self) -> bool {
        let mut state = self.0.lock().unwrap();
        let Some(((end, _), waker)) = state.sleepers.pop_first() else {
            return false;
        };
        state.now_ms = state.now_ms.max(end);
        waker.wake();
        true
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap()
}

impl Clock for Time {
    fn now_ms(&self) -> u64 {
        self.0.lock().unwrap().now_ms
    }
}

impl Timer for Time {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let mut state = self.0.lock().unwrap();
        state.next += 1;
        let key = (state.now_ms + milliseconds(duration), state.next);
        Box::pin(Sleep {
            time: self.clone(),
            key,
        })
    }
}

struct Sleep {
    time: Time,
    key: (u64, u64),
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.time.0.lock().unwrap();
        if state.now_ms >= self.key.0 {
            return Poll::Ready(());
        }
        state.sleepers.insert(self.key, cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.time.0.lock().unwrap().sleepers.remove(&self.key);
    }
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Polls a future to its end; when it waits and nothing woke it, time goes on to the next end of a
/// sleep.
pub(crate) fn block_on<F: Future>(time: &Time, future: F) -> F::Output {
    let flag = Arc::new(Flag(AtomicBool::new(false)));
    let waker = Waker::from(Arc::clone(&flag));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        if !flag.0.swap(false, Ordering::SeqCst) {
            assert!(
                time.wake_next(),
                "the future waits for something that never comes"
            );
            flag.0.store(false, Ordering::SeqCst);
        }
    }
}

struct Counting(AtomicU64);

impl Random for Counting {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            let bytes = self.0.fetch_add(1, Ordering::SeqCst).to_be_bytes();
            chunk.copy_from_slice(&bytes[8 - chunk.len()..]);
        }
    }
}

/// A kept failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) id: String,
    pub(crate) method: String,
    pub(crate) name: String,
    pub(crate) cause: String,
}

/// What was handed to the log.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Logged>>);

#[derive(Default)]
struct Logged {
    kept: Vec<Kept>,
    calls: Vec<String>,
    stores: Vec<String>,
    denied: Vec<String>,
}

impl Log {
    pub(crate) fn kept(&self) -> Vec<Kept> {
        self.0.lock().unwrap().kept.clone()
    }

    /// One line a call: name (or the method in brackets), outcome, what a cached result did for it.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.0.lock().unwrap().calls.clone()
    }

    /// Callers whose credential was refused, with the private cause.
    pub(crate) fn denied(&self) -> Vec<String> {
        self.0.lock().unwrap().denied.clone()
    }

    /// The stores that were unavailable.
    pub(crate) fn stores(&self) -> Vec<String> {
        self.0.lock().unwrap().stores.clone()
    }
}

impl AuditLog for Log {
    fn failure(&self, failure: &Failure<'_>) {
        let Failure {
            id,
            method,
            name,
            cause,
            ..
        } = *failure;
        self.0.lock().unwrap().kept.push(Kept {
            id: id.into(),
            method: method.into(),
            name: name.into(),
            cause: cause.into(),
        });
    }

    fn call(&self, call: &AuditEntry<'_>) {
        let about = if call.name.is_empty() {
            format!("[{}]", call.method)
        } else {
            call.name.to_owned()
        };
        self.0.lock().unwrap().calls.push(format!(
            "{about} {} {}",
            call.outcome.as_str(),
            call.cache.as_str()
        ));
    }

    fn denied(&self, sentence: &str, cause: Option<&str>) {
        self.0
            .lock()
            .unwrap()
            .denied
            .push(format!("{sentence} [{}]", cause.unwrap_or_default()));
    }

    fn store_failure(&self, store: &str, cause: &str) {
        self.0
            .lock()
            .unwrap()
            .stores
            .push(format!("{store}: {cause}"));
    }
}

/// The key of every test that does not say otherwise.
pub(crate) fn keys() -> Keyring {
    Keyring::new([7; 32])
}

/// A platform of these ports.
pub(crate) fn platform(time: &Time, log: &Log, keys: Keyring) -> Arc<Platform> {
    let timer = Arc::new(time.clone());
    Arc::new(Platform::new(
        timer.clone(),
        timer,
        Arc::new(Counting(AtomicU64::new(1))),
        Arc::new(log.clone()),
        keys,
    ))
}
