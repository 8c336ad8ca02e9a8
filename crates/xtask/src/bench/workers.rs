//! `bench --part workers`: builds Workers as they are deployed, and the same tool with the
//! TypeScript SDK, says how large they are, and hands all to what measures, each with a
//! configuration of workerd of its own.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::peers;
use crate::context::Context;
use crate::process;
use crate::report::{Error, Result, While};
use crate::setup::{self, WORKER, WorkerTools};
use crate::wasm;
use crate::worker::build;
use crate::worker::services::{OPEN, QUIET};
use crate::worker::workerd::{Service, What, configure};

const LOCK: &str = "Cargo.lock";

/// One answer to everything, without looking.
const SCRIPT: &str = r#"export default { fetch: () => new Response("{}") };"#;
/// A database that nobody asks.
const NO_DATABASE: &str = r#"export default { fetch: () => new Response("", { status: 500 }) };"#;

/// A database that nobody asks, and limiters of the tools' own rates that let everything pass.
const BINDINGS: &[(&str, &str)] = &[
    (
        "DB",
        r#"wrapped = (moduleName = "cloudflare-internal:d1-api", innerBindings = [(name = "fetcher", service = "database")])"#,
    ),
    (
        "RATE_10_PER_60",
        r#"wrapped = (moduleName = "test:limiter", innerBindings = [(name = "fetcher", service = "limits")])"#,
    ),
    (
        "RATE_30_PER_60",
        r#"wrapped = (moduleName = "test:limiter", innerBindings = [(name = "fetcher", service = "limits")])"#,
    ),
];

/// Every toolkit that a Worker can have, but `upstream`: its lists would be another server's.
const EVERY_TOOLKIT: &str =
    "hello,catalog,database,crm,inventory,sql,knowledge,contracts,weather,company,fetch,web,github";
const SWITCHED_ON: &[(&str, &str)] = &[
    OPEN,
    QUIET,
    ("MCPFN_TOOLKITS", EVERY_TOOLKIT),
    ("MCPFN_WEATHER_API_KEY", "key"),
    ("MCPFN_COMPANY_API_KEY", "key"),
    ("MCPFN_SEARCH_API_KEY", "key"),
];

pub(super) fn run(cx: &Context, rest: &[String]) -> Result<()> {
    let tools = setup::worker_tools(cx)?;
    peers::build(cx, "release", &["measure"])?;
    let package = |name| peers::package(cx, WORKER, name);
    let everything = |what| {
        [Service {
            name: "everything",
            what,
        }]
    };

    let bare = built(cx, &tools, "bare", "tests/worker/bare")?;
    let one_tool = built(cx, &tools, "one-tool", "tests/worker/hello")?;
    let server = built(cx, &tools, "every-toolkit", "crates/server")?;
    let typescript = bundle(cx, &tools)?;
    let text = fs::read_to_string(&typescript)
        .while_doing(format_args!("read {}", typescript.display()))?;
    let built_by = format!(
        "worker {}, worker-build --profile worker, wasm-opt of binaryen {}",
        peers::locked(cx, LOCK, "worker")?,
        package("binaryen")?
    );
    let script = |name, text| Service {
        name,
        what: What::Script {
            text,
            service: None,
        },
    };

    let contestants = json!([
        {
            "name": "bare Rust Worker", "about": format!("tests/worker/bare: reads the request, \
                answers the bytes of the next one; {built_by}"),
            "program": tools.workerd()?, "arguments": arguments(&bare, &everything(What::Given { files: &["list", "call"] }))?,
            "size": size(Some("index_bg.wasm"), "index.js", &bare)?, "answers": bare,
        },
        {
            "name": "mcpfn, one tool", "about": "tests/worker/hello, built alike; log level error \
                (as the others, it writes nothing for a call)",
            "program": tools.workerd()?, "arguments": arguments(&one_tool, &everything(What::Built(&[OPEN, QUIET])))?,
            "size": size(Some("index_bg.wasm"), "index.js", &one_tool)?,
        },
        {
            "name": "TypeScript SDK",
            "about": format!(
                "tests/worker/ts.mjs, the same tool: @modelcontextprotocol/server {}, \
                 createMcpHandler, zod {}; bundled and minified by esbuild {}",
                package("@modelcontextprotocol/server")?, package("zod")?, package("esbuild")?,
            ),
            "program": tools.workerd()?,
            "arguments": arguments(&folder(cx, "typescript"), &everything(What::Script { text: &text, service: None }))?,
            "size": size(None, "everything.mjs", &folder(cx, "typescript"))?,
        },
        {
            "name": "mcpfn server, every toolkit",
            "about": format!("crates/server, built alike; switched on when it starts: \
                {EVERY_TOOLKIT}"),
            "program": tools.workerd()?,
            "arguments": arguments(
                &server,
                &[
                    script("database", NO_DATABASE),
                    script("limits", SCRIPT),
                    Service { name: "everything", what: What::Bound { variables: SWITCHED_ON, bindings: BINDINGS } },
                ],
            )?,
            "size": size(Some("index_bg.wasm"), "index.js", &server)?,
        },
        {
            "name": "one line of JavaScript",
            "about": format!("what workerd {} itself takes to start and to answer; not asked \
                further", package("workerd")?),
            "program": tools.workerd()?,
            "arguments": arguments(&folder(cx, "script"), &everything(What::Script { text: SCRIPT, service: None }))?,
        },
    ]);
    peers::measure(cx, "workers", &contestants, rest)
}

fn folder(cx: &Context, name: &str) -> PathBuf {
    cx.target.join("worker").join(format!("bench-{name}"))
}

fn built(cx: &Context, tools: &WorkerTools, name: &str, package: &str) -> Result<PathBuf> {
    let folder = folder(cx, name);
    build(cx, tools, &cx.root.join(package), &folder, &[])?;
    Ok(folder)
}

/// As wrangler would bundle it, but without names and spaces.
fn bundle(cx: &Context, tools: &WorkerTools) -> Result<PathBuf> {
    let bundle = cx.target.join("worker/typescript.js");
    let mut esbuild = tools.command(cx, "esbuild")?;
    esbuild.current_dir(cx.root.join(WORKER)).args([
        "ts.mjs",
        "--bundle",
        "--minify",
        "--format=esm",
        "--platform=neutral",
        "--log-level=warning",
    ]);
    esbuild.args([
        "--main-fields=module,main",
        "--conditions=workerd,worker,import",
        "--external:cloudflare:*",
        "--external:node:*",
    ]);
    process::run(esbuild.arg(format!("--outfile={}", bundle.display())))?;
    Ok(bundle)
}

/// Those of workerd, for services of which only the last one listens where it is told.
fn arguments(folder: &Path, services: &[Service<'_>]) -> Result<Value> {
    let configuration = configure(folder, services, &vec![0; services.len()])?;
    Ok(json!([
        "serve",
        configuration,
        "--socket-addr=everything=127.0.0.1:{port}"
    ]))
}

/// Bytes, and bytes after gzip, of a Worker's files.
pub(super) fn size(module: Option<&str>, script: &str, folder: &Path) -> Result<Value> {
    let size = |name: &str| {
        let file = folder.join(name);
        let bytes = fs::read(&file).while_doing(format_args!("read {}", file.display()))?;
        let gzip = wasm::gzip(&bytes)
            .ok_or_else(|| Error::new("sizes are measured with gzip; install it"))?;
        Ok::<_, Error>((bytes.len(), gzip))
    };
    let (wasm, wasm_gzip) = module.map_or(Ok((0, 0)), size)?;
    let (script, script_gzip) = size(script)?;
    Ok(json!({"wasm": wasm, "wasm_gzip": wasm_gzip, "script": script, "script_gzip": script_gzip}))
}
