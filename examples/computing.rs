//! A call that computes for long, beside the threads that answer other calls.
//!
//! ```sh
//! cargo run -p mcpfn-examples --example computing -- call count_primes '{"limit": 1000000}'
//! ```

use mcpfn::prelude::*;

#[input]
struct Limit {
    /// The last number that is looked at.
    #[schemars(range(min = 2, max = 5_000_000))]
    limit: u32,
}

/// Counts the primes up to a number.
#[tool(read_only, timeout = "10s")]
async fn count_primes(args: Limit, cx: &Cx) -> Result<String, ToolError> {
    let count = cx.blocking(move || primes_up_to(args.limit)).await?;
    Ok(format!("There are {count} primes up to {}.", args.limit))
}

/// The sieve of Eratosthenes.
fn primes_up_to(limit: u32) -> usize {
    let limit = limit as usize;
    let mut crossed_out = vec![false; limit + 1];
    for number in (2..=limit).take_while(|number| number * number <= limit) {
        if !crossed_out[number] {
            for multiple in (number * number..=limit).step_by(number) {
                crossed_out[multiple] = true;
            }
        }
    }
    crossed_out
        .iter()
        .skip(2)
        .filter(|crossed_out| !**crossed_out)
        .count()
}

pub(crate) fn server() -> Builder {
    Server::builder("primes", "1.0.0").tool(count_primes)
}

mcpfn::main!(server);
