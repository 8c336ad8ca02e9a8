//! The steps that are one cargo command each. What they check is decided by cargo, not here.

use std::process::Command;

use crate::{
    context::Context,
    process,
    report::{Counts, Error, Result},
};

pub(crate) fn fmt(cx: &Context, _: &mut Counts) -> Result<()> {
    process::run(cx.cargo().args(["fmt", "--all", "--check"]))
        .map_err(|error| Error::new(format!("{error}; `cargo fmt --all` writes the formatting")))
}

/// The feature that only the deployed binary has; the step `sam` builds it.
const DEPLOYED: [&str; 2] = ["--features", "mcpfn-server/lambda"];

/// Tests that need something running, and so are left out by `--all-targets`; the steps that run it
/// ask for them by name.
const NAMED: [&str; 8] = [
    "--test", "postgres", "--test", "recall", "--test", "secrets", "--test", "worker",
];

pub(crate) fn clippy(cx: &Context, _: &mut Counts) -> Result<()> {
    for what in [&["--all-targets"][..], &NAMED] {
        process::run(
            cx.cargo()
                .args(["clippy", "--workspace"])
                .args(what)
                .args(DEPLOYED)
                .args(["--", "-D", "warnings"]),
        )?;
    }
    Ok(())
}

pub(crate) fn unit(cx: &Context, counts: &mut Counts) -> Result<()> {
    // --no-fail-fast, because a count that stops at the first failing binary is not a count.
    let mut command = cx.cargo();
    command.args(["test", "--workspace", "--no-fail-fast"]);
    tests(&mut command, counts)?;
    // off in everything else, so that everything else is tested as it is deployed
    let mut command = cx.cargo();
    command.args([
        "test",
        "-p",
        "mcpfn-local",
        "--lib",
        "--features",
        "http2,tls",
    ]);
    tests(&mut command, counts)
}

/// Runs `cargo test` and counts what its binaries report.
pub(crate) fn tests(command: &mut Command, counts: &mut Counts) -> Result<()> {
    process::run_reading(command, |line| {
        if let Some(more) = test_result(line) {
            counts.passed += more.passed;
            counts.failed += more.failed;
        }
    })
}

pub(crate) fn docs(cx: &Context, _: &mut Counts) -> Result<()> {
    process::run(
        cx.cargo()
            // the same features as for clippy, so that both read the same dependencies
            .args(["doc", "--no-deps", "--workspace"])
            .args(DEPLOYED)
            .env("RUSTDOCFLAGS", "-Dwarnings"),
    )
}

/// Reads `test result: ok. 12 passed; 0 failed; 1 ignored; ...`, the line each test binary ends
/// with.
fn test_result(line: &str) -> Option<Counts> {
    let (_, numbers) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let number = |of: &str| {
        numbers
            .split("; ")
            .find_map(|part| part.strip_suffix(of))
            .and_then(|number| number.trim().parse().ok())
    };
    Some(Counts {
        passed: number(" passed")?,
        failed: number(" failed")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Option<(u64, u64)>) {
        let expected = expected.map(|(passed, failed)| Counts { passed, failed });
        assert_eq!(test_result(line), expected, "{line}");
    }

    #[test]
    fn the_closing_line_of_a_test_binary_is_counted() {
        check(
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished \
             in 0.1s",
            Some((12, 0)),
        );
        check(
            "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; \
             finished in 9s",
            Some((3, 2)),
        );
    }

    #[test]
    fn other_lines_are_not() {
        check("test report::tests::totals ... ok", None);
        check("running 12 tests", None);
        check("test result: something new", None);
    }
}
