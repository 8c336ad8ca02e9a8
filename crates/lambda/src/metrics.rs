//! Records of calls as lines in CloudWatch's embedded metric format: the log line of a call is its
//! metric too, and nothing is sent anywhere by this process.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
//!
//! Metrics are in the namespace `mcpfn`, each for the service (the server's name) and for each of
//! its tools, prompts and resources: `Calls`, `Errors` (faults of the server: internal, timeout,
//! too large), `RateLimited`, `CacheHits`, `Duration`.

use std::io::Write as _;
use std::sync::Arc;

use mcpfn_core::port::{AuditEntry, AuditLog, CacheStatus, Clock, Failure, Outcome};
use mcpfn_settings::Log;
use serde_json::json;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};

tokio::task_local! {
    /// The invocation that the task works for.
    pub(crate) static REQUEST_ID: String;
}

/// Writes calls with their metrics to stdout, and everything else to the log.
pub(crate) struct EmfMetrics {
    pub(crate) service: String,
    pub(crate) clock: Arc<dyn Clock>,
}

impl AuditLog for EmfMetrics {
    fn failure(&self, failure: &Failure<'_>) {
        Log.failure(failure);
    }

    fn call(&self, call: &AuditEntry<'_>) {
        let mut line = self.line(call).to_string();
        line.push('\n');
        // stdout that is gone has no reader to tell
        let _ = std::io::stdout().lock().write_all(line.as_bytes());
    }

    fn denied(&self, sentence: &str, cause: Option<&str>) {
        Log.denied(sentence, cause);
    }

    fn store_failure(&self, store: &str, cause: &str) {
        Log.store_failure(store, cause);
    }
}

impl EmfMetrics {
    fn line(&self, call: &AuditEntry<'_>) -> serde_json::Value {
        let count = |name: &str| json!({"Name": name, "Unit": "Count"});
        let metrics = [
            count("Calls"),
            count("Errors"),
            count("RateLimited"),
            count("CacheHits"),
            json!({"Name": "Duration", "Unit": "Milliseconds"}),
        ];
        let fault = matches!(
            call.outcome,
            Outcome::Internal | Outcome::TimedOut | Outcome::TooLarge
        );
        let hit = matches!(
            call.cache,
            CacheStatus::Hit | CacheStatus::Stale | CacheStatus::Coalesced
        );
        // a dimension can't be empty, as the name of a list is
        let dimensions = if call.name.is_empty() {
            json!([["service"]])
        } else {
            json!([["service"], ["service", "name"]])
        };
        let mut timestamp = String::new();
        // a time that can't be written is left empty; the one that counts is in `_aws`
        let _ = SystemTime.format_time(&mut Writer::new(&mut timestamp));
        json!({
            "timestamp": timestamp,
            "level": "INFO",
            "message": "call",
            "requestId": REQUEST_ID.try_with(Clone::clone).ok(),
            "service": self.service,
            "revision": call.revision.as_str(),
            "id": call.id,
            "method": call.method,
            "name": call.name,
            "principal": call.principal.subject,
            "kind": format!("{:?}", call.principal.kind),
            "outcome": call.outcome.as_str(),
            "code": call.code,
            "bytes_in": call.bytes_in,
            "bytes_out": call.bytes_out,
            "cache": call.cache.as_str(),
            "input_hash": call.input_hash(),
            "input": call.input(),
            "traceparent": call.traceparent,
            "Calls": 1,
            "Errors": u8::from(fault),
            "RateLimited": u8::from(call.outcome == Outcome::RateLimited),
            "CacheHits": u8::from(hit),
            "Duration": call.duration_ms,
            "_aws": {
                "Timestamp": self.clock.now_ms(),
                "CloudWatchMetrics": [{"Namespace": "mcpfn", "Dimensions": dimensions, "Metrics": metrics}],
            },
        })
    }
}
