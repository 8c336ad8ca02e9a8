//! PostgreSQL on Workers: the deployable server, built with the feature, under `wrangler dev`, whose
//! Hyperdrive leads to a PostgreSQL server of this step's own; and what is said of wrong bindings.

use std::{fs, process::Command};

use super::deployed::{Under, under_wrangler};
use crate::{
    context::Context,
    postgres::Server,
    process,
    report::{Counts, Result, While},
    setup::{self, WorkerTools},
    workspace::{self, Profile},
};

/// Every toolkit that asks a database, open to anybody. The tests make the database and its roles.
const SERVED: &str = r#"
[vars]
MCPFN_AUTH = "none"
MCPFN_TOOLKITS = "catalog,database,crm,inventory,sql"

[[hyperdrive]]
binding = "HYPERDRIVE"
id = "writer"
localConnectionString = "postgres://hyperdrive_writer:PASSWORD@PLACE/hyperdrive_shop"

[[hyperdrive]]
binding = "HYPERDRIVE_READONLY"
id = "reader"
localConnectionString = "postgres://hyperdrive_reader:PASSWORD@PLACE/hyperdrive_shop"
"#;

/// That of the roles that the tests make.
const PASSWORD: &str = "hunter2-of-the-tests";

/// `build` makes a Worker, and is told of which package.
pub(super) fn check(
    cx: &Context,
    tools: &WorkerTools,
    mut build: Command,
    counts: &mut Counts,
) -> Result<()> {
    let programs = match setup::postgres(cx) {
        Ok(programs) => programs,
        Err(why) => {
            println!("Hyperdrive SKIPPED: {why}");
            return Ok(());
        }
    };
    let out = cx.target.join("worker/hyperdrive");
    fs::create_dir_all(&out).while_doing(format_args!("create {}", out.display()))?;
    build.args(["--no-opt", "--out-dir"]).arg(&out);
    build.arg(cx.root.join("crates/server"));
    build.args(["--features", "hyperdrive"]);
    workspace::build_cheaply(&mut build, Profile::Worker);
    process::run(&mut build)?;
    let server = Server::start(&programs, None)?;
    let place = server.url.rsplit_once('@').map_or("", |(_, place)| place);
    let place = place.split('/').next().unwrap_or_default();
    let text = SERVED.replace("PASSWORD", PASSWORD).replace("PLACE", place);
    let under = Under {
        name: "hyperdrive",
        bundle: &out,
        configuration: &text,
        variables: &[("MCPFN_TEST_POSTGRES", &server.url)],
    };
    let state = cx.target.join("worker/hyperdrive-state");
    under_wrangler(cx, tools, &under, &state, counts)
}
