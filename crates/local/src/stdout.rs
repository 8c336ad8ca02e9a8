//! What a command prints. Not the protocol under stdio, nor the log.

use std::io::Write as _;

/// Writes to stdout; a reader that went away is not an error.
pub(crate) fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
