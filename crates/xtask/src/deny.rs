//! The step `deny`: what the dependencies are allowed to be, as written in deny.toml.

use std::process::Command;

use crate::{
    context::Context,
    process,
    report::{Counts, Error, Result},
    setup,
};

pub(crate) fn run(cx: &Context, _: &mut Counts) -> Result<()> {
    locked(cx)?;
    let program = setup::cargo_deny(cx)?;
    let deny = || {
        let mut command = Command::new(&program);
        command
            .current_dir(&cx.root)
            .args(["--workspace", "check", "--hide-inclusion-graph"]);
        command
    };
    process::run(deny().args(["licenses", "bans", "sources"]))?;

    // The advisory database is fetched from a git host, which is not everywhere in reach. A missing
    // database is said aloud and is no failure; an advisory is one.
    match process::read(deny().arg("advisories")) {
        Ok(_) => println!("advisories ok"),
        Err(error) if database_missing(&error.to_string()) => {
            println!("advisories SKIPPED: the advisory database could not be fetched from here");
        }
        Err(error) => return Err(Error::new(format!("a dependency has an advisory: {error}"))),
    }
    Ok(())
}

/// The benchmarks' servers have a lock file of their own, which a change of a crate's dependencies makes
/// old: whoever measures next could not build them.
fn locked(cx: &Context) -> Result<()> {
    let mut metadata = cx.cargo();
    metadata.current_dir(cx.root.join("bench/peers"));
    metadata.args(["metadata", "--locked", "--format-version", "1"]);
    process::read(&mut metadata).map(drop).map_err(|error| {
        Error::new(format!(
            "{error}; `cargo metadata` in bench/peers writes what its lock file lacks"
        ))
    })
}

fn database_missing(said: &str) -> bool {
    said.contains("failed to fetch advisory database")
}
