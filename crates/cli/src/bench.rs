//! `bench`: how fast a server answers over a number of connections, for a time that has an end. What
//! it measures is what a client sees: the way there and back is in it.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::arguments::{BenchArguments, InspectArguments};
use crate::inspect::{InspectSession, object};
use crate::output::{CliError, CliResult, remark, say};

/// What one connection saw.
#[derive(Default)]
struct BenchFigures {
    /// Of calls that went well, in microseconds.
    took: Vec<u32>,
    failed: usize,
    /// The first of the failures.
    why: Option<String>,
}

/// What is asked, again and again.
#[derive(Clone)]
struct BenchQuestion {
    method: &'static str,
    params: Value,
}

pub(crate) fn run(arguments: &BenchArguments) -> CliResult {
    let asked = match &arguments.tool {
        Some(tool) => BenchQuestion {
            method: "tools/call",
            params: json!({"name": tool, "arguments": object(&arguments.arguments)?}),
        },
        None => BenchQuestion {
            method: "tools/list",
            params: json!({}),
        },
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("the runtime can't start: {error}"))?;
    let (first, seen, lasted) = runtime.block_on(measure(arguments, &asked))?;
    runtime.shutdown_background();
    let report = report(arguments, &asked, first, &seen, lasted);
    if arguments.json {
        say(&report);
    } else {
        say(shown(&report));
    }
    if let Some(why) = &seen.why {
        let why = mcpfn_core::text::visible(why);
        remark(format_args!("the first failure: {why}"));
    }
    Ok(match seen.failed {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

async fn measure(
    arguments: &BenchArguments,
    asked: &BenchQuestion,
) -> Result<(Duration, BenchFigures, Duration), CliError> {
    let target = InspectArguments {
        url: Some(arguments.url.clone()),
        access: arguments.access.clone(),
        command: Vec::new(),
        timeout_seconds: 60,
        question: None,
    };
    let begun = Instant::now();
    // connects, asks what the server is, and is the only one
    let mut sessions = vec![InspectSession::open(&target).await?];
    let first = begun.elapsed();
    // a question that can't be answered is not asked ten thousand times
    once(&mut sessions[0], asked).await?;
    for _ in 1..arguments.connections {
        sessions.push(InspectSession::open(&target).await?);
    }
    let begun = Instant::now();
    let end = begun + Duration::from_secs(arguments.seconds);
    let workers: Vec<_> = sessions
        .into_iter()
        .map(|session| tokio::spawn(work(session, asked.clone(), end)))
        .collect();
    let mut all = BenchFigures::default();
    for worker in workers {
        let seen = worker.await.map_err(|_| "a connection was broken off")?;
        all.took.extend(seen.took);
        all.failed += seen.failed;
        all.why = all.why.or(seen.why);
    }
    let lasted = begun.elapsed();
    all.took.sort_unstable();
    Ok((first, all, lasted))
}

async fn work(mut session: InspectSession, asked: BenchQuestion, end: Instant) -> BenchFigures {
    let mut seen = BenchFigures::default();
    while Instant::now() < end {
        let begun = Instant::now();
        match once(&mut session, &asked).await {
            Ok(()) => {
                let micros = begun.elapsed().as_micros();
                seen.took.push(u32::try_from(micros).unwrap_or(u32::MAX));
            }
            Err(why) => {
                seen.failed += 1;
                seen.why.get_or_insert(why.0);
                // a server that is away is not asked without a pause
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
    session.close().await;
    seen
}

async fn once(session: &mut InspectSession, asked: &BenchQuestion) -> Result<(), CliError> {
    let result = session.request(asked.method, asked.params.clone()).await?;
    if result["isError"] == true {
        let text = result["content"][0]["text"].as_str().unwrap_or("isError");
        return Err(format!("the tool failed: {text}").into());
    }
    Ok(())
}

fn report(
    arguments: &BenchArguments,
    asked: &BenchQuestion,
    first: Duration,
    seen: &BenchFigures,
    lasted: Duration,
) -> Value {
    let of = |percent: usize| milliseconds(Duration::from_micros(quantile(&seen.took, percent)));
    let calls = u32::try_from(seen.took.len()).unwrap_or(u32::MAX);
    json!({
        "asked": asked.method,
        "connections": arguments.connections,
        "seconds": (lasted.as_secs_f64() * 100.0).round() / 100.0,
        "calls": calls,
        "failed": seen.failed,
        "calls_a_second": (f64::from(calls) / lasted.as_secs_f64()).round(),
        "p50_ms": of(50),
        "p99_ms": of(99),
        "slowest_ms": of(100),
        "first_answer_ms": milliseconds(first),
    })
}

/// The smallest of sorted times that this share does not exceed.
fn quantile(sorted: &[u32], percent: usize) -> u64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default().into()
}

fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 100_000.0).round() / 100.0
}

fn shown(report: &Value) -> String {
    let Value::Object(members) = report else {
        return String::new();
    };
    let line = |(name, value): (&String, &Value)| {
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        format!("{:<16} {value}", name.replace('_', " "))
    };
    members.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_times_that_were_seen() {
        let hundred: Vec<u32> = (1..=100).collect();
        for (sorted, percent, expected) in [
            (&hundred[..], 50, 50),
            (&hundred, 99, 99),
            (&hundred, 100, 100),
            (&[7], 50, 7),
            (&[7], 99, 7),
            (&[1, 9], 50, 1),
            (&[1, 9], 99, 9),
            (&[], 99, 0),
        ] {
            assert_eq!(
                quantile(sorted, percent),
                expected,
                "{percent} of {sorted:?}"
            );
        }
    }
}
