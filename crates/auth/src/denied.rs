//! Refusals, by the answer that they get.

use mcpfn_http::{Denied, DeniedKind};

pub(crate) fn malformed(message: impl Into<String>) -> Denied {
    Denied::new(DeniedKind::Malformed, message)
}

pub(crate) fn invalid(message: impl Into<String>) -> Denied {
    Denied::new(DeniedKind::Invalid, message)
}

pub(crate) fn unavailable(message: impl Into<String>) -> Denied {
    Denied::new(DeniedKind::Unavailable, message)
}
