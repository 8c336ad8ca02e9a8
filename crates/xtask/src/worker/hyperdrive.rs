//! PostgreSQL on Workers: the deployable server, built with the feature, under `wrangler dev`, whose
//! Hyperdrive leads to a PostgreSQL server of this step's own; and what it says of wrong bindings, in
//! workerd.

use std::{fs, path::Path, process::Command};

use super::bindings::INDEX;
use super::deployed::{Under, under_wrangler};
use super::services::{OPEN, QUIET, SILENT, alone, bound};
use super::workerd::{self, Service};
use crate::{
    cargo_steps,
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
MCPFN_TOOLKITS = "catalog,database,crm,inventory,sql,knowledge,contracts"

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
    misbound(cx, tools, &out, counts)?;
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
    under_wrangler(cx, tools, &[(under, &state)], counts)
}

/// The same program with bindings that are not as they should be.
fn misbound(cx: &Context, tools: &WorkerTools, out: &Path, counts: &mut Counts) -> Result<()> {
    let mut workerd = workerd::serve(cx, tools, out, MISBOUND)?;
    let mut tests = workspace::test(cx, workerd::TESTS);
    let places = MISBOUND.iter().zip(&workerd.ports);
    let places: Vec<String> = places
        .map(|(service, port)| format!("{}={port}", service.name))
        .collect();
    tests.env("MCPFN_TEST_WORKER", places.join(" "));
    cargo_steps::tests(tests.args(["--", "misbound::"]), counts)?;
    workerd.process.still_runs()
}

const CRM: &[(&str, &str)] = &[OPEN, QUIET, ("MCPFN_TOOLKITS", "crm")];
const SQL: &[(&str, &str)] = &[OPEN, QUIET, ("MCPFN_TOOLKITS", "sql")];
const KNOWLEDGE: &[(&str, &str)] = &[OPEN, QUIET, ("MCPFN_TOOLKITS", "knowledge")];
/// A database that is never asked.
const POSTGRES: &str = r#"hyperdrive = (designator = "silent", database = "shop", user = "me", password = "hunter2", scheme = "postgresql")"#;
const ANOTHER: &str = r#"kvNamespace = "silent""#;
const D1: &str = r#"wrapped = (moduleName = "cloudflare-internal:d1-api", innerBindings = [(name = "fetcher", service = "silent")])"#;

const MISBOUND: &[Service<'_>] = &[
    // they never answer
    alone("silent", SILENT),
    bound("none-bound", CRM, &[]),
    bound("another-bound", CRM, &[("HYPERDRIVE", ANOTHER)]),
    bound("text-bound", CRM, &[("HYPERDRIVE", r#"text = "hunter2""#)]),
    bound("both-bound", CRM, &[("HYPERDRIVE", POSTGRES), ("DB", D1)]),
    bound("reader-bound", CRM, &[("HYPERDRIVE_READONLY", POSTGRES)]),
    bound("no-reader", SQL, &[("HYPERDRIVE", POSTGRES)]),
    bound(
        "wrong-reader",
        SQL,
        &[("HYPERDRIVE", POSTGRES), ("HYPERDRIVE_READONLY", ANOTHER)],
    ),
    bound("no-model", KNOWLEDGE, &[("DB", D1), ("VECTORS", INDEX)]),
    // what that index would ask
    alone("index", SILENT),
    // once it listens, all do
    alone("everything", SILENT),
];
