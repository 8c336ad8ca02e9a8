//! Callers by their address: which addresses are one caller, and how many refused credentials one
//! of them sent to this process. What follows from that is `refused`.

use core::net::{IpAddr, Ipv6Addr};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::port::store::Rate;

/// Most addresses whose refused credentials are counted.
const MAX: usize = 10_000;

/// How callers are limited by their address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressLimits {
    /// How many leading bits of an IPv6 address are one caller, from 1 to 128. A customer of a
    /// network operator has at least a /64, and may use any address in it.
    pub ipv6_prefix: u8,
    /// How many refused credentials an address may send; then its requests are refused before
    /// anything of them is checked. `None` does not count.
    pub refused_credentials: Option<Rate>,
}

impl Default for AddressLimits {
    /// /64, and 60 refused credentials a minute: more than a client with a wrong setting sends, and
    /// nothing for one that guesses.
    fn default() -> Self {
        Self {
            ipv6_prefix: 64,
            refused_credentials: Some(Rate::per_minute(60)),
        }
    }
}

/// Callers whose address is not known, together: more than one of them, and still a bound.
const UNKNOWN_TOGETHER: u32 = 10;

impl AddressLimits {
    /// The address that stands for every caller whose address is not known.
    pub const UNKNOWN: IpAddr = IpAddr::V4(core::net::Ipv4Addr::UNSPECIFIED);

    /// How many refused credentials this address may send.
    pub(crate) fn rate_of(&self, address: IpAddr) -> Option<Rate> {
        let rate = self.refused_credentials?;
        if address != Self::UNKNOWN {
            return Some(rate);
        }
        let calls = rate.calls.saturating_mul(UNKNOWN_TOGETHER);
        Some(Rate { calls, ..rate })
    }

    /// The address without what one caller can choose of it.
    pub(crate) fn network(&self, address: IpAddr) -> IpAddr {
        match address {
            IpAddr::V6(address) => match address.to_ipv4_mapped() {
                Some(address) => address.into(),
                None => prefix(address, self.ipv6_prefix).into(),
            },
            IpAddr::V4(_) => address,
        }
    }
}

fn prefix(address: Ipv6Addr, bits: u8) -> Ipv6Addr {
    let host_bits = 128 - u32::from(bits.min(128));
    // all 128 bits: a shift by that much is none
    let mask = u128::MAX.checked_shl(host_bits).unwrap_or(0);
    Ipv6Addr::from_bits(address.to_bits() & mask)
}

/// Refused credentials by address: when each bucket is full again, in microseconds since 1970.
#[derive(Debug, Default)]
pub(crate) struct RefusedCredentials {
    pub(crate) limits: AddressLimits,
    buckets: Mutex<HashMap<IpAddr, u64>>,
}

impl RefusedCredentials {
    pub(crate) fn new(limits: AddressLimits) -> Self {
        Self {
            limits,
            buckets: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, u64>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long the address has to wait, without counting anything.
    pub(super) fn wait(&self, rate: Rate, network: IpAddr, now_us: u64) -> Option<Duration> {
        let full_at_us = self.lock().get(&network).copied()?;
        rate.take(full_at_us, now_us).err()
    }

    /// Counts one; how long to wait if that was one too many.
    pub(super) fn take(&self, rate: Rate, network: IpAddr, now_us: u64) -> Option<Duration> {
        let mut buckets = self.lock();
        let full_at_us = buckets.get(&network).copied().unwrap_or(0);
        match rate.take(full_at_us, now_us) {
            Ok(next) => {
                if full_at_us == 0 {
                    make_room(&mut buckets, now_us);
                }
                buckets.insert(network, next);
                None
            }
            Err(wait) => Some(wait),
        }
    }

    /// Another process counted more: nothing is left here either until `wait` is over.
    pub(super) fn empty(&self, rate: Rate, network: IpAddr, now_us: u64, wait: Duration) {
        let wait_us = u64::try_from(wait.as_micros()).unwrap_or(u64::MAX);
        let full_at_us = now_us
            .saturating_add(wait_us)
            .saturating_add(rate.bucket_us())
            .saturating_sub(rate.call_us());
        let mut buckets = self.lock();
        make_room(&mut buckets, now_us);
        buckets.insert(network, full_at_us);
    }
}

/// Full buckets are forgotten, which changes nothing; if there are none, the one that is full again
/// first.
fn make_room(buckets: &mut HashMap<IpAddr, u64>, now_us: u64) {
    if buckets.len() < MAX {
        return;
    }
    buckets.retain(|_, full_at_us| *full_at_us > now_us);
    if buckets.len() >= MAX {
        let first = buckets
            .iter()
            .min_by_key(|(_, full_at_us)| **full_at_us)
            .map(|(network, _)| *network);
        first.and_then(|network| buckets.remove(&network));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn network(address: &str, ipv6_prefix: u8) -> String {
        let limits = AddressLimits {
            ipv6_prefix,
            ..AddressLimits::default()
        };
        limits.network(address.parse().unwrap()).to_string()
    }

    #[test]
    fn an_address_is_its_network() {
        for (address, prefix, expected) in [
            ("2001:db8:1:2:3:4:5:6", 64, "2001:db8:1:2::"),
            ("2001:db8:1:2:3:4:5:6", 48, "2001:db8:1::"),
            ("2001:db8:1:2:3:4:5:6", 128, "2001:db8:1:2:3:4:5:6"),
            ("2001:db8:1:2:3:4:5:6", 200, "2001:db8:1:2:3:4:5:6"),
            ("ffff::1", 1, "8000::"),
            ("ffff::1", 0, "::"),
            ("203.0.113.7", 64, "203.0.113.7"),
            ("::ffff:203.0.113.7", 64, "203.0.113.7"),
        ] {
            assert_eq!(network(address, prefix), expected, "{address}/{prefix}");
        }
    }

    proptest! {
        #[test]
        fn what_follows_the_prefix_never_counts(one: u128, other: u128, bits in 1_u8..=128) {
            let limits = AddressLimits { ipv6_prefix: bits, ..AddressLimits::default() };
            let top = u128::MAX << (128 - u32::from(bits));
            let beside = Ipv6Addr::from_bits((one & top) | (other & !top));
            prop_assume!(Ipv6Addr::from_bits(one).to_ipv4_mapped().is_none());
            prop_assume!(beside.to_ipv4_mapped().is_none());
            prop_assert_eq!(
                limits.network(Ipv6Addr::from_bits(one).into()),
                limits.network(beside.into())
            );
        }
    }

    /// A flood of refused credentials costs no walk over all addresses while there is room.
    #[test]
    fn nothing_is_looked_through_while_there_is_room() {
        let refused = RefusedCredentials::default();
        let rate = Rate::per_minute(2);
        for (now_us, last) in [(1, 1), (u64::MAX / 2, 2)] {
            assert_eq!(refused.take(rate, [192, 0, 2, last].into(), now_us), None);
        }
        assert_eq!(refused.lock().len(), 2, "the full one is still there");
    }

    #[test]
    fn buckets_are_bounded_and_refill() {
        let refused = RefusedCredentials::default();
        let rate = Rate::per_minute(2);
        let address = |number: u32| IpAddr::from(core::net::Ipv4Addr::from_bits(number));
        assert_eq!(refused.take(rate, address(0), 1), None);
        assert_eq!(refused.wait(rate, address(0), 1), None, "one is left");
        assert_eq!(refused.take(rate, address(0), 1), None);
        let wait = Some(Duration::from_secs(30));
        assert_eq!(refused.wait(rate, address(0), 1), wait);
        assert_eq!(refused.take(rate, address(0), 1), wait);
        for number in 1..=u32::try_from(MAX).unwrap() + 10 {
            assert_eq!(refused.take(rate, address(number), 1), None);
        }
        assert_eq!(refused.lock().len(), MAX);
        assert_eq!(
            refused.wait(rate, address(0), 1),
            wait,
            "the emptiest is kept"
        );
        assert_eq!(refused.wait(rate, address(0), 30_000_001), None);
        refused.empty(rate, address(1), 1, Duration::from_secs(7));
        let told = refused.wait(rate, address(1), 1);
        assert_eq!(told, Some(Duration::from_secs(7)));
    }
}
