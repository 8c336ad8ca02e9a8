//! Tests of services of AWS that moto plays, each with a moto of its own: keys that change while a
//! function runs (tests/auth/tests/secrets), and events that wait in an SQS queue
//! (tests/lambda/tests/sqs).

use std::{net::SocketAddr, path::Path};

use super::running::{Running, free_address};
use crate::{
    cargo_steps,
    context::Context,
    process,
    report::{Counts, Result},
    setup, workspace,
};

/// A test, and the variable in which it is told where moto is.
struct Played {
    test: &'static str,
    variable: &'static str,
    told: fn(SocketAddr) -> String,
}

const PLAYED: [Played; 2] = [
    Played {
        test: "secrets",
        variable: "MCPFN_TEST_AWS",
        told: |address| format!("http://{address}"),
    },
    Played {
        test: "sqs",
        variable: "MCPFN_TEST_SQS",
        told: |address| address.to_string(),
    },
];

pub(crate) fn run(cx: &Context, out: &Path, counts: &mut Counts) -> Result<()> {
    let python = setup::moto(cx)?;
    for Played {
        test,
        variable,
        told,
    } in PLAYED
    {
        // beforehand, because moto does not live long
        process::run(workspace::test(cx, test).arg("--no-run"))?;
        let address = free_address()?;
        let mut moto = python.module("moto.server")?;
        moto.args(["-H", "127.0.0.1", "-p", &address.port().to_string()]);
        let moto = Running::start(&mut moto, out, &format!("moto-{test}"))?;
        moto.listens(address)?;
        cargo_steps::tests(
            workspace::test(cx, test).env(variable, told(address)),
            counts,
        )?;
    }
    Ok(())
}
