//! Logs as JSON lines on stdout, which Lambda forwards. Every line says which service, version and
//! invocation it is of, in members at the top whose names are those of AWS's own tools. Not
//! `tracing-subscriber`: no line of ours needs a span, and a start pays for its tables.

use std::io::Write as _;
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use mcpfn_core::text::timestamp;
use mcpfn_settings::{LogLine, log_panics};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

tokio::task_local! {
    /// The invocation that the task works for.
    static INVOCATION: InvocationId;
}

/// The server's name; the function's until it is known.
static SERVICE: OnceLock<String> = OnceLock::new();

/// What the lines of one invocation say about it.
#[derive(Debug, Clone)]
pub(crate) struct InvocationId {
    pub(crate) request_id: String,
    /// The root of X-Ray's trace.
    pub(crate) trace_id: Option<String>,
    /// Whether its environment was made for it.
    pub(crate) cold_start: bool,
}

impl InvocationId {
    /// Runs a task whose lines say this.
    pub(crate) async fn scope<F: Future>(&self, task: F) -> F::Output {
        INVOCATION.scope(self.clone(), task).await
    }

    /// Does something whose lines say this.
    pub(crate) fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        INVOCATION.sync_scope(self.clone(), work)
    }
}

/// The root in a header of X-Ray: `Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1`.
pub(crate) fn trace_root(header: &str) -> Option<String> {
    let root = header
        .split(';')
        .find_map(|part| part.trim().strip_prefix("Root="))?;
    Some(root.to_owned())
}

/// Whether environments are made for a request that waits; provisioned ones are not.
pub(crate) fn starts_on_demand() -> bool {
    std::env::var("AWS_LAMBDA_INITIALIZATION_TYPE").map_or(true, |kind| kind == "on-demand")
}

/// Whether the environment was made for the invocation that the task works for.
pub(crate) fn is_cold_start() -> bool {
    INVOCATION
        .try_with(|invocation| invocation.cold_start)
        .unwrap_or_default()
}

/// Names the service of every line from now on.
pub(crate) fn name_service(name: &str) {
    let _ = SERVICE.set(name.to_owned());
}

/// Starts logging; a second start in one process changes nothing.
pub(crate) fn start(level: Level) {
    let _ = tracing::subscriber::set_global_default(Stdout(level));
    log_panics();
}

/// Begins a line with what every line says.
pub(crate) fn line(level: Level) -> LogLine {
    let mut line = LogLine::new(level);
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    line.text("timestamp", &timestamp(now.unwrap_or_default()));
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    match SERVICE.get() {
        Some(service) => line.text("service", service),
        None => line.text("service", &variable("AWS_LAMBDA_FUNCTION_NAME")),
    }
    line.text("functionVersion", &variable("AWS_LAMBDA_FUNCTION_VERSION"));
    let told = INVOCATION.try_with(|invocation| {
        line.plain("coldStart", invocation.cold_start);
        line.text("requestId", &invocation.request_id);
        line.text(
            "traceId",
            invocation.trace_id.as_deref().unwrap_or_default(),
        );
    });
    if told.is_err() {
        // of no invocation: a start, or work of the process itself
        line.plain("coldStart", starts_on_demand());
        line.text("requestId", "");
        line.text("traceId", "");
    }
    line
}

/// Writes a line.
pub(crate) fn write(line: LogLine) {
    let mut line = line.end();
    line.push('\n');
    // stdout that is gone has no reader to tell
    let _ = std::io::stdout().lock().write_all(line.as_bytes());
}

struct Stdout(Level);

impl Subscriber for Stdout {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() <= self.0
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.0.into())
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = line(*event.metadata().level());
        line.event(event);
        write(line);
    }

    // a span that is not enabled is never made
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_its_root() {
        let root = "1-5759e988-bd862e3fe1be46a994272793";
        let header = format!("Root={root};Parent=53995c3f42cd8ad8;Sampled=1");
        assert_eq!(trace_root(&header).as_deref(), Some(root));
        assert_eq!(trace_root("Sampled=0"), None);
    }
}
