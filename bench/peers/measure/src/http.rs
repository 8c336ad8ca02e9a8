//! `--part http`: the same requests to every contestant, in turns. The first contestant is the floor and gets its answers from the
//! second.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use crate::contestant::{Contestant, Running};
use crate::load::{Connection, Until, turn};
use crate::request::{self, TEXT};
use crate::{quantile, rounded};

/// At least so much of the floor's calls a second, for the second contestant.
const GOAL: f64 = 0.8;
/// The bytes of a request to a port.
type Request = fn(u16) -> Vec<u8>;
const REQUESTS: [(&str, Request); 2] =
    [("tools/list", |port| request::list(port, None)), ("tools/call", |port| request::call(port, "echo"))];
const CONNECTIONS: [usize; 2] = [1, 50];

struct Round {
    per_second: f64,
    p50: f64,
    p99: f64,
    /// Microseconds of the server's processor for one call.
    processor: f64,
}

/// One method at one number of connections, and each contestant's rounds.
struct Scenario {
    method: &'static str,
    connections: usize,
    rounds: Vec<Vec<Round>>,
}

impl Scenario {
    fn middle(&self, contestant: usize, of: impl Fn(&Round) -> f64) -> f64 {
        quantile(self.rounds[contestant].iter().map(of).collect(), 0.5)
    }

    /// The middle of what each round says of a contestant beside the floor in the same round.
    fn beside(&self, contestant: usize, of: impl Fn(&Round) -> f64) -> f64 {
        quantile(self.rounds[contestant].iter().zip(&self.rounds[0]).map(|(this, floor)| of(this) / of(floor)).collect(), 0.5)
    }
}

pub(crate) async fn run(contestants: &[Contestant], quick: bool) -> (String, Value) {
    let (rounds, time) = if quick { (3, Duration::from_millis(300)) } else { (11, Duration::from_millis(1500)) };
    let answers = Answers::of(&contestants[1]).await;
    let mut running = Vec::new();
    for contestant in contestants {
        let server = contestant.start(&[], &answers.0).await;
        check(contestant, &server).await;
        running.push(server);
    }
    println!("warming {} contestants", running.len());
    for server in &running {
        for request in REQUESTS.map(|(_, request)| request) {
            // programs that compile while they run need some thousand calls
            load(server, &mut server.connections(8).await, &request(server.port), 4 * time).await;
        }
    }
    let mut scenarios = Vec::new();
    for (method, request) in REQUESTS {
        for connections in CONNECTIONS {
            println!("{method} over {connections} connections: {rounds} rounds of {time:?} for each");
            scenarios.push(scenario(&running, method, request, connections, rounds, time).await);
        }
    }
    let memory: Vec<u64> = running.iter().map(|server| server.memory("VmHWM")).collect();
    (markdown(contestants, &scenarios, &memory, rounds, time), data(contestants, &scenarios, &memory))
}

async fn scenario(
    running: &[Running],
    method: &'static str,
    request: Request,
    connections: usize,
    rounds: usize,
    time: Duration,
) -> Scenario {
    let mut found: Vec<Vec<Round>> = running.iter().map(|_| Vec::new()).collect();
    for round in 0..rounds {
        for place in 0..running.len() {
            let position = (place + round) % running.len();
            let server = &running[position];
            // a server may close connections that rest for some seconds, so each turn has new ones, opened before its clock starts
            found[position].push(load(server, &mut server.connections(connections).await, &request(server.port), time).await);
        }
    }
    Scenario { method, connections, rounds: found }
}

async fn load(server: &Running, connections: &mut Vec<Connection>, request: &[u8], time: Duration) -> Round {
    let before = server.processor_time();
    let turn = turn(connections, request, Until::Time(time)).await.expect("every call is answered");
    let processor = (server.processor_time() - before).as_secs_f64() * 1e6 / turn.latencies.len() as f64;
    let per_second = turn.per_second();
    Round { per_second, processor, p50: quantile(turn.latencies.clone(), 0.5), p99: quantile(turn.latencies, 0.99) }
}

/// The body, out of its chunks if it came in some.
fn json_of(head: &[u8], body: &[u8]) -> Value {
    let chunked = String::from_utf8_lossy(head).to_ascii_lowercase().contains("transfer-encoding: chunked");
    let text = String::from_utf8_lossy(body);
    let json = if chunked { text.split("\r\n").skip(1).step_by(2).collect() } else { text.into_owned() };
    serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json}"))
}

/// Nobody is timed who gives another answer.
async fn check(contestant: &Contestant, server: &Running) {
    let mut connection = Connection::open(server.port).await.expect("the server accepts");
    let (head, body) =
        connection.ask(&request::list(server.port, None)).await.unwrap_or_else(|error| panic!("{}: {error}", contestant.name));
    let list = json_of(head, body);
    assert_eq!(list["result"]["tools"][0]["name"], "echo", "{}: {list}", contestant.name);
    let (head, body) =
        connection.ask(&request::call(server.port, "echo")).await.unwrap_or_else(|error| panic!("{}: {error}", contestant.name));
    let call = json_of(head, body);
    assert_eq!(call["result"]["content"][0]["text"], TEXT, "{}: {call}", contestant.name);
}

/// A folder with the answers that the floor gives. It is removed at the end.
struct Answers(PathBuf);

impl Answers {
    async fn of(contestant: &Contestant) -> Self {
        let folder = std::env::temp_dir().join(format!("mcpfn-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a temporary folder");
        let server = contestant.start(&[], &folder).await;
        let mut connection = Connection::open(server.port).await.expect("the server accepts");
        for (name, request) in [("list", request::list(server.port, None)), ("call", request::call(server.port, "echo"))] {
            let (_, body) = connection.ask(&request).await.expect("an answer");
            std::fs::write(folder.join(name), body).expect("a temporary file");
        }
        Self(folder)
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn markdown(contestants: &[Contestant], scenarios: &[Scenario], memory: &[u64], rounds: usize, time: Duration) -> String {
    let mut out = String::from("# HTTP servers with one tool, side by side\n\n");
    let _ = writeln!(
        out,
        "Every contestant runs on one core, the load on another of the same machine, over connections that stay open. All get the same\n\
         requests, of protocol revision 2026-07-28, and their answers are checked first. {rounds} rounds of {time:?} for each, in turns;\n\
         every figure is the middle of its rounds, and a ratio is the middle of the ratios to the first row in the same round.\n\
         *Processor* is the server's own time for one call: it does not depend on how fast the client is. Memory is the peak of the\n\
         whole run.\n"
    );
    for contestant in contestants {
        let _ = writeln!(out, "* {}: {}", contestant.name, contestant.about);
    }
    for scenario in scenarios {
        let ending = if scenario.connections == 1 { "" } else { "s" };
        let _ = writeln!(out, "\n## {}, {} connection{ending}\n", scenario.method, scenario.connections);
        out.push_str(
            "| server | calls a second | of the floor | p50 | p99 | processor | times the floor |\n|---|--:|--:|--:|--:|--:|--:|\n",
        );
        for (position, contestant) in contestants.iter().enumerate() {
            let _ = writeln!(
                out,
                "| {} | {:.0} | {:.2} | {:.0} µs | {:.0} µs | {:.1} µs | {:.2} |",
                contestant.name,
                scenario.middle(position, |round| round.per_second),
                scenario.beside(position, |round| round.per_second),
                scenario.middle(position, |round| round.p50),
                scenario.middle(position, |round| round.p99),
                scenario.middle(position, |round| round.processor),
                scenario.beside(position, |round| round.processor),
            );
        }
    }
    out.push_str("\n## Memory\n\n| server | peak |\n|---|--:|\n");
    for (contestant, peak) in contestants.iter().zip(memory) {
        let _ = writeln!(out, "| {} | {:.1} MiB |", contestant.name, *peak as f64 / 1024.0);
    }
    let under = scenarios.iter().filter(|scenario| scenario.beside(1, |round| round.per_second) < GOAL);
    let under: Vec<String> = under.map(|scenario| format!("{} over {}", scenario.method, scenario.connections)).collect();
    let _ = match under.as_slice() {
        [] => writeln!(out, "\n{} is above its goal of {GOAL} of the floor's calls everywhere.", contestants[1].name),
        under => writeln!(out, "\n{} is below its goal of {GOAL} of the floor's calls in: {}.", contestants[1].name, under.join(", ")),
    };
    out
}

fn data(contestants: &[Contestant], scenarios: &[Scenario], memory: &[u64]) -> Value {
    let of = |scenario: &Scenario, position: usize| {
        json!({
            "name": contestants[position].name,
            "per_second": scenario.middle(position, |round| round.per_second).round(),
            "of_floor": rounded(scenario.beside(position, |round| round.per_second), 3),
            "p50_us": rounded(scenario.middle(position, |round| round.p50), 1),
            "p99_us": rounded(scenario.middle(position, |round| round.p99), 1),
            "processor_us": rounded(scenario.middle(position, |round| round.processor), 2),
            "processor_times_floor": rounded(scenario.beside(position, |round| round.processor), 3),
        })
    };
    let table = |scenario: &Scenario| {
        let servers: Vec<Value> = (0..contestants.len()).map(|position| of(scenario, position)).collect();
        json!({"method": scenario.method, "connections": scenario.connections, "servers": servers})
    };
    let bars = |value: &dyn Fn(usize) -> f64| -> Vec<Value> {
        contestants.iter().enumerate().map(|(position, contestant)| json!({"label": contestant.name, "value": value(position)})).collect()
    };
    let chart = |scenario: &Scenario| {
        let title = format!("{}, {} connections", scenario.method, scenario.connections);
        json!({"title": title, "unit": "calls/s", "log": true, "bars": bars(&|position| scenario.middle(position, |round| round.per_second).round())})
    };
    let mut charts: Vec<Value> = scenarios.iter().map(chart).collect();
    charts.push(
        json!({"title": "Peak memory", "unit": "MiB", "log": true, "bars": bars(&|position| rounded(memory[position] as f64 / 1024.0, 1))}),
    );
    json!({
        "goal_of_floor": GOAL,
        "contestants": contestants.iter().zip(memory).map(|(contestant, peak)| json!({"name": contestant.name, "about": contestant.about, "peak_kib": peak})).collect::<Vec<_>>(),
        "scenarios": scenarios.iter().map(table).collect::<Vec<_>>(),
        "charts": charts,
    })
}
