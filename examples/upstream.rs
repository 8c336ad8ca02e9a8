//! One server in front of another: what `hello` has is listed here as `greeter__hello`, behind this
//! server's own scopes, limits and log.
//!
//! ```sh
//! cargo run -p mcpfn-examples --example hello -- --port 9000 &
//! GREETER_URL=http://127.0.0.1:9000/mcp cargo run -p mcpfn-examples --example upstream -- tools
//! ```

use mcpfn::prelude::*;
use mcpfn_toolkits::upstream;

/// Says what this server is.
#[tool(read_only)]
async fn about() -> &'static str {
    "A front for other servers."
}

pub(crate) fn server(greeter_url: &str) -> Builder {
    // nothing is asked before the first list or call
    let servers = vec![upstream::Server::new("greeter", greeter_url)];
    Server::builder("front", "1.0.0")
        .tool(about)
        .with(|builder| upstream::toolkit(builder, servers))
}

fn main() -> std::process::ExitCode {
    let url = std::env::var("GREETER_URL");
    let url = url.unwrap_or_else(|_| "http://127.0.0.1:9000/mcp".to_owned());
    mcpfn::run(|| server(&url))
}
