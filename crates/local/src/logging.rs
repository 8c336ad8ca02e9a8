//! Logs on stderr, readable or as JSON lines. Never on stdout, which belongs to the protocol under
//! stdio.

use mcpfn_settings::log_panics;
use tracing::Level;
use tracing_subscriber::fmt;

use crate::settings::LogFormat;

/// Starts logging; a second start in one process changes nothing.
pub(crate) fn start(level: Level, format: LogFormat) {
    let builder = fmt()
        .with_writer(std::io::stderr)
        .with_max_level(level)
        .with_target(false);
    let _ = match format {
        LogFormat::Text => builder.with_ansi(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    log_panics();
}
