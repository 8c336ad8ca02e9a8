//! What the shared table costs: so many environments, one caller or 100,000, and the limits of a
//! partition as DynamoDB has them. The adapters are the real ones, the table and the time are
//! played. A row is what one call costs on average.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use mcpfn_core::policy::FailureMode;
use mcpfn_core::port::{Admission, Rate, RateLimiter as _, ResultCache as _};
use mcpfn_lambda::dynamodb::Stores;
use tokio::time::{Instant, sleep_until};

use crate::contract::Store;
use crate::fake::{Costs, Fake};
use crate::world::{Step, Work, World};

/// Environments of a function.
const ENVIRONMENTS: [usize; 3] = [10, 100, 1000];
/// Calls in a second, over all environments.
const CALLS_PER_SECOND: usize = 3000;
const SECONDS: usize = 2;
const CALLS: usize = CALLS_PER_SECOND * SECONDS;
/// Any time will do.
const NOW: u64 = 1_795_168_800_000;
/// Bytes of the cached result.
const RESULT: usize = 3000;

/// What the calls of one row did, and what they cost.
#[derive(Debug, Clone, Copy, Default)]
pub struct Row {
    /// What is asked.
    pub what: &'static str,
    /// Environments.
    pub environments: usize,
    /// Callers.
    pub callers: usize,
    /// Calls.
    pub calls: usize,
    /// Calls that were admitted, or that found a result.
    pub served: usize,
    /// Calls for which the store was unavailable.
    pub failed: usize,
    /// Requests and units.
    pub costs: Costs,
}

impl Row {
    /// The heading of [`Row::text`].
    pub const HEADING: &'static str = "| what | environments | callers | calls | served | \
        unavailable | requests a call | throttled | read units a call | write units a call |\n\
        |---|---|---|---|---|---|---|---|---|---|";

    /// A row of a table in Markdown.
    #[must_use]
    pub fn text(&self) -> String {
        let each = |sum: f64| sum / self.calls as f64;
        format!(
            "| {} | {} | {} | {} | {} | {} | {:.3} | {} | {:.3} | {:.3} |",
            self.what,
            self.environments,
            self.callers,
            self.calls,
            self.served,
            self.failed,
            each(self.costs.requests as f64),
            self.costs.throttled,
            each(self.costs.reads),
            each(self.costs.writes)
        )
    }
}

/// All rows, one after the other.
pub async fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for environments in ENVIRONMENTS {
        for callers in [1, 100_000] {
            rows.push(limited("limit 60/min", Rate::per_minute(60), environments, callers).await);
            let rate = Rate {
                calls: 5000,
                per: Duration::from_secs(1),
            };
            rows.push(limited("limit 5000/s", rate, environments, callers).await);
            rows.push(cached(environments, callers).await);
        }
        rows.push(waited(environments).await);
    }
    rows
}

fn stores(fake: &Fake, environments: usize) -> Vec<Stores> {
    let one = |_| Stores::over(Fake::table(), fake.clone());
    (0..environments).map(one).collect()
}

/// Which caller and environment a call has: in turns, so that each caller meets many environments.
fn met(call: usize, callers: usize, environments: usize) -> (String, usize) {
    let mixed = call.wrapping_mul(7919);
    (format!("{:0>43}", mixed % callers), mixed % environments)
}

async fn limited(what: &'static str, rate: Rate, environments: usize, callers: usize) -> Row {
    let (fake, start) = (Fake::default(), Instant::now());
    let stores = stores(&fake, environments);
    let mut row = Row {
        what,
        environments,
        callers,
        calls: CALLS,
        ..Row::default()
    };
    for call in 0..CALLS {
        let at = call as u64 * 1000 / CALLS_PER_SECOND as u64;
        sleep_until(start + Duration::from_millis(at)).await;
        fake.set_ms(NOW + at);
        let (caller, environment) = met(call, callers, environments);
        match stores[environment].admit(&caller, rate, NOW + at).await {
            Ok(Admission::Admitted) => row.served += 1,
            Ok(Admission::Refused { .. }) => {}
            Err(_) => row.failed += 1,
        }
    }
    row.costs = fake.costs();
    row
}

async fn cached(environments: usize, callers: usize) -> Row {
    let (fake, start) = (Fake::default(), Instant::now());
    let stores = stores(&fake, environments);
    let mut row = Row {
        what: "cached result",
        environments,
        callers,
        calls: CALLS,
        ..Row::default()
    };
    let value = Bytes::from(vec![b'x'; RESULT]);
    for call in 0..CALLS {
        let at = call as u64 * 1000 / CALLS_PER_SECOND as u64;
        sleep_until(start + Duration::from_millis(at)).await;
        fake.set_ms(NOW + at);
        let (caller, environment) = met(call, callers, environments);
        let store = &stores[environment];
        match store.get(&caller, NOW + at).await {
            Ok(Some(_)) => row.served += 1,
            Ok(None) => drop(store.put(&caller, value.clone(), NOW + 60_000).await),
            Err(_) => row.failed += 1,
        }
    }
    row.costs = fake.costs();
    row
}

/// A write of 900 ms that each environment repeats meanwhile.
async fn waited(environments: usize) -> Row {
    let fake = Fake::default();
    let shared = stores(&fake, environments)
        .into_iter()
        .map(|stores| Arc::new(stores) as Arc<dyn Store>)
        .collect();
    let works = [Work {
        ms: 900,
        fails: false,
    }];
    // its own limit is counted too, and is the same before and after
    let many = Rate::per_minute(1_000_000);
    let world = Arc::new(World::new(shared, &works, many, FailureMode::Closed));
    let steps: Vec<Step> = (0..environments)
        .map(|environment| Step {
            at_ms: 1,
            environment,
            caller: 1,
            write: Some(0),
            gone_after_ms: None,
        })
        .collect();
    let outcomes = world.run(&steps).await;
    let served = |said: &Option<String>| said.as_deref() == Some("run 1");
    Row {
        what: "write and its repeats",
        environments,
        callers: 1,
        calls: environments,
        served: outcomes.iter().filter(|call| served(&call.said)).count(),
        failed: 0,
        costs: fake.costs(),
    }
}
