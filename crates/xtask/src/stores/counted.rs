//! The last line of a program of tests/stores: how many checks passed.

use std::process::Command;

use crate::{
    process,
    report::{Counts, Error, Result},
};

/// Runs a program of tests/stores, and adds what it counted.
pub(super) fn counted(command: &mut Command, counts: &mut Counts) -> Result<()> {
    let mut counted = None;
    let result = process::run_reading(command, |line| counted = sums(line).or(counted));
    if let Some(more) = counted {
        counts.passed += more.passed;
        counts.failed += more.failed;
    }
    result?;
    counted
        .map(drop)
        .ok_or_else(|| Error::new("the store tests ended without saying how many passed"))
}

/// Reads `12 passed, 0 failed`.
fn sums(line: &str) -> Option<Counts> {
    let (passed, failed) = line.split_once(" passed, ")?;
    Some(Counts {
        passed: passed.parse().ok()?,
        failed: failed.strip_suffix(" failed")?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_are_the_line_that_is_nothing_else() {
        assert_eq!(
            sums("12 passed, 1 failed"),
            Some(Counts {
                passed: 12,
                failed: 1
            })
        );
        assert_eq!(sums("ok 12 passed, 0 failed"), None);
        assert_eq!(sums("12 passed, none failed"), None);
    }
}
