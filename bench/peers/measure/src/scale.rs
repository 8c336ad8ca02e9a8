//! `--part scale`: mcpfn alone. A million calls, a thousand streams at once, ten thousand tools.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::contestant::{Contestant, Running};
use crate::load::{Connection, Until, turn};
use crate::request::{self, ECHO};
use crate::{quantile, rounded};

const CONNECTIONS: usize = 50;
const STREAMS: usize = 1_000;
const TOOLS: usize = 10_000;
/// Most that memory may grow from the first mark to the last.
const GROWTH: f64 = 1.05;

/// After so many calls.
struct Mark {
    calls: usize,
    resident: u64,
    p50: f64,
    p99: f64,
}

struct Streams {
    /// How long until the last stream had its first event, and until the last ended.
    first: Duration,
    last: Duration,
    /// Whether all were open at the same time.
    together: bool,
    /// KiB before, at the peak, and after.
    resident: [u64; 3],
}

struct Tools {
    count: usize,
    start: Duration,
    resident: u64,
    pages: usize,
    /// Microseconds in the middle: the first page, a call of the first tool.
    list: f64,
    call: f64,
    /// Microseconds of a call of a server with one tool, in turns with the other.
    call_alone: f64,
}

pub(crate) async fn run(contestants: &[Contestant], quick: bool) -> (String, Value) {
    let marks = if quick {
        [1_000, 10_000, 50_000]
    } else {
        [10_000, 100_000, 1_000_000]
    };
    let mcpfn = &contestants[0];
    println!("{} calls", marks[2]);
    let marks = calls(mcpfn, &marks).await;
    println!("{STREAMS} streams at once");
    let streams = streams(mcpfn).await;
    println!("{TOOLS} tools");
    let tools = tools(mcpfn, if quick { 200 } else { 5_000 }).await;
    (
        markdown(mcpfn, &marks, &streams, &tools),
        data(mcpfn, &marks, &streams, &tools),
    )
}

async fn calls(mcpfn: &Contestant, marks: &[usize]) -> Vec<Mark> {
    let server = mcpfn.start(&[], Path::new("")).await;
    let mut connections = server.connections(CONNECTIONS).await;
    let mut done = 0;
    let mut found = Vec::new();
    for mark in marks {
        // in pieces, so that latencies of a million calls need not be kept
        let mut latest = Vec::new();
        while done < *mark {
            let piece = (mark - done).min(10_000);
            let turn = turn(
                &mut connections,
                &request::call(server.port, &ECHO),
                Until::Calls(piece / CONNECTIONS),
            )
            .await
            .expect("every call is answered");
            done += turn.latencies.len();
            latest = turn.latencies;
        }
        found.push(Mark {
            calls: done,
            resident: server.memory("VmRSS"),
            p50: quantile(latest.clone(), 0.5),
            p99: quantile(latest, 0.99),
        });
    }
    found
}

async fn streams(mcpfn: &Contestant) -> Streams {
    let server = mcpfn.start(&[("BENCH_TOOLS", "3")], Path::new("")).await;
    let connections = server.connections(STREAMS).await;
    let before = server.memory("VmRSS");
    let begun = Instant::now();
    let tasks: Vec<_> = connections
        .into_iter()
        .enumerate()
        .map(|(token, connection)| tokio::spawn(stream(connection, server.port, token)))
        .collect();
    let (mut first, mut ends) = (Duration::ZERO, Vec::new());
    for task in tasks {
        let (opened, ended) = task.await.expect("a stream's task ends");
        first = first.max(opened - begun);
        ends.push(ended - begun);
    }
    let together = ends.iter().min().is_some_and(|end| *end > first);
    let last = ends.into_iter().max().unwrap_or_default();
    Streams {
        first,
        last,
        together,
        resident: [before, server.memory("VmHWM"), server.memory("VmRSS")],
    }
}

/// One call with five reports: when its first event came, and when it ended.
async fn stream(mut connection: Connection, port: u16, token: usize) -> (Instant, Instant) {
    connection
        .send(&request::call_with_progress(port, "steps", token))
        .await
        .expect("the server reads");
    let mut first = None;
    loop {
        let (so_far, over) = connection.more().await.expect("the stream goes on");
        let events = so_far
            .windows(6)
            .filter(|window| window == b"data: ")
            .count();
        if events > 0 && first.is_none() {
            first = Some(Instant::now());
        }
        if over {
            assert_eq!(
                events,
                6,
                "five reports and an answer: \
                {}",
                String::from_utf8_lossy(so_far)
            );
            return (first.expect("there were events"), Instant::now());
        }
    }
}

async fn tools(mcpfn: &Contestant, times: usize) -> Tools {
    let many = mcpfn
        .start(&[("BENCH_TOOLS", &TOOLS.to_string())], Path::new(""))
        .await;
    let alone = mcpfn.start(&[], Path::new("")).await;
    let (count, pages) = walk(&many).await;
    let (mut list, mut call, mut call_alone) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..5 {
        for (server, request, found) in [
            (&many, request::list(many.port, None), &mut list),
            (&many, request::call(many.port, &ECHO), &mut call),
            (&alone, request::call(alone.port, &ECHO), &mut call_alone),
        ] {
            found.extend(
                turn(
                    &mut server.connections(1).await,
                    &request,
                    Until::Calls(times),
                )
                .await
                .expect("every call is answered")
                .latencies,
            );
        }
    }
    let [list, call, call_alone] =
        [list, call, call_alone].map(|latencies| quantile(latencies, 0.5));
    Tools {
        count,
        start: many.start,
        resident: many.memory("VmRSS"),
        pages,
        list,
        call,
        call_alone,
    }
}

/// Follows the cursors: how many tools there are, on how many pages.
async fn walk(server: &Running) -> (usize, usize) {
    let mut connection = Connection::open(server.port)
        .await
        .expect("the server accepts");
    let (mut tools, mut pages, mut cursor) = (0, 0, None::<String>);
    loop {
        let (_, body) = connection
            .ask(&request::list(server.port, cursor.as_deref()))
            .await
            .expect("a page");
        let page: Value = serde_json::from_slice(body).expect("a page is JSON");
        tools += page["result"]["tools"].as_array().map_or(0, Vec::len);
        pages += 1;
        cursor = page["result"]["nextCursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            return (tools, pages);
        }
    }
}

fn growth(marks: &[Mark]) -> f64 {
    match marks {
        [first, .., last] => last.resident as f64 / first.resident as f64,
        _ => 1.0,
    }
}

fn markdown(mcpfn: &Contestant, marks: &[Mark], streams: &Streams, tools: &Tools) -> String {
    let mut out = String::from("# Many calls, many streams, many tools\n\n");
    let _ = writeln!(
        out,
        "{}: {}. The server has one core, the load \
        another.\n",
        mcpfn.name, mcpfn.about
    );
    let _ = writeln!(
        out,
        "## Calls over {CONNECTIONS} connections\n\n| calls | resident | p50 | p99 \
            of the last 10,000 |\n|--:|--:|--:|--:|"
    );
    for mark in marks {
        let _ = writeln!(
            out,
            "| {} | {} KiB | {:.0} µs | {:.0} µs \
            |",
            mark.calls, mark.resident, mark.p50, mark.p99
        );
    }
    let verdict = if growth(marks) <= GROWTH {
        "flat"
    } else {
        "NOT flat"
    };
    let _ = writeln!(
        out,
        "\nMemory is {verdict}: {:.3} times, of at most {GROWTH}, from the first \
        mark to the last.",
        growth(marks)
    );
    let together = if streams.together {
        "All were open at the same time."
    } else {
        "NOT all were \
        open at the same time."
    };
    let _ = writeln!(
        out,
        "\n## {STREAMS} event streams at once\n\nEach sends five reports of progress, half a second apart, and its answer; all of it came. {together} The last\n\
         stream had its first event after {:.2} s; all had ended after {:.2} s, of which 2.5 s are the tool's own. Resident: {} KiB before, {} at the\n\
         peak ({:.1} KiB a stream), {} after.",
        streams.first.as_secs_f64(),
        streams.last.as_secs_f64(),
        streams.resident[0],
        streams.resident[1],
        streams.resident[1].saturating_sub(streams.resident[0]) as f64 / STREAMS as f64,
        streams.resident[2],
    );
    let _ = writeln!(
        out,
        "\n## {} tools\n\nListens after {:.0} ms, with {} KiB; its list has {} pages. Over one connection the first page takes {:.0} µs, a call {:.1} µs:\n\
         {:.2} times what it takes of a server with one tool ({:.1} µs).",
        tools.count,
        tools.start.as_secs_f64() * 1e3,
        tools.resident,
        tools.pages,
        tools.list,
        tools.call,
        tools.call / tools.call_alone,
        tools.call_alone,
    );
    out
}

fn data(mcpfn: &Contestant, marks: &[Mark], streams: &Streams, tools: &Tools) -> Value {
    let bars = |value: &dyn Fn(&Mark) -> f64| -> Vec<Value> {
        marks
            .iter()
            .map(|mark| json!({"label": format!("{} calls", mark.calls), "value": value(mark)}))
            .collect()
    };
    json!({
        "server": {"name": mcpfn.name, "about": mcpfn.about},
        "calls": marks.iter().map(|mark| json!({"calls": mark.calls, "resident_kib": mark.resident, "p50_us": rounded(mark.p50, 1), "p99_us": rounded(mark.p99, 1)})).collect::<Vec<_>>(),
        "memory": {"growth": rounded(growth(marks), 4), "goal": GROWTH},
        "streams": {
            "count": STREAMS, "together": streams.together, "first_event_s": rounded(streams.first.as_secs_f64(), 3),
            "end_s": rounded(streams.last.as_secs_f64(), 3), "resident_kib": streams.resident,
        },
        "tools": {
            "count": tools.count, "start_ms": rounded(tools.start.as_secs_f64() * 1e3, 1), "resident_kib": tools.resident, "pages": tools.pages,
            "list_us": rounded(tools.list, 1), "call_us": rounded(tools.call, 1), "call_with_one_tool_us": rounded(tools.call_alone, 1),
        },
        "charts": [
            {"title": "Resident memory", "unit": "KiB", "log": false, "bars": bars(&|mark| mark.resident as f64)},
            {"title": "p50 over 50 connections", "unit": "µs", "log": false, "bars": bars(&|mark| rounded(mark.p50, 0))},
            {"title": "A call over one connection, p50", "unit": "µs", "log": false, "bars": [
                {"label": "one tool", "value": rounded(tools.call_alone, 1)}, {"label": format!("{} tools", tools.count), "value": rounded(tools.call, 1)},
            ]},
        ],
    })
}
