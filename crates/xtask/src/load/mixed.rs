//! Mixed calls for a while, through the balancer: whether an instance keeps anything of calls that have
//! ended, in memory or as descriptors.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::json;

use super::{cluster::Cluster, kept::KeptConnection, usage::Usage};
use crate::{
    lambda::http,
    report::{Error, Result},
};

const CALLERS: u64 = 6;

/// Looks at the instances while calls go on; the first third fills caches and pools.
const LOOKS: usize = 30;

/// What an instance may have more at the end than after that third, however long it takes: in KiB, and
/// descriptors.
const GROWTH: u64 = 8 * 1024;
const DESCRIPTORS: u64 = 16;

/// Calls for so long, at most `rate` of them a second: an hour need not take the whole machine.
pub(super) fn run(cluster: &Cluster, time: Duration, rate: Option<u32>) -> Result<()> {
    let (ends, served) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU64::new(0)),
    );
    let address = cluster.address;
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let (ends, served) = (Arc::clone(&ends), Arc::clone(&served));
            thread::spawn(move || -> Result<()> {
                let mut number = caller;
                let (start, mut called) = (Instant::now(), 0);
                while !ends.load(Ordering::Relaxed) {
                    call(address, number)?;
                    served.fetch_add(1, Ordering::Relaxed);
                    number += CALLERS;
                    called += 1;
                    let due = rate.map(|rate| pace(rate) * called);
                    thread::sleep(due.unwrap_or_default().saturating_sub(start.elapsed()));
                }
                Ok(())
            })
        })
        .collect();
    let looked = look(cluster, time);
    ends.store(true, Ordering::Relaxed);
    for caller in callers {
        let ended = caller.join();
        ended.unwrap_or_else(|_| Err(Error::new("a caller panicked")))?;
    }
    println!(
        "  {} calls in {} s",
        served.load(Ordering::Relaxed),
        time.as_secs()
    );
    flat(&looked?, time)
}

/// From one call to the next of each caller.
fn pace(rate: u32) -> Duration {
    Duration::from_secs(CALLERS) / rate.max(1)
}

/// What each instance had, look by look.
fn look(cluster: &Cluster, time: Duration) -> Result<Vec<Vec<Usage>>> {
    let start = Instant::now();
    let mut looks = Vec::new();
    for number in 1..=LOOKS {
        let at = time * u32::try_from(number).unwrap_or(1) / u32::try_from(LOOKS).unwrap_or(1);
        thread::sleep(at.saturating_sub(start.elapsed()));
        let all = cluster.processes().into_iter().map(Usage::of);
        looks.push(all.collect::<Result<_>>()?);
    }
    Ok(looks)
}

/// Whether memory and descriptors stay as they were: the last third has no more than the one before
/// had at most, and the line through both does not rise by more. The maxima see what jumps, the line
/// what creeps.
fn flat(looks: &[Vec<Usage>], time: Duration) -> Result<()> {
    let third = looks.len() / 3;
    let minutes = time.as_secs_f64() / 60.0 * 2.0 / 3.0;
    for instance in 0..looks.first().map_or(0, Vec::len) {
        let mut grows = Vec::new();
        for (what, unit, of, bound) in MEASURES {
            let all = looks.iter().filter_map(|look| look.get(instance));
            let all: Vec<u64> = all.map(of).collect();
            let most = |part: &[u64]| part.iter().copied().max().unwrap_or(0);
            let (before, then) = (most(&all[third..2 * third]), most(&all[2 * third..]));
            let rise = rise(&all[third..]);
            println!(
                "  instance {instance}, {what}: at most {before}, and at the end {then}{unit}; {:+.2}{unit} \
                 a minute",
                rise / minutes
            );
            if then > before + bound || rise > bound as f64 {
                grows.push(what);
            }
        }
        if !grows.is_empty() {
            let grows = grows.join(" and ");
            return Err(Error::new(format!("instance {instance} grows: {grows}")));
        }
    }
    Ok(())
}

type Measure = (&'static str, &'static str, fn(&Usage) -> u64, u64);

/// What is looked at, its unit, and by how much it may grow.
const MEASURES: [Measure; 2] = [
    ("memory", " KiB", |usage| usage.now, GROWTH),
    ("descriptors", "", |usage| usage.descriptors, DESCRIPTORS),
];

/// By how much the line through these, at equal distances, is higher at its end: least squares.
fn rise(values: &[u64]) -> f64 {
    let count = values.len() as f64;
    let middle = (count - 1.0) / 2.0;
    let mean = values.iter().sum::<u64>() as f64 / count;
    let (mut above, mut below) = (0.0, 0.0);
    for (at, value) in values.iter().enumerate() {
        let far = at as f64 - middle;
        above += far * (*value as f64 - mean);
        below += far * far;
    }
    if below > 0.0 {
        above / below * (count - 1.0)
    } else {
        0.0
    }
}

/// One of several kinds: a result, a list, a stream, a refusal, a client that goes away.
fn call(address: SocketAddr, number: u64) -> Result<()> {
    let (body, status) = match number % 16 {
        0 => (
            json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}),
            200,
        ),
        1 => (http::call("test_tool_with_progress", &json!({})), 200),
        2 => (json!({"jsonrpc": "2.0", "method": 7}), 400),
        3 | 4 => (http::call("test_tool_with_logging", &json!({})), 200),
        _ => (http::call("add", &json!({"a": number, "b": 1})), 200),
    };
    let mut connection = KeptConnection::open(address)?;
    connection.send(&body.to_string())?;
    if number % 16 == 4 {
        return Ok(());
    }
    match connection.receive()? {
        (said, _) if said == status => Ok(()),
        (said, body) => Err(Error::new(format!("status {said} for {status}: {body}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_seen_and_a_warm_up_is_none() {
        let looks = |memory: fn(u64) -> u64, descriptors: fn(u64) -> u64| {
            let look = |number| {
                vec![Usage {
                    now: memory(number),
                    most: 0,
                    descriptors: descriptors(number),
                }]
            };
            flat(
                &(0..30).map(look).collect::<Vec<_>>(),
                Duration::from_secs(600),
            )
            .is_ok()
        };
        assert!(looks(|number| number.min(9) * 10_000, |_| 40));
        assert!(!looks(|number| number * 1_000, |_| 40), "a megabyte a look");
        assert!(
            !looks(|_| 40, |number| number * 2),
            "two descriptors a look"
        );
        // up and down, and no higher at the end: only the line rises
        assert!(looks(|number| number % 5 * 1_000, |number| 40 + number % 3));
        // a jump hides from the maxima what creeps; the line sees it
        let creeps = |number: u64| 40 + number * 600 + if number == 15 { 9_000 } else { 0 };
        assert!(!looks(creeps, |_| 40), "half a megabyte a look");
        assert_eq!(rise(&[1, 3, 5]).round(), 4.0);
    }
}
