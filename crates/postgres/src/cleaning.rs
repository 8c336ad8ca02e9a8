//! Rows that stopped to count a while ago, deleted a few at a time by the instances that write them:
//! each deletes more than it makes, so that tables stay as small as what counts. When, and how many;
//! the statements are `statements`.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// Rows that one instance writes between two cleanings.
const ROWS: u32 = 256;

/// The most that one cleaning deletes of a table; in statements, too.
pub(crate) const MOST: u32 = 1000;

/// When to clean up.
#[derive(Debug, Default)]
pub(crate) struct Cleaning {
    written: AtomicU32,
    at_work: AtomicBool,
}

impl Cleaning {
    /// One more row was written: whether it is time, for who is asked first.
    pub(crate) fn is_due(&self) -> bool {
        let written = self.written.fetch_add(1, Ordering::Relaxed);
        written % ROWS == ROWS - 1 && !self.at_work.swap(true, Ordering::Relaxed)
    }

    /// Who was told so is at its end.
    pub(crate) fn ended(&self) {
        self.at_work.store(false, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_after_so_many_rows() {
        let cleaning = Cleaning::default();
        let due = |rows: u32| (0..rows).filter(|_| cleaning.is_due()).count();
        assert_eq!(due(ROWS - 1), 0);
        assert_eq!(due(1), 1);
        assert_eq!(due(5 * ROWS), 0, "the first is still at work");
        cleaning.ended();
        assert_eq!(due(ROWS), 1);
    }
}
