//! `bench`: starts the benchmarks of one part, after counting their instructions where valgrind is
//! there. What is measured, and what the numbers mean, is in tests/benches.

mod check;
mod events;
mod instructions;
mod lambda;
mod peers;
mod plot;
mod stores;
mod tasks;
mod toolkits;
mod vectors;
mod workers;

use std::path::PathBuf;

use crate::context::Context;
use crate::process;
use crate::report::{Error, Result};
use instructions::{built, core_benchmark, count};

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
    if let [flag, rest @ ..] = arguments
        && flag == "--check"
    {
        return check::run(cx, after_dashes(rest)?);
    }
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
    // arguments of the user's own choose what is measured; the counts belong to the whole
    if !rest.is_empty() {
        return process::run(core_benchmark(cx, &["--"]).args(rest));
    }
    let built = built(cx)?;
    let counted = match process::find("valgrind") {
        Some(_) => Some(count(&built)?),
        None => {
            println!(
                "instructions are not counted: `apt-get install valgrind` gives the tool that \
                 counts them"
            );
            None
        }
    };
    process::run(
        core_benchmark(cx, &["--"]).args(counted.iter().flat_map(|counted| ["--counted", counted])),
    )
}

fn parse(arguments: &[String]) -> Result<((&'static str, Start), &[String])> {
    let known = || PARTS.iter().map(|(name, _)| *name).collect::<Vec<_>>();
    let (part, rest) = match arguments {
        [flag, part, rest @ ..] if flag == "--part" => (part, rest),
        _ => {
            return Err(Error::new(format!(
                "say which part: `cargo xtask bench --part {}`, or `--check`",
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
    Ok((part, after_dashes(rest)?))
}

/// What goes to the benchmark.
fn after_dashes(rest: &[String]) -> Result<&[String]> {
    match rest {
        [] => Ok(rest),
        [dashes, rest @ ..] if dashes == "--" => Ok(rest),
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
