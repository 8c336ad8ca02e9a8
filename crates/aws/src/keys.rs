//! What was found: credentials, and what a region looks like. Not where they come from.

use std::fmt;

/// Credentials. Their text is never printed.
#[derive(Clone)]
pub struct AccessKeys {
    /// Names the secret.
    pub id: String,
    /// Signs.
    pub secret: String,
    /// Goes along with credentials that expire.
    pub session: Option<String>,
}

impl fmt::Debug for AccessKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessKeys(..)")
    }
}

/// What may stand in an address.
pub(crate) fn is_region(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (1..=63).contains(&text.len()) && text.bytes().all(legal)
}
