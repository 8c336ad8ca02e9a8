//! What hosts count of each call, under the same names everywhere. Where numbers go is the host's
//! business.

use mcpfn_core::port::{AuditEntry, CacheStatus, Outcome};

/// The names of [`call_metrics`], in their order: counts, and at last milliseconds.
pub const CALL_METRICS: [&str; 6] = [
    "Calls",
    "Errors",
    "RateLimited",
    "CacheHits",
    "ColdStarts",
    "Duration",
];

/// The numbers of one call, under [`CALL_METRICS`]. `Errors` are faults of the server:
/// [`AuditEntry::is_fault`].
#[must_use]
pub fn call_metrics(call: &AuditEntry<'_>, cold_start: bool) -> [u64; CALL_METRICS.len()] {
    let hit = matches!(
        call.cache,
        CacheStatus::Hit | CacheStatus::Stale | CacheStatus::StaleIfError | CacheStatus::Coalesced
    );
    [
        1,
        call.is_fault().into(),
        (call.outcome == Outcome::RateLimited).into(),
        hit.into(),
        cold_start.into(),
        call.duration_ms,
    ]
}
