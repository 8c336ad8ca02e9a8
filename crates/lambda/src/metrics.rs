//! Records of calls as lines in CloudWatch's embedded metric format: the log line of a call is its
//! metric too, and nothing is sent anywhere by this process.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
//!
//! Metrics are in the namespace of `MCPFN_METRICS_NAMESPACE`, each for the service (the server's name) and for each of
//! its tools, prompts and resources: `Calls`, `Errors` (faults of the server:
//! `AuditEntry::is_fault`), `RateLimited`, `CacheHits`, `ColdStarts`, `Duration`.

use std::sync::Arc;

use mcpfn_core::port::{AuditEntry, AuditLog, Clock, Failure};
use mcpfn_settings::{CALL_METRICS, Log, call_metrics};
use serde_json::json;
use tracing::Level;

use crate::logging;

/// Writes calls with their metrics to stdout, and everything else to the log.
pub(crate) struct EmfMetrics {
    clock: Arc<dyn Clock>,
    namespace: String,
}

impl AuditLog for EmfMetrics {
    fn failure(&self, failure: &Failure<'_>) {
        Log.failure(failure);
    }

    fn call(&self, call: &AuditEntry<'_>) {
        self.write(call);
    }

    fn denied(&self, sentence: &str, cause: Option<&str>) {
        Log.denied(sentence, cause);
    }

    fn store_failure(&self, store: &str, cause: &str) {
        Log.store_failure(store, cause);
    }
}

impl EmfMetrics {
    pub(crate) fn new(clock: &Arc<dyn Clock>, namespace: &str) -> Self {
        Self {
            clock: Arc::clone(clock),
            namespace: namespace.to_owned(),
        }
    }

    /// The line that [`Log`] writes of a call, with its metrics in it.
    fn write(&self, call: &AuditEntry<'_>) {
        let level = if call.is_fault() {
            Level::WARN
        } else {
            Level::INFO
        };
        let mut line = logging::line(level);
        for (name, value) in [
            ("message", "call"),
            ("event", "call"),
            ("revision", call.revision.as_str()),
            ("id", call.id),
            ("method", call.method),
            ("name", call.name),
            ("principal", &call.principal.subject),
            ("kind", &format!("{:?}", call.principal.kind)),
            ("outcome", call.outcome.as_str()),
            ("cache", call.cache.as_str()),
            ("input_hash", &call.input_hash()),
        ] {
            line.text(name, value);
        }
        for (name, value) in [
            ("errorId", call.error_id),
            ("input", call.input().as_deref()),
            ("traceparent", call.traceparent),
        ] {
            if let Some(value) = value {
                line.text(name, value);
            }
        }
        if let Some(code) = call.code {
            line.plain("code", code);
        }
        line.plain("duration_ms", call.duration_ms);
        line.plain("bytes_in", call.bytes_in);
        line.plain("bytes_out", call.bytes_out);
        let numbers = call_metrics(call, logging::is_cold_start());
        for (name, number) in CALL_METRICS.into_iter().zip(numbers) {
            line.plain(name, number);
        }
        line.plain("_aws", self.directive(call));
        logging::write(line);
    }

    fn directive(&self, call: &AuditEntry<'_>) -> serde_json::Value {
        let metrics = CALL_METRICS.map(|name| {
            let unit = if name == "Duration" {
                "Milliseconds"
            } else {
                "Count"
            };
            json!({"Name": name, "Unit": unit})
        });
        // a dimension can't be empty, as the name of a list is
        let dimensions = if call.name.is_empty() {
            json!([["service"]])
        } else {
            json!([["service"], ["service", "name"]])
        };
        json!({
            "Timestamp": self.clock.now_ms(),
            "CloudWatchMetrics": [{"Namespace": self.namespace, "Dimensions": dimensions, "Metrics": metrics}],
        })
    }
}
