//! `bench`: starts the benchmarks of one part. What is measured is in tests/benches.

use crate::{
    context::Context,
    process,
    report::{Error, Result},
};

const PARTS: [&str; 1] = ["core"];

pub(crate) fn run(cx: &Context, arguments: &[String]) -> Result<()> {
    let (part, rest) = parse(arguments)?;
    process::run(
        cx.cargo()
            .args(["bench", "-p", "mcpfn-it", "--bench", part, "--"])
            .args(rest),
    )
}

fn parse(arguments: &[String]) -> Result<(&'static str, &[String])> {
    let (part, rest) = match arguments {
        [flag, part, rest @ ..] if flag == "--part" => (part, rest),
        _ => {
            return Err(Error::new(format!(
                "say which part: `cargo xtask bench --part {}`",
                PARTS[0]
            )));
        }
    };
    let part = PARTS
        .into_iter()
        .find(|known| known == part)
        .ok_or_else(|| {
            Error::new(format!(
                "there are no benchmarks of `{part}`; there are of: {}",
                PARTS.join(", ")
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
            (Ok((part, rest)), Ok(expected)) => assert_eq!((part, rest.len()), expected),
            (Err(error), Err(words)) => assert!(error.to_string().contains(words), "{error}"),
            (got, _) => panic!("{arguments:?} gave {got:?}"),
        }
    }

    #[test]
    fn arguments_after_two_dashes_go_to_the_benchmark() {
        check(&["--part", "core"], Ok(("core", 0)));
        check(
            &["--part", "core", "--", "list", "--exact"],
            Ok(("core", 2)),
        );
    }

    #[test]
    fn mistakes_are_told_apart() {
        check(&[], Err("say which part"));
        check(&["--part"], Err("say which part"));
        check(&["--part", "moon"], Err("`moon`"));
        check(&["--part", "core", "list"], Err("`--` before"));
    }
}
