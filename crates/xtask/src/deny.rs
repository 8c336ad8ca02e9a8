//! The step `deny`: what the dependencies are allowed to be, as written in deny.toml.

use std::process::Command;

use crate::{
    context::Context,
    process,
    report::{Counts, Error, Result},
    setup,
};

pub(crate) fn run(cx: &Context, _: &mut Counts) -> Result<()> {
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

fn database_missing(said: &str) -> bool {
    said.contains("failed to fetch advisory database")
}
