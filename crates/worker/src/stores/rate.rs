//! The rate-limit binding behind the `RateLimiter` port. Cloudflare counts in each of its places by
//! itself and a little late: good against a flood, not for billing.

use std::time::Duration;

use mcpfn_core::{
    handler::BoxFuture,
    port::{Admission, Rate, RateLimiter, StoreError},
};
use worker::{Env, RateLimiter as Binding};

use crate::bound::RATE_LIMIT;

/// Rate limits by the bindings of `wrangler.toml`, one for each rate, named after it:
/// `RATE_100_PER_60` for `simple = { limit = 100, period = 60 }`. A binding's limit can't be read
/// or changed by the Worker; the name makes sure that it is the one that was asked for.
#[derive(Debug)]
pub struct RateBindings(Env);

impl RateBindings {
    pub(crate) fn new(bindings: Env) -> Self {
        Self(bindings)
    }

    /// The binding of a rate.
    ///
    /// # Errors
    /// When there is none: a sentence that says what to add.
    pub(crate) fn of(&self, rate: Rate) -> Result<Binding, String> {
        let (calls, seconds) = (rate.calls, rate.per.as_secs());
        if !matches!(seconds, 10 | 60) {
            return Err(format!(
                "Cloudflare counts calls in 10 or 60 seconds, not in {seconds}; change the rate to \
                 one of these"
            ));
        }
        let name = format!("RATE_{calls}_PER_{seconds}");
        self.0.rate_limiter(&name).map_err(|_| {
            format!(
                "{} and simple = {{ limit = {calls}, period = {seconds} }}",
                RATE_LIMIT.mistake(&self.0, &name)
            )
        })
    }
}

impl RateLimiter for RateBindings {
    fn admit<'a>(
        &'a self,
        key: &'a str,
        rate: Rate,
        _now_ms: u64,
    ) -> BoxFuture<'a, Result<Admission, StoreError>> {
        Box::pin(async move {
            let admitted = self
                .of(rate)
                .map_err(StoreError::new)?
                .limit(key.to_owned())
                .await
                .map_err(StoreError::new)?
                .success;
            // the binding does not say how long; its window is the longest that it can be
            Ok(if admitted {
                Admission::Admitted
            } else {
                Admission::Refused {
                    retry_after: Duration::from_secs(rate.per.as_secs()),
                }
            })
        })
    }
}
