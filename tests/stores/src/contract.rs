//! The contract: named checks over the three ports. A check that fails panics.

mod cache;
mod idempotency;
mod limiter;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mcpfn_core::port::{IdempotencyStore, RateLimiter, ResultCache};

/// All three ports at once.
pub trait Store: ResultCache + RateLimiter + IdempotencyStore {}

impl<S: ResultCache + RateLimiter + IdempotencyStore> Store for S {}

/// What is under test.
#[derive(Clone)]
pub struct Stores {
    /// A store.
    pub one: Arc<dyn Store>,
    /// Another instance's view of the same store; where instances share nothing, the same one.
    pub other: Arc<dyn Store>,
}

impl std::fmt::Debug for Stores {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stores").finish_non_exhaustive()
    }
}

/// A check at work.
pub type Running = Pin<Box<dyn Future<Output = ()> + Send>>;

/// One thing that a store must do.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// A sentence.
    pub name: &'static str,
    /// Panics where the store does not.
    pub run: fn(Stores) -> Running,
}

/// All of them.
pub fn checks() -> impl Iterator<Item = Check> {
    [cache::CHECKS, limiter::CHECKS, idempotency::CHECKS]
        .into_iter()
        .flatten()
        .copied()
}

/// Those of the port `IdempotencyStore` alone, for a store that has no other.
pub fn of_writes() -> impl Iterator<Item = Check> {
    idempotency::CHECKS.iter().copied()
}

/// `name: a check's sentence => its function`.
macro_rules! listed {
    ($($name:literal => $run:ident,)*) => {
        pub(super) const CHECKS: &[super::Check] = &[$(super::Check { name: $name, run: |stores| Box::pin($run(stores)) },)*];
    };
}
use listed;

/// A key that nothing else has.
pub(crate) fn key() -> String {
    URL_SAFE_NO_PAD.encode(noise(32))
}

/// Bytes that can't be packed.
pub(crate) fn noise(bytes: usize) -> Vec<u8> {
    let mut noise = vec![0; bytes];
    getrandom::fill(&mut noise).expect("the operating system gives randomness");
    noise
}

/// A document that can be packed well.
fn document(bytes: usize) -> Vec<u8> {
    let rows = (0_u64..).flat_map(|row| {
        format!(
            "{{\"id\":{row},\"name\":\"headphones\",\"price\":{}}},",
            row * 7919 % 1000
        )
        .into_bytes()
    });
    rows.take(bytes).collect()
}

/// Any time will do.
const NOW: u64 = 1_795_168_800_123;
