//! `--part workers`: Workers in workerd, the runtime of Cloudflare: their size, how they start, and
//! the same requests to those with one tool. xtask built them, and says how large they are.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};

use crate::contestant::Contestant;
use crate::load::Connection;
use crate::order;
use crate::request::{self, GREET};
use crate::rounds::{self, Plan, Request, Scenario, bars};
use crate::{quantile, rounded};

/// Who is who among the contestants. Those up to the SDK have the same tool and are asked the same.
const BARE: usize = 0;
const MCPFN: usize = 1;
const SDK: usize = 2;
const SERVER: usize = 3;
/// A script of one line: what workerd itself costs.
const SCRIPT: usize = 4;

/// Bytes after gzip, wasm and JavaScript, over the bare Worker: one tool, and the server with every
/// toolkit.
const CORE_BYTES: i64 = 400_000;
const SERVER_BYTES: i64 = 1_000_000;

const REQUESTS: [(&str, Request); 2] = [
    ("tools/list", |port| request::list(port, None)),
    ("tools/call", |port| request::call(port, &GREET)),
];

/// In milliseconds from the start of the process; memory in KiB.
struct Start {
    listens: f64,
    first: f64,
    /// Of the processor, until the first answer.
    processor: f64,
    memory: f64,
}

struct Starts(Vec<Vec<Start>>);

impl Starts {
    fn middle(&self, worker: usize, of: impl Fn(&Start) -> f64) -> f64 {
        quantile(self.0[worker].iter().map(of).collect(), 0.5)
    }

    /// The middle of what each round says of a Worker and another one in the same round.
    fn beside(&self, worker: usize, other: usize, of: impl Fn(&Start, &Start) -> f64) -> f64 {
        quantile(
            self.0[worker]
                .iter()
                .zip(&self.0[other])
                .map(|(this, other)| of(this, other))
                .collect(),
            0.5,
        )
    }

    /// Milliseconds of the processor that are the Worker's and not workerd's.
    fn own(&self, worker: usize) -> f64 {
        self.beside(worker, SCRIPT, |this, script| {
            this.processor - script.processor
        })
    }

    fn of_sdk(&self, worker: usize) -> f64 {
        self.beside(worker, SDK, |this, sdk| this.processor / sdk.processor)
    }
}

pub(crate) async fn run(contestants: &[Contestant], quick: bool) -> (String, Value) {
    assert_eq!(
        contestants.len(),
        SCRIPT + 1,
        "the contestants are those that are known here by \
        their places"
    );
    let plan = Plan::new(quick);
    let answers = contestants[BARE].more["answers"].as_str().expect(
        "xtask says where the bare \
        Worker looks for its answers",
    );
    rounds::keep_answers(&contestants[MCPFN], &GREET, Path::new(answers)).await;
    let starts = starts(contestants, if quick { 5 } else { 25 }).await;
    let asked = &contestants[..=SDK];
    let mut running = Vec::new();
    for contestant in asked {
        let worker = contestant.start(&[], Path::new("")).await;
        rounds::check(contestant, &worker, &GREET).await;
        running.push(worker);
    }
    let scenarios = rounds::run(&running, &REQUESTS, plan).await;
    let memory: Vec<u64> = running
        .iter()
        .map(|worker| worker.memory("VmHWM"))
        .collect();
    let found = Found {
        contestants,
        starts,
        scenarios,
        memory,
    };
    (found.markdown(plan), found.data())
}

/// Starts of each, in turns. All are asked for their list first.
async fn starts(contestants: &[Contestant], rounds: usize) -> Starts {
    println!("{rounds} starts of each");
    let mut found: Vec<Vec<Start>> = contestants.iter().map(|_| Vec::new()).collect();
    for round in 0..rounds {
        for position in order::in_turn(contestants.len(), round) {
            let begun = Instant::now();
            let contestant = &contestants[position];
            let worker = contestant.start(&[], Path::new("")).await;
            let mut connection = Connection::open(worker.port).await.expect("it listens");
            connection
                .ask(&request::list(worker.port, None))
                .await
                .unwrap_or_else(|error| panic!("{}: {error}", contestant.name));
            found[position].push(Start {
                first: begun.elapsed().as_secs_f64() * 1e3,
                listens: worker.start.as_secs_f64() * 1e3,
                processor: worker.processor_time().as_secs_f64() * 1e3,
                memory: worker.memory("VmRSS") as f64,
            });
        }
    }
    Starts(found)
}

struct Found<'a> {
    contestants: &'a [Contestant],
    starts: Starts,
    scenarios: Vec<Scenario>,
    /// The peaks of those that were asked, in KiB.
    memory: Vec<u64>,
}

/// What was wished for, and whether it is so.
struct Goal {
    text: String,
    met: bool,
}

impl Found<'_> {
    /// Bytes: `wasm`, `wasm_gzip`, `script`, `script_gzip`.
    fn size(&self, worker: usize, of: &str) -> u64 {
        self.contestants[worker].more["size"][of]
            .as_u64()
            .unwrap_or_else(|| panic!("xtask says the size of {of}"))
    }

    /// Bytes after gzip, all of it.
    fn gzip(&self, worker: usize) -> u64 {
        self.size(worker, "wasm_gzip") + self.size(worker, "script_gzip")
    }

    fn over_bare(&self, worker: usize) -> i64 {
        self.gzip(worker).cast_signed() - self.gzip(BARE).cast_signed()
    }

    fn small(&self, what: &str, worker: usize, most: i64) -> Goal {
        let over = self.over_bare(worker);
        Goal {
            text: format!(
                "{what} at most {most} bytes after gzip over the bare Worker: \
            {over}"
            ),
            met: over <= most,
        }
    }

    fn goals(&self) -> Vec<Goal> {
        let processor = self.starts.of_sdk(MCPFN);
        let mut goals = vec![
            self.small("one tool", MCPFN, CORE_BYTES),
            self.small("every toolkit", SERVER, SERVER_BYTES),
            Goal {
                text: format!(
                    "one tool starts with less of the processor than the SDK: \
                {processor:.2} times"
                ),
                met: processor < 1.0,
            },
        ];
        goals.extend(self.scenarios.iter().map(|scenario| {
            let times = scenario.beside(MCPFN, SDK, |round| round.per_second);
            let text = format!(
                "{} over {}: at least the SDK's calls a second: {times:.2} \
                times",
                scenario.method, scenario.connections
            );
            Goal {
                text,
                met: times >= 1.0,
            }
        }));
        goals
    }

    fn markdown(&self, Plan { rounds, time }: Plan) -> String {
        let mut out = String::from("# Workers in workerd, side by side\n\n");
        let starts = self.starts.0[BARE].len();
        let _ = writeln!(
            out,
            "Each Worker is served by a workerd of its own, with nothing in front of it, on one core; what asks them is on another of the\n\
             same machine. All get the same requests, of protocol revision 2026-07-28, over connections that stay open, and their answers\n\
             are checked first. {starts} starts and {rounds} rounds of {time:?} for each, in turns; every figure is the middle of its rounds, and\n\
             a ratio or a difference is the middle of those in the same round. *Processor* is the time of all threads of that workerd.\n"
        );
        for contestant in self.contestants {
            let _ = writeln!(out, "* {}: {}", contestant.name, contestant.about);
        }
        self.sizes(&mut out);
        self.start(&mut out);
        let asked = &self.contestants[..=SDK];
        out.extend(
            self.scenarios
                .iter()
                .map(|scenario| scenario.section(asked)),
        );
        out.push_str("\n## Memory under this load\n\n| Worker | peak of workerd |\n|---|--:|\n");
        for (contestant, peak) in asked.iter().zip(&self.memory) {
            let _ = writeln!(
                out,
                "| {} | {:.1} MiB |",
                contestant.name,
                *peak as f64 / 1024.0
            );
        }
        out.push_str("\n## Goals\n\n");
        for Goal { text, met } in self.goals() {
            let _ = writeln!(out, "* {}: {text}.", if met { "met" } else { "MISSED" });
        }
        out
    }

    fn sizes(&self, out: &mut String) {
        out.push_str(
            "\n## Size\n\nIn bytes, as deployed; gzip -9.\n\n| Worker | wasm | gzip | JavaScript | \
             gzip | all, gzip | over bare |\n",
        );
        out.push_str("|---|--:|--:|--:|--:|--:|--:|\n");
        for (position, contestant) in self.contestants.iter().enumerate().take(SCRIPT) {
            let [wasm, wasm_gzip, script, script_gzip] =
                ["wasm", "wasm_gzip", "script", "script_gzip"].map(|of| self.size(position, of));
            let (all, over) = (self.gzip(position), self.over_bare(position));
            let _ = writeln!(
                out,
                "| {} | {wasm} | {wasm_gzip} | {script} | {script_gzip} | {all} \
                | {over} |",
                contestant.name
            );
        }
    }

    fn start(&self, out: &mut String) {
        out.push_str(
            "\n## Start\n\nFrom the start of the process until it listens, and until it \
            has answered its first `tools/list`; and what was used by then.\n\n",
        );
        out.push_str(
            "| Worker | listens | first answer | processor | over the script | times the SDK | \
             resident |\n|---|--:|--:|--:|--:|--:|--:|\n",
        );
        for (position, contestant) in self.contestants.iter().enumerate() {
            let _ = writeln!(
                out,
                "| {} | {:.1} ms | {:.1} ms | {:.1} ms | {:.1} ms | {:.2} | {:.1} MiB |",
                contestant.name,
                self.starts.middle(position, |start| start.listens),
                self.starts.middle(position, |start| start.first),
                self.starts.middle(position, |start| start.processor),
                self.starts.own(position),
                self.starts.of_sdk(position),
                self.starts.middle(position, |start| start.memory) / 1024.0,
            );
        }
    }

    fn data(&self) -> Value {
        let asked = &self.contestants[..=SDK];
        let middle =
            |position: usize, of: fn(&Start) -> f64| rounded(self.starts.middle(position, of), 2);
        let worker = |(position, contestant): (usize, &Contestant)| {
            json!({
                "name": contestant.name, "about": contestant.about,
                "size": contestant.more["size"],
                "start": {
                    "listens_ms": middle(position, |start| start.listens),
                    "first_answer_ms": middle(position, |start| start.first),
                    "processor_ms": middle(position, |start| start.processor),
                    "processor_over_script_ms": rounded(self.starts.own(position), 2),
                    "processor_times_sdk": rounded(self.starts.of_sdk(position), 3),
                    "resident_kib": middle(position, |start| start.memory),
                },
                "peak_kib": self.memory.get(position),
            })
        };
        let kilobytes = |position| rounded(self.gzip(position) as f64 / 1e3, 1);
        let mut charts = vec![
            json!({"title": "Size after gzip", "unit": "KB", "log": false, "bars": bars(&self.contestants[..SCRIPT], kilobytes)}),
            json!({
                "title": "Processor until the first answer", "unit": "ms", "log": false,
                "bars": bars(self.contestants, |position| middle(position, |start| start.processor)),
            }),
        ];
        charts.extend(self.scenarios.iter().map(|scenario| scenario.chart(asked)));
        json!({
            "goals": self.goals().iter().map(|goal| json!({"text": goal.text, "met": goal.met})).collect::<Vec<_>>(),
            "workers": self.contestants.iter().enumerate().map(worker).collect::<Vec<_>>(),
            "starts": self.starts.0[BARE].len(),
            "scenarios": self.scenarios.iter().map(|scenario| scenario.data(asked)).collect::<Vec<_>>(),
            "charts": charts,
        })
    }
}
