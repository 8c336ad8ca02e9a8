//! PostgreSQL between instances: the contract and outages, asked by tests/stores, and two processes
//! that share one server.

use std::process::Command;

use super::{
    counted::counted,
    instances::{Sharing, share},
};
use crate::{
    context::Context,
    postgres::Server,
    report::{Counts, Result},
    setup, workspace,
};

pub(super) fn run(cx: &Context, counts: &mut Counts) -> Result<()> {
    let programs = match setup::postgres(cx) {
        Ok(programs) => programs,
        Err(why) => {
            println!("\nPostgreSQL SKIPPED: {why}");
            return Ok(());
        }
    };
    println!("\nPostgreSQL");
    let tls = cx.root.join("crates/sql/tests/tls");
    let server = Server::start(&programs, Some(&tls))?;
    let program = workspace::build_program(cx, "shared-stores")?;
    let mut command = Command::new(program);
    command.args(["--postgres", &server.url]).arg(tls);
    counted(&mut command, counts)?;
    // a role that those checks made
    let place = server.url.rsplit_once('@').map_or("", |(_, place)| place);
    let url = format!("postgres://instances:hunter2@{place}");
    let sharing = Sharing {
        service: "postgres-store",
        variables: &[
            ("MCPFN_POSTGRES_STORE_URL", &url),
            ("MCPFN_POSTGRES_STORE_SCHEMA", "instances"),
        ],
    };
    share(cx, &sharing, server, counts)
}
