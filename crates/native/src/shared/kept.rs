//! For how long a service keeps what has a time of its own at which it stops to count.

use std::time::{SystemTime, UNIX_EPOCH};

/// How much later than it stops to count something is cleaned up, in milliseconds: as much as clocks
/// may differ.
pub const GRACE_MS: u64 = 60_000;

/// The longest that something is kept, some ten years: far below what services take as a time.
const LONGEST_MS: u64 = 10 * 366 * 86_400_000;

/// For how many milliseconds from now a service keeps what stops to count at this time.
#[must_use]
pub fn kept_for_ms(expires_ms: u64) -> u64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let now_ms = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
    expires_ms.saturating_sub(now_ms).min(LONGEST_MS) + GRACE_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_stays_for_a_moment_and_nothing_for_ever() {
        assert_eq!(kept_for_ms(0), GRACE_MS);
        assert_eq!(kept_for_ms(u64::MAX), LONGEST_MS + GRACE_MS);
    }
}
