//! Logs as JSON lines on stdout, which Lambda forwards: `timestamp`, `level` and `message` stand
//! where its own filters look.

use mcpfn_settings::log_panics;
use tracing::Level;
use tracing_subscriber::fmt;

/// Starts logging; a second start in one process changes nothing.
pub(crate) fn start(level: Level) {
    let builder = fmt()
        .with_writer(std::io::stdout)
        .with_max_level(level)
        .with_target(false);
    let _ = builder
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .try_init();
    log_panics();
}
