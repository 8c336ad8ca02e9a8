//! The echo for turul-mcp-server, on the server it brings. The tool is written by its traits: what
//! its macros make answers JSON in a text, and every other contestant answers the text.
//!
//! Also of the revision without sessions it keeps one for every request until its time is over, at
//! most 100,000 of them; from then on it answers 500. So that a benchmark has an end, more may be
//! kept, for the shortest time.
//!
//! The port is the argument.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};

use serde_json::Value;
use turul_mcp_server::prelude::*;
use turul_mcp_server::schema::JsonSchema;
use turul_mcp_server::session_storage::{InMemoryConfig, InMemorySessionStorage};
use turul_mcp_server::tools::{CallToolResult, ToolAnnotations, ToolResult, ToolSchema};

struct Echo;

impl HasBaseMetadata for Echo {
    fn name(&self) -> &str {
        "echo"
    }
}

impl HasDescription for Echo {
    fn description(&self) -> Option<&str> {
        Some("Says it again.")
    }
}

impl HasInputSchema for Echo {
    fn input_schema(&self) -> &ToolSchema {
        static SCHEMA: OnceLock<ToolSchema> = OnceLock::new();
        SCHEMA.get_or_init(|| {
            let text = JsonSchema::string().with_description("What to say again.");
            let properties = HashMap::from([("text".to_owned(), text)]);
            ToolSchema::object()
                .with_properties(turul_mcp_builders::tool_props(properties))
                .with_required(vec!["text".to_owned()])
        })
    }
}

impl HasOutputSchema for Echo {
    fn output_schema(&self) -> Option<&ToolSchema> {
        None
    }
}

impl HasAnnotations for Echo {
    fn annotations(&self) -> Option<&ToolAnnotations> {
        static ANNOTATIONS: OnceLock<ToolAnnotations> = OnceLock::new();
        Some(ANNOTATIONS.get_or_init(|| ToolAnnotations::new().with_read_only_hint(true)))
    }
}

impl HasToolMeta for Echo {
    fn tool_meta(&self) -> Option<&HashMap<String, Value>> {
        None
    }
}

impl HasIcons for Echo {}
impl HasExecution for Echo {}

#[async_trait::async_trait]
impl McpTool for Echo {
    async fn call(&self, args: Value, _: Option<SessionContext>) -> McpResult<CallToolResult> {
        let text = args["text"]
            .as_str()
            .ok_or_else(|| McpError::missing_param("text"))?;
        Ok(CallToolResult::success(vec![ToolResult::text(text)]))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args()
        .nth(1)
        .and_then(|port| port.parse::<u16>().ok());
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port.expect("the argument is a port")));
    let kept = InMemoryConfig {
        max_sessions: usize::MAX,
        ..InMemoryConfig::default()
    };
    let server = McpServer::builder()
        .name("echo")
        .version("1.0.0")
        .tool(Echo)
        .with_session_storage(Arc::new(InMemorySessionStorage::with_config(kept)))
        .session_timeout_minutes(1)
        .session_cleanup_interval_seconds(5)
        .bind_address(address)
        .build()?;
    server.run().await?;
    Ok(())
}
