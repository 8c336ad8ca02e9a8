//! `--part http`: the same requests to every contestant, in turns. The first contestant is the
//! floor and gets its answers from the second.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::contestant::Contestant;
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
    let memory: Vec<u64> = running
        .iter()
        .map(|server| server.memory("VmHWM"))
        .collect();
    (
        markdown(contestants, &scenarios, &memory, plan),
        data(contestants, &scenarios, &memory),
    )
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

fn markdown(
    contestants: &[Contestant],
    scenarios: &[Scenario],
    memory: &[u64],
    plan: Plan,
) -> String {
    let Plan { rounds, time } = plan;
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
    out.extend(
        scenarios
            .iter()
            .map(|scenario| scenario.section(contestants)),
    );
    out.push_str("\n## Memory\n\n| server | peak |\n|---|--:|\n");
    for (contestant, peak) in contestants.iter().zip(memory) {
        let _ = writeln!(
            out,
            "| {} | {:.1} MiB |",
            contestant.name,
            *peak as f64 / 1024.0
        );
    }
    let under = scenarios
        .iter()
        .filter(|scenario| scenario.beside(1, 0, |round| round.per_second) < GOAL);
    let under: Vec<String> = under
        .map(|scenario| format!("{} over {}", scenario.method, scenario.connections))
        .collect();
    let _ = match under.as_slice() {
        [] => writeln!(
            out,
            "\n{} is above its goal of {GOAL} of the floor's calls \
            everywhere.",
            contestants[1].name
        ),
        under => writeln!(
            out,
            "\n{} is below its goal of {GOAL} of the floor's calls in: \
            {}.",
            contestants[1].name,
            under.join(", ")
        ),
    };
    out
}

fn data(contestants: &[Contestant], scenarios: &[Scenario], memory: &[u64]) -> Value {
    let mut charts: Vec<Value> = scenarios
        .iter()
        .map(|scenario| scenario.chart(contestants))
        .collect();
    let peak = |position: usize| rounded(memory[position] as f64 / 1024.0, 1);
    charts.push(json!({"title": "Peak memory", "unit": "MiB", "log": true, "bars": bars(contestants, peak)}));
    json!({
        "goal_of_floor": GOAL,
        "contestants": contestants.iter().zip(memory).map(|(contestant, peak)| json!({"name": contestant.name, "about": contestant.about, "peak_kib": peak})).collect::<Vec<_>>(),
        "scenarios": scenarios.iter().map(|scenario| scenario.data(contestants)).collect::<Vec<_>>(),
        "charts": charts,
    })
}
