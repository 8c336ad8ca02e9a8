//! Ended spans on their way to the collector. The SDK's own batch processor has a thread that
//! waits; here the host says when to send, because a function is frozen once it has answered.

use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use mcpfn_core::port::HttpRequest;
use opentelemetry::Context;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{RetryPolicy, SpanExporter, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanExporter as _, SpanProcessor};
use tokio::sync::Notify;
use tokio::time::Instant;

/// Most spans that wait; of those beyond, only the number is kept.
const WAITING: usize = 4096;
/// As many as make it worth sending before the time.
const MANY: usize = 512;
/// How long spans wait in a process that lives on.
const EVERY: Duration = Duration::from_secs(5);
/// For one request to the collector.
const TIMEOUT: Duration = Duration::from_secs(2);
/// How long a collector that failed is left alone, and the log with it.
const PAUSE: Duration = Duration::from_secs(60);

/// Spans that wait, and who takes them.
#[derive(Debug)]
pub(super) struct SpanQueue {
    waiting: Mutex<Vec<SpanData>>,
    lost: AtomicU64,
    many: Notify,
    collector: tokio::sync::Mutex<Collector>,
}

#[derive(Debug)]
struct Collector {
    exporter: SpanExporter,
    /// Not asked before.
    asleep_until: Option<Instant>,
}

impl SpanQueue {
    /// Asks nothing yet. The exporter reads its variables.
    pub(super) fn new(
        client: Arc<dyn mcpfn_core::port::HttpClient>,
        resource: &Resource,
    ) -> Result<Arc<Self>, String> {
        let builder = SpanExporter::builder()
            .with_http()
            .with_http_client(Sender(client));
        // it would wait between its tries, and with it everything that runs on this thread
        let exporter = builder.with_retry_policy(RetryPolicy::disabled()).build();
        let mut exporter = exporter
            .map_err(|error| format!("the collector of OpenTelemetry can't be used: {error}"))?;
        exporter.set_resource(resource);
        Ok(Arc::new(Self {
            waiting: Mutex::default(),
            lost: AtomicU64::new(0),
            many: Notify::new(),
            collector: tokio::sync::Mutex::new(Collector {
                exporter,
                asleep_until: None,
            }),
        }))
    }

    pub(super) async fn flush(&self) {
        let mut collector = self.collector.lock().await;
        if collector
            .asleep_until
            .is_some_and(|until| Instant::now() < until)
        {
            return;
        }
        let batch = mem::take(&mut *self.waiting());
        if batch.is_empty() {
            return;
        }
        let count = batch.len() as u64;
        collector.asleep_until = None;
        if let Err(error) = collector.exporter.export(batch).await {
            collector.asleep_until = Some(Instant::now() + PAUSE);
            let lost = count + self.lost.swap(0, Ordering::Relaxed);
            tracing::warn!(event = "spans_lost", %error, lost, "the collector of OpenTelemetry took no spans; it is \
                asked again in a minute");
        }
    }

    pub(super) async fn keep_flushing(&self) {
        loop {
            let _ = tokio::time::timeout(EVERY, self.many.notified()).await;
            self.flush().await;
        }
    }

    fn keep(&self, span: SpanData) {
        let mut waiting = self.waiting();
        if waiting.len() >= WAITING {
            self.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        waiting.push(span);
        if waiting.len() == MANY {
            self.many.notify_one();
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<SpanData>> {
        // held for a push or a take; what is in it is whole after a panic, too
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The SDK's side of the queue.
#[derive(Debug)]
pub(super) struct QueueEntry(pub(super) Arc<SpanQueue>);

impl SpanProcessor for QueueEntry {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        self.0.keep(span);
    }

    // the host sends, see `flush`
    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// The exporter's requests by the host's client.
struct Sender(Arc<dyn mcpfn_core::port::HttpClient>);

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (head, body) = request.into_parts();
        let mut sent = HttpRequest::post(head.uri.to_string(), "application/x-protobuf", body)
            .timeout(TIMEOUT);
        for (name, value) in &head.headers {
            if name != http::header::CONTENT_TYPE {
                sent = sent.header(name.as_str(), value.to_str()?);
            }
        }
        let answer = self.0.send(sent).await?;
        Ok(Response::builder()
            .status(answer.status)
            .body(answer.body)?)
    }
}

impl std::fmt::Debug for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sender")
    }
}
