//! A task of an official client whose instance is killed: two instances share Redis, and the client
//! gets its result from the one that is left.

use std::{path::Path, process::Command};

use super::script;
use crate::{
    context::Context,
    fixture::{Fixture, STATE_KEY},
    report::{Counts, Result},
    setup::{self, Node},
    stores,
};

pub(super) fn run(cx: &Context, node: &Node, program: &Path, counts: &mut Counts) -> Result<()> {
    let redis = match setup::redis(cx) {
        Ok(redis) => redis,
        Err(why) => {
            println!("killed.mjs SKIPPED: {why}");
            return Ok(());
        }
    };
    let (_redis, url) = stores::start_redis(&redis)?;
    let start = || {
        let mut command = Command::new(program);
        command
            .args(["--port", "0"])
            .env("MCPFN_STATE_KEY", STATE_KEY)
            .env("MCPFN_REDIS_URL", &url);
        Fixture::start_command(&mut command)
    };
    let (one, two) = (start()?, start()?);
    let mut command = node.command();
    command
        .current_dir(cx.root.join(setup::CLIENTS))
        .args(["killed.mjs", "--url", &one.url, "--other", &two.url])
        .args(["--pid", &one.id().to_string()]);
    script::run("killed.mjs", &mut command, counts)
}
