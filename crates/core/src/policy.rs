//! What surrounds a handler: rate limits, cached results, idempotent writes, audit
//! entries. Each policy is one file here, over `active_call`; `dispatch/` composes them in one visible order, the stores behind them
//! are ports.
//!
//! An idempotent write runs as background work, so that a client that disconnects does not
//! leave it half done; its repeat gets the result. A failure that the handler returns releases
//! the key. A write that ran out of time, panicked, or made a result that can't be sent keeps
//! the key: it may have happened. So does one whose end the store never heard of: its repeat is
//! told that the outcome is unknown.
//!
//! Every question to a store has a limit of its own (`asked`); a store that does not answer in time
//! is one that is unavailable.
//!
//! What is kept of reads of this server's own data is given until one of its tools wrote
//! (`generation`). A stale result is replaced after the response where the host can work then (`Background`):
//! Lambda does so before it asks for the next event.

pub(crate) mod address;
pub(crate) mod asked;
pub(crate) mod audit;
pub(crate) mod cache;
pub(crate) mod generation;
pub(crate) mod idempotency;
pub(crate) mod rate_limit;
pub(crate) mod redact;
mod refused;
pub(crate) mod scope;
pub(crate) mod single_flight;
mod stale_result;
pub(crate) mod stored_result;
pub(crate) mod webhooks;

pub use address::AddressLimits;
pub use webhooks::{EventErrorCodes, WebhookIdProfile, WebhookSettings};

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use crate::port::store::{IdempotencyStore, Rate, RateLimiter};

/// How long a tool's results are kept, and for whom. See `Tool::cache`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Cache {
    pub(crate) fresh: Duration,
    pub(crate) stale: Duration,
    pub(crate) stale_if_error: Duration,
    pub(crate) public: bool,
}

/// What happens to a call while a store that should decide about it is unavailable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FailureMode {
    /// It goes on, without that store's protection.
    #[default]
    Open,
    /// It is refused, with a sentence that says it may work later.
    Closed,
}

impl FromStr for FailureMode {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "allow" => Ok(Self::Open),
            "deny" => Ok(Self::Closed),
            _ => Err(()),
        }
    }
}

/// Rate limits of a deployment.
#[derive(Clone)]
pub struct RateLimits {
    /// Where calls are counted.
    pub limiter: Arc<dyn RateLimiter>,
    /// Of each principal over all tools, prompts and resources; of each address for unauthenticated
    /// callers. `None` leaves only the rates that tools have themselves.
    pub rate: Option<Rate>,
    /// What a limiter that is down does to calls.
    pub failure_mode: FailureMode,
}

impl fmt::Debug for RateLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimits")
            .field("rate", &self.rate)
            .field("failure_mode", &self.failure_mode)
            .finish_non_exhaustive()
    }
}

/// Where idempotent writes are remembered.
#[derive(Clone)]
pub(crate) struct IdempotentWrites {
    pub(crate) store: Arc<dyn IdempotencyStore>,
    pub(crate) failure_mode: FailureMode,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of an operator's words each is one mode, and what is neither word is none: a typo in `deny`
    /// must not open anything.
    #[test]
    fn a_failure_mode_has_one_word() {
        assert_eq!("allow".parse(), Ok(FailureMode::Open));
        assert_eq!("deny".parse(), Ok(FailureMode::Closed));
        for other in ["", "Deny", "deny ", "open", "closed", "none"] {
            assert_eq!(other.parse::<FailureMode>(), Err(()), "{other:?}");
        }
    }
}
