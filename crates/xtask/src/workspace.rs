//! Programs and tests of this workspace, all built with one choice of features, so that the steps
//! share what was compiled. What they are for is the steps' business.
//!
//! Cargo chooses the features of every dependency by the packages that it is asked for. Each
//! `-p PACKAGE` would therefore compile tokio, rustls, SQLite and all above them once more.
//! `--workspace` with the name of a target compiles what that target needs and nothing else, with
//! the features that `cargo test --workspace` has; `tests/features` sees to it that dependencies of
//! tests make no difference.

use std::{env::consts::EXE_SUFFIX, path::PathBuf, process::Command};

use crate::{
    context::Context,
    process,
    report::{Error, Result},
};

/// Builds programs by their names.
pub(crate) fn build(cx: &Context, programs: &[&str]) -> Result<()> {
    let mut cargo = cx.cargo();
    cargo.args(["build", "--workspace"]);
    for program in programs {
        cargo.args(["--bin", program]);
    }
    process::run(&mut cargo)
}

/// Builds one program and gives back where it is.
pub(crate) fn build_program(cx: &Context, name: &str) -> Result<PathBuf> {
    build(cx, &[name])?;
    built(program(cx, name))
}

/// Builds one program as it is deployed, and gives back where it is.
pub(crate) fn build_release_program(cx: &Context, name: &str) -> Result<PathBuf> {
    process::run(
        cx.cargo()
            .args(["build", "--workspace", "--release", "--bin", name]),
    )?;
    built(
        cx.target
            .join("release")
            .join(format!("{name}{EXE_SUFFIX}")),
    )
}

/// Builds one example and gives back where it is.
pub(crate) fn build_example(cx: &Context, name: &str) -> Result<PathBuf> {
    process::run(cx.cargo().args(["build", "--workspace", "--example", name]))?;
    built(program(cx, &format!("examples/{name}")))
}

/// Where a program is once it was built.
pub(crate) fn program(cx: &Context, name: &str) -> PathBuf {
    cx.target.join("debug").join(format!("{name}{EXE_SUFFIX}"))
}

fn built(program: PathBuf) -> Result<PathBuf> {
    if program.is_file() {
        return Ok(program);
    }
    Err(Error::new(format!(
        "cargo built it, but not as {}",
        program.display()
    )))
}

/// Runs the tests of one test target, in every package that has one of this name.
pub(crate) fn test(cx: &Context, target: &str) -> Command {
    let mut cargo = cx.cargo();
    cargo.args(["test", "--workspace", "--test", target]);
    cargo
}

/// Makes a profile that is optimised for size cheap to build, for steps that ask what a program
/// does: optimisation, at link time above all, is most of the processor time that it costs. Size and
/// speed are the business of `bench`, which builds what is deployed.
pub(crate) fn build_cheaply(command: &mut Command, profile: Profile) {
    // code for wasm that is not optimised at all is several times as large, and so is what
    // wasm-bindgen and workerd have to read
    let (name, optimisation) = match profile {
        Profile::Release => ("RELEASE", "0"),
        Profile::Worker => ("WORKER", "1"),
    };
    for (setting, value) in [
        ("LTO", "off"),
        ("CODEGEN_UNITS", "16"),
        ("OPT_LEVEL", optimisation),
    ] {
        command.env(format!("CARGO_PROFILE_{name}_{setting}"), value);
    }
}

/// What is deployed has one of these.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Profile {
    Release,
    Worker,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Each package with its features, one a line, for targets that have these kinds of
    /// dependencies.
    fn features(kinds: &str) -> BTreeSet<String> {
        let mut tree = Command::new(env!("CARGO"));
        tree.current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["tree", "--workspace", "--prefix=none"])
            .args(["--format={p} [{f}]", "--edges", kinds]);
        let tree = process::read(&mut tree).unwrap();
        // one that stood there before, with the same features, is shown without what is below it
        let whole = |line: &str| line.strip_suffix(" (*)").unwrap_or(line).to_owned();
        tree.lines().map(whole).collect()
    }

    #[test]
    fn dependencies_of_tests_give_no_other_features() {
        let programs = features("normal,build");
        let tests = features("normal,build,dev");
        let compiled_again: Vec<&String> = programs.difference(&tests).collect();
        assert!(
            compiled_again.is_empty(),
            "programs and tests have these with other features, so each build of a program compiles \
             them, and all above them, once more; name the features that tests add in \
             tests/features/Cargo.toml: {compiled_again:#?}"
        );
    }
}
