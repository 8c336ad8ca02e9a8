//! The echo for rmcp, as its README writes tools, and the service around it in its stateless
//! configuration. Every request gets a handler of its own from the factory; the router of tools is
//! made once, which its documents leave to the author.

use std::sync::Arc;

use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{Implementation, ServerCapabilities, ServerConfig};
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{ServerHandler, schemars, tool, tool_handler, tool_router};

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Text {
    /// What to say again.
    text: String,
}

#[derive(Clone)]
pub struct Echo {
    tool_router: ToolRouter<Self>,
}

#[tool_router]
impl Echo {
    /// Says it again.
    #[tool(annotations(read_only_hint = true))]
    fn echo(&self, Parameters(Text { text }): Parameters<Text>) -> String {
        text
    }
}

#[tool_handler(router = self.tool_router)]
impl ServerHandler for Echo {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build()).with_server_info(Implementation::new("echo", "1.0.0"))
    }
}

/// `hosts` are the names that requests may use; none allows all, as behind a function URL.
pub fn router(hosts: Option<&[&str]>) -> axum::Router {
    let config = StreamableHttpServerConfig::default().with_legacy_session_mode(false).with_json_response(true);
    let config = match hosts {
        Some(hosts) => config.with_allowed_hosts(hosts.iter().copied()),
        None => config.disable_allowed_hosts(),
    };
    let echo = Echo { tool_router: Echo::tool_router() };
    let service = StreamableHttpService::new(move || Ok(echo.clone()), Arc::new(NeverSessionManager::default()), config);
    axum::Router::new().nest_service("/mcp", service)
}
