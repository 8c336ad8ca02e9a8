//! `--part http`: the same requests to every contestant, in turns, in a closed and in an open loop.
//! The first contestant is the floor and gets its answers from the second.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::contestant::Contestant;
use crate::open::{self, Open};
use crate::request::{self, ECHO};
use crate::rounded;
use crate::rounds::{self, Plan, Request, Scenario, bars};

/// At least so much of the floor's calls a second, for the second contestant.
const GOAL: f64 = 0.8;
const REQUESTS: [(&str, Request); 2] = [
    ("tools/list", |port| request::list(port, None)),
    ("tools/call", |port| request::call(port, &ECHO)),
];

pub(crate) async fn run(contestants: &[Contestant], quick: bool) -> (String, Value) {
    let plan = Plan::new(quick);
    let answers = Answers::of(&contestants[1]).await;
    let mut running = Vec::new();
    for contestant in contestants {
        let server = contestant.start(&[], &answers.0).await;
        rounds::check(contestant, &server, &ECHO).await;
        running.push(server);
    }
    let scenarios = rounds::run(&running, &REQUESTS, plan).await;
    // the last is the one that servers are for: calls over many connections
    let closed = scenarios.last().expect("something is measured");
    let open = open::run(&running, REQUESTS[1].1, closed, plan).await;
    let memory: Vec<u64> = running
        .iter()
        .map(|server| server.memory("VmHWM"))
        .collect();
    let found = Found {
        contestants,
        scenarios: &scenarios,
        closed,
        open: &open,
        memory: &memory,
    };
    (found.markdown(plan), found.data())
}

struct Found<'a> {
    contestants: &'a [Contestant],
    scenarios: &'a [Scenario],
    /// The one that the open loop is beside.
    closed: &'a Scenario,
    open: &'a [Open],
    /// The peaks, in KiB.
    memory: &'a [u64],
}

/// A folder with the answers that the floor gives. It is removed at the end.
struct Answers(PathBuf);

impl Answers {
    async fn of(contestant: &Contestant) -> Self {
        let folder = std::env::temp_dir().join(format!("mcpfn-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a temporary folder");
        rounds::keep_answers(contestant, &ECHO, &folder).await;
        Self(folder)
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

impl Found<'_> {
    fn markdown(&self, Plan { rounds, time }: Plan) -> String {
        let Self {
            contestants,
            scenarios,
            closed,
            ..
        } = *self;
        let mut out = String::from("# HTTP servers with one tool, side by side\n\n");
        let _ = writeln!(
            out,
            "Every contestant runs on one core, the load on another of the same machine, over \
             connections that stay open. All get the same\nrequests, of protocol revision \
             2026-07-28, and their answers are checked first. {rounds} rounds of {time:?} for \
             each, in turns;\nevery figure is the middle of its rounds, and a ratio is the middle \
             of the ratios to the first row in the same round.\n*Processor* is the server's own \
             time for one call: it does not depend on how fast the client is. Memory is the peak \
             of the\nwhole run.\n\n\
             In the closed loop each connection sends its next call after an answer. In the open \
             loop calls are sent at a constant rate,\nover the connections in turn, and each \
             counts from when it was due: what waits behind a stall counts. Its figures are of\n\
             all calls of all rounds. A round holds its rate if its last answer is at most 100 ms \
             late.\n"
        );
        for contestant in contestants {
            let _ = writeln!(out, "* {}: {}", contestant.name, contestant.about);
        }
        out.extend(
            scenarios
                .iter()
                .map(|scenario| scenario.section(contestants)),
        );
        out.extend(
            self.open
                .iter()
                .map(|open| open.section(contestants, closed)),
        );
        out.push_str(&closed.energy_section(contestants));
        out.push_str("\n## Memory\n\n| server | peak |\n|---|--:|\n");
        for (contestant, peak) in contestants.iter().zip(self.memory) {
            let peak = *peak as f64 / 1024.0;
            let _ = writeln!(out, "| {} | {peak:.1} MiB |", contestant.name);
        }
        let _ = writeln!(out, "\n{}", self.verdict());
        out
    }

    /// Whether the second contestant is as fast as it should be.
    fn verdict(&self) -> String {
        let under = self
            .scenarios
            .iter()
            .filter(|scenario| scenario.beside(1, 0, |round| round.per_second) < GOAL)
            .map(|scenario| format!("{} over {}", scenario.method, scenario.connections));
        let under: Vec<String> = under.collect();
        let name = &self.contestants[1].name;
        match under.as_slice() {
            [] => format!("{name} is above its goal of {GOAL} of the floor's calls everywhere."),
            under => format!(
                "{name} is below its goal of {GOAL} of the floor's calls in: {}.",
                under.join(", ")
            ),
        }
    }

    fn data(&self) -> Value {
        let (contestants, scenarios, memory) = (self.contestants, self.scenarios, self.memory);
        let mut charts: Vec<Value> = scenarios
            .iter()
            .map(|scenario| scenario.chart(contestants))
            .collect();
        charts.extend(self.open.iter().map(|open| open.chart(contestants)));
        let peak = |position: usize| rounded(memory[position] as f64 / 1024.0, 1);
        let bars = bars(contestants, peak);
        charts.push(json!({"title": "Peak memory", "unit": "MiB", "log": true, "bars": bars}));
        let servers = contestants.iter().zip(memory);
        let scenarios = scenarios.iter();
        let open = self.open.iter();
        json!({
            "goal_of_floor": GOAL,
            "contestants": servers.map(|(contestant, peak)| json!({
                "name": contestant.name, "about": contestant.about, "peak_kib": peak,
            })).collect::<Vec<_>>(),
            "scenarios": scenarios.map(|scenario| scenario.data(contestants)).collect::<Vec<_>>(),
            "open": open.map(|open| open.data(contestants, self.closed)).collect::<Vec<_>>(),
            "charts": charts,
        })
    }
}
