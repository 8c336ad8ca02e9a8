//! What each question to a service costs a call, in microseconds: one after the other, over a kept
//! connection on this machine.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use mcpfn_core::port::{Hold, Rate, StoreError};

use crate::contract::Store;

const CALLS: u64 = 300;
const NOW: u64 = 1_795_168_800_000;

/// Prints a row for each question; nothing of it is a check.
///
/// # Errors
/// When the service does not answer.
pub async fn print(stores: &Arc<dyn Store>) -> Result<(), StoreError> {
    let holder = [9; 16];
    let hold = Hold {
        now_ms: NOW,
        until_ms: NOW + 1000,
        expires_ms: NOW + 60_000,
    };
    let value = Bytes::from(vec![b'x'; 3000]);
    println!("\nmicroseconds a question           median     p99");
    for what in [
        "rate limit",
        "result, missing",
        "result, put",
        "write, begun",
        "write, done",
    ] {
        let mut times = Vec::new();
        for call in 0..CALLS {
            let key = format!("cost-{call}");
            let start = Instant::now();
            match what {
                "rate limit" => drop(stores.admit(&key, Rate::per_minute(9), NOW).await?),
                "result, missing" => drop(stores.get(&key, NOW).await?),
                "result, put" => stores.put(&key, value.clone(), NOW + 1).await?,
                "write, begun" => drop(stores.begin(&key, &holder, hold).await?),
                _ => {
                    let result = value.clone();
                    stores.complete(&key, &holder, result, NOW + 1).await?;
                }
            }
            times.push(start.elapsed());
        }
        times.sort_unstable();
        let at = |part: usize| times[(times.len() - 1) * part / 100].as_micros();
        println!("{what:<30} {:>9} {:>7}", at(50), at(99));
    }
    println!();
    Ok(())
}
