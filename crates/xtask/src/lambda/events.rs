//! Events that a function sends from an SQS queue, which moto plays. What is asked is in
//! tests/lambda/tests/sqs.

use std::path::Path;

use super::running::{Running, free_address};
use crate::{
    cargo_steps,
    context::Context,
    process,
    report::{Counts, Result},
    setup, workspace,
};

const TEST: &str = "sqs";

pub(crate) fn run(cx: &Context, out: &Path, counts: &mut Counts) -> Result<()> {
    let python = setup::moto(cx)?;
    // beforehand, because moto does not live long
    process::run(workspace::test(cx, TEST).arg("--no-run"))?;
    let address = free_address()?;
    let mut moto = python.module("moto.server")?;
    moto.args(["-H", "127.0.0.1", "-p", &address.port().to_string()]);
    let moto = Running::start(&mut moto, out, "moto-sqs")?;
    moto.listens(address)?;
    cargo_steps::tests(
        workspace::test(cx, TEST).env("MCPFN_TEST_SQS", address.to_string()),
        counts,
    )
}
