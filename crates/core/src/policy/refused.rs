//! Refused credentials: counted by address in this process, and by the host's limiter where there
//! is one. An address that sent too many is told to wait, before anything of its request is checked.

use core::net::IpAddr;
use std::time::Duration;

use super::address::{AddressLimits, RefusedCredentials};
use super::asked::asked;
use super::rate_limit::whole_seconds;
use crate::canonical::digest_key;
use crate::port::Platform;
use crate::port::store::Admission;

impl Platform {
    /// How callers are limited by their address; [`AddressLimits::default`] unless set.
    #[must_use]
    pub fn with_address_limits(mut self, limits: AddressLimits) -> Self {
        self.refused_credentials = RefusedCredentials::new(limits).into();
        self
    }

    /// How long this address has to wait because it sent too many credentials that were refused.
    /// Asks no store, and counts nothing.
    #[must_use]
    pub fn refused_credentials_wait(&self, address: IpAddr) -> Option<Duration> {
        let refused = &self.refused_credentials;
        let rate = refused.limits.rate_of(address)?;
        let network = refused.limits.network(address);
        let wait = refused.wait(rate, network, self.clock.now_ms().saturating_mul(1000))?;
        Some(whole_seconds(wait))
    }

    /// Counts a credential whose sender did not wait for the verdict, in this process: asking about
    /// it cost as much as a refusal, and may not be a way around the limit.
    pub fn count_abandoned_credential(&self, address: IpAddr) {
        let refused = &self.refused_credentials;
        if let Some(rate) = refused.limits.rate_of(address) {
            let network = refused.limits.network(address);
            refused.take(rate, network, self.clock.now_ms().saturating_mul(1000));
        }
    }

    /// Counts a refused credential of this address, here and in the host's limiter. Gives how long
    /// the address has to wait if that was one too many. While the limiter is unavailable, this
    /// process counts alone.
    pub async fn count_refused_credential(
        &self,
        server: &str,
        address: IpAddr,
    ) -> Option<Duration> {
        let refused = &self.refused_credentials;
        let rate = refused.limits.rate_of(address)?;
        let network = refused.limits.network(address);
        let now_ms = self.clock.now_ms();
        let now_us = now_ms.saturating_mul(1000);
        if let Some(wait) = refused.take(rate, network, now_us) {
            return Some(whole_seconds(wait));
        }
        // hosts have limiters for rates that were configured, and this one was not
        let known = address != AddressLimits::UNKNOWN;
        let limits = self.rate_limits.as_ref().filter(|_| known)?;
        let key = digest_key(&[
            b"refused credentials",
            server.as_bytes(),
            network.to_string().as_bytes(),
        ]);
        let decision = limits.limiter.admit(&key, rate, now_ms);
        match asked(&self.timer, decision).await {
            Ok(Admission::Admitted) => None,
            Ok(Admission::Refused { retry_after }) => {
                refused.empty(rate, network, now_us, retry_after);
                Some(whole_seconds(retry_after))
            }
            Err(error) => {
                self.store_failed("rate limiter", &error);
                None
            }
        }
    }
}
