//! The echo for tower-mcp, as its README writes tools, and its transport set up by its list for
//! production: the versions and hosts it may serve are named. Answers are JSON, which is its
//! default. The port is the argument.

use std::net::Ipv4Addr;

use tower_mcp::{BoxError, CallToolResult, HttpTransport, McpRouter, ProtocolSupport, ToolBuilder};

#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
struct Text {
    /// What to say again.
    text: String,
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let port = std::env::args()
        .nth(1)
        .and_then(|port| port.parse::<u16>().ok());
    let echo = ToolBuilder::new("echo")
        .description("Says it again.")
        .read_only()
        .handler(|Text { text }: Text| async move { Ok(CallToolResult::text(text)) })
        .build();
    let router = McpRouter::new().server_info("echo", "1.0.0").tool(echo);
    let transport = HttpTransport::new(router)
        .protocol_support(ProtocolSupport::try_new(["2026-07-28"])?)
        .allowed_hosts(vec!["127.0.0.1".to_owned()]);
    let address = (Ipv4Addr::LOCALHOST, port.expect("the argument is a port"));
    let listener = tokio::net::TcpListener::bind(address).await?;
    axum::serve(listener, transport.into_router_at("/mcp")).await?;
    Ok(())
}
