//! Servers of other SDKs behind `cargo mcpfn connect`: started here, asked by scripts in tests/e2e.

use std::path::Path;
use std::process::Command;

use super::script;
use crate::{
    context::Context,
    fixture::Fixture,
    report::{Counts, Error, Result},
    setup::{self, Node},
};

/// `bridge` is `cargo-mcpfn`.
pub(super) fn run(
    cx: &Context,
    node: &Node,
    python: &Path,
    bridge: &Path,
    counts: &mut Counts,
) -> Result<()> {
    let folder = cx.root.join(setup::CLIENTS);
    let in_node = |arguments: &[&str]| {
        Fixture::start_command(node.command().current_dir(&folder).args(arguments))
    };
    let in_python = |script: &str, arguments: &[&str]| {
        let script = folder.join("python").join(script);
        Fixture::start_command(Command::new(python).arg(script).args(arguments))
    };
    let resumable = [
        ("TypeScript-1", in_node(&["resumable.mjs", "1"])?),
        ("TypeScript-2", in_node(&["resumable.mjs", "2"])?),
        ("Python", in_python("resumable.py", &[])?),
    ];
    let mut command = node.command();
    command.current_dir(&folder).arg("resumed.mjs").arg(bridge);
    for (name, server) in &resumable {
        command.arg(format!("{name}={}", server.url));
    }
    let mut failed = Vec::new();
    if script::run("resumed.mjs", &mut command, counts).is_err() {
        failed.push("resumed.mjs".to_owned());
    }
    let typescript = in_node(&["servers.mjs"])?;
    let (fast, sdk) = (
        in_python("server.py", &["fastmcp"])?,
        in_python("server.py", &["sdk"])?,
    );
    let typescript = &typescript.url;
    for era in ["modern", "legacy"] {
        let mut command = node.command();
        command
            .current_dir(&folder)
            .arg("connected.mjs")
            .arg(bridge);
        // those that speak 2026-07-28 say so in their names
        command.args([
            era,
            &format!("sessions={typescript}/sessions"),
            &format!("stateless={typescript}/stateless"),
            &format!("TypeScript-2026={typescript}/second"),
            &format!("FastMCP-2026={}", fast.url),
            &format!("Python-2026={}", sdk.url),
        ]);
        if script::run("connected.mjs", &mut command, counts).is_err() {
            failed.push(format!("connected.mjs {era}"));
        }
    }
    if failed.is_empty() {
        Ok(())
    } else {
        Err(Error::new(format!("failed: {}", failed.join(", "))))
    }
}
