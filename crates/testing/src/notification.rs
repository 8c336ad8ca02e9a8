//! What a call reports on its way, read: progress and log messages.

use mcpfn_core::LogLevel;
use serde::Deserialize;
use serde_json::Value;

/// How far a call is.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct ReportedProgress {
    /// So far.
    pub progress: f64,
    /// Its end, where it is known.
    #[serde(default)]
    pub total: Option<f64>,
    /// In words.
    #[serde(default)]
    pub message: Option<String>,
}

/// A message for the client's log.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct LoggedMessage {
    /// How severe it is.
    pub level: LogLevel,
    /// What is said.
    pub data: Value,
}

/// What was heard so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Heard {
    pub(crate) progress: Vec<ReportedProgress>,
    pub(crate) logs: Vec<LoggedMessage>,
}

impl Heard {
    /// Takes one notification, as JSON text.
    pub(crate) fn take(&mut self, notification: &[u8]) {
        let Ok(mut message) = serde_json::from_slice::<Value>(notification) else {
            return;
        };
        let params = message["params"].take();
        match message["method"].as_str() {
            Some("notifications/progress") => {
                self.progress.extend(serde_json::from_value(params).ok());
            }
            Some("notifications/message") => {
                self.logs.extend(serde_json::from_value(params).ok());
            }
            _ => {}
        }
    }
}
