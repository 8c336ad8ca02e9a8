//! What comes to this Worker through queues: notices of the bucket of files, which clients of the
//! toolkit `files` hear of as the event `file.written`.

use std::sync::Arc;

use mcpfn::event::EventOccurrence;
use mcpfn::handler::BoxFuture;
use mcpfn::port::Platform;
use mcpfn::worker::{BucketChange, BucketNotice, QueueMessage, WorkerEvents};
use mcpfn::{Server, ToolError};
use mcpfn_toolkits::files::{FILE_WRITTEN, written_file};

pub(crate) struct Notices;

impl WorkerEvents for Notices {
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
            let file = written_file(notice.path, bytes, None);
            // a notice that comes again is the same event
            let id = format!("r2-{}", message.id);
            let written = EventOccurrence::new(id, platform.now_ms(), &file);
            server.emit(platform, FILE_WRITTEN, written).await.map(drop)
        })
    }
}
