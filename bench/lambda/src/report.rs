//! What was measured, as a table for people and as JSON for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::Measured;

/// How much longer a start may take than that of the first contestant.
const INIT_GOAL: f64 = 1.15;
/// Most bytes of the zip of a server with its table.
const ZIP_GOAL: u64 = 3_200_000;

pub(crate) fn markdown(all: &[Measured]) -> String {
    let mut out = String::from("# Start, calls, memory and size of Lambda bootstraps\n\n");
    out.push_str("Through our Runtime API emulator, in one run, starts interleaved. *Start* is from exec to the first request for an\n");
    out.push_str("event; *first* is the first event's answer; times are medians in milliseconds. Memory is resident, in KiB.\n\n");
    out.push_str("| bootstrap | start (p10, p90) | times the first row | first | warm p50, p99 | memory: first call, 1,000, 10,000 | bytes | zip |\n");
    out.push_str("|---|--:|--:|--:|--:|--:|--:|--:|\n");
    for row in all {
        let _ = writeln!(
            out,
            "| {} | {:.2} ({:.2}, {:.2}) | {:.2} | {:.2} | {:.3}, {:.3} | {}, {}, {} | {} | {} |",
            row.name,
            quantile(&row.init, 0.5),
            quantile(&row.init, 0.1),
            quantile(&row.init, 0.9),
            times(all, row),
            quantile(&row.first, 0.5),
            quantile(&row.warm, 0.5),
            quantile(&row.warm, 0.99),
            row.memory[0],
            row.memory[1],
            row.memory[2],
            row.bytes,
            row.zip,
        );
    }
    let over: Vec<&str> = all.iter().filter(|row| times(all, row) > INIT_GOAL).map(|row| row.name.as_str()).collect();
    let large: Vec<&str> = all.iter().filter(|row| row.zip > ZIP_GOAL).map(|row| row.name.as_str()).collect();
    let listed = |names: &[&str]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let _ = writeln!(
        out,
        "\nOver {INIT_GOAL} times the first row's start: {}. Over {ZIP_GOAL} bytes of zip: {}.",
        listed(&over),
        listed(&large)
    );
    out
}

pub(crate) fn json(all: &[Measured]) -> Value {
    let rows: Vec<Value> = all
        .iter()
        .map(|row| {
            json!({
                "name": row.name,
                "init_ms": {"p10": quantile(&row.init, 0.1), "p50": quantile(&row.init, 0.5), "p90": quantile(&row.init, 0.9), "times": times(all, row)},
                "first_ms": quantile(&row.first, 0.5),
                "warm_ms": {"p50": quantile(&row.warm, 0.5), "p99": quantile(&row.warm, 0.99)},
                "memory_kib": {"first": row.memory[0], "after_1000": row.memory[1], "after_10000": row.memory[2]},
                "bytes": row.bytes,
                "zip": row.zip,
            })
        })
        .collect();
    json!({ "bootstraps": rows })
}

fn times(all: &[Measured], row: &Measured) -> f64 {
    quantile(&row.init, 0.5) / quantile(&all[0].init, 0.5)
}

fn quantile(values: &[f64], quantile: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let position = ((sorted.len() as f64 - 1.0) * quantile).round() as usize;
    sorted.get(position).copied().unwrap_or_default()
}
