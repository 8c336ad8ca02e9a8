//! The port to what happens on a platform and is no call of a client: messages of a queue, records of a
//! stream, a schedule. Which events these are, and what they look like, is the platform's business.

use std::sync::Arc;

use mcpfn_core::handler::{BoxFuture, MaybeSend, MaybeSync};
use mcpfn_core::port::Platform;
use mcpfn_core::{Server, ToolError};
use serde_json::Value;

/// What a program does with events of its platform. A host that gets one gives it to this port, if there
/// is one, and else refuses it. Lambda does: every event that is no HTTP request, of whatever is mapped
/// to the function.
///
/// ```
/// use std::sync::Arc;
///
/// use mcpfn_core::event::{Event, EventOccurrence};
/// use mcpfn_core::handler::BoxFuture;
/// use mcpfn_core::port::Platform;
/// use mcpfn_core::{Server, ToolError};
/// use mcpfn_ports::PlatformEvents;
/// use mcpfn_testing::{TestClient, block_on};
/// use serde_json::{Value, json};
///
/// /// Each hour, by a rule of EventBridge.
/// struct Hourly;
///
/// impl PlatformEvents for Hourly {
///     fn take<'a>(
///         &'a self,
///         event: Value,
///         server: &'a Server,
///         platform: &'a Arc<Platform>,
///     ) -> BoxFuture<'a, Result<Value, ToolError>> {
///         Box::pin(async move {
///             let id = event["id"].as_str().ok_or_else(|| ToolError::internal("no id"))?;
///             let hour = EventOccurrence::new(id, platform.now_ms(), &json!({}));
///             server.emit(platform, "clock.struck", hour).await?;
///             Ok(Value::Null)
///         })
///     }
/// }
///
/// let struck = Event::new("clock.struck").description("An hour is over.");
/// let server = Server::builder("clock", "1.0.0").event(struck.payload_schema(json!({})));
/// let client = TestClient::new(server);
/// let (server, platform) = (client.server(), client.platform());
/// let taken = Hourly.take(json!({"id": "e-1"}), server, platform);
/// assert_eq!(block_on(taken).unwrap(), Value::Null);
/// ```
pub trait PlatformEvents: MaybeSend + MaybeSync {
    /// Takes an event, and gives what the platform is answered: of a batch of a queue, say, which
    /// messages are to come again. An event may come more than once.
    ///
    /// # Errors
    /// When it is to come again, as far as the platform does that. The sentence is for who sent it, and
    /// the cause for the log.
    fn take<'a>(
        &'a self,
        event: Value,
        server: &'a Server,
        platform: &'a Arc<Platform>,
    ) -> BoxFuture<'a, Result<Value, ToolError>>;
}
