//! Records of calls as lines in CloudWatch's embedded metric format: the log line of a call is its
//! metric too, and nothing is sent anywhere by this process.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
//!
//! Metrics are in the namespace of `MCPFN_METRICS_NAMESPACE`. Of calls, for the service (the
//! server's name), for each of its first `MCPFN_METRICS_TOOLS` tools (`name`) and for each upstream
//! (`upstream`): `Calls`, `Errors` (faults of the server: `AuditEntry::is_fault`), `RateLimited`,
//! `CacheHits`, `ColdStarts`, `Duration`. Of a start, for the service: `InitDuration`. Of failures of
//! stores and services that calls go on without, for the service and for each of them
//! (`dependency`): `StoreErrors`. Of attempts to send an event to a subscriber, for the service and by
//! `outcome` (`delivered`, `retried`, `dead`): `Deliveries`.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mcpfn_core::Server;
use mcpfn_core::port::{
    AuditEntry, AuditLog, DeliveryOutcome, EventDelivery, Failure, RefusedRequest,
};
use mcpfn_settings::{CALL_METRICS, Log, LogLine, call_metrics};
use serde_json::{Value, json};
use tracing::Level;

use crate::logging;
use crate::settings::Settings;

/// Writes calls with their metrics to stdout, and everything else to the log.
pub(crate) struct EmfMetrics {
    namespace: String,
    /// Those that have metrics of their own: CloudWatch charges for each, and upstreams have tools
    /// without number.
    tools: BTreeSet<String>,
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

    fn refused(&self, request: &RefusedRequest<'_>) {
        Log.refused(request);
    }

    /// The line that [`Log`] writes, with its metrics in it.
    fn delivery(&self, delivery: &EventDelivery<'_>) {
        let level = match delivery.outcome {
            DeliveryOutcome::Dead => Level::WARN,
            _ => Level::INFO,
        };
        let mut line = logging::line(level);
        for (name, value) in [
            ("message", "an event was sent to a subscriber"),
            ("event", "event_delivery"),
            ("name", delivery.event),
            ("subscription", delivery.subscription),
            ("outcome", delivery.outcome.as_str()),
            ("reason", delivery.reason),
        ] {
            line.text(name, value);
        }
        line.plain("failures", delivery.failures);
        line.plain("duration_ms", delivery.duration_ms);
        line.plain("Deliveries", 1);
        let dimensions = json!([["service"], ["service", "outcome"]]);
        line.plain("_aws", self.directive(&dimensions, &["Deliveries"]));
        logging::write(line);
    }

    /// The line that [`Log`] writes, with its metric in it.
    fn store_failure(&self, store: &str, cause: &str) {
        let mut line = logging::line(Level::WARN);
        for (name, value) in [
            ("message", "a store or a service is unavailable"),
            ("event", "dependency_unavailable"),
            ("dependency", store),
            ("cause", cause),
        ] {
            line.text(name, value);
        }
        line.plain("StoreErrors", 1);
        let dimensions = json!([["service"], ["service", "dependency"]]);
        line.plain("_aws", self.directive(&dimensions, &["StoreErrors"]));
        logging::write(line);
    }
}

impl EmfMetrics {
    /// Metrics as the operator decided.
    pub(crate) fn of(settings: &Settings, server: &Server) -> Self {
        let tools = server.tool_summaries().map(|(name, _)| name.to_owned());
        Self {
            namespace: settings.metrics_namespace.clone(),
            tools: tools.take(settings.metrics_tools).collect(),
        }
    }

    /// Writes how long the program took from its start until it can take events.
    pub(crate) fn started(&self, took: Duration) {
        let mut line = logging::line(Level::INFO);
        line.text("message", "started");
        line.text("event", "started");
        line.plain("InitDuration", took.as_secs_f64() * 1000.0);
        let metrics = ["InitDuration"];
        line.plain("_aws", self.directive(&json!([["service"]]), &metrics));
        logging::write(line);
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
        let dimensions = self.dimensions(call, &mut line);
        let numbers = call_metrics(call, logging::is_cold_start());
        for (name, number) in CALL_METRICS.into_iter().zip(numbers) {
            line.plain(name, number);
        }
        line.plain("_aws", self.directive(&dimensions, &CALL_METRICS));
        logging::write(line);
    }

    /// What a call's metrics are of. A dimension is a member of the line, and can't be empty, as the
    /// name of a list is.
    fn dimensions(&self, call: &AuditEntry<'_>, line: &mut LogLine) -> Value {
        let upstream = call.name.split_once("__").map(|(upstream, _)| upstream);
        match upstream {
            _ if self.tools.contains(call.name) => json!([["service"], ["service", "name"]]),
            Some(upstream) if !upstream.is_empty() => {
                line.text("upstream", upstream);
                json!([["service"], ["service", "upstream"]])
            }
            _ => json!([["service"]]),
        }
    }

    fn directive(&self, dimensions: &Value, metrics: &[&str]) -> Value {
        let metrics = metrics.iter().map(|name| {
            let unit = match name.ends_with("Duration") {
                true => "Milliseconds",
                false => "Count",
            };
            json!({"Name": name, "Unit": unit})
        });
        let metrics: Vec<Value> = metrics.collect();
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        json!({
            "Timestamp": now.unwrap_or_default().as_millis() as u64,
            "CloudWatchMetrics": [{"Namespace": self.namespace, "Dimensions": dimensions, "Metrics": metrics}],
        })
    }
}
