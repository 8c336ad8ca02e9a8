//! The shop's own today. Calendars are `crate::date`.

pub(super) use crate::date::{day, iso};

/// The day on which the shop was photographed: 2026-10-31. Nothing in it is later.
pub(super) const TODAY: u64 = day(2026, 10, 31);
