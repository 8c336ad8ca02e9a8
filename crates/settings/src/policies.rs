//! What an operator decides about rate limits and about stores that are down. Not the policies:
//! those are in `mcpfn-core`.

use std::ffi::OsString;
use std::sync::Arc;

use mcpfn_core::{
    FailureMode, IdempotencyStore, Platform, Rate, RateLimiter, RateLimits, ResultCache,
};

use crate::settings::EnvReader;

/// A rate for every deployed server that says nothing else: one call a second on average, sixty at
/// once.
pub const RATE: Rate = Rate::per_minute(60);

/// What the operator decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policies {
    /// `MCPFN_RATE_LIMIT`: calls of one principal over all tools; of one address where nobody recognised
    /// the caller.
    pub rate: Option<Rate>,
    /// `MCPFN_RATE_LIMIT_ON_ERROR`.
    pub rate_limit_on_error: FailureMode,
    /// `MCPFN_IDEMPOTENCY_ON_ERROR`.
    pub idempotency_on_error: FailureMode,
    /// `MCPFN_LOG_ARGUMENTS`: records have what callers sent, without secrets.
    pub inputs: bool,
}

impl Policies {
    /// Gives the platform the stores, used as the operator decided.
    #[must_use]
    pub fn apply<S: ResultCache + RateLimiter + IdempotencyStore + 'static>(
        self,
        platform: Platform,
        stores: Arc<S>,
    ) -> Platform {
        let limits = RateLimits {
            limiter: Arc::clone(&stores) as _,
            rate: self.rate,
            failure_mode: self.rate_limit_on_error,
        };
        self.apply_audit_settings(platform)
            .with_cache(Arc::clone(&stores) as _)
            .with_idempotency(stores, self.idempotency_on_error)
            .with_rate_limits(limits)
    }

    /// Gives records what the operator asked for.
    #[must_use]
    pub fn apply_audit_settings(self, platform: Platform) -> Platform {
        if self.inputs {
            platform.with_arguments_in_audit_log()
        } else {
            platform
        }
    }
}

impl<F: Fn(&str) -> Option<OsString>> EnvReader<F> {
    /// `MCPFN_RATE_LIMIT`, `MCPFN_RATE_LIMIT_ON_ERROR`, `MCPFN_IDEMPOTENCY_ON_ERROR` and `MCPFN_LOG_ARGUMENTS`; `rate` when the
    /// first is not set.
    pub fn policies(&mut self, rate: Option<Rate>) -> Policies {
        let rate = match self.text("MCPFN_RATE_LIMIT") {
            Some(none) if none.trim() == "none" => None,
            Some(text) => text.parse().map(Some).unwrap_or_else(|()| {
                self.mistake(
                    "MCPFN_RATE_LIMIT must be a rate such as 60/min, 10/s or 5/10s, or none",
                );
                rate
            }),
            None => rate,
        };
        let failure_mode = "allow or deny";
        Policies {
            rate,
            rate_limit_on_error: self.parsed(
                "MCPFN_RATE_LIMIT_ON_ERROR",
                FailureMode::Open,
                failure_mode,
            ),
            idempotency_on_error: self.parsed(
                "MCPFN_IDEMPOTENCY_ON_ERROR",
                FailureMode::Open,
                failure_mode,
            ),
            inputs: self.log_input(),
        }
    }
    fn log_input(&mut self) -> bool {
        let text = self.text("MCPFN_LOG_ARGUMENTS").unwrap_or_default();
        if !["", "off", "redacted"].contains(&text.trim()) {
            self.mistake("MCPFN_LOG_ARGUMENTS must be redacted or off");
        }
        text.trim() == "redacted"
    }
}
