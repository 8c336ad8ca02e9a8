//! A long call that says how far it is. The first report turns the HTTP answer into an event
//! stream; a client that goes away ends the call.
//!
//! ```sh
//! cargo run -p mcpfn-examples --example progress -- call count_down '{"from": 3}'
//! ```

use std::time::Duration;

use mcpfn::LogLevel;
use mcpfn::prelude::*;

#[input]
struct CountDown {
    /// Seconds to count.
    #[schemars(range(min = 1, max = 20))]
    from: u32,
}

/// Counts down, a second at a time.
#[tool(read_only, timeout = "30s")]
async fn count_down(args: CountDown, cx: &Cx) -> String {
    for second in 1..=args.from {
        cx.sleep(Duration::from_secs(1)).await;
        let left = args.from - second;
        let text = format!("{left} left");
        cx.progress(f64::from(second), Some(f64::from(args.from)), Some(&text));
    }
    // the client's log, if the client asked for this level
    cx.log(LogLevel::Info, "lift-off");
    format!("Counted down from {}.", args.from)
}

pub(crate) fn server() -> Builder {
    Server::builder("rocket", "1.0.0")
        .tool(count_down)
        .logging()
}

mcpfn::main!(server);
