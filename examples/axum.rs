//! An MCP endpoint in an axum application that has other routes, and logs its users in by itself:
//! its middleware says who calls, and the endpoint believes nobody else.
//!
//! ```sh
//! cargo run -p mcpfn-examples --example axum
//! # the endpoint: http://127.0.0.1:8080/tools/mcp
//! ```
//!
//! Without `callers_named_in_front` the endpoint checks tokens or API keys as every host does:
//! `MCPFN_AUTH=api-key MCPFN_API_KEYS=... cargo run ...`. Routes of axum leave the path as it is;
//! for one that is neither `/mcp` nor below a `nest_service`, name it with `Embedding::at`.

use std::error::Error;

use axum::Router;
use axum::extract::Request;
use axum::http::header::AUTHORIZATION;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::get;
use mcpfn::prelude::*;
use mcpfn::tower::{CallerLayer, Embedding};
use mcpfn::{Principal, PrincipalKind, Scopes};
use tower::ServiceBuilder;

/// What the application knows of a logged-in user.
#[derive(Clone)]
struct User {
    name: &'static str,
    editor: bool,
}

/// Stands for the application's own login: a session cookie, a database, an identity provider.
async fn login(mut request: Request, next: Next) -> Response {
    let credential = request.headers().get(AUTHORIZATION);
    let user = match credential.map(axum::http::HeaderValue::as_bytes) {
        Some(b"Bearer ada-s-session") => Some(("ada", true)),
        Some(b"Bearer bob-s-session") => Some(("bob", false)),
        _ => None,
    };
    if let Some((name, editor)) = user {
        request.extensions_mut().insert(User { name, editor });
    }
    next.run(request).await
}

/// Says who reads.
#[tool(read_only, scope = "pages:read")]
async fn whoami(cx: &Cx) -> String {
    cx.principal().subject.clone()
}

#[input]
struct Page {
    /// The page's title.
    title: String,
}

/// Publishes a page.
#[tool(scope = "pages:write", destructive = false)]
async fn publish(args: Page) -> String {
    format!("{} is public.", args.title)
}

/// The application with the endpoint in it.
pub(crate) fn app() -> Result<Router, Box<dyn Error>> {
    let server = Server::builder("pages", "1.0.0").tool(whoami).tool(publish);
    let mcp = Embedding::new(server).callers_named_in_front().build()?;
    let callers = CallerLayer::extension(|user: &User| {
        let scopes = if user.editor { "pages" } else { "pages:read" };
        let caller = Principal::new(PrincipalKind::Authorizer, user.name);
        Some(caller.with_scopes(Scopes::parse(scopes)))
    });
    let endpoint = ServiceBuilder::new().layer(callers).service(mcp.endpoint());
    Ok(Router::new()
        .route("/", get(|| async { "An application of its own." }))
        // the endpoint is /tools/mcp, and /tools/health is beside it
        .nest_service("/tools", endpoint)
        .layer(from_fn(login)))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 8080)).await?;
    axum::serve(listener, app()?).await?;
    Ok(())
}
