//! `tracing` on the console, which Workers forwards to its logs. Not `tracing-subscriber`, whose
//! JSON layer adds some 30 KB after gzip to what a bare Worker has 45 of. Spans are not kept: calls
//! share one thread, and no line of ours needs one.

use std::cell::RefCell;

use mcpfn_settings::{LogLine, log_panics};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use worker::{console_debug, console_error, console_log, console_warn};

use crate::request_id::RequestId;

thread_local! {
    /// The server's name and the id of the deployed version, once they are known.
    static DEPLOYED: RefCell<(String, String)> = const { RefCell::new((String::new(), String::new())) };
}

/// Names the service and the version of every line from now on.
pub(crate) fn name(service: &str, version: &str) {
    DEPLOYED.set((service.to_owned(), version.to_owned()));
}

/// Begins a line with what every line says, as on AWS Lambda. The time of a line is the console's.
fn line(level: Level) -> LogLine {
    let mut line = LogLine::new(level);
    DEPLOYED.with_borrow(|(service, version)| {
        line.text("service", service);
        line.text("functionVersion", version);
    });
    let request = RequestId::current();
    let request = request.as_deref();
    line.plain(
        "coldStart",
        request.is_some_and(|request| request.cold_start),
    );
    line.text("requestId", request.map_or("", |request| &request.ray));
    line.text("traceId", request.map_or("", |request| &request.trace_id));
    line
}

/// Starts logging; a second start in one module changes nothing.
pub(crate) fn start(level: Level) {
    let _ = tracing::subscriber::set_global_default(Console(level));
    log_panics();
}

struct Console(Level);

impl Subscriber for Console {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() <= self.0
    }

    fn max_level_hint(&self) -> Option<tracing::level_filters::LevelFilter> {
        Some(self.0.into())
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = line(*event.metadata().level());
        line.event(event);
        let line = line.end();
        match *event.metadata().level() {
            Level::ERROR => console_error!("{line}"),
            Level::WARN => console_warn!("{line}"),
            Level::INFO => console_log!("{line}"),
            _ => console_debug!("{line}"),
        }
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
