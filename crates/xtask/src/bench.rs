//! `bench`: starts the benchmarks of one part, after counting their instructions where valgrind is
//! there. What is measured, and what the numbers mean, is in tests/benches.

mod events;
mod lambda;
mod peers;
mod plot;
mod stores;
mod tasks;
mod toolkits;
mod vectors;
mod workers;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::context::Context;
use crate::process;
use crate::report::{Error, Result, flush};

/// What can be measured, and who starts it. `bench/results/PART.json` is the result of each.
const PARTS: &[(&str, Start)] = &[
    ("core", core),
    ("events", events::run),
    ("http", peers::http),
    ("lambda", lambda::run),
    ("scale", peers::scale),
    ("stores", stores::run),
    ("tasks", tasks::run),
    ("toolkits", toolkits::run),
    ("vectors", vectors::run),
    ("workers", workers::run),
];
type Start = fn(&Context, &[String]) -> Result<()>;

pub(crate) fn run(cx: &Context, arguments: &[String]) -> Result<()> {
    let ((part, start), rest) = parse(arguments)?;
    start(cx, rest)?;
    plot::draw(cx, part)
}

/// Builds programs of bench/peers, and says in which folder they are.
pub(crate) fn build_peers(cx: &Context, profile: &str, programs: &[&str]) -> Result<PathBuf> {
    peers::build(cx, profile, programs)?;
    Ok(peers::programs(cx, profile))
}

fn core(cx: &Context, rest: &[String]) -> Result<()> {
    let bench = |more: &[&str]| {
        let mut command = cx.cargo();
        command
            .args(["bench", "-p", "mcpfn-it", "--bench", "core"])
            .args(more);
        command
    };
    // arguments of the user's own choose what is measured; the counts belong to the whole
    if !rest.is_empty() {
        return process::run(bench(&["--"]).args(rest));
    }
    process::run(&mut bench(&["--no-run"]))?;
    let counted = match process::find("valgrind") {
        Some(_) => count(&program(
            "core",
            &process::read(&mut bench(&["--no-run", "--message-format=json"]))?,
        )?)?,
        None => {
            println!(
                "instructions are not counted: `apt-get install valgrind` gives the tool that \
                 counts them"
            );
            None
        }
    };
    process::run(bench(&["--"]).args(counted.iter().flat_map(|counted| ["--counted", counted])))
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
fn count(program: &Path) -> Result<Option<String>> {
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
    Ok(Some(counted.collect::<Result<Vec<_>>>()?.join(",")))
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

fn parse(arguments: &[String]) -> Result<((&'static str, Start), &[String])> {
    let known = || PARTS.iter().map(|(name, _)| *name).collect::<Vec<_>>();
    let (part, rest) = match arguments {
        [flag, part, rest @ ..] if flag == "--part" => (part, rest),
        _ => {
            return Err(Error::new(format!(
                "say which part: `cargo xtask bench --part {}`",
                known().join("` or `--part ")
            )));
        }
    };
    let part = PARTS
        .iter()
        .find(|(name, _)| name == part)
        .copied()
        .ok_or_else(|| {
            Error::new(format!(
                "there are no benchmarks of `{part}`; there are of: {}",
                known().join(", ")
            ))
        })?;
    match rest {
        [] => Ok((part, rest)),
        [dashes, rest @ ..] if dashes == "--" => Ok((part, rest)),
        [other, ..] => Err(Error::new(format!(
            "put `--` before arguments for the benchmark, such as `{other}`"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(arguments: &[&str], expected: std::result::Result<(&str, usize), &str>) {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        match (parse(&arguments), expected) {
            (Ok(((part, _), rest)), Ok(expected)) => assert_eq!((part, rest.len()), expected),
            (Err(error), Err(words)) => assert!(error.to_string().contains(words), "{error}"),
            (got, _) => panic!("{arguments:?} gave {got:?}"),
        }
    }

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

    #[test]
    fn arguments_after_two_dashes_go_to_the_benchmark() {
        check(&["--part", "core"], Ok(("core", 0)));
        check(&["--part", "http", "--", "--quick"], Ok(("http", 1)));
    }

    #[test]
    fn mistakes_are_told_apart() {
        check(&[], Err("say which part"));
        check(&["--part"], Err("say which part"));
        check(&["--part", "moon"], Err("`moon`"));
        check(&["--part", "core", "list"], Err("`--` before"));
    }
}
