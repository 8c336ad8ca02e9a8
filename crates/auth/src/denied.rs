//! Refusals, by the answer that they get.

use mcpfn_http::{AuthError, AuthErrorKind};

pub(crate) fn malformed(message: impl Into<String>) -> AuthError {
    AuthError::new(AuthErrorKind::Malformed, message)
}

pub(crate) fn invalid(message: impl Into<String>) -> AuthError {
    AuthError::new(AuthErrorKind::Invalid, message)
}

pub(crate) fn unavailable(message: impl Into<String>) -> AuthError {
    AuthError::new(AuthErrorKind::Unavailable, message)
}
