//! What comes to this Worker through queues: notices of the bucket of files, which clients of the
//! toolkit `files` hear of as the event `file.written`.

use std::sync::Arc;

use mcpfn::event::EventOccurrence;
use mcpfn::handler::BoxFuture;
use mcpfn::port::Platform;
use mcpfn::worker::{BucketChange, BucketNotice, PlatformEvents, QueueMessage};
use mcpfn::{Server, ToolError};
use serde_json::json;

/// The event of the toolkit.
const FILE_WRITTEN: &str = "file.written";

pub(crate) struct Notices;

impl PlatformEvents for Notices {
    fn message<'a>(
        &'a self,
        message: QueueMessage,
        server: &'a Server,
        platform: &'a Arc<Platform>,
    ) -> BoxFuture<'a, Result<(), ToolError>> {
        Box::pin(async move {
            let notice = BucketNotice::read(&message.body);
            let notice =
                notice.ok_or_else(|| ToolError::internal("it is no notice of a bucket"))?;
            let (BucketChange::Written, Some(bytes)) = (notice.change, notice.bytes) else {
                return Ok(());
            };
            let file = json!({"path": notice.path, "bytes": bytes});
            // a notice that comes again is the same event
            let id = format!("r2-{}", message.id);
            let written = EventOccurrence::new(id, platform.now_ms(), &file);
            server.emit(platform, FILE_WRITTEN, written).await.map(drop)
        })
    }
}
