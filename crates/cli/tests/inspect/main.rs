//! `cargo mcpfn inspect` and `bench` against real servers, and a server that knows only the handshake
//! of older revisions.

mod obeyed;
mod older;
mod silent;

use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use mcpfn_core::{NoArguments, Server, Tool, ToolError, round_trip::Keyring};
use mcpfn_http::{Config, Service};
use serde_json::Value;

/// Longer than anything here takes, and short enough to wait for.
const PATIENCE: Duration = Duration::from_secs(20);

/// Serves until the test ends: its endpoint, and how often `greet` was called.
fn serve() -> (String, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&calls);
    let greet = Tool::new("greet").description("Greets.\nAt length.");
    let fail = Tool::new("fail").description("Fails.");
    let builder = Server::builder("shown", "1.2.3")
        .tool(greet.handler(move |_: NoArguments| {
            counter.fetch_add(1, Ordering::SeqCst);
            async { "Hello!\u{1b}[31m" }
        }))
        .tool(fail.handler(|_: NoArguments| async { Err::<String, _>(ToolError::new("no luck")) }));
    let (ready, served) = channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let service = Service::new(builder.build().expect("a server"), Config::loopback());
            let service = service.assume_local_user();
            let platform = mcpfn_local::platform(Keyring::new([7; 32])).into();
            let say = |address: std::net::SocketAddr| ready.send(address.port()).expect("a test");
            let _ = mcpfn_local::serve(service, platform, 0, say, std::future::pending()).await;
        });
    });
    let port = served.recv_timeout(PATIENCE).expect("the server listens");
    (format!("http://127.0.0.1:{port}/mcp"), calls)
}

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-mcpfn"));
    command.arg("mcpfn").args(arguments);
    command.output().expect("the command starts")
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn what_a_server_has_is_listed() {
    let (url, _) = serve();
    let listed = run(&["inspect", &url]);
    assert!(listed.status.success(), "{}", err(&listed));
    let text = out(&listed);
    for expected in ["shown 1.2.3", "\n  greet  Greets.\n", "\n  fail  Fails."] {
        assert!(text.contains(expected), "{text}");
    }
    assert!(!text.contains("At length."), "{text}");
    let tools = out(&run(&["inspect", &url, "tools"]));
    assert!(tools.contains("\"inputSchema\""), "{tools}");
}

#[test]
fn calls_are_made_and_their_status_tells() {
    let (url, calls) = serve();
    let called = run(&["inspect", &url, "call", "greet"]);
    // a terminal is sent nothing that it would obey
    assert_eq!(out(&called).trim_end(), "Hello![31m", "{}", err(&called));
    assert!(called.status.success());
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    for (arguments, named) in [
        (&["call", "fail"][..], "no luck"),
        (&["call", "absent"], "absent"),
        (&["call", "greet", "[]"], "no JSON object"),
        (&["call", "greet", "{"], "no JSON object"),
        (&["read", "x://absent"], "resources/read"),
    ] {
        let mut all = vec!["inspect", &url];
        all.extend_from_slice(arguments);
        let failed = run(&all);
        let said = out(&failed) + &err(&failed);
        assert!(
            !failed.status.success() && said.contains(named),
            "{named}: {said}"
        );
    }
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

#[test]
fn servers_of_older_revisions_are_greeted() {
    let url = older::start();
    let called = run(&["inspect", &url, "call", "greet"]);
    assert_eq!(out(&called).trim_end(), "from before", "{}", err(&called));
    let listed = run(&["inspect", &url]);
    assert!(out(&listed).contains("older 0.1"), "{}", out(&listed));
}

#[test]
fn a_bench_has_an_end_and_counts_each_call() {
    let (url, calls) = serve();
    let arguments = [
        "bench",
        &url,
        "greet",
        "--seconds",
        "1",
        "--connections",
        "3",
        "--json",
    ];
    let measured = run(&arguments);
    assert!(measured.status.success(), "{}", err(&measured));
    let figures: Value = serde_json::from_slice(&measured.stdout).expect("JSON");
    let number = |name: &str| figures[name].as_f64().unwrap_or(-1.0);
    // one before it begins
    let counted = u32::try_from(calls.load(Ordering::SeqCst) - 1).unwrap();
    assert_eq!(figures["calls"], counted, "{figures}");
    assert!(counted > 3 && number("seconds") >= 1.0, "{figures}");
    assert!(
        number("p50_ms") > 0.0 && number("p50_ms") <= number("p99_ms"),
        "{figures}"
    );
    assert!(number("p99_ms") <= number("slowest_ms"), "{figures}");
    assert!(number("first_answer_ms") > 0.0, "{figures}");
}

#[test]
fn a_bench_of_what_fails_does_not_begin() {
    let (url, _) = serve();
    for (arguments, named) in [
        (&["bench", &url, "fail"][..], "no luck"),
        (&["bench", &url, "greet", "[]"], "no JSON object"),
        (&["bench", &url, "--seconds", "0"], "1..=300"),
        (&["bench", &url, "--connections", "257"], "1..=256"),
        (&["bench", "http://127.0.0.1:1/mcp"], "onnect"),
    ] {
        let failed = run(arguments);
        assert!(
            !failed.status.success() && err(&failed).contains(named),
            "{}",
            err(&failed)
        );
    }
}
