//! Any server of the fixtures as a Lambda bootstrap: `MCPFN_TEST_SERVER` says which, and
//! `MCPFN_TEST_LOOP` whose loop asks for events: our own, or one of `lambda_http`'s.

#[path = "../../it/support/servers.rs"]
mod servers;

use std::convert::Infallible;
use std::process::ExitCode;

use mcpfn::port::Platform;
use mcpfn_lambda::{Setup, Variables};

fn main() -> ExitCode {
    let variable = |name: &str| std::env::var(name).ok();
    let name = variable("MCPFN_TEST_SERVER").unwrap_or_else(|| "everything".to_owned());
    let setup = |_: &Variables| {
        Ok::<_, Infallible>(Setup {
            builder: servers::named(&name)(),
            ports: |platform: Platform| platform,
        })
    };
    let Some(kind) = variable("MCPFN_TEST_LOOP") else {
        return mcpfn_lambda::run(setup, &[]);
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let mcp = mcpfn_lambda::tower::service(setup, &[]).expect("a service");
    let ended = runtime.block_on(async {
        match kind.as_str() {
            "run" => lambda_http::run(mcp).await,
            "run_concurrent" => lambda_http::run_concurrent(mcp).await,
            "run_with_streaming_response" => {
                lambda_http::run_with_streaming_response(mcp.streamed()).await
            }
            "run_with_streaming_response_concurrent" => {
                lambda_http::run_with_streaming_response_concurrent(mcp.streamed()).await
            }
            other => panic!("no loop is called {other}"),
        }
    });
    ExitCode::from(u8::from(ended.is_err()))
}
