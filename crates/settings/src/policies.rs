//! What an operator decides about rate limits and about stores that are down. Not the policies:
//! those are in `mcpfn-core`.

use std::sync::Arc;

use mcpfn_core::{
    policy::{AddressLimits, FailureMode, RateLimits},
    port::{IdempotencyStore, Platform, Rate, RateLimiter, ResultCache},
};

use crate::reader::{EnvReader, is_none};

/// What the operator decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policies {
    /// `MCPFN_RATE_LIMIT`: calls of one principal over all tools; of one address where the caller
    /// is anonymous.
    pub rate: Option<Rate>,
    /// `MCPFN_RATE_LIMIT_IPV6_PREFIX` and `MCPFN_REFUSED_CREDENTIALS_LIMIT`: callers by their
    /// address.
    pub addresses: AddressLimits,
    /// `MCPFN_RATE_LIMIT_ON_ERROR`.
    pub rate_limit_on_error: FailureMode,
    /// `MCPFN_IDEMPOTENCY_ON_ERROR`; writes with a key are refused when not set.
    pub idempotency_on_error: FailureMode,
    /// `MCPFN_LOG_ARGUMENTS`: the audit log has what callers sent, without secrets.
    pub log_arguments: bool,
}

impl Policies {
    /// Gives the platform the stores, used as the operator decided.
    #[must_use]
    pub fn apply<S: ResultCache + RateLimiter + IdempotencyStore + 'static>(
        self,
        platform: Platform,
        stores: Arc<S>,
    ) -> Platform {
        self.apply_without_idempotency(platform, Arc::clone(&stores))
            .with_idempotency(stores, self.idempotency_on_error)
    }

    /// The same, with stores that other instances of the server do not share: a repeat that reaches
    /// another instance would write again, so writes are not remembered at all.
    #[must_use]
    pub fn apply_without_idempotency<S: ResultCache + RateLimiter + 'static>(
        self,
        platform: Platform,
        stores: Arc<S>,
    ) -> Platform {
        let limits = RateLimits {
            limiter: Arc::clone(&stores) as _,
            rate: self.rate,
            failure_mode: self.rate_limit_on_error,
        };
        self.apply_to_audit_log(platform)
            .with_cache(stores)
            .with_rate_limits(limits)
    }

    /// Gives the audit log what the operator asked for.
    #[must_use]
    pub fn apply_to_audit_log(self, platform: Platform) -> Platform {
        if self.log_arguments {
            platform.with_arguments_in_audit_log()
        } else {
            platform
        }
    }
}

impl EnvReader<'_> {
    /// The policies' variables; `rate` is `MCPFN_RATE_LIMIT` when not set.
    pub(crate) fn policies(&mut self, rate: Option<Rate>) -> Policies {
        let rate = self.rate("MCPFN_RATE_LIMIT", rate);
        let addresses = self.addresses();
        let mut on_error =
            |name: &str, default: FailureMode| self.parsed(name, default, "allow or deny");
        Policies {
            rate,
            addresses,
            rate_limit_on_error: on_error("MCPFN_RATE_LIMIT_ON_ERROR", FailureMode::Open),
            // a write that is made twice can't be taken back, one that was refused can be repeated
            idempotency_on_error: on_error("MCPFN_IDEMPOTENCY_ON_ERROR", FailureMode::Closed),
            log_arguments: self.form("MCPFN_LOG_ARGUMENTS", "redacted"),
        }
    }

    fn rate(&mut self, name: &str, unset: Option<Rate>) -> Option<Rate> {
        match self.text(name) {
            Some(text) if is_none(&text) => None,
            Some(text) => text.trim().parse().map(Some).unwrap_or_else(|()| {
                self.mistake(format!(
                    "{name} must be a rate such as 60/min, 10/s or 5/10s, or none"
                ));
                unset
            }),
            None => unset,
        }
    }

    fn addresses(&mut self) -> AddressLimits {
        let mut limits = AddressLimits::default();
        // a shorter prefix would be a whole country's callers, or all
        limits.ipv6_prefix = self.within(
            "MCPFN_RATE_LIMIT_IPV6_PREFIX",
            limits.ipv6_prefix,
            32..=128,
            "a number of bits",
        );
        let unset = limits.refused_credentials;
        limits.refused_credentials = self.rate("MCPFN_REFUSED_CREDENTIALS_LIMIT", unset);
        limits
    }
}
