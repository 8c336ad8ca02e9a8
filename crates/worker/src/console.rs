//! `tracing` on the console, which Workers forwards to its logs. Not `tracing-subscriber`, whose
//! JSON layer adds some 30 KB after gzip to what a bare Worker has 45 of. Spans are not kept: calls
//! share one thread, and no line of ours needs one.

use mcpfn_settings::{LogLine, log_panics};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use worker::{console_debug, console_error, console_log, console_warn};

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
        let mut line = LogLine::new(*event.metadata().level());
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
