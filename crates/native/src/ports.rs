//! The ports of an operating system: its clock, tokio's timer, its randomness. The log is every
//! host's. Nothing that needs the network.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mcpfn_core::{
    handler::BoxFuture,
    port::{Clock, Platform, Random, Timer},
    round_trip::Keyring,
};
use mcpfn_settings::Log;

/// The platform of this process, to which a server adds the ports of its toolkits.
#[must_use]
pub fn platform(keys: Keyring) -> Platform {
    Platform::new(
        Arc::new(SystemClock),
        Arc::new(TokioTimer),
        Arc::new(OsRandom),
        Arc::new(Log),
        keys,
    )
}

/// A key for request state that lives as long as this process.
#[must_use]
pub fn new_key() -> Keyring {
    mcpfn_settings::new_key(&OsRandom)
}

struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> u64 {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}

struct TokioTimer;

impl Timer for TokioTimer {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// The operating system's randomness.
#[derive(Debug, Clone, Copy)]
pub struct OsRandom;

impl Random for OsRandom {
    fn fill(&self, buffer: &mut [u8]) {
        // without randomness, sealed state and error ids would be guessable: better no process than
        // that one
        getrandom::fill(buffer).expect("the operating system gives randomness");
    }
}
