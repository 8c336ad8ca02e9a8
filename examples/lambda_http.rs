//! An MCP server on AWS Lambda in a program that runs `lambda_http` itself, with a layer of its own
//! between the event and the endpoint. Callers, deadline and settings are those of every server on
//! Lambda: without `MCPFN_AUTH` it does not start.
//!
//! ```sh
//! # under `cargo lambda watch`, or any other emulator that sets AWS_LAMBDA_RUNTIME_API
//! MCPFN_AUTH=none cargo run -p mcpfn-examples --example lambda_http
//! ```
//!
//! `run_with_streaming_response` sends answers in pieces (with `EventLayer::streamed`), and
//! `run_concurrent` takes several events at a time. A program without layers of its own is shorter,
//! and does more, with `mcpfn::main!` and the feature `lambda`.

use std::convert::Infallible;

use lambda_http::http::{HeaderValue, Response, header};
use lambda_http::{Request, Service};
use mcpfn::port::Platform;
use mcpfn::prelude::*;
use mcpfn::tower::Body;
use mcpfn::tower::lambda::{Finished, Setup, Variables, parts};
use tower::ServiceBuilder;

#[input]
struct Hello {
    /// Whom to greet.
    name: String,
}

/// Says hello.
#[tool(read_only)]
async fn hello(args: Hello) -> String {
    format!("Hello, {}!", args.name)
}

/// A layer of the program's own.
fn with_policy<B>(mut response: Response<B>) -> Response<B> {
    let policy = HeaderValue::from_static("max-age=31536000");
    response
        .headers_mut()
        .insert(header::STRICT_TRANSPORT_SECURITY, policy);
    response
}

/// The server as `lambda_http` calls it. The event's layer is the outermost: it says who calls.
fn mcp() -> Result<
    impl Service<Request, Response = Response<Finished<Body>>, Error = Infallible, Future: Send>,
    String,
> {
    let setup = |_: &Variables| {
        Ok::<_, Infallible>(Setup {
            builder: Server::builder("hello", "1.0.0").tool(hello),
            ports: |platform: Platform| platform,
        })
    };
    let (events, endpoint) = parts(setup, &[])?;
    Ok(ServiceBuilder::new()
        .layer(events)
        .map_response(with_policy)
        .service(endpoint))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    lambda_http::run(mcp()?).await
}
