//! A port of one's own (what a tool needs of the outside, as a trait) and a store of one's own
//! (where results of tools are kept). Tests give the tool another implementation.
//!
//! ```sh
//! cargo run -p mcpfn-examples --example own_port -- call announce '{"text": "tea is ready"}'
//! ```

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use mcpfn::prelude::*;
use mcpfn::{
    Setup,
    handler::BoxFuture,
    port::{Platform, ResultCache, StoreError},
};

/// Somewhere that people hear of things.
pub(crate) trait Announcer: Send + Sync {
    /// Says it, and how many heard it.
    fn say<'a>(&'a self, text: &'a str) -> BoxFuture<'a, Result<u32, StoreError>>;
}

/// The terminal, where one person reads.
struct Terminal;

impl Announcer for Terminal {
    fn say<'a>(&'a self, text: &'a str) -> BoxFuture<'a, Result<u32, StoreError>> {
        Box::pin(async move {
            eprintln!("*** {text} ***");
            Ok(1)
        })
    }
}

#[input]
struct Announce {
    /// What to say.
    #[schemars(length(min = 1, max = 200))]
    text: String,
}

/// Announces something to everybody.
#[tool(destructive = false)]
async fn announce(args: Announce, cx: &Cx) -> Result<String, ToolError> {
    let announcer = cx.port::<dyn Announcer>()?;
    match announcer.say(&args.text).await {
        Ok(heard) => Ok(format!("{heard} heard it.")),
        // one sentence for the model, the cause for the log
        Err(cause) => Err(ToolError::unavailable(
            "nobody can hear us now; try later",
            cause,
        )),
    }
}

/// What time it is, to the minute.
#[tool(read_only, cache = "60s")]
async fn time(cx: &Cx) -> String {
    let minutes = cx.now_ms() / 60_000 % 1440;
    format!("{:02}:{:02} UTC", minutes / 60, minutes % 60)
}

/// Results of tools, at most a hundred. Losing one is allowed, giving an expired one is not.
#[derive(Default)]
pub(crate) struct SmallCache(Mutex<HashMap<String, (Bytes, u64)>>);

impl ResultCache for SmallCache {
    fn get<'a>(
        &'a self,
        key: &'a str,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Option<Bytes>, StoreError>> {
        let results = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = results.get(key);
        let fresh = found.filter(|(_, expires_ms)| *expires_ms > now_ms);
        let value = fresh.map(|(value, _)| value.clone());
        Box::pin(async { Ok(value) })
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        value: Bytes,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let mut results = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if results.len() >= 100 {
            results.clear();
        }
        results.insert(key.to_owned(), (value, expires_ms));
        Box::pin(async { Ok(()) })
    }
}

pub(crate) fn server() -> Builder {
    Server::builder("announcer", "1.0.0")
        .tool(announce)
        .tool(time)
}

fn main() -> std::process::ExitCode {
    let ports = |platform: Platform| {
        platform
            .with_port::<dyn Announcer>(Arc::new(Terminal))
            .with_cache(Arc::new(SmallCache::default()))
    };
    let setup = || {
        Ok::<_, Infallible>(Setup {
            builder: server(),
            ports,
        })
    };
    mcpfn::run_with(setup, &[])
}
