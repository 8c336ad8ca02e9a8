//! Why an upstream gave no result.

use std::fmt;

use mcpfn_core::{ToolError, text};

use super::answer::RpcError;

/// Servers that a call may come through before this one. A server that fronts itself would ask
/// without end.
pub(super) const MAX_HOPS: u8 = 3;

/// Why there is no result.
#[derive(Debug)]
pub(super) enum UpstreamFailure {
    /// The upstream answered with an error.
    Error(RpcError),
    /// It does not accept this server's credential; the cause is for the log.
    Refused(String),
    /// Its answer is longer than the limit; the message that was cut, as it came.
    TooLong(Vec<u8>),
    /// It gave no usable answer. Whether it did what was asked is not known if `sent`.
    Unavailable { cause: String, sent: bool },
    /// The caller's call came through too many servers; the upstream was not asked.
    TooManyHops,
    /// A mistake of the host.
    Internal(ToolError),
}

impl UpstreamFailure {
    pub(super) fn unsent(cause: impl Into<String>) -> Self {
        Self::Unavailable {
            cause: cause.into(),
            sent: false,
        }
    }
}

/// For the log.
impl fmt::Display for UpstreamFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(error) => {
                write!(f, "error {}: {}", error.code, text::quoted(&error.message))
            }
            Self::Refused(cause) | Self::Unavailable { cause, .. } => f.write_str(cause),
            Self::TooLong(_) => {
                f.write_str("its answer is longer than the limit, and not among what was read")
            }
            Self::TooManyHops => write!(
                f,
                "the call came through {MAX_HOPS} servers already: do some of them front each other?"
            ),
            Self::Internal(error) => write!(f, "{error:?}"),
        }
    }
}
