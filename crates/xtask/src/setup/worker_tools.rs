//! What turns a crate into a Worker and runs it here: worker-build and wasm-bindgen from crates.io;
//! wrangler, workerd, esbuild and wasm-opt from npm. Each at one version: worker-build would
//! otherwise download its own.

use std::{
    env::{
        self,
        consts::{self, EXE_SUFFIX},
    },
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    cache::once,
    cargo_install::cargo_install,
    node::{Node, WORKER, node, node_packages},
    wasm_std::{Toolchain, wasm_toolchain},
};
use crate::{
    context::Context,
    report::{Error, Result, While},
};

const WORKER_BUILD: &str = "0.8.7";

/// Programs with which Workers are built and run.
#[derive(Debug)]
pub(crate) struct WorkerTools {
    pub(crate) node: Node,
    pub(crate) toolchain: Toolchain,
    /// worker-build and wasm-bindgen.
    programs: PathBuf,
    /// Everything from npm.
    packages: PathBuf,
}

impl WorkerTools {
    pub(crate) fn description(&self) -> String {
        format!(
            "{} and {}",
            self.programs.display(),
            self.packages.display()
        )
    }

    /// A program that finds every tool, the compiler for wasm included, and downloads and reports
    /// nothing.
    pub(crate) fn command(&self, cx: &Context, program: impl AsRef<Path>) -> Result<Command> {
        let mut command = Command::new(program.as_ref());
        let mut path: Vec<PathBuf> = self.toolchain.settle(&mut command).into_iter().collect();
        path.extend([self.programs.clone(), self.bin()]);
        path.extend(self.node.folder());
        path.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
        let path = env::join_paths(path).map_err(|_| {
            Error::new(
                "a tool's folder has a `:` in its name; set MCPFN_TOOLS to one that has none",
            )
        })?;
        command
            .current_dir(&cx.root)
            .env("PATH", path)
            .env(
                "WASM_BINDGEN_BIN",
                self.programs.join(format!("wasm-bindgen{EXE_SUFFIX}")),
            )
            .env("WASM_OPT_BIN", self.bin().join("wasm-opt"))
            .env("ESBUILD_BIN", self.bin().join("esbuild"))
            .envs([
                ("WRANGLER_SEND_METRICS", "false"),
                ("WRANGLER_SEND_ERROR_REPORTS", "false"),
            ])
            .envs([("CLOUDFLARE_CF_FETCH_ENABLED", "false"), ("CI", "1")]);
        Ok(command)
    }

    pub(crate) fn worker_build(&self, cx: &Context) -> Result<Command> {
        self.command(cx, self.programs.join(format!("worker-build{EXE_SUFFIX}")))
    }

    pub(crate) fn wrangler(&self, cx: &Context) -> Result<Command> {
        self.command(cx, self.bin().join("wrangler"))
    }

    /// The runtime itself, not npm's script around it, which would stay behind when it is stopped.
    pub(crate) fn workerd(&self) -> Result<PathBuf> {
        let package = package(consts::OS, consts::ARCH).ok_or_else(|| {
            Error::new(
                "workerd has no package for this kind of machine; the other steps work without it",
            )
        })?;
        Ok(self
            .packages
            .join(package)
            .join("bin")
            .join(format!("workerd{EXE_SUFFIX}")))
    }

    fn bin(&self) -> PathBuf {
        self.packages.join(".bin")
    }
}

pub(crate) fn worker_tools(cx: &Context) -> Result<WorkerTools> {
    let toolchain = wasm_toolchain(cx)?;
    let node = node(cx)?;
    node_packages(cx, &node, WORKER)?;
    let bindgen = locked(cx, "wasm-bindgen")?;
    let folder = once(
        cx,
        &format!("worker-build-{WORKER_BUILD}-wasm-bindgen-{bindgen}"),
        |folder| {
            println!("building worker-build and wasm-bindgen, once; this takes a few minutes");
            cargo_install(
                cx,
                folder,
                &[
                    &["--locked", "--version", WORKER_BUILD, "worker-build"],
                    // Not locked: its lock file is older than its dependencies' last security
                    // fixes.
                    &[
                        "--version",
                        &bindgen,
                        "wasm-bindgen-cli",
                        "--bin",
                        "wasm-bindgen",
                    ],
                ],
            )
        },
    )?;
    Ok(WorkerTools {
        node,
        toolchain,
        programs: folder.join("bin"),
        packages: cx.root.join(WORKER).join("node_modules"),
    })
}

/// The version of a package in Cargo.lock: wasm-bindgen's two halves must be of the same one.
fn locked(cx: &Context, name: &str) -> Result<String> {
    let lock = fs::read_to_string(cx.root.join("Cargo.lock")).while_doing("read Cargo.lock")?;
    version(&lock, name).map(str::to_owned).ok_or_else(|| {
        Error::new(format!(
            "Cargo.lock has no {name}; run `cargo metadata` once"
        ))
    })
}

fn version<'a>(lock: &'a str, name: &str) -> Option<&'a str> {
    let line = format!("name = \"{name}\"");
    let after = lock.lines().skip_while(|found| *found != line).nth(1)?;
    after.strip_prefix("version = \"")?.strip_suffix('"')
}

fn package(os: &str, arch: &str) -> Option<&'static str> {
    Some(match (os, arch) {
        ("linux", "x86_64") => "@cloudflare/workerd-linux-64",
        ("linux", "aarch64") => "@cloudflare/workerd-linux-arm64",
        ("macos", "x86_64") => "@cloudflare/workerd-darwin-64",
        ("macos", "aarch64") => "@cloudflare/workerd-darwin-arm64",
        ("windows", "x86_64") => "@cloudflare/workerd-windows-64",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locked_version_is_that_of_the_package_itself() {
        let lock = "[[package]]\nname = \"wasm-bindgen-macro\"\nversion = \
            \"1.0.0\"\n\n[[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\n";
        assert_eq!(version(lock, "wasm-bindgen"), Some("0.2.130"));
        assert_eq!(version(lock, "bindgen"), None);
    }
}
