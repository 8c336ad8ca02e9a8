//! Load on servers in turns, and the tables that show it. Knows neither who they are nor what is
//! good enough.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::contestant::{Contestant, Running};
use crate::load::{Connection, Until, turn};
use crate::order;
use crate::processor::Ticks;
use crate::request::{self, Tool};
use crate::{quantile, rounded};

/// The bytes of a request to a port.
pub(crate) type Request = fn(u16) -> Vec<u8>;
/// Over so many connections each method is asked.
const CONNECTIONS: [usize; 2] = [1, 50];

/// How much is measured.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) rounds: usize,
    /// For each server in each round.
    pub(crate) time: Duration,
}

impl Plan {
    pub(crate) fn new(quick: bool) -> Self {
        if quick {
            Self {
                rounds: 3,
                time: Duration::from_millis(300),
            }
        } else {
            Self {
                rounds: 11,
                time: Duration::from_millis(1500),
            }
        }
    }
}

pub(crate) struct Round {
    pub(crate) per_second: f64,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// Microseconds of the server's processor for one call.
    pub(crate) processor: f64,
    calls: u64,
    ticks: Ticks,
}

/// One method at one number of connections, and each server's rounds.
pub(crate) struct Scenario {
    pub(crate) method: &'static str,
    pub(crate) connections: usize,
    rounds: Vec<Vec<Round>>,
}

/// Asks every server everything.
pub(crate) async fn run(
    running: &[Running],
    requests: &[(&'static str, Request)],
    plan: Plan,
) -> Vec<Scenario> {
    println!("warming {} servers", running.len());
    for server in running {
        for (_, request) in requests {
            // programs that compile while they run need some thousand calls
            load(
                server,
                &mut server.connections(8).await,
                &request(server.port),
                4 * plan.time,
            )
            .await;
        }
    }
    let mut scenarios = Vec::new();
    for (method, request) in requests {
        for connections in CONNECTIONS {
            println!(
                "{method} over {connections} connections: {} rounds of {:?} for \
                each",
                plan.rounds, plan.time
            );
            scenarios.push(Scenario {
                method,
                connections,
                rounds: rounds(running, *request, connections, plan).await,
            });
        }
    }
    scenarios
}

async fn rounds(
    running: &[Running],
    request: Request,
    connections: usize,
    plan: Plan,
) -> Vec<Vec<Round>> {
    let mut found: Vec<Vec<Round>> = running.iter().map(|_| Vec::new()).collect();
    for round in 0..plan.rounds {
        for position in order::in_turn(running.len(), round) {
            let server = &running[position];
            // a server may close connections that rest for some seconds, so each turn has new ones,
            // opened before its clock starts
            found[position].push(
                load(
                    server,
                    &mut server.connections(connections).await,
                    &request(server.port),
                    plan.time,
                )
                .await,
            );
        }
    }
    found
}

async fn load(
    server: &Running,
    connections: &mut Vec<Connection>,
    request: &[u8],
    time: Duration,
) -> Round {
    let (ticks, before) = (server.ticks(), server.processor_time());
    let turn = turn(connections, request, Until::Time(time))
        .await
        .expect("every call is answered");
    let processor =
        (server.processor_time() - before).as_secs_f64() * 1e6 / turn.latencies.len() as f64;
    Round {
        per_second: turn.per_second(),
        processor,
        calls: turn.latencies.len() as u64,
        ticks: server.ticks() - ticks,
        p50: quantile(turn.latencies.clone(), 0.5),
        p99: quantile(turn.latencies, 0.99),
    }
}

/// Nobody is timed who gives another answer.
pub(crate) async fn check(contestant: &Contestant, server: &Running, tool: &Tool) {
    let mut connection = Connection::open(server.port)
        .await
        .expect("the server accepts");
    let (head, body) = connection
        .ask(&request::list(server.port, None))
        .await
        .unwrap_or_else(|error| panic!("{}: {error}", contestant.name));
    let list = json_of(head, body);
    assert_eq!(
        list["result"]["tools"][0]["name"], tool.name,
        "{}: {list}",
        contestant.name
    );
    let (head, body) = connection
        .ask(&request::call(server.port, tool))
        .await
        .unwrap_or_else(|error| panic!("{}: {error}", contestant.name));
    let call = json_of(head, body);
    assert_eq!(
        call["result"]["content"][0]["text"], tool.answer,
        "{}: {call}",
        contestant.name
    );
}

/// Writes a server's answers into a folder, as the files `list` and `call`.
pub(crate) async fn keep_answers(contestant: &Contestant, tool: &Tool, folder: &Path) {
    let server = contestant.start(&[], folder).await;
    let mut connection = Connection::open(server.port)
        .await
        .expect("the server accepts");
    for (name, request) in [
        ("list", request::list(server.port, None)),
        ("call", request::call(server.port, tool)),
    ] {
        let (head, body) = connection.ask(&request).await.expect("an answer");
        std::fs::write(folder.join(name), body_of(head, body))
            .expect("the folder can be written to");
    }
}

/// The body, out of its chunks if it came in some.
fn body_of(head: &[u8], body: &[u8]) -> String {
    let chunked = String::from_utf8_lossy(head)
        .to_ascii_lowercase()
        .contains("transfer-encoding: chunked");
    let text = String::from_utf8_lossy(body);
    if chunked {
        text.split("\r\n").skip(1).step_by(2).collect()
    } else {
        text.into_owned()
    }
}

fn json_of(head: &[u8], body: &[u8]) -> Value {
    let json = body_of(head, body);
    serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json}"))
}

impl Scenario {
    pub(crate) fn middle(&self, server: usize, of: impl Fn(&Round) -> f64) -> f64 {
        quantile(self.rounds[server].iter().map(of).collect(), 0.5)
    }

    /// The middle of what each round says of a server beside another one in the same round.
    pub(crate) fn beside(&self, server: usize, other: usize, of: impl Fn(&Round) -> f64) -> f64 {
        quantile(
            self.rounds[server]
                .iter()
                .zip(&self.rounds[other])
                .map(|(this, other)| of(this) / of(other))
                .collect(),
            0.5,
        )
    }

    /// Microseconds of the processor for a call in programs and in the kernel, over all rounds: one
    /// alone is too short for ticks.
    fn energy(&self, server: usize) -> [f64; 2] {
        let (mut calls, mut ticks) = (0, Ticks::default());
        for round in &self.rounds[server] {
            calls += round.calls;
            ticks += round.ticks;
        }
        ticks.of_each(calls)
    }

    /// What a call costs the processor, beside the first server.
    pub(crate) fn energy_section(&self, contestants: &[Contestant]) -> String {
        let mut out = format!(
            "\n## Energy of a call: {}, {} connections\n\nMicroseconds of the processor, of the \
             server and all programs it started, in all rounds of the closed loop.\n\n\
             | server | in programs | in the kernel | together | times the floor |\n\
             |---|--:|--:|--:|--:|\n",
            self.method, self.connections
        );
        let floor: f64 = self.energy(0).iter().sum();
        for (position, contestant) in contestants.iter().enumerate() {
            let [user, system] = self.energy(position);
            let _ = writeln!(
                out,
                "| {} | {user:.1} µs | {system:.1} µs | {:.1} µs | {:.2} |",
                contestant.name,
                user + system,
                (user + system) / floor,
            );
        }
        out
    }

    /// Its heading and its table, beside the first server.
    pub(crate) fn section(&self, contestants: &[Contestant]) -> String {
        let ending = if self.connections == 1 { "" } else { "s" };
        let mut out = format!(
            "\n## {}, {} connection{ending}\n\n",
            self.method, self.connections
        );
        out.push_str(
            "| server | calls a second | of the floor | p50 | p99 | processor | times the floor \
             |\n|---|--:|--:|--:|--:|--:|--:|\n",
        );
        for (position, contestant) in contestants.iter().enumerate() {
            let _ = writeln!(
                out,
                "| {} | {:.0} | {:.2} | {:.0} µs | {:.0} µs | {:.1} µs | {:.2} |",
                contestant.name,
                self.middle(position, |round| round.per_second),
                self.beside(position, 0, |round| round.per_second),
                self.middle(position, |round| round.p50),
                self.middle(position, |round| round.p99),
                self.middle(position, |round| round.processor),
                self.beside(position, 0, |round| round.processor),
            );
        }
        out
    }

    pub(crate) fn data(&self, contestants: &[Contestant]) -> Value {
        let of = |(position, contestant): (usize, &Contestant)| {
            json!({
                "name": contestant.name,
                "per_second": self.middle(position, |round| round.per_second).round(),
                "of_floor": rounded(self.beside(position, 0, |round| round.per_second), 3),
                "p50_us": rounded(self.middle(position, |round| round.p50), 1),
                "p99_us": rounded(self.middle(position, |round| round.p99), 1),
                "processor_us": rounded(self.middle(position, |round| round.processor), 2),
                "processor_times_floor": rounded(
                    self.beside(position, 0, |round| round.processor), 3
                ),
                "processor_in_programs_us": rounded(self.energy(position)[0], 2),
                "processor_in_kernel_us": rounded(self.energy(position)[1], 2),
            })
        };
        let servers: Vec<Value> = contestants.iter().enumerate().map(of).collect();
        json!({"method": self.method, "connections": self.connections, "servers": servers})
    }

    pub(crate) fn chart(&self, contestants: &[Contestant]) -> Value {
        let title = format!("{}, {} connections", self.method, self.connections);
        let value = |position| self.middle(position, |round| round.per_second).round();
        json!({"title": title, "unit": "calls/s", "log": true, "bars": bars(contestants, value)})
    }
}

/// One bar of a chart for each contestant.
pub(crate) fn bars(contestants: &[Contestant], value: impl Fn(usize) -> f64) -> Vec<Value> {
    contestants
        .iter()
        .enumerate()
        .map(|(position, contestant)| json!({"label": contestant.name, "value": value(position)}))
        .collect()
}
