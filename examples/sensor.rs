//! What is no call: an event of AWS Lambda's other triggers, of which clients are told. On one's own
//! machine nobody brings such events.
//!
//! ```sh
//! cargo run -p mcpfn-examples --example sensor
//! ```

use std::sync::Arc;

use mcpfn::Setup;
use mcpfn::event::{Event, EventOccurrence};
use mcpfn::handler::BoxFuture;
use mcpfn::port::{Platform, PlatformEvents};
use mcpfn::prelude::*;
use serde_json::{Value, json};

fn door_opened() -> Event {
    Event::new("door.opened")
        .description("A door was opened.")
        .payload_schema(json!({"type": "object", "required": ["door"]}))
}

/// What a sensor says to EventBridge.
pub(crate) struct Sensor;

impl PlatformEvents for Sensor {
    fn take<'a>(
        &'a self,
        event: Value,
        server: &'a Server,
        platform: &'a Arc<Platform>,
    ) -> BoxFuture<'a, Result<Value, ToolError>> {
        Box::pin(async move {
            let door = event["detail"]["door"].as_u64();
            let door = door.ok_or_else(|| ToolError::internal("no door"))?;
            let id = event["id"].as_str().unwrap_or_default();
            let opened = EventOccurrence::new(id, platform.now_ms(), &json!({"door": door}));
            server.emit(platform, "door.opened", opened).await?;
            Ok(Value::Null)
        })
    }
}

pub(crate) fn server() -> Setup<impl FnOnce(Platform) -> Platform> {
    Setup {
        builder: Server::builder("house", "1.0.0").event(door_opened()),
        ports: |platform: Platform| platform.with_port::<dyn PlatformEvents>(Arc::new(Sensor)),
    }
}

mcpfn::main!(server());
