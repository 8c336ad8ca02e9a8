//! Why an upstream gave no result.

use std::fmt;

use mcpfn_core::{ServiceFault, ToolError, text};

use super::answer::RpcError;
use crate::outage::Outage;

/// Servers that a call may come through before this one. A server that fronts itself would ask
/// without end.
pub(super) const MAX_HOPS: u8 = 3;

/// Why there is no result.
#[derive(Debug)]
pub(super) enum UpstreamFailure {
    /// The upstream answered with an error.
    Error(RpcError),
    /// Its answer is longer than the limit; the message that was cut, as it came.
    TooLong(Vec<u8>),
    /// It gave no usable answer. Whether it did what was asked is not known if `sent`.
    Unavailable {
        outage: Outage,
        cause: String,
        sent: bool,
    },
    /// The caller's call came through too many servers; the upstream was not asked.
    TooManyHops,
    /// A mistake of the host.
    Internal(ToolError),
}

impl UpstreamFailure {
    /// The upstream did nothing.
    pub(super) fn unsent(outage: impl Into<Outage>, cause: impl Into<String>) -> Self {
        Self::Unavailable {
            outage: outage.into(),
            cause: cause.into(),
            sent: false,
        }
    }

    /// What is wrong with the upstream, for those who needed only its list.
    pub(super) fn outage(&self) -> Outage {
        match self {
            Self::Unavailable { outage, .. } => *outage,
            Self::TooLong(_) => ServiceFault::TooLong.into(),
            Self::Error(_) => ServiceFault::Failing.into(),
            Self::TooManyHops | Self::Internal(_) => ServiceFault::Refused.into(),
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
            Self::Unavailable { cause, .. } => f.write_str(cause),
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
