//! The ports that every call may need: the time, waiting, randomness, work after the response or on
//! other threads.

use std::time::Duration;

use crate::send::{BoxFuture, MaybeSend, MaybeSync};

/// The time of day.
///
/// ```
/// use mcpfn_core::port::Clock;
/// use std::time::{SystemTime, UNIX_EPOCH};
///
/// struct SystemClock;
///
/// impl Clock for SystemClock {
///     fn now_ms(&self) -> u64 {
///         let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
///         since.as_millis().try_into().unwrap_or(u64::MAX)
///     }
/// }
///
/// assert!(SystemClock.now_ms() > 1_700_000_000_000);
/// ```
pub trait Clock: MaybeSend + MaybeSync {
    /// Milliseconds since 1970-01-01T00:00Z.
    fn now_ms(&self) -> u64;
}

/// Waiting.
///
/// On a host with tokio it is `Box::pin(tokio::time::sleep(duration))`; in a test, a clock that the
/// test moves:
///
/// ```
/// use std::time::Duration;
/// use mcpfn_core::port::{Clock, Timer};
/// use mcpfn_testing::{TestClock, block_on};
///
/// let clock = TestClock::auto();
/// let (start_ms, sleep) = (clock.now_ms(), clock.sleep(Duration::from_secs(3)));
/// block_on(sleep);
/// assert_eq!(clock.now_ms() - start_ms, 3000);
/// ```
pub trait Timer: MaybeSend + MaybeSync {
    /// Ends after `duration`.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

/// Unpredictable randomness.
///
/// ```
/// use mcpfn_core::port::Random;
///
/// struct Urandom;
///
/// impl Random for Urandom {
///     fn fill(&self, buffer: &mut [u8]) {
///         use std::io::Read as _;
///         let file = std::fs::File::open("/dev/urandom");
///         file.and_then(|mut file| file.read_exact(buffer)).expect("no process is better than this one");
///     }
/// }
/// # #[cfg(unix)]
/// # {
/// let (mut one, mut other) = ([0; 16], [0; 16]);
/// Urandom.fill(&mut one);
/// Urandom.fill(&mut other);
/// assert_ne!(one, other);
/// # }
/// ```
pub trait Random: MaybeSend + MaybeSync {
    /// Fills the buffer.
    fn fill(&self, buffer: &mut [u8]);
}

/// The same byte every time, for tests of what is sealed.
#[cfg(test)]
pub(crate) struct Seeded(pub(crate) u8);

#[cfg(test)]
impl Random for Seeded {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(self.0);
    }
}

/// Work that outlives its call.
///
/// ```
/// use mcpfn_core::{port::Background, handler::BoxFuture};
///
/// struct Threads;
///
/// impl Background for Threads {
///     fn run(&self, work: BoxFuture<'static, ()>) {
///         std::thread::spawn(|| mcpfn_testing::block_on(work));
///     }
/// }
///
/// let (done, finished) = std::sync::mpsc::channel();
/// Threads.run(Box::pin(async move { done.send("done").unwrap() }));
/// assert_eq!(finished.recv(), Ok("done"));
/// ```
pub trait Background: MaybeSend + MaybeSync {
    /// Runs `work` to its end beside the call, and also when the call is dropped. A host that
    /// freezes between requests waits for it first.
    fn run(&self, work: BoxFuture<'static, ()>);
}

/// The end of an instance that is told of it beforehand.
///
/// ```
/// use mcpfn_core::{handler::BoxFuture, port::Shutdown};
///
/// /// A host that ends without a word.
/// struct Never;
///
/// impl Shutdown for Never {
///     fn begun(&self) -> BoxFuture<'static, ()> {
///         Box::pin(std::future::pending())
///     }
/// }
/// ```
pub trait Shutdown: MaybeSend + MaybeSync {
    /// Ends once the instance takes no more requests; at once if it does not by now. What waits
    /// for changes ends then, and what another instance can go on with is given back.
    fn begun(&self) -> BoxFuture<'static, ()>;
}

/// Work for a thread that may be blocked.
pub type BlockingWork = Box<dyn FnOnce() + Send>;

/// Threads for work that computes, or that waits without a future (`Cx::blocking`).
///
/// ```
/// use mcpfn_core::{handler::BoxFuture, port::{Blocking, BlockingWork}};
///
/// struct InPlace;
///
/// impl Blocking for InPlace {
///     fn run(&self, work: BlockingWork) -> BoxFuture<'static, Result<(), String>> {
///         work();
///         Box::pin(std::future::ready(Ok(())))
///     }
/// }
/// ```
pub trait Blocking: MaybeSend + MaybeSync {
    /// Runs `work` to its end, which the future waits for; the work goes on when the future is
    /// dropped. The error is for the log: that the work panicked, say.
    fn run(&self, work: BlockingWork) -> BoxFuture<'static, Result<(), String>>;
}
