//! The steps of `test --fast`: what answers within a minute while one works on the core. They leave
//! out every host but the one inside the test process; `test` is what a change has to pass.

mod changed;

use crate::{
    cargo_steps,
    context::Context,
    process,
    report::{Counts, Result},
    steps::Step,
};

pub(crate) const STEPS: &[Step] = &[
    Step {
        name: "fmt",
        run: cargo_steps::fmt,
    },
    Step {
        name: "clippy",
        run: clippy,
    },
    Step {
        name: "core",
        run: core,
    },
];

/// The packages whose tests are run, always together: with others beside them, cargo would choose
/// other features for their dependencies and compile these again.
const PACKAGES: [&str; 6] = ["-p", "mcpfn-core", "-p", "mcpfn-http", "-p", "mcpfn-it"];

/// Of the packages that a commit since `main`, or no commit yet, has changed.
fn clippy(cx: &Context, _: &mut Counts) -> Result<()> {
    let changed = changed::packages(cx)?;
    if changed.is_empty() {
        println!("no package is changed: clippy has nothing to look at");
        return Ok(());
    }
    let mut clippy = cx.cargo();
    clippy.args(["clippy", "--no-deps", "--all-targets"]);
    for package in &changed {
        clippy.args(["-p", package]);
    }
    process::run(clippy.args(["--", "-D", "warnings"]))
}

/// Unit tests of core and http, and every fixture through them, with no socket or process between.
fn core(cx: &Context, counts: &mut Counts) -> Result<()> {
    let test = |target: &[&str]| {
        let mut cargo = cx.cargo();
        cargo
            .args(["test", "--no-fail-fast"])
            .args(PACKAGES)
            .args(target);
        cargo
    };
    let units = cargo_steps::tests(&mut test(&["--lib"]), counts);
    cargo_steps::tests(&mut test(&["--test", "it", "in_process"]), counts)?;
    units
}
