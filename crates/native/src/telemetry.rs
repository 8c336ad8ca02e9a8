//! OpenTelemetry, where the feature `otel` is on and the environment names a collector: each call
//! is a span. In any other case nothing is made and nothing is done. Not the log, which has every
//! call anyway.
//!
//! The standard variables decide: `OTEL_EXPORTER_OTLP_ENDPOINT` or
//! `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` (without one of them there is no telemetry),
//! `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`,
//! `OTEL_TRACES_SAMPLER`, `OTEL_SDK_DISABLED`. Spans leave as OTLP over HTTP, in protobuf, by the
//! host's own `HttpClient`.

#[cfg(feature = "otel")]
mod queue;
#[cfg(feature = "otel")]
mod settings;
#[cfg(feature = "otel")]
mod span;
mod transport;

use mcpfn_core::port::Platform;
use mcpfn_settings::{Hosts, Setting};

pub use transport::Transport;

#[cfg(feature = "otel")]
use std::sync::Arc;

/// What waits to be sent to a collector, if there is one. Copies share it.
#[derive(Debug, Clone, Default)]
pub struct Telemetry {
    #[cfg(feature = "otel")]
    queue: Option<Arc<queue::SpanQueue>>,
}

impl Telemetry {
    /// The variables, for `--help`; none without the feature.
    pub const SETTINGS: &[Setting] = if cfg!(feature = "otel") {
        &[
            Setting::new(
                "OTEL_EXPORTER_OTLP_ENDPOINT",
                "URL",
                "nothing is sent",
                "the collector of spans, such as http://127.0.0.1:4318; OTLP over HTTP in protobuf",
            )
            .on(Hosts::PROCESSES),
            Setting::new(
                "OTEL_EXPORTER_OTLP_HEADERS",
                "NAME=VALUE,..",
                "none",
                "headers that the collector asks for",
            )
            .on(Hosts::PROCESSES),
            Setting::new(
                "OTEL_SERVICE_NAME",
                "TEXT",
                "the server's name",
                "name of the service in spans; OTEL_RESOURCE_ATTRIBUTES adds attributes",
            )
            .on(Hosts::PROCESSES),
            Setting::new(
                "OTEL_TRACES_SAMPLER",
                "TEXT",
                "every call, unless its client's trace is not sampled",
                "which calls are recorded, as OpenTelemetry has it",
            )
            .on(Hosts::PROCESSES),
        ]
    } else {
        &[]
    };

    /// The platform with its calls recorded as spans too, if the environment names a collector.
    /// `server` is the service's name unless `OTEL_SERVICE_NAME` gives another. The platform's
    /// records and its `HttpClient` must be there already.
    ///
    /// # Errors
    /// When variables name a collector that can't be used; a sentence that says what to change.
    #[cfg_attr(
        not(feature = "otel"),
        expect(unused_variables, reason = "nothing is recorded")
    )]
    pub fn apply(
        platform: Platform,
        server: &str,
        transport: Transport,
    ) -> Result<(Platform, Self), String> {
        #[cfg(feature = "otel")]
        if settings::wanted(|name| std::env::var(name).ok())? {
            let (platform, queue) = span::apply(platform, server, transport)?;
            return Ok((platform, Self { queue: Some(queue) }));
        }
        Ok((platform, Self::default()))
    }

    /// Sends what waits. Never fails, and takes two seconds at most: an unavailable collector is
    /// not asked again for a minute, and the log says so once in that time.
    pub async fn flush(&self) {
        #[cfg(feature = "otel")]
        if let Some(queue) = &self.queue {
            queue.flush().await;
        }
    }

    /// Sends what waits every five seconds, and sooner when there is much: a task for a process
    /// that lives on between calls. It ends only with its runtime, or at once if there is no
    /// collector.
    pub async fn keep_flushing(self) {
        #[cfg(feature = "otel")]
        if let Some(queue) = &self.queue {
            queue.keep_flushing().await;
        }
    }
}
