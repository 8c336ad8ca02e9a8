//! The step `lambda`: the fixture server as a Lambda bootstrap under the emulators that others
//! wrote. `cargo lambda watch` has a function URL that streams, for real clients; the official
//! runtime interface emulator ends, kills and restarts processes. What AWS does byte by byte is
//! tested in tests/lambda.

mod documented;
pub(crate) mod http;
mod moto;
mod rie;
mod running;

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    sync::mpsc,
    thread,
    time::Duration,
};

use serde_json::json;

use crate::{
    clients,
    context::Context,
    fixture::Fixture,
    report::{Counts, Error, Result, While, checked},
    setup::{self, LambdaTools},
    workspace,
};
use running::{Running, free_address};

pub(crate) fn run(cx: &Context, counts: &mut Counts) -> Result<()> {
    let tools = setup::lambda_tools(cx)?;
    workspace::build(cx, &["lambda-front", "everything-lambda"])?;
    let bootstrap = workspace::program(cx, "everything-lambda");
    let out = cx.target.join("lambda-emulators");
    fs::create_dir_all(&out).while_doing(format_args!("create {}", out.display()))?;

    let front = workspace::program(cx, "lambda-front");
    let front = Fixture::start_command(Command::new(front).args(["--port", "0"]))?;
    let (address, path) = parts(&front.url)
        .ok_or_else(|| Error::new(format!("{} is no address of this machine", front.url)))?;
    checked(
        "progress arrives one by one through our own front",
        progress(address, path),
        counts,
    )?;
    drop(front);

    moto::run(cx, &out, counts)?;
    documented::run(cx, &tools, &out, counts)?;
    watch(cx, &tools, &bootstrap, &out, counts)?;
    if cfg!(target_os = "linux") {
        rie::run(&tools, &bootstrap, &out, counts)
    } else {
        println!(
            "the runtime interface emulator is a program for Linux: crashes and timeouts are not \
             tried here"
        );
        Ok(())
    }
}

/// The functions of `cargo lambda watch`, and the mode of each.
const FUNCTIONS: [(&str, &str); 2] = [("stream", "stream"), ("buffer", "buffer")];

fn watch(
    cx: &Context,
    tools: &LambdaTools,
    bootstrap: &Path,
    out: &Path,
    counts: &mut Counts,
) -> Result<()> {
    let address = free_address()?;
    let mut watch = Command::new(&tools.cargo_lambda);
    watch.args([
        "lambda",
        "watch",
        "--only-lambda-apis",
        "--ignore-changes",
        "--invoke-address",
        "127.0.0.1",
    ]);
    watch
        .args(["--invoke-port", &address.port().to_string()])
        .current_dir(project(out)?);
    let watch = Running::start(&mut watch, out, "cargo-lambda-watch")?;
    watch.listens(address)?;
    let _functions = FUNCTIONS
        .into_iter()
        .map(|(name, mode)| {
            Running::start(&mut function(bootstrap, address, name, mode), out, name)
        })
        .collect::<Result<Vec<_>>>()?;

    checked(
        "progress arrives one by one through cargo lambda watch",
        progress(address, "/lambda-url/stream/mcp"),
        counts,
    )?;
    let node = setup::node(cx)?;
    let _pulse = pulse(address);
    for (name, _) in FUNCTIONS {
        let url = format!("http://{address}/lambda-url/{name}/mcp");
        clients::over_http(cx, &node, &url, counts).map_err(|error| {
            Error::new(format!(
                "with answers in mode {name}: {error}; the logs are in {}",
                out.display()
            ))
        })?;
    }
    Ok(())
}

/// The bootstrap as Lambda would start it, for one of the functions.
fn function(bootstrap: &Path, api: SocketAddr, name: &str, mode: &str) -> Command {
    let mut function = Command::new(bootstrap);
    function
        .env_clear()
        .env("MCPFN_AUTH", "none")
        .env("MCPFN_RATE_LIMIT", "none")
        .env("MCPFN_LAMBDA_MODE", mode);
    function
        .env("AWS_LAMBDA_FUNCTION_NAME", name)
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        .env("AWS_LAMBDA_RUNTIME_API", format!("http://{api}/.rt/{name}"));
    function
}

/// Asks every function something each second, until the end of what it gives: now and then
/// `cargo lambda watch` hands an event out only when the next request comes, and a client that
/// waits for its answer sends none.
fn pulse(address: SocketAddr) -> mpsc::Sender<()> {
    let (alive, ended) = mpsc::channel::<()>();
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}).to_string();
    thread::spawn(move || {
        while ended.recv_timeout(Duration::from_secs(1)) == Err(mpsc::RecvTimeoutError::Timeout) {
            for (name, _) in FUNCTIONS {
                // what it answers is not looked at
                let _ = http::post(
                    address,
                    &format!("/lambda-url/{name}/mcp"),
                    &ping,
                    Duration::from_secs(1),
                );
            }
        }
    });
    alive
}

/// A folder in which `cargo lambda watch` finds the names of the functions. It builds nothing of
/// it.
fn project(out: &Path) -> Result<PathBuf> {
    let folder = out.join("watch");
    fs::create_dir_all(folder.join("src/bin"))
        .while_doing(format_args!("create {}", folder.display()))?;
    let write = |file: &str, text: &str| {
        fs::write(folder.join(file), text).while_doing(format_args!("write {file}"))
    };
    write(
        "Cargo.toml",
        "[package]\nname = \"watched\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n",
    )?;
    for (name, _) in FUNCTIONS {
        write(&format!("src/bin/{name}.rs"), "fn main() {}\n")?;
    }
    Ok(folder)
}

/// Calls a tool that reports every tenth of a second, and prints each report with its time.
fn progress(address: SocketAddr, path: &str) -> Result<()> {
    let answer = http::post(
        address,
        path,
        &http::call("count", &json!({})).to_string(),
        Duration::from_secs(10),
    )?;
    let events: Vec<(Duration, &str)> = answer.events().collect();
    for (at, event) in &events {
        println!("  {:.3} s  {event}", at.as_secs_f64());
    }
    let apart = events
        .windows(2)
        .all(|pair| pair[1].0 - pair[0].0 > Duration::from_millis(20));
    let done = events.last().is_some_and(|(_, last)| last.contains("done"));
    if answer.status == 200 && events.len() == 6 && apart && done {
        return Ok(());
    }
    Err(Error::new(format!(
        "status {}; five reports and an answer must arrive, each a tenth of a second after the \
         last: {answer:?}",
        answer.status
    )))
}

fn parts(url: &str) -> Option<(SocketAddr, &str)> {
    let rest = url.strip_prefix("http://")?;
    let (address, path) = rest.split_at(rest.find('/')?);
    Some((address.parse().ok()?, path))
}
