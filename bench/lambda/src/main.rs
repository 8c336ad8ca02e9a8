//! `bench --part lambda`: bootstraps side by side. They come as a JSON array, and maybe `--quick`
//! after it; the first is what the others are compared with. Rounds are interleaved, so that what
//! slows this machine down slows every contestant.

#[path = "../../peers/measure/src/order.rs"]
mod order;
mod report;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::DeflateEncoder;
use mcpfn_lambda_emulator::{Bootstrap, Environment, Invocation, event};
use serde_json::{Value, json};

/// Starts of each contestant, and warm calls in one environment; memory is read after the first
/// thousand and after the last.
const THOROUGH: (usize, usize) = (40, 10_000);
const QUICK: (usize, usize) = (5, 2_000);

/// Warm calls of one contestant before the next one's turn.
const TURN: usize = 100;

/// A bootstrap, and how it is deployed.
struct Contestant {
    name: String,
    program: String,
    arguments: Vec<String>,
    /// Besides those that every contestant has.
    variables: Vec<(String, String)>,
    /// What its zip has in it; folders with everything below.
    files: Vec<PathBuf>,
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
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (contestants, (starts, calls)) = match arguments
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        [contestants] => (parse(contestants), THOROUGH),
        [contestants, "--quick"] => (parse(contestants), QUICK),
        _ => panic!(
            "the arguments are a JSON array and maybe `--quick`: `cargo xtask bench --part lambda` \
             gives them"
        ),
    };
    let mut measured: Vec<Measured> = contestants.iter().map(prepare).collect();
    println!("{starts} starts of each, interleaved");
    for round in 0..starts {
        for place in order::in_turn(contestants.len(), round) {
            start(&contestants[place], &mut measured[place]).await;
        }
    }
    println!("{calls} warm calls of each");
    warm(&contestants, &mut measured, calls).await;
    let markdown = report::markdown(&measured);
    print!("\n{markdown}");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results");
    fs::create_dir_all(&folder).expect("the folder of results can be made");
    fs::write(folder.join("lambda.md"), markdown).expect("the results can be written");
    fs::write(
        folder.join("lambda.json"),
        format!("{:#}\n", report::json(&measured)),
    )
    .expect("the results can be written");
}

/// `[{"name": .., "program": .., "arguments": [..], "variables": {..}, "files": [..], "table": ..}, ..]`;
/// of most, the program is all that is deployed, and `arguments`, `variables`, `files` are left
/// out.
fn parse(json: &str) -> Vec<Contestant> {
    let all: Vec<Value> = serde_json::from_str(json).expect("contestants are a JSON array");
    let text = |value: &Value| value.as_str().expect("a string").to_owned();
    let list = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().map(text).collect()
    };
    let one = |value: &Value| {
        let files = if value["files"].is_null() {
            vec![text(&value["program"])]
        } else {
            list(&value["files"])
        };
        Contestant {
            name: text(&value["name"]),
            program: text(&value["program"]),
            arguments: list(&value["arguments"]),
            variables: value["variables"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, value)| (name.clone(), text(value)))
                .collect(),
            files: files.into_iter().map(PathBuf::from).collect(),
            table: value["table"] == true,
        }
    };
    all.iter().map(one).collect()
}

fn prepare(contestant: &Contestant) -> Measured {
    let (mut bytes, mut zip) = (0, 0);
    contestant
        .files
        .iter()
        .for_each(|file| add(file, &mut bytes, &mut zip));
    let name = contestant.name.clone();
    Measured {
        name,
        init: Vec::new(),
        first: Vec::new(),
        warm: Vec::new(),
        memory: [0; 3],
        bytes,
        zip,
    }
}

/// Bytes of a file, or of what is below a folder, plain and deflated. What only developers read is
/// not deployed.
fn add(path: &Path, bytes: &mut u64, zip: &mut u64) {
    let is_for_developers = |name: &str| {
        name == "__pycache__"
            || [".map", ".d.ts", ".d.mts", ".d.cts", ".md"]
                .iter()
                .any(|end| name.ends_with(end))
    };
    if path
        .file_name()
        .and_then(|name| name.to_str())
        .is_some_and(is_for_developers)
    {
        return;
    }
    if path.is_dir() {
        let entries =
            fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        return entries
            .flatten()
            .for_each(|entry| add(&entry.path(), bytes, zip));
    }
    let file = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut deflated = DeflateEncoder::new(Vec::new(), Compression::default());
    deflated.write_all(&file).expect("memory takes it");
    *bytes += file.len() as u64;
    *zip += deflated.finish().expect("memory takes it").len() as u64;
}

impl Contestant {
    async fn environment(&self) -> (Environment, Duration) {
        let mut variables = vec![
            ("MCPFN_AUTH", "none"),
            ("MCPFN_RATE_LIMIT", "none"),
            ("MCPFN_LOG", "error"),
            (
                "MCPFN_STATE_KEY",
                "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            ),
        ];
        if self.table {
            variables.push(("MCPFN_DYNAMODB_TABLE", "mcpfn"));
            variables.push(("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"));
            variables.push(("AWS_SECRET_ACCESS_KEY", "example"));
        }
        variables.extend(
            self.variables
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str())),
        );
        let mut bootstrap = Bootstrap::new(&self.program, &variables);
        bootstrap.arguments.clone_from(&self.arguments);
        let environment = Environment::start(&bootstrap)
            .await
            .expect("the bootstrap starts");
        let init = environment
            .ready()
            .await
            .unwrap_or_else(|failure| panic!("{}: {failure:?} {:?}", self.name, environment.log()));
        (environment, init)
    }
}

fn call() -> Value {
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}});
    let body =
        json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": meta}})
            .to_string();
    let request = http::Request::builder()
        .method("POST")
        .uri("/mcp")
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "tools/list")
        .body(())
        .expect("a request");
    event(
        &request.into_parts().0,
        &body.into(),
        [203, 0, 113, 7].into(),
        None,
    )
}

async fn ask(environment: &Environment, event: &Value) -> f64 {
    let begun = Instant::now();
    let invocation = Invocation {
        id_optional: true,
        ..Invocation::new(event.clone())
    };
    let reply = environment
        .invoke(invocation)
        .await
        .unwrap_or_else(|failure| panic!("{failure:?} {:?}", environment.log()));
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
async fn warm(contestants: &[Contestant], measured: &mut [Measured], calls: usize) {
    let mut environments = Vec::new();
    for contestant in contestants {
        environments.push(contestant.environment().await.0);
    }
    let event = call();
    for turn in 1..=calls / TURN {
        for place in order::in_turn(environments.len(), turn) {
            let (environment, measured) = (&environments[place], &mut measured[place]);
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
    let status = environment
        .process()
        .and_then(|process| fs::read_to_string(format!("/proc/{process}/status")).ok())
        .unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap_or_default();
    line.trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap_or_default()
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
