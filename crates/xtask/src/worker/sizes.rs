//! How large Workers are, and how long they take to start: a bare one, one tool, the deployed server with every toolkit. And how many
//! requests a second one tool answers, beside the same tool of the TypeScript SDK in the same workerd.

use std::{
    fs,
    io::{Read, Write},
    net::{Ipv4Addr, TcpStream},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::{OPEN, QUIET, WORKER, build, workerd, workerd::Service, workerd::What};
use crate::{
    context::Context,
    process,
    report::{Error, Result, While, flush},
    setup::{self, WorkerTools},
    wasm,
};

/// Starts of each; the median is shown.
const STARTS: usize = 15;

const WORKERS: [(&str, &str); 3] = [("bare", "tests/worker/bare"), ("one tool", "tests/worker/hello"), ("every toolkit", "crates/server")];

pub(super) fn table(cx: &Context) -> Result<()> {
    let tools = setup::worker_tools(cx)?;
    let mut lines = vec![
        "| Worker | wasm | gzip | JavaScript | gzip | over bare | to listen | to the first answer |".to_owned(),
        "|---|---|---|---|---|---|---|---|".to_owned(),
    ];
    let mut bare = None;
    for (name, package) in WORKERS {
        let folder = folder(cx, name);
        build(cx, &tools, &cx.root.join(package), &folder)?;
        let (wasm, wasm_gzip) = size(&folder.join("index_bg.wasm"))?;
        let (script, script_gzip) = size(&folder.join("index.js"))?;
        let gzip = wasm_gzip + script_gzip;
        let over = gzip - *bare.get_or_insert(gzip);
        let (listen, first) = start(cx, &tools, &folder)?;
        lines.push(format!(
            "| {name} | {wasm} | {wasm_gzip} | {script} | {script_gzip} | {over} | {} ms | {} ms |",
            milliseconds(listen),
            milliseconds(first)
        ));
    }
    println!("\n{}\n\nBytes, gzip -9. Times from the start of the process, the median of {STARTS}.\n", lines.join("\n"));
    flush();
    throughput(cx, &tools, &folder(cx, "one tool"))
}

fn throughput(cx: &Context, tools: &WorkerTools, folder: &Path) -> Result<()> {
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
    esbuild.args(["--main-fields=module,main", "--conditions=workerd,worker,import", "--external:cloudflare:*", "--external:node:*"]);
    process::run(esbuild.arg(format!("--outfile={}", bundle.display())))?;
    let typescript = fs::read_to_string(&bundle).while_doing(format_args!("read {}", bundle.display()))?;
    let services = [
        Service { name: "typescript", what: What::Script { text: &typescript, service: None } },
        Service { name: "everything", what: What::Built(&[OPEN, QUIET]) },
    ];
    let workerd = workerd::serve(cx, tools, folder, &services)?;
    let mut load = tools.node.command();
    load.current_dir(cx.root.join(WORKER)).arg("load.mjs");
    process::run(load.arg(format!("mcpfn={}", workerd.ports[1])).arg(format!("typescript={}", workerd.ports[0])))
}

fn folder(cx: &Context, name: &str) -> PathBuf {
    cx.target.join("worker").join(format!("size-{}", name.replace(' ', "-")))
}

fn size(file: &Path) -> Result<(usize, usize)> {
    let bytes = fs::read(file).while_doing(format_args!("read {}", file.display()))?;
    let gzip = wasm::gzip(&bytes).ok_or_else(|| Error::new("sizes are measured with gzip; install it"))?;
    Ok((bytes.len(), gzip))
}

/// From the start of workerd until it listens, and until it has answered.
fn start(cx: &Context, tools: &WorkerTools, folder: &Path) -> Result<(Duration, Duration)> {
    let mut times = Vec::new();
    for _ in 0..STARTS {
        let from = Instant::now();
        let variables = [OPEN, QUIET, ("MCPFN_TOOLKITS", "hello")];
        let workerd = workerd::serve(cx, tools, folder, &[Service { name: "everything", what: What::Built(&variables) }])?;
        let listens = from.elapsed();
        ask(workerd.ports[0]).while_doing("ask the Worker for its health")?;
        times.push((listens, from.elapsed()));
    }
    times.sort_unstable_by_key(|(_, first)| *first);
    Ok(times[STARTS / 2])
}

fn ask(port: u16) -> std::io::Result<()> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    if answer.starts_with("HTTP/1.1 200") { Ok(()) } else { Err(std::io::Error::other(answer)) }
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1000.0)
}
