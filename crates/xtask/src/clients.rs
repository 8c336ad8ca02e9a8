//! The step `clients`: official clients that other people use (SDKs, the Inspector's command line), against the fixture server; a
//! receiver of its events; official servers behind the deployable one; one client that uses every system of it; and what
//! converters of clients make of its tools. The checks themselves are in tests/e2e.

mod connected;
mod front;
mod killed;
mod python;
pub(crate) mod script;

use std::path::Path;

use crate::{
    context::Context,
    fixture::{self, Fixture},
    report::{Counts, Error, Result},
    setup::{self, Node},
    workspace,
};

/// Each script and what tells its runs apart. The 2.x client speaks the handshake revisions unless
/// asked otherwise.
const CLIENTS: &[(&str, &[&str])] = &[
    ("ts-v2.mjs", &["--era", "modern"]),
    ("ts-v2.mjs", &["--era", "legacy"]),
    ("ts-v1.mjs", &[]),
];

pub(crate) fn run(cx: &Context, counts: &mut Counts) -> Result<()> {
    let node = setup::node(cx)?;
    setup::node_packages(cx, &node, setup::CLIENTS)?;
    let program = fixture::build(cx)?;
    let bridge = workspace::build_program(cx, "cargo-mcpfn")?;
    let mut server = Fixture::start(&program)?;

    let mut failed = Vec::new();
    for (script, arguments) in CLIENTS {
        let name = [&[*script], *arguments].concat().join(" ");
        if run_client(
            cx,
            &node,
            script,
            arguments,
            &[
                "--url".as_ref(),
                server.url.as_ref(),
                "--asked".as_ref(),
                "yes".as_ref(),
            ],
            counts,
        )
        .is_err()
        {
            failed.push(format!("{name} over HTTP"));
        }
        server.still_runs()?;
        if run_client(
            cx,
            &node,
            script,
            arguments,
            &["--stdio".as_ref(), &program],
            counts,
        )
        .is_err()
        {
            failed.push(format!("{name} over stdio"));
        }
        let url = server.url.clone();
        let connected: [&Path; 4] = ["--url".as_ref(), url.as_ref(), "--stdio".as_ref(), &bridge];
        if run_client(cx, &node, script, arguments, &connected, counts).is_err() {
            failed.push(format!("{name} through `cargo mcpfn connect`"));
        }
        server.still_runs()?;
    }
    let tasks: [&Path; 2] = ["--url".as_ref(), server.url.as_ref()];
    if run_client(cx, &node, "tasks.mjs", &[], &tasks, counts).is_err() {
        failed.push("tasks".to_owned());
    }
    server.still_runs()?;
    if run_client(cx, &node, "events.mjs", &[], &[&program], counts).is_err() {
        failed.push("events".to_owned());
    }
    if killed::run(cx, &node, &program, counts).is_err() {
        failed.push("a task whose instance is killed".to_owned());
    }
    let folder = cx.root.join(setup::CLIENTS).join("python");
    let python = setup::python_packages(cx, "clients", &folder.join("requirements.txt"))?;
    failed.extend(python::run(
        cx,
        &python,
        &mut server,
        &program,
        &bridge,
        counts,
    )?);
    failed.extend(python::asked(cx, &python, &mut server, &program, counts)?);
    let ready = workspace::build_program(cx, "mcpfn")?;
    if inspector(cx, &node, &server, [&program, &ready], counts).is_err() {
        failed.push("the Inspector's command line".to_owned());
    }
    server.still_runs()?;
    if front::run(cx, &node, &python, &ready, &server.url, counts).is_err() {
        failed.push("servers behind another one".to_owned());
    }
    for script in ["systems.mjs", "converters.mjs"] {
        let mut command = node.command();
        command
            .current_dir(cx.root.join(setup::CLIENTS))
            .arg(script)
            .arg(&ready);
        if script::run(script, &mut command, counts).is_err() {
            failed.push(script.to_owned());
        }
    }
    let mut command = node.command();
    command.current_dir(cx.root.join(setup::CLIENTS));
    command.arg("bundle.mjs").args([&bridge, &ready]);
    if script::run("bundle.mjs", &mut command, counts).is_err() {
        failed.push("bundle.mjs".to_owned());
    }
    if connected::run(cx, &node, &python, &bridge, counts).is_err() {
        failed.push("servers behind `cargo mcpfn connect`".to_owned());
    }
    if failed.is_empty() {
        Ok(())
    } else {
        Err(Error::new(format!("failed: {}", failed.join(", "))))
    }
}

/// The command lines of the MCP Inspector: over HTTP in both eras and over stdio, and the one that
/// keeps connections, which is asked and does tasks.
fn inspector(
    cx: &Context,
    node: &Node,
    server: &Fixture,
    [program, ready]: [&Path; 2],
    counts: &mut Counts,
) -> Result<()> {
    setup::node_packages(cx, node, setup::INSPECTOR)?;
    let mut command = node.command();
    command
        .current_dir(cx.root.join(setup::INSPECTOR))
        .arg("inspector.mjs")
        .args([Path::new(&server.url), program, ready]);
    script::run("inspector.mjs", &mut command, counts)?;
    let mut command = node.command();
    command.current_dir(cx.root.join(setup::INSPECTOR));
    command.args(["mcpdo.mjs", &server.url]);
    script::run("mcpdo.mjs", &mut command, counts)
}

/// The same clients over HTTP alone, against a server that runs.
pub(crate) fn over_http(cx: &Context, node: &Node, url: &str, counts: &mut Counts) -> Result<()> {
    setup::node_packages(cx, node, setup::CLIENTS)?;
    for (script, arguments) in CLIENTS {
        run_client(
            cx,
            node,
            script,
            arguments,
            &["--url".as_ref(), url.as_ref()],
            counts,
        )?;
    }
    Ok(())
}

fn run_client(
    cx: &Context,
    node: &Node,
    script: &str,
    arguments: &[&str],
    server: &[&Path],
    counts: &mut Counts,
) -> Result<()> {
    let mut command = node.command();
    command
        .current_dir(cx.root.join(setup::CLIENTS))
        .arg(script)
        .args(server)
        .args(arguments);
    script::run(script, &mut command, counts)
}
