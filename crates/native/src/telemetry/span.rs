//! A call's record as a span, with the names of OpenTelemetry's conventions for MCP servers.
//! Arguments, results, URIs of resources and callers are in none of them.
//! <https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/mcp.md>

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use mcpfn_core::port::{AuditEntry, HttpClient, Outcome, Platform};
use mcpfn_settings::Observed;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{Span as _, SpanKind, Status, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, InstrumentationScope, Key, KeyValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};

use super::queue::{QueueEntry, SpanQueue};
use super::transport::Transport;

pub(super) fn apply(
    platform: Platform,
    server: &str,
    transport: Transport,
) -> Result<(Platform, Arc<SpanQueue>), String> {
    let client = platform
        .port::<dyn HttpClient>()
        .ok_or("spans need an HTTP client, and this host has none")?;
    let resource = resource(server);
    let queue = SpanQueue::new(Arc::clone(client), &resource)?;
    let provider = SdkTracerProvider::builder()
        .with_resource(resource)
        .with_span_processor(QueueEntry(Arc::clone(&queue)))
        .build();
    let tracer = provider.tracer_with_scope(
        InstrumentationScope::builder("mcpfn")
            .with_version(env!("CARGO_PKG_VERSION"))
            .build(),
    );
    let clock = Arc::clone(platform.clock());
    let records = Arc::clone(platform.audit_log());
    let observed = Observed::new(records, move |call| {
        record(&tracer, call, transport, clock.now_ms());
    });
    Ok((platform.with_audit_log(Arc::new(observed)), queue))
}

/// Who sends, as variables say; the server's own name if they do not.
fn resource(server: &str) -> Resource {
    let resource = Resource::builder().build();
    let named = resource
        .get(&Key::from_static_str("service.name"))
        .is_some_and(|name| !name.as_str().starts_with("unknown_service"));
    if named {
        resource
    } else {
        Resource::builder()
            .with_service_name(server.to_owned())
            .build()
    }
}

/// Makes the span of a call that ends now: its record knows how long it took.
fn record(tracer: &SdkTracer, call: &AuditEntry<'_>, transport: Transport, now_ms: u64) {
    let ended = UNIX_EPOCH + Duration::from_millis(now_ms);
    let started = UNIX_EPOCH + Duration::from_millis(now_ms.saturating_sub(call.duration_ms));
    let builder = tracer
        .span_builder(name(call))
        .with_kind(SpanKind::Server)
        .with_start_time(started);
    let mut span = builder
        .with_attributes(attributes(call, transport))
        .start_with_context(tracer, &parent(call));
    if failure(call).is_some() {
        span.set_status(Status::error(""));
    }
    span.end_with_timestamp(ended);
}

/// The method, and of what there is only a number registered, the name. URIs of resources would be
/// too many names.
fn name(call: &AuditEntry<'_>) -> String {
    match call.method {
        "tools/call" | "prompts/get" if !call.name.is_empty() => {
            format!("{} {}", call.method, call.name)
        }
        _ => method(call).to_owned(),
    }
}

/// The method, or what OpenTelemetry writes for an unknown one.
fn method<'a>(call: &AuditEntry<'a>) -> &'a str {
    if call.method.is_empty() {
        "_OTHER"
    } else {
        call.method
    }
}

fn attributes(call: &AuditEntry<'_>, transport: Transport) -> Vec<KeyValue> {
    let text = |key: &'static str, value: &str| KeyValue::new(key, value.to_owned());
    let mut attributes = vec![
        text("mcp.method.name", method(call)),
        KeyValue::new("mcp.protocol.version", call.revision.as_str()),
        KeyValue::new("mcpfn.outcome", call.outcome.as_str()),
        KeyValue::new("mcpfn.cache", call.cache.as_str()),
    ];
    if call.method == "tools/call" {
        attributes.push(KeyValue::new("gen_ai.operation.name", "execute_tool"));
    }
    // empty is what a record does not have
    let target = match call.method {
        "tools/call" => text("gen_ai.tool.name", call.name),
        "prompts/get" => text("gen_ai.prompt.name", call.name),
        _ => text("", ""),
    };
    let id = text("jsonrpc.request.id", call.id.trim_matches('"'));
    attributes.extend(
        [target, id]
            .into_iter()
            .filter(|attribute| !attribute.value.as_str().is_empty()),
    );
    match transport {
        Transport::Tcp => attributes.extend([
            KeyValue::new("network.transport", "tcp"),
            KeyValue::new("network.protocol.name", "http"),
        ]),
        Transport::Pipe => attributes.push(KeyValue::new("network.transport", "pipe")),
    }
    if let Some(code) = call.code {
        attributes.push(KeyValue::new("rpc.response.status_code", code.to_string()));
    }
    attributes.extend(failure(call).map(|failure| KeyValue::new("error.type", failure)));
    attributes
}

/// What kind of failure it was, if it was one. A question to the client is not a failure.
fn failure(call: &AuditEntry<'_>) -> Option<Value> {
    match (call.code, call.outcome) {
        (Some(code), _) => Some(code.to_string().into()),
        (None, Outcome::Ok | Outcome::InputRequired) => None,
        (None, Outcome::Cancelled) => Some("cancelled".into()),
        // a result with `isError`
        (None, _) => Some("tool_error".into()),
    }
}

/// The caller's span, as W3C trace context names it.
fn parent(call: &AuditEntry<'_>) -> Context {
    let sent = [
        ("traceparent", call.traceparent),
        ("tracestate", call.tracestate),
    ];
    let sent: HashMap<String, String> = sent
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
        .collect();
    TraceContextPropagator::new().extract_with_context(&Context::new(), &sent)
}
