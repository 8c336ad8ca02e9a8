//! The clients of Python: what they all do, questions that nobody answers, and tasks.

use std::path::Path;
use std::process::Command;

use super::script;
use crate::{
    context::Context,
    fixture::Fixture,
    report::{Counts, Result},
    setup,
};

/// The clients of Python, each in both eras.
const PYTHON_CLIENTS: [[&str; 2]; 4] = [
    ["sdk", "modern"],
    ["sdk", "legacy"],
    ["fastmcp", "modern"],
    ["fastmcp", "legacy"],
];

/// The clients of Python over HTTP, over stdio, and through `cargo mcpfn connect`; which failed.
pub(super) fn run(
    cx: &Context,
    python: &Path,
    server: &mut Fixture,
    program: &Path,
    bridge: &Path,
    counts: &mut Counts,
) -> Result<Vec<String>> {
    let script = cx.root.join(setup::CLIENTS).join("python/clients.py");
    let address = server.url.clone();
    let url: [&Path; 2] = ["--url".as_ref(), address.as_ref()];
    let stdio: [&Path; 2] = ["--stdio".as_ref(), program];
    let connected: [&Path; 4] = [url[0], url[1], "--stdio".as_ref(), bridge];
    let mut failed = Vec::new();
    for client in PYTHON_CLIENTS {
        for way in [url.as_slice(), &stdio, &connected] {
            let mut command = Command::new(python);
            command.arg(&script).args(client).args(way);
            if script::run("clients.py", &mut command, counts).is_err() {
                failed.push(format!("{} in Python", client.join(" ")));
            }
            server.still_runs()?;
        }
    }
    Ok(failed)
}

/// Questions and tasks, over HTTP: clients that can't do tasks, one that can, and the client of
/// before 2026-07-28; which failed. Packages that want others beside them have environments of their own.
pub(super) fn asked(
    cx: &Context,
    python: &Path,
    server: &mut Fixture,
    program: &Path,
    counts: &mut Counts,
) -> Result<Vec<String>> {
    let folder = cx.root.join(setup::CLIENTS).join("python");
    let url = server.url.clone();
    let mut failed = Vec::new();
    let mut ask = |python: &Path, file: &str, words: &[&str]| {
        let mut command = Command::new(python);
        command.arg(folder.join(file)).args(words);
        command.args(["--url", &url]);
        if file == "tasks.py" {
            command.arg("--stdio").arg(program);
        }
        if script::run(file, &mut command, counts).is_err() {
            failed.push(format!("{file} {}", words.join(" ")));
        }
        server.still_runs()
    };
    for client in PYTHON_CLIENTS {
        ask(python, "asked.py", &client)?;
    }
    let tasks = setup::python_packages(cx, "tasks", &folder.join("tasks.txt"))?;
    ask(&tasks, "tasks.py", &[])?;
    let older = setup::python_packages(cx, "older", &folder.join("older.txt"))?;
    ask(&older, "older.py", &[])?;
    Ok(failed)
}
