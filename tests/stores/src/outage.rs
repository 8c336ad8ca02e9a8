//! What a call costs when DynamoDB is down: figures for every kind of outage, and whether they are
//! bearable. The table is down from the first call on; a call is one decision on a rate limit.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mcpfn_core::port::{Admission, Rate, RateLimiter as _, ResultCache as _};
use mcpfn_lambda::dynamodb::Stores;
use tokio::net::TcpListener;

use crate::proxy::{Mode, Proxy};
use crate::table::{SECRET, at};

/// Calls after the first five.
const CALLS: u64 = 100;

/// A kind of outage, and the most that it may cost.
#[derive(Debug, Clone, Copy)]
struct Outage {
    name: &'static str,
    /// None: nothing listens.
    mode: Option<Mode>,
    /// Milliseconds of the first five calls together, in which the breaker finds out; beside the
    /// machine's own slowness.
    found_out: u64,
    /// Requests of those five.
    requests: usize,
    /// What the error says; nothing where there is none, because the caller is counted here.
    says: &'static str,
    counts: bool,
}

const fn answer(status: u16, code: &'static str) -> Option<Mode> {
    Some(Mode::Answer {
        status,
        code,
        message: "The conditions are hunter2",
    })
}

const OUTAGES: &[Outage] = &[
    Outage {
        name: "throttled",
        mode: answer(400, "ProvisionedThroughputExceededException"),
        found_out: 10,
        requests: 1,
        says: "",
        counts: true,
    },
    Outage {
        name: "throttled (account)",
        mode: answer(400, "ThrottlingException"),
        found_out: 10,
        requests: 1,
        says: "",
        counts: true,
    },
    Outage {
        name: "status 500",
        mode: answer(500, "InternalServerError"),
        found_out: 10,
        requests: 3,
        says: "failed on its side",
        counts: false,
    },
    Outage {
        name: "status 503, no DynamoDB",
        mode: Some(Mode::Answer {
            status: 503,
            code: "",
            message: "<html>hunter2",
        }),
        found_out: 10,
        requests: 3,
        says: "",
        counts: false,
    },
    Outage {
        name: "missing table",
        mode: answer(400, "ResourceNotFoundException"),
        found_out: 10,
        requests: 1,
        says: "deploy template.yaml",
        counts: false,
    },
    Outage {
        name: "access denied",
        mode: answer(400, "AccessDeniedException"),
        found_out: 10,
        requests: 1,
        says: "its role must allow",
        counts: false,
    },
    Outage {
        name: "signature refused",
        mode: answer(400, "InvalidSignatureException"),
        found_out: 10,
        requests: 1,
        says: "refuses the function's credentials",
        counts: false,
    },
    Outage {
        name: "connection refused",
        mode: None,
        found_out: 10,
        requests: 0,
        says: "can't be reached",
        counts: false,
    },
    Outage {
        name: "no answer",
        mode: Some(Mode::Hang),
        found_out: 400,
        requests: 3,
        says: "timed out after",
        counts: false,
    },
    Outage {
        name: "slow, 200 ms",
        mode: Some(Mode::Slow(Duration::from_millis(200))),
        found_out: 400,
        requests: 3,
        says: "timed out after",
        counts: false,
    },
    Outage {
        name: "reset in the answer",
        mode: Some(Mode::Reset),
        found_out: 10,
        requests: 3,
        says: "",
        counts: false,
    },
];

/// One outage as it was met.
#[derive(Debug)]
pub struct Met {
    outage: Outage,
    proxy: Option<Proxy>,
    stores: Stores,
    first: Duration,
    found_out: Duration,
    median: Duration,
    longest: Duration,
    requests: usize,
    /// What is wrong, beside figures.
    wrong: Vec<String>,
}

/// Meets every outage, one after the other.
pub async fn meet(emulator: SocketAddr, table: &str) -> Vec<Met> {
    let mut met = Vec::new();
    for outage in OUTAGES {
        met.push(meet_one(emulator, table, *outage).await);
    }
    met
}

async fn meet_one(emulator: SocketAddr, table: &str, outage: Outage) -> Met {
    let proxy = match outage.mode {
        Some(mode) => {
            let proxy = Proxy::start(emulator).await.expect("a port is free");
            proxy.set(mode);
            Some(proxy)
        }
        None => None,
    };
    let address = match &proxy {
        Some(proxy) => proxy.address,
        None => nobody().await,
    };
    let mut table_there = at(address, table);
    if !matches!(outage.mode, Some(Mode::Hang | Mode::Slow(_))) {
        // answered at once: on a busy machine, too, nothing of this is to be the limit's doing
        table_there.timeout = Duration::from_secs(30);
    }
    let stores = Stores::new(table_there);
    let mut times = Vec::new();
    let mut wrong = Vec::new();
    for call in 0..5 + CALLS {
        let start = Instant::now();
        let decision = stores.admit("outage", Rate::per_minute(1), 1000).await;
        times.push(start.elapsed());
        match decision {
            Ok(decision) if outage.counts && (decision == Admission::Admitted) == (call == 0) => {}
            Ok(decision) => wrong.push(format!("call {call} got {decision:?}")),
            Err(error) => {
                let error = error.to_string();
                let said =
                    error.contains(outage.says) && error.contains(table) && !error.contains(SECRET);
                if !said {
                    wrong.push(error);
                }
            }
        }
    }
    let found_out = times[..5].iter().sum();
    let first = times[0];
    let rest = &mut times[5..];
    rest.sort_unstable();
    let (median, longest) = (rest[rest.len() / 2], rest[rest.len() - 1]);
    let requests = proxy.as_ref().map_or(0, |proxy| proxy.counts().1);
    Met {
        outage,
        proxy,
        stores,
        first,
        found_out,
        median,
        longest,
        requests,
        wrong,
    }
}

/// An address at which nothing listens.
async fn nobody() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port is free");
    listener.local_addr().expect("a listener has an address")
}

impl Met {
    /// The outage's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.outage.name
    }

    /// The heading of [`Self::row`].
    pub const HEADING: &'static str =
        "outage                    first call  first five  then median  then longest  requests";

    /// The figures, in milliseconds.
    #[must_use]
    pub fn row(&self) -> String {
        let ms = |time: Duration| format!("{:.3}", time.as_secs_f64() * 1000.0);
        let times = [
            ms(self.first),
            ms(self.found_out),
            ms(self.median),
            ms(self.longest),
        ];
        format!(
            "{:<25} {:>10}  {:>10}  {:>11}  {:>12}  {:>8}",
            self.outage.name, times[0], times[1], times[2], times[3], self.requests
        )
    }

    /// Panics over figures that are not bearable. `slack` is for a busy machine, on which a first
    /// request takes its time.
    pub fn check(&self, slack: Duration) {
        assert!(self.wrong.is_empty(), "{:?}", self.wrong);
        let most = Duration::from_millis(self.outage.found_out) + slack;
        assert!(
            self.found_out <= most,
            "the first five calls took {:?}",
            self.found_out
        );
        assert!(
            self.median < Duration::from_millis(1),
            "later calls took {:?}",
            self.median
        );
        assert_eq!(self.requests, self.outage.requests);
    }

    /// Ends the outage, where something can end it. The breaker must have had its time.
    pub async fn recovers(&self) -> Result<(), String> {
        let Some(proxy) = &self.proxy else {
            return Ok(());
        };
        proxy.set(Mode::Pass);
        self.stores
            .get("recovery", 0)
            .await
            .map(drop)
            .map_err(|error| error.to_string())
    }
}
