//! One script of tests/e2e or tests/browser, and what it counted.

use std::process::Command;

use crate::{
    process,
    report::{Counts, Error, Result, count_line},
};

pub(crate) fn run(script: &str, command: &mut Command, counts: &mut Counts) -> Result<()> {
    let mut here = Counts::default();
    let result = process::run_reading(command, |line| count_line(line, &mut here));
    // A script that dies before its first check has failed once all the same.
    if (result.is_err() || here.passed == 0) && here.failed == 0 {
        here.failed = 1;
    }
    counts.passed += here.passed;
    counts.failed += here.failed;
    result?;
    if here.failed > 0 {
        return Err(Error::new(format!(
            "{script} passed nothing or reported failures but ended as if all was well"
        )));
    }
    Ok(())
}
