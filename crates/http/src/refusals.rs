//! Refusals before a message is read, for the audit log: a bounded number of each kind, so that
//! nobody fills the log who may do nothing else. Not the answers, which are `respond`'s.

use core::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use http::{Method, Response};
use mcpfn_core::port::{Platform, RefusedRequest};

use crate::body::Body;

/// Entries of one kind that are written in a minute; others are counted.
const MOST: u64 = 10;

/// A minute's number and what was refused in it are one number, in its upper and lower bits.
const COUNT_BITS: u32 = 20;
const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;

/// Why a request is refused, as the audit log calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    Path,
    Host,
    Proxy,
    Origin,
    Unauthenticated,
    /// The audit log has its own entry of each.
    Credential,
    Rate,
    Method,
    ContentType,
    Size,
    Body,
}

impl Reason {
    const ALL: [Self; 11] = [
        Self::Path,
        Self::Host,
        Self::Proxy,
        Self::Origin,
        Self::Unauthenticated,
        Self::Credential,
        Self::Rate,
        Self::Method,
        Self::ContentType,
        Self::Size,
        Self::Body,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Host => "host",
            Self::Proxy => "proxy",
            Self::Origin => "origin",
            Self::Unauthenticated => "unauthenticated",
            Self::Credential => "credential",
            Self::Rate => "rate",
            Self::Method => "method",
            Self::ContentType => "content_type",
            Self::Size => "size",
            Self::Body => "body",
        }
    }
}

/// On a response that refuses its request: what to tell the audit log.
#[derive(Debug, Clone)]
pub(crate) struct Refused {
    pub(crate) reason: Reason,
    pub(crate) message: String,
}

/// What was refused lately.
#[derive(Debug, Default)]
pub(crate) struct Refusals([AtomicU64; Reason::ALL.len()]);

impl Refusals {
    /// Tells the audit log of a response that is a refusal. What a client sent is not repeated: of
    /// its method only the known ones have a name.
    pub(crate) fn tell(
        &self,
        response: &mut Response<Body>,
        method: &'static str,
        address: Option<IpAddr>,
        platform: &Platform,
    ) {
        let Some(Refused { reason, message }) = response.extensions_mut().remove::<Refused>()
        else {
            return;
        };
        if reason == Reason::Credential {
            return;
        }
        if let Some(unlogged) = self.count(reason, platform.now_ms()) {
            platform.audit_log().refused(&RefusedRequest {
                reason: reason.as_str(),
                method,
                address,
                sentence: &message,
                unlogged,
            });
        }
    }

    /// Counts one; says whether it is written, and how many before it were not.
    fn count(&self, reason: Reason, now_ms: u64) -> Option<u64> {
        let minute = now_ms / 60_000;
        let counted = |of: u64| of & COUNT_MASK;
        let next = |old: u64| match old >> COUNT_BITS == minute {
            true => old + u64::from(counted(old) < COUNT_MASK),
            false => (minute << COUNT_BITS) | 1,
        };
        let cell = &self.0[reason as usize];
        let order = Ordering::Relaxed;
        // it never says no, so this is what was there before
        let old = match cell.fetch_update(order, order, |old| Some(next(old))) {
            Ok(old) | Err(old) => old,
        };
        if old >> COUNT_BITS == minute {
            (counted(old) < MOST).then_some(0)
        } else {
            Some(counted(old).saturating_sub(MOST))
        }
    }
}

/// The name of a method that is one of HTTP's own.
pub(crate) fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::PATCH => "PATCH",
        Method::OPTIONS => "OPTIONS",
        Method::TRACE => "TRACE",
        Method::CONNECT => "CONNECT",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_writes_ten_entries_a_minute_and_says_how_many_it_did_not() {
        let refusals = Refusals::default();
        let minute = 29_000_000 * 60_000;
        for (position, reason) in Reason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, position);
            let flood = (0..5_000).map(|at| refusals.count(reason, minute + at));
            let written: Vec<_> = flood.flatten().collect();
            assert_eq!(written, [0; 10], "{reason:?}");
            // the next minute begins with what is missing, and counts anew
            let later = minute + 60_000;
            assert_eq!(refusals.count(reason, later), Some(4_990));
            assert_eq!(refusals.count(reason, later), Some(0));
            // a clock that goes back is another minute, too
            assert_eq!(refusals.count(reason, minute), Some(0));
        }
    }

    #[test]
    fn a_count_does_not_run_into_its_minute() {
        let refusals = Refusals::default();
        for _ in 0..COUNT_MASK + 10 {
            refusals.count(Reason::Path, 60_000);
        }
        let missed = refusals.count(Reason::Path, 120_000);
        assert_eq!(missed, Some(COUNT_MASK - MOST));
    }
}
