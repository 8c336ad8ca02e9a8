//! What a call costs when the service behind the stores is down: figures for every kind of outage,
//! and whether they are bearable. The service is down from the first call on, or from the moment
//! in which a connection to it was there; a call is one decision on a rate limit.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mcpfn_core::port::Rate;
use tokio::time::sleep;

use crate::contract::Store;
use crate::pipe::{Flow, Pipe};
use crate::report::Report;
use crate::service::Service;

/// Calls after the first five.
const CALLS: u64 = 100;

/// The breaker's pause, and a little.
const PAUSE: Duration = Duration::from_millis(5200);

/// What a busy machine may add to the first questions of an outage.
const SLACK: Duration = Duration::from_millis(500);

/// A kind of outage, and the most that it may cost.
#[derive(Debug, Clone, Copy)]
struct ServiceOutage {
    name: &'static str,
    flow: Flow,
    /// There was a connection before.
    warm: bool,
    /// The breaker finds out by questions that have no answer in time, and not at once.
    by_time: bool,
}

const OUTAGES: &[ServiceOutage] = &[
    ServiceOutage {
        name: "no answer to the first question",
        flow: Flow::Silent,
        warm: false,
        by_time: true,
    },
    ServiceOutage {
        name: "no answer any more",
        flow: Flow::Silent,
        warm: true,
        by_time: true,
    },
    ServiceOutage {
        name: "slow",
        // longer than any attempt, whoever is asked
        flow: Flow::Slow(Duration::from_millis(800)),
        warm: true,
        by_time: true,
    },
    ServiceOutage {
        name: "cut at once",
        flow: Flow::Cut,
        warm: false,
        by_time: false,
    },
    ServiceOutage {
        name: "cut, and cut again",
        flow: Flow::Cut,
        warm: true,
        by_time: false,
    },
    ServiceOutage {
        name: "answers lost",
        flow: Flow::Lost,
        warm: true,
        by_time: false,
    },
];

/// One outage as it was met.
struct Met {
    name: &'static str,
    most: Duration,
    pipe: Pipe,
    stores: Arc<dyn Store>,
    first: Duration,
    found_out: Duration,
    median: Duration,
    longest: Duration,
    wrong: Vec<String>,
}

/// Meets every outage, one after the other. No error may have one of these texts.
pub async fn meet(service: &Service, secrets: &'static [&'static str], report: &mut Report) {
    let mut all = Vec::new();
    for outage in OUTAGES {
        all.push(meet_one(service, *outage, secrets).await);
    }
    println!(
        "\noutage (milliseconds)             first call  first five  then median  then longest"
    );
    for met in &all {
        let ms = |time: Duration| format!("{:.3}", time.as_secs_f64() * 1000.0);
        println!(
            "{:<33} {:>10}  {:>10}  {:>11}  {:>12}",
            met.name,
            ms(met.first),
            ms(met.found_out),
            ms(met.median),
            ms(met.longest)
        );
    }
    println!();
    for met in &all {
        met.pipe.set(Flow::Pass);
    }
    sleep(PAUSE).await;
    for met in all {
        let name = format!("{}: bearable, and over when it is over", met.name);
        report.check(&name, met.check()).await;
    }
}

async fn meet_one(service: &Service, outage: ServiceOutage, secrets: &[&str]) -> Met {
    let (pipe, stores) = service.behind(service.limit).await;
    if outage.warm {
        // the machine may be busy: this is no part of the outage
        let warm = stores.admit("warm", Rate::per_minute(1000), 1000).await;
        if warm.is_err() {
            sleep(PAUSE).await;
            stores
                .admit("warm", Rate::per_minute(1000), 1000)
                .await
                .expect("it is there before the outage");
        }
    }
    pipe.set(outage.flow);
    let (mut times, mut wrong) = (Vec::new(), Vec::new());
    for call in 0..5 + CALLS {
        let start = Instant::now();
        let decision = stores.admit("outage", Rate::per_minute(1), 1000).await;
        times.push(start.elapsed());
        match decision {
            Ok(decision) => wrong.push(format!("call {call} got {decision:?}")),
            Err(error) => {
                let error = error.to_string();
                if error.len() > 300 || secrets.iter().any(|secret| error.contains(secret)) {
                    wrong.push(error);
                }
            }
        }
    }
    let found_out = times[..5].iter().sum();
    let first = times[0];
    let rest = &mut times[5..];
    rest.sort_unstable();
    Met {
        name: outage.name,
        // two attempts, and one more that is the third failure of its key
        most: match outage.by_time {
            true => service.limit * 8 / 5 + SLACK,
            false => SLACK,
        },
        first,
        found_out,
        median: rest[rest.len() / 2],
        longest: rest[rest.len() - 1],
        pipe,
        stores,
        wrong,
    }
}

impl Met {
    async fn check(self) {
        assert!(self.wrong.is_empty(), "{:?}", self.wrong);
        assert!(
            self.found_out <= self.most,
            "the first five calls took {:?}",
            self.found_out
        );
        assert!(
            self.median < Duration::from_millis(1),
            "later calls took {:?}",
            self.median
        );
        self.stores
            .admit("recovery", Rate::per_minute(1000), 1000)
            .await
            .expect("it is over");
    }
}
