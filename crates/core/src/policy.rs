//! What surrounds a handler: call budgets, kept results, writes that happen once, records. Each
//! policy is one file here; `dispatch/` composes them in one visible order, the stores behind them
//! are ports.

pub(crate) mod cache;
pub(crate) mod flight;
pub(crate) mod kept;
pub(crate) mod once;
pub(crate) mod rate;
pub(crate) mod record;
pub(crate) mod redact;
pub(crate) mod scope;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use crate::port::store::{Once, Rate, RateLimiter};

/// How long a tool's results are kept, and for whom. See `Tool::cache`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Cache {
    pub(crate) fresh: Duration,
    pub(crate) stale: Duration,
    pub(crate) public: bool,
}

/// What happens to a call while a store that should decide about it gives no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhenDown {
    /// It goes on, without that store's protection.
    #[default]
    Admit,
    /// It is refused, with a sentence that says it may work later.
    Refuse,
}

impl FromStr for WhenDown {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "admit" => Ok(Self::Admit),
            "refuse" => Ok(Self::Refuse),
            _ => Err(()),
        }
    }
}

/// Call budgets of a deployment.
#[derive(Clone)]
pub struct Limits {
    /// Where calls are counted.
    pub limiter: Arc<dyn RateLimiter>,
    /// Of each principal over all tools, prompts and resources; of each address where nobody
    /// recognised the caller. `None` leaves only the rates that tools have themselves.
    pub rate: Option<Rate>,
    /// What a limiter that is down does to calls.
    pub when_down: WhenDown,
}

impl fmt::Debug for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limits")
            .field("rate", &self.rate)
            .field("when_down", &self.when_down)
            .finish_non_exhaustive()
    }
}

/// Where writes that happen once are remembered.
#[derive(Clone)]
pub(crate) struct Writes {
    pub(crate) once: Arc<dyn Once>,
    pub(crate) when_down: WhenDown,
}
