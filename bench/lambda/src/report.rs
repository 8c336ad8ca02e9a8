//! What was measured, as a table for people and as JSON for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::Measured;

/// How much longer a start may take than that of the first contestant.
const INIT_GOAL: f64 = 1.15;
/// Most bytes of the zip of a server with its table: with the author's tools alone, and with every
/// toolkit.
const ZIP_GOAL: u64 = 3_600_000;
const ZIP_GOAL_OF_ALL: u64 = 6_000_000;

pub(crate) fn markdown(all: &[Measured]) -> String {
    let mut out = String::from("# Start, calls, memory and size of Lambda bootstraps\n\n");
    out.push_str(
        "Through our Runtime API emulator, in one run, starts interleaved. *Start* is \
        from exec to the first request for an\n",
    );
    out.push_str(
        "event; *first* is the first event's answer, warm calls follow in one environment; each is \
         a `tools/list`. Times are medians in\n",
    );
    out.push_str(
        "milliseconds. Memory is resident, in KiB, after the first call, a thousand, and \
        all. *Zip* is what is deployed: of Python the author's\n",
    );
    out.push_str(
        "files and packages, of TypeScript one minified file by esbuild, both without \
        what Lambda's own runtime has (the interpreter, boto3,\n",
    );
    out.push_str(
        "AWS's runtime client). That client runs Node's handler without its native part, over \
         node:http. AWS Labs' handler speaks\n",
    );
    out.push_str("2024-11-05, all others 2026-07-28.\n\n");
    out.push_str(
        "| bootstrap | start (p10, p90) | times the first row | first | warm p50, p99 | \
        memory | bytes | zip |\n",
    );
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
    let ours = || all.iter().filter(|row| row.name.contains("mcpfn"));
    let over: Vec<&str> = ours()
        .filter(|row| times(all, row) > INIT_GOAL)
        .map(|row| row.name.as_str())
        .collect();
    let most = |row: &Measured| {
        if row.name.contains("every toolkit") {
            ZIP_GOAL_OF_ALL
        } else {
            ZIP_GOAL
        }
    };
    let large: Vec<&str> = ours()
        .filter(|row| row.zip > most(row))
        .map(|row| row.name.as_str())
        .collect();
    let listed = |names: &[&str]| {
        if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        }
    };
    let _ = writeln!(
        out,
        "\nOf mcpfn, over {INIT_GOAL} times the first row's start: {}. Over {ZIP_GOAL} bytes of \
         zip, or {ZIP_GOAL_OF_ALL} with every toolkit: {}.",
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
    let bars = |value: &dyn Fn(&Measured) -> f64| -> Vec<Value> {
        all.iter()
            .map(|row| json!({"label": row.name, "value": (value(row) * 1000.0).round() / 1000.0}))
            .collect()
    };
    let charts = json!([
        {"title": "Start, median", "unit": "ms", "log": true, "bars": bars(&|row| quantile(&row.init, 0.5))},
        {"title": "First call, median", "unit": "ms", "log": true, "bars": bars(&|row| quantile(&row.first, 0.5))},
        {"title": "Warm call, p50", "unit": "ms", "log": true, "bars": bars(&|row| quantile(&row.warm, 0.5))},
        {"title": "Resident memory after all \
            calls", "unit": "MiB", "log": true, "bars": bars(&|row| row.memory[2] as f64 / 1024.0)},
        {"title": "Zip", "unit": "MB", "log": true, "bars": bars(&|row| row.zip as f64 / 1e6)},
    ]);
    json!({ "bootstraps": rows, "charts": charts })
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
