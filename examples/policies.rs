//! What surrounds a handler: who may call it (`scope`), how often (`rate_limit`), how long
//! (`timeout`), and for how long a result is kept (`cache`). The handler knows nothing of it.
//!
//! ```sh
//! cargo run -p mcpfn-examples --example policies -- call exchange_rate '{"currency": "CHF"}'
//! ```

use std::sync::atomic::{AtomicU32, Ordering};

use mcpfn::prelude::*;

/// How often the slow part ran.
#[derive(Default)]
pub(crate) struct Lookups(pub(crate) AtomicU32);

#[input]
struct ExchangeRate {
    /// Three letters, such as CHF.
    #[schemars(regex(pattern = "^[A-Z]{3}$"))]
    currency: String,
}

#[output]
struct Rate {
    /// Euros for one unit.
    euros: f64,
}

/// What one unit of a currency costs in euros.
///
/// Everybody may share a result for a minute; after that, an old one is given for another five
/// while a new one is made. Each caller may ask twice in ten seconds, of which cached results count
/// too.
#[tool(
    read_only,
    scope = "rates:read",
    rate_limit = "2/10s",
    timeout = "2s",
    cache = "60s",
    cache_stale = "5m",
    cache_public
)]
async fn exchange_rate(args: ExchangeRate, cx: &Cx) -> Result<Rate, ToolError> {
    cx.state::<Lookups>()?.0.fetch_add(1, Ordering::Relaxed);
    match args.currency.as_str() {
        "CHF" => Ok(Rate { euros: 1.07 }),
        "USD" => Ok(Rate { euros: 0.85 }),
        other => Err(ToolError::new(format!(
            "no rate of {other} is known; try CHF or USD"
        ))),
    }
}

pub(crate) fn server() -> Builder {
    Server::builder("bank", "1.0.0")
        .tool(exchange_rate)
        .state(Lookups::default())
}

mcpfn::main!(server);
