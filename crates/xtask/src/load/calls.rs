//! Calls that go on until they are told to end: how many were served, and what became of the others.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use serde_json::json;

use crate::lambda::http;

/// Callers at the same time.
const CALLERS: u64 = 6;

/// Slow calls at the same time.
const SLOW: usize = 16;

/// No call takes longer, whatever happens to the instance that had it.
const LIMIT: Duration = Duration::from_secs(10);

/// What became of calls.
#[derive(Debug, Default)]
pub(super) struct CallCounts {
    pub(super) served: u64,
    pub(super) lost: Vec<String>,
}

/// Callers at work.
pub(super) struct Load {
    ends: Arc<AtomicBool>,
    callers: Vec<JoinHandle<CallCounts>>,
}

impl Load {
    pub(super) fn start(address: SocketAddr) -> Self {
        let ends = Arc::new(AtomicBool::new(false));
        let caller = |caller: u64| {
            let ends = Arc::clone(&ends);
            thread::spawn(move || {
                let mut counts = CallCounts::default();
                let mut number = caller;
                while !ends.load(Ordering::Relaxed) {
                    counts.count(add(address, number));
                    number += CALLERS;
                }
                counts
            })
        };
        let callers = (0..CALLERS).map(caller).collect();
        Self { ends, callers }
    }

    pub(super) fn end(self) -> CallCounts {
        self.ends.store(true, Ordering::Relaxed);
        let mut all = CallCounts::default();
        for caller in self.callers {
            match caller.join() {
                Ok(counts) => {
                    all.served += counts.served;
                    all.lost.extend(counts.lost);
                }
                Err(_) => all.lost.push("a caller panicked".to_owned()),
            }
        }
        all
    }
}

impl CallCounts {
    fn count(&mut self, call: Result<(), String>) {
        match call {
            Ok(()) => self.served += 1,
            Err(why) => self.lost.push(why),
        }
    }
}

/// So many calls, one after the other.
pub(super) fn several(address: SocketAddr, calls: u64) -> CallCounts {
    let mut counts = CallCounts::default();
    for number in 0..calls {
        counts.count(add(address, number));
    }
    counts
}

/// A call whose answer is known.
fn add(address: SocketAddr, number: u64) -> Result<(), String> {
    let body = http::call("add", &json!({"a": number, "b": 1}));
    let answer = http::post(address, "/mcp", &body.to_string(), LIMIT);
    let answer = answer.map_err(|error| error.to_string())?;
    let said = answer.body();
    let text = said["result"]["content"][0]["text"].as_str();
    let sum = (number + 1).to_string();
    if answer.status == 200 && text.is_some_and(|text| text.contains(&sum)) {
        Ok(())
    } else {
        Err(format!("status {}: {said}", answer.status))
    }
}

/// Slow calls at work.
pub(super) struct SlowCalls(Vec<JoinHandle<bool>>);

pub(super) fn slow(address: SocketAddr) -> SlowCalls {
    let call = move || {
        let body = http::call("test_tool_with_progress", &json!({})).to_string();
        let answer = http::post(address, "/mcp", &body, LIMIT);
        answer.is_ok_and(|answer| {
            answer
                .events()
                .any(|(_, event)| event.contains("\"result\""))
        })
    };
    SlowCalls((0..SLOW).map(|_| thread::spawn(call)).collect())
}

impl SlowCalls {
    /// How many were served, and how many lost.
    pub(super) fn end(self) -> (usize, usize) {
        let ended = self.0.into_iter().map(|call| call.join().unwrap_or(false));
        let served = ended.filter(|served| *served).count();
        (served, SLOW - served)
    }
}
