//! The tool cache: what the steps need beside cargo. Each part is fetched when it is missing and
//! left alone when it is there; a part is built in a temporary folder and renamed, so an
//! interrupted run leaves nothing half done.

mod cargo_deny;
mod debian;
mod dynamodb;
mod lambda_tools;
mod node;
mod postgres;
mod python;
mod s3s;
mod wasm_std;
mod worker_tools;

pub(crate) use cargo_deny::cargo_deny;
pub(crate) use dynamodb::{dynamodb_local, dynoxide};
pub(crate) use lambda_tools::{LambdaTools, lambda_tools};
pub(crate) use node::{Node, node, node_packages};
pub(crate) use postgres::postgres;
pub(crate) use python::{Python, embedding_model, moto, python_packages, sam_tools};
pub(crate) use s3s::s3s;
pub(crate) use wasm_std::{Panics, TARGET, Toolchain, wasm_toolchain, wasm_toolchain_that};
pub(crate) use worker_tools::{WorkerTools, worker_tools};

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use crate::{
    context::Context,
    report::{Result, While},
};

/// The folders with a committed lock file that `npm ci` is run in.
pub(crate) const CONFORMANCE: &str = "tests/conformance";
pub(crate) const CLIENTS: &str = "tests/e2e";
pub(crate) const WORKER: &str = "tests/worker";

pub(crate) fn everything(cx: &Context) -> Result<()> {
    println!("tool cache: {}", cx.tools.display());
    let toolchain = wasm_toolchain(cx)?;
    println!("wasm standard library: {}", toolchain.description());
    let node = node(cx)?;
    println!("node: {}", node.description());
    for folder in [CONFORMANCE, CLIENTS, WORKER] {
        node_packages(cx, &node, folder)?;
        println!("{folder}: packages as locked");
    }
    println!("Workers: {}", worker_tools(cx)?.description());
    println!("cargo-deny: {}", cargo_deny(cx)?.display());
    println!("dynoxide: {}", dynoxide(cx)?.display());
    println!("s3s-fs: {}", s3s(cx)?.display());
    match dynamodb_local(cx) {
        Ok(local) => println!("DynamoDB Local: {}", local.description()),
        Err(why) => println!("DynamoDB Local SKIPPED: {why}"),
    }
    match postgres(cx) {
        Ok(programs) => println!("PostgreSQL: {}", programs.display()),
        Err(why) => println!("PostgreSQL SKIPPED: {why}"),
    }
    println!(
        "SAM command line and cfn-lint: {}",
        sam_tools(cx)?.description()
    );
    println!("moto: {}", moto(cx)?.description());
    println!("embedding model: {}", embedding_model(cx)?.description());
    Ok(())
}

/// Makes `<tools>/<name>` by letting `build` fill a temporary folder beside it, once, however many
/// runs ask at a time.
fn once(cx: &Context, name: &str, build: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let finished = cx.tools.join(name);
    if finished.is_dir() {
        return Ok(finished);
    }
    let _lock = lock(cx, name)?;
    if finished.is_dir() {
        return Ok(finished);
    }
    // Whoever holds the lock is the only builder, so a folder found here is the rest of an
    // interrupted run.
    let unfinished = cx.tools.join(format!("unfinished-{name}"));
    remove(&unfinished)?;
    fs::create_dir_all(&unfinished).while_doing(format_args!("create {}", unfinished.display()))?;
    build(&unfinished)?;
    fs::rename(&unfinished, &finished).while_doing(format_args!("put {name} in its place"))?;
    Ok(finished)
}

/// Waits for another run that is preparing the same part; released when the file is dropped, also
/// after a crash.
fn lock(cx: &Context, name: &str) -> Result<File> {
    fs::create_dir_all(&cx.tools).while_doing(format_args!(
        "create {} (set MCPFN_TOOLS to a folder that can be written to)",
        cx.tools.display()
    ))?;
    let path = cx.tools.join(format!("{name}.lock"));
    let file = File::create(&path).while_doing(format_args!("create {}", path.display()))?;
    file.lock()
        .while_doing(format_args!("lock {}", path.display()))?;
    Ok(file)
}

fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).while_doing(format_args!("remove {}", folder.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::env;

    use super::*;
    use crate::report::Error;

    #[test]
    fn a_part_is_built_once_and_what_an_interrupted_run_left_is_thrown_away() {
        let tools = env::temp_dir().join(format!("mcpfn-xtask-once-{}", std::process::id()));
        let cx = Context {
            root: tools.clone(),
            tools: tools.clone(),
            target: tools.clone(),
        };

        let refused = once(&cx, "part", |folder| {
            fs::write(folder.join("half"), "").unwrap();
            Err(Error::new("interrupted"))
        });
        assert!(refused.is_err());
        assert!(!tools.join("part").exists());

        let folder = once(&cx, "part", |folder| {
            assert!(!folder.join("half").exists());
            fs::write(folder.join("whole"), "").unwrap();
            Ok(())
        });
        assert!(folder.unwrap().join("whole").exists());
        assert!(once(&cx, "part", |_| panic!("built twice")).is_ok());
        fs::remove_dir_all(tools).unwrap();
    }
}
