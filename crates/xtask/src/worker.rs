//! The step `worker`: the host for Cloudflare Workers in workerd, the runtime that serves it there.
//! Every fixture runs through it, then what only this host does, then real clients; last, what
//! wrangler would deploy.

mod bindings;
mod deployed;
mod event_services;
mod forms;
mod hyperdrive;
mod service_variables;
pub(crate) mod services;
mod values;
pub(crate) mod workerd;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    cargo_steps, clients,
    context::Context,
    process,
    report::{Counts, Error, Result},
    setup::{self, Panics, TARGET, WORKER, WorkerTools},
    wasm::target_folder,
    workspace::{self, Profile},
};
use services::{SERVICES, SUBSCRIBED};
use workerd::Workerd;

/// The tests that stop workerd and start it again.
const KILLED: &str = "killed";
const EVENTS_KILLED: &str = "events_killed";
/// The test of events under wrangler.
const QUEUED: &str = "queued";

/// What is asked of the step; nothing runs all of its tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Options {
    Tests,
    /// Only the tests in workerd whose names have this in them.
    Test(String),
    /// Only those over PostgreSQL.
    Hyperdrive,
    Migrations,
}

impl Options {
    pub(crate) fn parse(arguments: &[String]) -> Result<Self> {
        match arguments
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .as_slice()
        {
            [] => Ok(Self::Tests),
            ["--migrations"] => Ok(Self::Migrations),
            ["--hyperdrive"] => Ok(Self::Hyperdrive),
            ["--test", name] => Ok(Self::Test((*name).to_owned())),
            other => Err(Error::new(format!(
                "`worker` does not know `{}`; see `cargo xtask help`",
                other.join(" ")
            ))),
        }
    }
}

pub(crate) fn start(cx: &Context, options: &Options, counts: &mut Counts) -> Result<()> {
    match options {
        Options::Tests => run(cx, counts),
        Options::Test(name) => only(cx, name, counts),
        Options::Hyperdrive => {
            let tools = setup::worker_tools(cx)?;
            hyperdrive::check(cx, &tools, build_command(cx, &tools)?, counts)
        }
        Options::Migrations => deployed::write_migrations(cx),
    }
}

pub(crate) fn run(cx: &Context, counts: &mut Counts) -> Result<()> {
    let mut tools = setup::worker_tools(cx)?;
    lint(cx, &tools)?;
    let folder = build_fixture(cx, &tools)?;
    let mut workerd = workerd::serve(cx, &tools, &folder, SERVICES)?;
    in_workerd(cx, &tools, &workerd, "", counts)?;
    workerd.process.still_runs()?;
    clients::over_http(cx, &tools.node, &workerd.process.url, counts)?;
    workerd.process.still_runs()?;
    drop(workerd);
    killed(cx, &tools, &folder, counts)?;
    events_killed(cx, &tools, &folder, counts)?;
    deployed::check(cx, &tools, &folder, counts)?;
    hyperdrive::check(cx, &tools, build_command(cx, &tools)?, counts)?;
    if tools.toolchain.unwinds() {
        tools.toolchain = setup::wasm_toolchain_that(cx, Panics::Abort)?;
        aborting(cx, &tools, counts)?;
    }
    Ok(())
}

/// Some tests in workerd and nothing else of the step, for work on one of them.
fn only(cx: &Context, name: &str, counts: &mut Counts) -> Result<()> {
    let tools = setup::worker_tools(cx)?;
    let folder = build_fixture(cx, &tools)?;
    if name == KILLED {
        return killed(cx, &tools, &folder, counts);
    }
    if name == QUEUED {
        return deployed::queued(cx, &tools, &folder, counts);
    }
    if name == EVENTS_KILLED {
        return events_killed(cx, &tools, &folder, counts);
    }
    let mut workerd = workerd::serve(cx, &tools, &folder, SERVICES)?;
    in_workerd(cx, &tools, &workerd, name, counts)?;
    if counts.passed == 0 {
        return Err(Error::new(format!(
            "no test in workerd has `{name}` in its name; tests/worker/it/main.rs lists their \
             modules"
        )));
    }
    workerd.process.still_runs()
}

/// workerd in the middle of tasks, which go on in the next one.
fn killed(cx: &Context, tools: &WorkerTools, folder: &Path, counts: &mut Counts) -> Result<()> {
    let ports = workerd::free_ports(1)?;
    let config = workerd::configure(folder, &SERVICES[SERVICES.len() - 1..], &ports)?;
    let url = format!("http://127.0.0.1:{}/mcp", ports[0]);
    let program = tools.workerd()?;
    let arguments = [&*program, &config, Path::new(&url)];
    deployed::ask(cx, tools, "killed.mjs", &arguments, counts)
}

/// workerd in the middle of a delivery, which arrives from the next one.
fn events_killed(
    cx: &Context,
    tools: &WorkerTools,
    folder: &Path,
    counts: &mut Counts,
) -> Result<()> {
    let of_events = ["receiver", "broker", "evented"];
    let services = SERVICES
        .iter()
        .filter(|service| of_events.contains(&service.name));
    let services: Vec<_> = services.copied().collect();
    let ports = workerd::free_ports(services.len())?;
    let config = workerd::configure(folder, &services, &ports)?;
    let at = |port: u16| PathBuf::from(format!("http://127.0.0.1:{port}"));
    let [receiver, broker, server] = [at(ports[0]), at(ports[1]), at(ports[2])];
    let arguments = [&*tools.workerd()?, &config, &receiver, &broker, &server];
    deployed::ask(cx, tools, "events_killed.mjs", &arguments, counts)
}

/// What rustup's library does: what differs there is the life of a call.
fn aborting(cx: &Context, tools: &WorkerTools, counts: &mut Counts) -> Result<()> {
    println!("where a panic aborts:");
    let folder = build_fixture(cx, tools)?;
    let mut workerd = workerd::serve(cx, tools, &folder, SERVICES)?;
    in_workerd(cx, tools, &workerd, "life::", counts)?;
    workerd.process.still_runs()
}

/// Most of these crates is compiled for wasm only, where the step `clippy` does not look.
fn lint(cx: &Context, tools: &WorkerTools) -> Result<()> {
    let mut clippy = tools.toolchain.cargo(cx)?;
    clippy
        .env("CARGO_TARGET_DIR", target_folder(cx, &tools.toolchain)?)
        // the profile of the Workers, which share their macros with it
        .args([
            "clippy",
            "--no-deps",
            "--profile",
            "worker",
            "--target",
            TARGET,
        ]);
    workspace::build_cheaply(&mut clippy, Profile::Worker);
    clippy.args([
        "-p",
        "mcpfn-worker",
        "-p",
        "mcpfn-worker-check",
        "-p",
        "mcpfn-worker-hello",
        "-p",
        "mcpfn-worker-bare",
    ]);
    clippy.args(["-p", "mcpfn-server", "--lib"]);
    clippy.args(["--features", "mcpfn-server/hyperdrive"]);
    // `Send` follows the target: what is shared as an `Arc` elsewhere is one here too
    process::run(clippy.args([
        "--",
        "-D",
        "warnings",
        "-A",
        "clippy::arc-with-non-send-sync",
    ]))
}

/// The test target of the integration tests that asks a running workerd: its tests whose names have
/// `part` in them.
fn in_workerd(
    cx: &Context,
    tools: &WorkerTools,
    workerd: &Workerd,
    part: &str,
    counts: &mut Counts,
) -> Result<()> {
    let places: Vec<String> = SERVICES
        .iter()
        .zip(&workerd.ports)
        .map(|(service, port)| format!("{}={port}", service.name))
        .collect();
    let mut tests = workspace::test(cx, workerd::TESTS);
    tests.env("MCPFN_TEST_WORKER", places.join(" "));
    tests.args([
        "--",
        part,
        "--skip",
        "deployed::",
        "--skip",
        "hyperdrive::",
        "--skip",
        "mapped::",
        "--skip",
        "misbound::",
        "--skip",
        "policed::",
        "--skip",
        "files::",
    ]);
    if tools.toolchain.unwinds() {
        tests.args(["--skip", "where_a_panic_aborts"]);
    } else {
        // one at a time: a panic takes what else is in flight with it
        tests.args([
            "--skip",
            "a_call_in_flight_survives_the_panic_of_another",
            "--test-threads=1",
        ]);
    }
    cargo_steps::tests(&mut tests, counts)
}

/// Runs the fixture server alone, with subscriptions.
pub(crate) fn subscribed(cx: &Context) -> Result<Workerd> {
    let tools = setup::worker_tools(cx)?;
    let folder = build_fixture(cx, &tools)?;
    workerd::serve(cx, &tools, &folder, SUBSCRIBED)
}

fn build_fixture(cx: &Context, tools: &WorkerTools) -> Result<PathBuf> {
    let folder = cx.target.join(if tools.toolchain.unwinds() {
        "worker/fixture"
    } else {
        "worker/fixture-abort"
    });
    let mut build = build_command(cx, tools)?;
    // what wrangler makes of the server goes through wasm-opt; that takes longer than all tests
    build.args(["--no-opt", "--out-dir"]).arg(&folder);
    workspace::build_cheaply(&mut build, Profile::Worker);
    process::run(build.arg(cx.root.join(WORKER)))?;
    Ok(folder)
}

/// Builds one crate as it would be deployed, into a folder.
pub(crate) fn build(
    cx: &Context,
    tools: &WorkerTools,
    package: &Path,
    folder: &Path,
    more: &[&str],
) -> Result<()> {
    let mut build = build_command(cx, tools)?;
    build.arg("--out-dir").arg(folder).arg(package);
    process::run(build.args(more))
}

fn build_command(cx: &Context, tools: &WorkerTools) -> Result<Command> {
    let mut build = tools.worker_build(cx)?;
    build
        .env("CARGO_TARGET_DIR", target_folder(cx, &tools.toolchain)?)
        .args(["--profile", "worker"]);
    Ok(build)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_known_by_name() {
        let options = |arguments: &[&str]| {
            Options::parse(
                &arguments
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(options(&[]).unwrap(), Options::Tests);
        assert_eq!(options(&["--migrations"]).unwrap(), Options::Migrations);
        assert_eq!(options(&["--hyperdrive"]).unwrap(), Options::Hyperdrive);
        assert_eq!(
            options(&["--test", "fixtures::refuse"]).unwrap(),
            Options::Test("fixtures::refuse".to_owned())
        );
        assert!(options(&["--test"]).is_err());
        assert!(
            options(&["--migrations", "x"])
                .unwrap_err()
                .to_string()
                .contains("`--migrations x`")
        );
    }

    #[test]
    fn the_fixture_server_comes_last() {
        assert_eq!(SERVICES.last().unwrap().name, "everything");
    }
}
