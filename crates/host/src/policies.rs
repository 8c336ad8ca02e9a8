//! What an operator decides about call budgets and about stores that are down. Not the policies:
//! those are in `mcpfn-core`.

use std::ffi::OsString;
use std::sync::Arc;

use mcpfn_core::{Limits, Once, Platform, Rate, RateLimiter, ResultCache, WhenDown};

use crate::settings::Reader;

/// A rate for every deployed server that says nothing else: one call a second on average, sixty at
/// once.
pub const RATE: Rate = Rate::per_minute(60);

/// What the operator decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policies {
    /// `MCPFN_RATE`: calls of one principal over all tools; of one address where nobody recognised
    /// the caller.
    pub rate: Option<Rate>,
    /// `MCPFN_RATE_DOWN`.
    pub rate_down: WhenDown,
    /// `MCPFN_ONCE_DOWN`.
    pub once_down: WhenDown,
    /// `MCPFN_LOG_INPUT`: records have what callers sent, without secrets.
    pub inputs: bool,
}

impl Policies {
    /// Gives the platform the stores, used as the operator decided.
    #[must_use]
    pub fn wire<S: ResultCache + RateLimiter + Once + 'static>(
        self,
        platform: Platform,
        stores: Arc<S>,
    ) -> Platform {
        let limits = Limits {
            limiter: Arc::clone(&stores) as _,
            rate: self.rate,
            when_down: self.rate_down,
        };
        self.wire_records(platform)
            .with_cache(Arc::clone(&stores) as _)
            .with_once(stores, self.once_down)
            .with_limits(limits)
    }

    /// Gives records what the operator asked for.
    #[must_use]
    pub fn wire_records(self, platform: Platform) -> Platform {
        if self.inputs {
            platform.with_inputs_in_records()
        } else {
            platform
        }
    }
}

impl<F: Fn(&str) -> Option<OsString>> Reader<F> {
    /// `MCPFN_RATE`, `MCPFN_RATE_DOWN`, `MCPFN_ONCE_DOWN` and `MCPFN_LOG_INPUT`; `rate` when the
    /// first is not set.
    pub fn policies(&mut self, rate: Option<Rate>) -> Policies {
        let rate = match self.text("MCPFN_RATE") {
            Some(none) if none.trim() == "none" => None,
            Some(text) => text.parse().map(Some).unwrap_or_else(|()| {
                self.mistake("MCPFN_RATE must be a rate such as 60/min, 10/s or 5/10s, or none");
                rate
            }),
            None => rate,
        };
        let when_down = "admit or refuse";
        Policies {
            rate,
            rate_down: self.parsed("MCPFN_RATE_DOWN", WhenDown::Admit, when_down),
            once_down: self.parsed("MCPFN_ONCE_DOWN", WhenDown::Admit, when_down),
            inputs: self.log_input(),
        }
    }
    fn log_input(&mut self) -> bool {
        let text = self.text("MCPFN_LOG_INPUT").unwrap_or_default();
        if !["", "off", "redacted"].contains(&text.trim()) {
            self.mistake("MCPFN_LOG_INPUT must be redacted or off");
        }
        text.trim() == "redacted"
    }
}
