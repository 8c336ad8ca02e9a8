//! The step `worker`: the host for Cloudflare Workers in workerd, the runtime that serves it there.
//! Every fixture runs through it, then what only this host does, then real clients; last, what
//! wrangler would deploy.

mod deployed;
pub(crate) mod workerd;

use std::path::{Path, PathBuf};

use crate::{
    cargo_steps, clients,
    context::Context,
    process,
    report::{Counts, Error, Result},
    setup::{self, Panics, TARGET, WORKER, WorkerTools},
    wasm::target_folder,
};
use workerd::{Service, What, Workerd};

const IMPATIENT: &str = include_str!("../../../tests/worker/impatient.mjs");
const SWEEP: &str = include_str!("../../../tests/worker/sweep.mjs");
const DATABASE: &str = include_str!("../../../tests/worker/database.mjs");
const ISSUER: &str = include_str!("../../../tests/worker/issuer.mjs");

/// 32 bytes of 7, which the fixtures know.
const STATE_KEY: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
pub(crate) const OPEN: (&str, &str) = ("MCPFN_AUTH", "none");
const KEY: (&str, &str) = ("MCPFN_STATE_KEY", STATE_KEY);
pub(crate) const QUIET: (&str, &str) = ("MCPFN_LOG", "error");
/// The origins that the fixtures call from: this host has no loopback that it could trust by
/// itself.
const ORIGINS: (&str, &str) = (
    "MCPFN_ALLOWED_ORIGINS",
    "http://localhost:3000,http://127.0.0.1,http://[::1]:8080,http://localhost:{port},http://127.0.0.1:{port}",
);

/// The SHA-256 of `robot-key`.
const API_KEY: &str = "robot:b2cfb5518f033861ee2dd12be0f7c0b95c23d0b8d1f4c32c8a788f77bc8a52be:held";

/// Behind Cloudflare Access of a team whose domain is a service here.
const ACCESS: &[(&str, &str)] = &[
    ("MCPFN_AUTH", "access"),
    ("MCPFN_ACCESS_TEAM", "acme"),
    ("MCPFN_ACCESS_AUDIENCE", "tag"),
    KEY,
    QUIET,
    ("TEST_SERVER", "watched"),
];

/// One server a service; `everything` comes last.
const SERVICES: &[Service<'_>] = &[
    Service {
        name: "paged",
        what: What::Built(&[OPEN, KEY, QUIET, ("TEST_SERVER", "paged")]),
    },
    Service {
        name: "plain",
        what: What::Built(&[OPEN, KEY, QUIET, ("TEST_SERVER", "plain")]),
    },
    Service {
        name: "rich",
        what: What::Built(&[OPEN, KEY, QUIET, ("TEST_SERVER", "rich")]),
    },
    Service {
        name: "watched",
        what: What::Built(&[OPEN, KEY, QUIET, ("TEST_SERVER", "watched")]),
    },
    Service {
        name: "counted",
        what: What::Built(&[OPEN, KEY, QUIET, ("TEST_SERVER", "watched")]),
    },
    Service {
        name: "trapped",
        what: What::Built(&[OPEN, KEY, QUIET, ("TEST_SERVER", "watched")]),
    },
    Service {
        name: "impatient",
        what: What::Script {
            text: IMPATIENT,
            service: Some("watched"),
        },
    },
    Service {
        name: "unlimited",
        what: What::Built(&[OPEN, KEY, QUIET, ("MCPFN_RATE_LIMIT", "60/min")]),
    },
    Service {
        name: "issuer",
        what: What::Script {
            text: ISSUER,
            service: None,
        },
    },
    Service {
        name: "keyed",
        what: What::Built(&[
            ("MCPFN_AUTH", "api-key"),
            ("MCPFN_API_KEYS", API_KEY),
            KEY,
            QUIET,
            ("TEST_SERVER", "watched"),
        ]),
    },
    Service {
        name: "oauth",
        what: What::Built(&[
            ("MCPFN_AUTH", "oauth"),
            ("MCPFN_ISSUER", "http://127.0.0.1:{port of issuer}"),
            ("MCPFN_PUBLIC_URL", "https://mcp.example.com/mcp"),
            KEY,
            QUIET,
            ("TEST_SERVER", "watched"),
        ]),
    },
    Service {
        name: "team",
        what: What::Script {
            text: ISSUER,
            service: None,
        },
    },
    Service {
        name: "access",
        what: What::Fetching {
            variables: ACCESS,
            from: "team",
        },
    },
    Service {
        name: "access-later",
        what: What::Fetching {
            variables: ACCESS,
            from: "team",
        },
    },
    Service {
        name: "idempotency",
        what: What::Keeping {
            variables: &[OPEN, KEY, QUIET, ("TEST_SERVER", "store")],
            objects_of: "idempotency",
        },
    },
    Service {
        name: "once-too",
        what: What::Keeping {
            variables: &[OPEN, KEY, QUIET, ("TEST_SERVER", "store")],
            objects_of: "idempotency",
        },
    },
    Service {
        name: "counting",
        what: What::Keeping {
            variables: &[OPEN, KEY, QUIET, ("TEST_SERVER", "counting")],
            objects_of: "idempotency",
        },
    },
    Service {
        name: "sweep",
        what: What::Around { text: SWEEP },
    },
    Service {
        name: "swept",
        what: What::Keeping {
            variables: &[OPEN, KEY, QUIET, ("TEST_SERVER", "store")],
            objects_of: "sweep",
        },
    },
    Service {
        name: "database",
        what: What::Script {
            text: DATABASE,
            service: None,
        },
    },
    Service {
        name: "late",
        what: What::Asking {
            variables: &[OPEN, KEY, QUIET, ("TEST_SERVER", "sql")],
            database: "database",
        },
    },
    Service {
        name: "misbound",
        what: What::Built(&[OPEN, KEY, QUIET, ("IDEMPOTENCY", "objects")]),
    },
    Service {
        name: "routed",
        what: What::Built(&[OPEN, KEY, QUIET, ("MCPFN_BASE_PATH", "/tools/")]),
    },
    Service {
        name: "unbound",
        what: What::Built(&[OPEN, KEY, QUIET, ("TEST_SERVER", "files")]),
    },
    Service {
        name: "unset",
        what: What::Built(&[]),
    },
    Service {
        name: "wrong",
        what: What::Built(&[
            ("MCPFN_AUTH", "everybody"),
            ("MCPFN_BASE_PATH", "tools"),
            ("MCPFN_ALLOWED_ORIGINS", "app.example.com"),
            ("MCPFN_MAX_BODY_BYTES", "4 MiB"),
            ("MCPFN_STATE_KEY", "hunter2"),
            ("MCPFN_LOG", "loud"),
            ("MCPFN_RATE_LIMIT", "often"),
        ]),
    },
    Service {
        name: "everything",
        what: What::Built(&[OPEN, KEY, QUIET, ORIGINS]),
    },
];

/// The tests that ask running Workers. Some need what only wrangler brings, and are asked under it.
const TESTS: [&str; 6] = [
    "test",
    "-p",
    "mcpfn-it",
    "--features=workerd",
    "--test",
    "worker",
];

/// What is asked of the step; nothing runs all of its tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Options {
    Tests,
    /// Only the tests in workerd whose names have this in them.
    Test(String),
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
    deployed::check(cx, &tools, &folder, counts)?;
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
        .args(["clippy", "--no-deps", "--target", TARGET]);
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
    let mut tests = cx.cargo();
    tests.args(TESTS).env("MCPFN_TEST_WORKER", places.join(" "));
    tests.args([
        "--",
        part,
        "--skip",
        "deployed::",
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

/// Runs the fixture server alone.
pub(crate) fn fixture(cx: &Context) -> Result<Workerd> {
    let tools = setup::worker_tools(cx)?;
    let folder = build_fixture(cx, &tools)?;
    workerd::serve(cx, &tools, &folder, &SERVICES[SERVICES.len() - 1..])
}

fn build_fixture(cx: &Context, tools: &WorkerTools) -> Result<PathBuf> {
    let folder = cx.target.join(if tools.toolchain.unwinds() {
        "worker/fixture"
    } else {
        "worker/fixture-abort"
    });
    build(cx, tools, &cx.root.join(WORKER), &folder)?;
    Ok(folder)
}

/// Builds one crate as it would be deployed, into a folder.
pub(crate) fn build(
    cx: &Context,
    tools: &WorkerTools,
    package: &Path,
    folder: &Path,
) -> Result<()> {
    let mut build = tools.worker_build(cx)?;
    build
        .env("CARGO_TARGET_DIR", target_folder(cx, &tools.toolchain)?)
        .args(["--profile", "worker", "--out-dir"])
        .arg(folder)
        .arg(package);
    process::run(&mut build)
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
