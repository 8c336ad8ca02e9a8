//! What was measured, as a table for people and as JSON for programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::cases::{CALL, CALL_AMONG_MANY, Case};
use crate::harness::Measured;

/// At most so many times the floor.
const GOAL: f64 = 2.0;

pub(crate) struct Report {
    rows: Vec<Row>,
    /// How much slower a call is among 10,000 tools than among 30, in `core` and in `http`.
    among_many: [f64; 2],
}

struct Row {
    name: &'static str,
    about: &'static str,
    sizes: (usize, usize),
    /// Floor, core, http.
    levels: [Level; 3],
}

struct Level {
    nanoseconds: f64,
    /// Times the floor.
    times: f64,
    /// And the same in instructions, where they were counted.
    instructions: Option<(u64, f64)>,
}

impl Report {
    pub(crate) fn new(
        cases: &[Case],
        measured: &BTreeMap<String, Measured>,
        instructions: &BTreeMap<String, u64>,
    ) -> Self {
        let row = |case: &Case| {
            let names = case.operation_names();
            let floor = &measured[&names[0]];
            let level = |name: &String| Level {
                nanoseconds: measured[name].nanoseconds(),
                times: measured[name].beside(floor),
                instructions: instructions.get(name).and_then(|count| {
                    Some((*count, *count as f64 / *instructions.get(&names[0])? as f64))
                }),
            };
            Row {
                name: case.name,
                about: case.about,
                sizes: case.sizes(),
                levels: names.each_ref().map(level),
            }
        };
        let among_many = ["core", "http"].map(|level| {
            measured[&format!("{level}/{CALL_AMONG_MANY}")]
                .beside(&measured[&format!("{level}/{CALL}")])
        });
        Self {
            rows: cases.iter().map(row).collect(),
            among_many,
        }
    }

    pub(crate) fn markdown(&self) -> String {
        let mut out = String::from("# Cost of a call beside serde_json on the same bytes\n\n");
        out.push_str(
            "The floor parses the request's bytes to a `Value` and writes the answer's \
            bytes from one. Times are medians of\n",
        );
        out.push_str(
            "rounds in which every operation has its turn; the factor beside a time is \
            the median of its rounds' factors.\n\n",
        );
        self.table(&mut out, "time", |level| {
            Some((nanoseconds(level.nanoseconds), level.times))
        });
        if self
            .rows
            .iter()
            .flat_map(|row| &row.levels)
            .any(|level| level.instructions.is_some())
        {
            self.table(&mut out, "instructions", |level| {
                level
                    .instructions
                    .map(|(count, times)| (thousands(count), times))
            });
        }
        let [core, http] = self.among_many;
        let _ = writeln!(
            out,
            "Among 10,000 tools a call takes {core:.2} (core) and {http:.2} (http) times what it \
             takes among 30."
        );
        let _ = match self.over_goal().as_slice() {
            [] => writeln!(
                out,
                "Everything is within the goal of {GOAL} times the floor."
            ),
            over => writeln!(
                out,
                "Over the goal of {GOAL} times the floor: {}.",
                over.join(", ")
            ),
        };
        out
    }

    fn table(&self, out: &mut String, what: &str, cell: impl Fn(&Level) -> Option<(String, f64)>) {
        let _ = writeln!(
            out,
            "| {what} | bytes in, out | floor | core | http |\n|---|--:|--:|--:|--:|"
        );
        for row in &self.rows {
            let _ = write!(out, "| {} | {}, {} |", row.about, row.sizes.0, row.sizes.1);
            for (position, level) in row.levels.iter().enumerate() {
                let _ = match cell(level) {
                    Some((value, _)) if position == 0 => write!(out, " {value} |"),
                    Some((value, times)) => write!(out, " {value} ({times:.2}x) |"),
                    None => write!(out, " |"),
                };
            }
            out.push('\n');
        }
        out.push('\n');
    }

    /// By instructions where they were counted: they do not depend on what else the machine does.
    fn over_goal(&self) -> Vec<String> {
        let over =
            |level: &Level| level.instructions.map_or(level.times, |(_, times)| times) > GOAL;
        let levels = self.rows.iter().flat_map(|row| {
            ["core", "http"]
                .into_iter()
                .zip(&row.levels[1..])
                .map(move |level| (row, level))
        });
        levels
            .filter(|(_, (_, level))| over(level))
            .map(|(row, (name, _))| format!("{name}/{}", row.name))
            .collect()
    }

    fn json(&self) -> Value {
        let level = |level: &Level| {
            let (count, times) = level.instructions.unzip();
            json!({
                "nanoseconds": rounded(level.nanoseconds), "times_floor": rounded(level.times),
                "instructions": count, "instructions_times_floor": times.map(rounded),
            })
        };
        let row = |row: &Row| {
            let [floor, core, http] = row.levels.each_ref().map(level);
            json!({"name": row.name, "request_bytes": row.sizes.0, "answer_bytes": row.sizes.1, "floor": floor, "core": core, "http": http})
        };
        let [core, http] = self.among_many.map(rounded);
        json!({
            "goal": GOAL, "operations": self.rows.iter().map(row).collect::<Vec<_>>(), "among_10000_tools": {"core": core, "http": http},
            "charts": [self.chart("core", 1), self.chart("http", 2)],
        })
    }

    /// Times the floor, in instructions where they were counted.
    fn chart(&self, name: &str, level: usize) -> Value {
        let bar = |row: &Row| {
            let level = &row.levels[level];
            json!({"label": row.name, "value": rounded(level.instructions.map_or(level.times, |(_, times)| times))})
        };
        let bars: Vec<Value> = self.rows.iter().map(bar).collect();
        json!({"title": format!("Cost of a request through {name}"), "unit": "times serde_json on \
            the same bytes", "log": false, "bars": bars})
    }

    /// Writes both forms to `bench/results`.
    pub(crate) fn write(&self) -> Result<(), String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bench/results");
        let json =
            serde_json::to_string_pretty(&self.json()).map_err(|error| error.to_string())? + "\n";
        fs::create_dir_all(&folder)
            .and_then(|()| fs::write(folder.join("core.md"), self.markdown()))
            .and_then(|()| fs::write(folder.join("core.json"), json))
            .map_err(|error| format!("could not write to bench/results: {error}"))
    }
}

fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

fn nanoseconds(value: f64) -> String {
    match value {
        ..1e3 => format!("{value:.0} ns"),
        ..1e6 => format!("{:.2} µs", value / 1e3),
        _ => format!("{:.2} ms", value / 1e6),
    }
}

/// `1,234,567`
fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .filter_map(|group| std::str::from_utf8(group).ok())
        .collect();
    groups.join(",")
}
