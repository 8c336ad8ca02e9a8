//! `bench --part lambda`: bootstraps side by side. `name=program` pairs come as arguments; the first is what the others are
//! compared with. Rounds are interleaved, so that what slows this machine down slows every contestant.

mod report;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::DeflateEncoder;
use mcpfn_lambda_emulator::{Bootstrap, Environment, Invocation, event};
use serde_json::{Value, json};

/// Starts of each contestant.
const STARTS: usize = 40;
/// Warm calls of each contestant, in one environment; memory is read after the first thousand and after the last.
const WARM: usize = 10_000;

/// Warm calls of one contestant before the next one's turn.
const TURN: usize = 100;

/// A bootstrap and the variables that it is deployed with.
struct Contestant {
    name: String,
    program: String,
    table: bool,
}

/// What was measured of one contestant.
pub(crate) struct Measured {
    pub(crate) name: String,
    /// From exec to the first request for an event, each in milliseconds.
    pub(crate) init: Vec<f64>,
    /// The first event's answer, in milliseconds.
    pub(crate) first: Vec<f64>,
    /// Warm calls, in milliseconds.
    pub(crate) warm: Vec<f64>,
    /// Resident memory in KiB: after the first call, after a thousand, after all.
    pub(crate) memory: [u64; 3],
    pub(crate) bytes: u64,
    pub(crate) zip: u64,
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let contestants: Vec<Contestant> = arguments.iter().map(|argument| parse(argument)).collect();
    assert!(contestants.len() > 1, "name=program pairs are the arguments: `cargo xtask bench --part lambda` gives them");
    let mut measured: Vec<Measured> = contestants.iter().map(prepare).collect();
    println!("{STARTS} starts of each, interleaved");
    for _ in 0..STARTS {
        for (contestant, measured) in contestants.iter().zip(&mut measured) {
            start(contestant, measured).await;
        }
    }
    println!("{WARM} warm calls of each");
    warm(&contestants, &mut measured).await;
    let markdown = report::markdown(&measured);
    print!("\n{markdown}");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results");
    fs::create_dir_all(&folder).expect("the folder of results can be made");
    fs::write(folder.join("lambda.md"), markdown).expect("the results can be written");
    fs::write(folder.join("lambda.json"), format!("{:#}\n", report::json(&measured))).expect("the results can be written");
}

/// `name=program`, or `name+table=program` for one that is told of a table.
fn parse(argument: &str) -> Contestant {
    let (name, program) = argument.split_once('=').unwrap_or_else(|| panic!("{argument} is no name=program pair"));
    Contestant { name: name.to_owned(), program: program.to_owned(), table: name.contains("+table") }
}

fn prepare(contestant: &Contestant) -> Measured {
    let program = fs::read(&contestant.program).unwrap_or_else(|error| panic!("{}: {error}", contestant.program));
    let mut zip = DeflateEncoder::new(Vec::new(), Compression::default());
    zip.write_all(&program).expect("memory takes it");
    Measured {
        name: contestant.name.clone(),
        init: Vec::new(),
        first: Vec::new(),
        warm: Vec::new(),
        memory: [0; 3],
        bytes: program.len() as u64,
        zip: zip.finish().expect("memory takes it").len() as u64,
    }
}

impl Contestant {
    async fn environment(&self) -> (Environment, Duration) {
        let mut variables = vec![
            ("MCPFN_AUTH", "none"),
            ("MCPFN_RATE", "none"),
            ("MCPFN_LOG", "error"),
            // of the server: no demo shop is made, which is data and not start
            ("MCPFN_TOOLKITS", "hello"),
            ("MCPFN_STATE_KEY", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        ];
        if self.table {
            variables.push(("MCPFN_TABLE", "mcpfn"));
            variables.push(("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"));
            variables.push(("AWS_SECRET_ACCESS_KEY", "example"));
        }
        let environment = Environment::start(&Bootstrap::new(&self.program, &variables)).await.expect("the bootstrap starts");
        let init = environment.ready().await.unwrap_or_else(|failure| panic!("{}: {failure:?} {:?}", self.name, environment.log()));
        (environment, init)
    }
}

fn call() -> Value {
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}});
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": meta}}).to_string();
    let request = http::Request::builder()
        .method("POST")
        .uri("/mcp")
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "tools/list")
        .body(())
        .expect("a request");
    event(&request.into_parts().0, &body.into(), [203, 0, 113, 7].into(), None)
}

async fn ask(environment: &Environment, event: &Value) -> f64 {
    let begun = Instant::now();
    let reply = environment.invoke(Invocation::new(event.clone())).await.expect("an answer");
    let took = begun.elapsed();
    assert_eq!(reply.head.status, 200, "{:?}", reply.document);
    milliseconds(took)
}

async fn start(contestant: &Contestant, measured: &mut Measured) {
    let (environment, init) = contestant.environment().await;
    measured.init.push(milliseconds(init));
    measured.first.push(ask(&environment, &call()).await);
    measured.memory[0] = measured.memory[0].max(memory(&environment));
}

/// Every contestant has its turn of a few calls, over and over, each in one environment.
async fn warm(contestants: &[Contestant], measured: &mut [Measured]) {
    let mut environments = Vec::new();
    for contestant in contestants {
        environments.push(contestant.environment().await.0);
    }
    let event = call();
    for turn in 1..=WARM / TURN {
        for (environment, measured) in environments.iter().zip(&mut *measured) {
            for _ in 0..TURN {
                measured.warm.push(ask(environment, &event).await);
            }
            let place = if turn * TURN == 1_000 { 1 } else { 2 };
            measured.memory[place] = memory(environment);
        }
    }
}

/// Resident memory in KiB; 0 where the system does not tell.
fn memory(environment: &Environment) -> u64 {
    let status = environment.process().and_then(|process| fs::read_to_string(format!("/proc/{process}/status")).ok()).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or_default()
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
