//! Servers under an open loop, in turns, and the tables that show it beside the closed one. Knows
//! neither who the servers are nor what is good enough.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::contestant::{Contestant, Running};
use crate::order;
use crate::rounds::{Plan, Request, Scenario, bars};
use crate::schedule::{Schedule, turn};
use crate::{quantile_of_sorted, rounded};

/// One rate for all.
const COMMON: f64 = 1_000.0;
/// Of what each reached in the closed loop.
const SHARE: f64 = 0.5;

/// What all rounds of a server found.
struct Found {
    /// Calls a second that were sent.
    rate: f64,
    /// Calls a second that were answered, of each round.
    answered: Vec<f64>,
    /// In how many rounds it kept up.
    held: usize,
    /// Of every call of all rounds, sorted: a round alone has too few for its slowest thousandth.
    latencies: Vec<f64>,
}

impl Found {
    /// The latency at a share of all calls.
    fn at(&self, share: f64) -> f64 {
        quantile_of_sorted(&self.latencies, share)
    }

    fn held_all(&self) -> bool {
        self.held == self.answered.len()
    }

    fn answered(&self) -> f64 {
        self.answered.iter().sum::<f64>() / self.answered.len() as f64
    }
}

/// A choice of rates, and what each server made of its own.
pub(crate) struct Open {
    title: String,
    servers: Vec<Found>,
}

/// Calls by schedule, at one rate for all and at a share of what each reached in the closed loop.
pub(crate) async fn run(
    running: &[Running],
    request: Request,
    closed: &Scenario,
    plan: Plan,
) -> Vec<Open> {
    let share = |server| (SHARE * closed.middle(server, |round| round.per_second)).round();
    let rates: [(String, Vec<f64>); 2] = [
        (
            format!("{COMMON} calls a second for each"),
            vec![COMMON; running.len()],
        ),
        (
            format!("{SHARE} of what each reached"),
            (0..running.len()).map(share).collect(),
        ),
    ];
    let mut found = Vec::new();
    for (title, rates) in rates {
        println!(
            "open loop, {title}: {} rounds of {:?} for each",
            plan.rounds, plan.time
        );
        let servers = rounds(running, request, &rates, closed.connections, plan).await;
        found.push(Open { title, servers });
    }
    found
}

async fn rounds(
    running: &[Running],
    request: Request,
    rates: &[f64],
    connections: usize,
    plan: Plan,
) -> Vec<Found> {
    let start = |rate: &f64| Found {
        rate: *rate,
        answered: Vec::new(),
        held: 0,
        latencies: Vec::new(),
    };
    let mut found: Vec<Found> = rates.iter().map(start).collect();
    for round in 0..plan.rounds {
        for position in order::in_turn(running.len(), round) {
            let (server, found) = (&running[position], &mut found[position]);
            let schedule = Schedule {
                per_second: found.rate,
                time: plan.time,
            };
            let mut connections = server.connections(connections).await;
            let turn = turn(&mut connections, &request(server.port), schedule)
                .await
                .expect("every call is answered");
            found.held += usize::from(turn.held(schedule));
            found.answered.push(turn.per_second(schedule));
            found.latencies.extend(turn.latencies);
        }
    }
    for found in &mut found {
        found.latencies.sort_by(f64::total_cmp);
    }
    found
}

impl Open {
    /// Its heading and its table, beside the closed loop.
    pub(crate) fn section(&self, contestants: &[Contestant], closed: &Scenario) -> String {
        let mut out = format!(
            "\n## Open loop: {}, {} connections, {}\n\n| server | calls a second | held in rounds \
             | p50 | p99 | p99.9 | p50, closed loop | p99, closed loop |\n\
             |---|--:|--:|--:|--:|--:|--:|--:|\n",
            closed.method, closed.connections, self.title
        );
        for (position, (contestant, found)) in contestants.iter().zip(&self.servers).enumerate() {
            let reached = match found.held_all() {
                true => String::new(),
                false => format!(", {:.0} answered", found.answered()),
            };
            let _ = writeln!(
                out,
                "| {} | {:.0}{reached} | {} of {} | {:.0} µs | {:.0} µs | {:.0} µs | {:.0} µs \
                 | {:.0} µs |",
                contestant.name,
                found.rate,
                found.held,
                found.answered.len(),
                found.at(0.5),
                found.at(0.99),
                found.at(0.999),
                closed.middle(position, |round| round.p50),
                closed.middle(position, |round| round.p99),
            );
        }
        out
    }

    pub(crate) fn data(&self, contestants: &[Contestant], closed: &Scenario) -> Value {
        let of = |(contestant, found): (&Contestant, &Found)| {
            json!({
                "name": contestant.name,
                "per_second": found.rate,
                "answered_per_second": rounded(found.answered(), 1),
                "held_rounds": found.held,
                "rounds": found.answered.len(),
                "calls": found.latencies.len(),
                "p50_us": rounded(found.at(0.5), 1),
                "p99_us": rounded(found.at(0.99), 1),
                "p999_us": rounded(found.at(0.999), 1),
            })
        };
        let servers: Vec<Value> = contestants.iter().zip(&self.servers).map(of).collect();
        json!({
            "rates": self.title, "method": closed.method, "connections": closed.connections,
            "servers": servers,
        })
    }

    pub(crate) fn chart(&self, contestants: &[Contestant]) -> Value {
        let value = |position: usize| rounded(self.servers[position].at(0.99), 0);
        let title = format!("Open loop, {}: p99", self.title);
        json!({"title": title, "unit": "µs", "log": true, "bars": bars(contestants, value)})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_are_those_of_all_rounds_and_each_round_holds_or_not() {
        let found = Found {
            rate: 1_000.0,
            answered: vec![1_000.0, 500.0],
            held: 1,
            latencies: (1..=1_000).map(f64::from).collect(),
        };
        assert_eq!(
            [0.5, 0.99, 0.999].map(|share| found.at(share)),
            [501.0, 990.0, 999.0]
        );
        assert!(!found.held_all());
        assert_eq!(found.answered(), 750.0);
    }
}
