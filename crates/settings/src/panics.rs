//! What becomes of a panic: a line in the log. Catches none.

use std::panic;

/// From now on a panic of this process is one line of the log with its place and its message, like
/// any other failure, and not a stack trace between JSON lines.
pub fn log_panics() {
    panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        tracing::error!(
            event = "panic",
            place,
            // not `message`, which is the sentence of every line
            panic = panic.payload_as_str().unwrap_or("no message"),
            "panic"
        );
    }));
}
