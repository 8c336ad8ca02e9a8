//! The step `worker`: the host for Cloudflare Workers in workerd, the runtime that serves it there. The fixtures run through it, then
//! what only this host does is asked.

mod workerd;

use std::path::{Path, PathBuf};

use crate::{
    context::Context,
    process,
    report::{Counts, Error, Result},
    setup::{self, WORKER, WorkerTools},
    wasm::{count_line, target_folder},
};
use workerd::{Service, Workerd};

/// 32 bytes of 7, which the fixtures know.
const STATE_KEY: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

/// Builds the fixture server as a Worker and gives back the folder that it is in.
pub(crate) fn build_fixture(cx: &Context, tools: &WorkerTools) -> Result<PathBuf> {
    build(cx, tools, &cx.root.join(WORKER), "fixture")
}

/// Runs the fixture server alone.
pub(crate) fn fixture(cx: &Context) -> Result<Workerd> {
    let tools = setup::worker_tools(cx)?;
    let folder = build_fixture(cx, &tools)?;
    let variables = [("MCPFN_AUTH", "none"), ("MCPFN_STATE_KEY", STATE_KEY), ("MCPFN_LOG", "warn")];
    workerd::serve(cx, &tools, &folder, &[Service { name: "everything", variables: &variables }])
}

/// Builds one crate as it would be deployed.
fn build(cx: &Context, tools: &WorkerTools, package: &Path, name: &str) -> Result<PathBuf> {
    let out = cx.target.join("worker").join(name);
    let mut build = tools.worker_build(cx)?;
    build.env("CARGO_TARGET_DIR", target_folder(cx, &tools.toolchain)?).arg("--release").arg("--out-dir").arg(&out).arg(package);
    process::run(&mut build)?;
    Ok(out)
}
