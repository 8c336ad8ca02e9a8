//! Results that are read often, in this environment: so that one that every call wants is not read
//! from the table by every call.

use mcpfn_native::memory::{MemoryLimits, MemoryStores};

/// How long a result that was read is given without asking again: long beside the time between two
/// calls of a busy environment, short beside the time that tools keep results.
pub(super) const FOR_MS: u64 = 2_000;

pub(super) fn results() -> MemoryStores {
    MemoryStores::new(MemoryLimits {
        entries: 256,
        bytes: 4 * 1024 * 1024,
    })
}
