//! How much the stores of a process keep.

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryLimits {
    /// Most results and most records of writes, each; and most rate limits.
    pub entries: usize,
    /// Most bytes of results, and most of records of writes.
    pub bytes: usize,
}

impl Default for MemoryLimits {
    /// 10,000 entries and 32 MiB.
    fn default() -> Self {
        Self {
            entries: 10_000,
            bytes: 32 * 1024 * 1024,
        }
    }
}
