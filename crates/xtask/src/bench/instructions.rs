//! Instructions of the operations of `--part core`, counted by valgrind: the same on every machine with
//! this compiler.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::context::Context;
use crate::process;
use crate::report::{Error, Result, flush};

/// Cargo on the benchmark of `--part core`.
pub(super) fn core_benchmark(cx: &Context, more: &[&str]) -> Command {
    let mut command = cx.cargo();
    command
        .args(["bench", "-p", "mcpfn-it", "--bench", "core"])
        .args(more);
    command
}

/// Its program.
pub(super) fn built(cx: &Context) -> Result<PathBuf> {
    process::run(&mut core_benchmark(cx, &["--no-run"]))?;
    let messages = &mut core_benchmark(cx, &["--no-run", "--message-format=json"]);
    program("core", &process::read(messages)?)
}

/// The benchmark's program among cargo's messages.
fn program(part: &str, messages: &str) -> Result<PathBuf> {
    let found = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find_map(|message| {
            let is_it =
                message["target"]["name"] == part && message["target"]["kind"][0] == "bench";
            message["executable"]
                .as_str()
                .filter(|_| is_it)
                .map(PathBuf::from)
        });
    found.ok_or_else(|| {
        Error::new(format!(
            "cargo built no benchmark `{part}`; see `[[bench]]` in tests/Cargo.toml"
        ))
    })
}

/// Instructions of one run of each operation, as `NAME=INSTRUCTIONS` with commas between. The
/// program says how often each runs. What it does once stands in both counts and falls out of their
/// difference.
pub(super) fn count(program: &Path) -> Result<String> {
    let operations = process::read(Command::new(program).arg("--names"))?;
    println!(
        "counting instructions of {} operations",
        operations.lines().count()
    );
    flush();
    let counted = operations.lines().map(|line| {
        let operation = line
            .split_once(' ')
            .and_then(|(name, times)| Some((name, times.parse::<u64>().ok()?)));
        let (name, times) = operation.ok_or_else(|| {
            Error::new(format!("`{line}` is no operation with its number of runs"))
        })?;
        let (once, twice) = (
            collected(program, name, times)?,
            collected(program, name, 2 * times)?,
        );
        Ok(format!("{name}={}", twice.saturating_sub(once) / times))
    });
    Ok(counted.collect::<Result<Vec<_>>>()?.join(","))
}

fn collected(program: &Path, name: &str, times: u64) -> Result<u64> {
    let mut valgrind = Command::new("valgrind");
    valgrind.args([
        "--tool=callgrind",
        "--log-fd=1",
        "--callgrind-out-file=/dev/null",
    ]);
    // only inside this function of the benchmark's: what prepares an operation does not count
    valgrind.args(["--collect-atstart=no", "--toggle-collect=*one_operation*"]);
    let said =
        process::read(
            valgrind
                .arg(program)
                .args(["--instructions", name, &times.to_string()]),
        )?;
    let collected = said
        .lines()
        .find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok());
    collected.ok_or_else(|| {
        Error::new(format!(
            "valgrind did not say what it counted, but:\n{said}"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_found_among_other_messages() {
        let messages = r#"   Compiling is no JSON
{"reason":"compiler-artifact","target":{"kind":["lib"],"name":"core"},"executable":null}
{"reason":"compiler-artifact","target":{"kind":["bench"],"name":"core"},"executable":"/target/core-1"}
{"reason":"build-finished","success":true}"#;
        assert_eq!(
            program("core", messages).unwrap(),
            Path::new("/target/core-1")
        );
        assert!(
            program("list", messages)
                .unwrap_err()
                .to_string()
                .contains("`list`")
        );
    }
}
