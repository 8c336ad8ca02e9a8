//! API keys that change in SSM Parameter Store and Secrets Manager, which moto plays, while a
//! function runs. What is asked is in tests/auth/tests/secrets.

use std::path::Path;

use super::running::{Running, free_address};
use crate::{
    cargo_steps,
    context::Context,
    process,
    report::{Counts, Result},
    setup, workspace,
};

const TEST: &str = "secrets";

pub(crate) fn run(cx: &Context, out: &Path, counts: &mut Counts) -> Result<()> {
    let python = setup::moto(cx)?;
    // beforehand, because moto does not live long
    process::run(workspace::test(cx, TEST).arg("--no-run"))?;
    let address = free_address()?;
    let mut moto = python.module("moto.server")?;
    moto.args(["-H", "127.0.0.1", "-p", &address.port().to_string()]);
    let moto = Running::start(&mut moto, out, "moto")?;
    moto.listens(address)?;
    cargo_steps::tests(
        workspace::test(cx, TEST).env("MCPFN_TEST_AWS", format!("http://{address}")),
        counts,
    )
}
