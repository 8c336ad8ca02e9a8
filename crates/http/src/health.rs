//! What `/health` says: that the process lives, which server it is, and, where the host said when it
//! started, since when. Reads no clock of its own.

use std::time::Duration;

use bytes::Bytes;
use mcpfn_core::{Server, port::Platform, text::timestamp};
use serde_json::json;

/// The document of `/health`.
#[derive(Debug, Clone)]
pub(crate) enum Health {
    /// The same at any time.
    Constant(Bytes),
    /// With the time, of a process that started at this one.
    Since(Bytes, u64),
}

impl Health {
    pub(crate) fn of(server: &Server) -> Self {
        let document = json!({
            "status": "ok",
            "name": server.name(),
            "version": server.version(),
        });
        Self::Constant(document.to_string().into())
    }

    pub(crate) fn since(self, started_ms: u64) -> Self {
        let (Self::Constant(document) | Self::Since(document, _)) = self;
        Self::Since(document, started_ms)
    }

    pub(crate) fn document(&self, platform: &Platform) -> Bytes {
        match self {
            Self::Constant(document) => document.clone(),
            Self::Since(document, started_ms) => {
                let now_ms = platform.now_ms();
                let uptime = now_ms.saturating_sub(*started_ms) / 1000;
                let time = timestamp(Duration::from_millis(now_ms));
                // the constant part is an object with members
                let mut text = document[..document.len() - 1].to_vec();
                let more = format!(r#","time":"{time}","uptime_seconds":{uptime}}}"#);
                text.extend_from_slice(more.as_bytes());
                text.into()
            }
        }
    }
}
