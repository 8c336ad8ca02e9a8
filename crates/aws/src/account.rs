//! Region, credentials and addresses, from the variables that every program of AWS reads. No
//! profiles, no instance metadata.

use std::fmt;

use mcpfn_settings::EnvReader;

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

/// `AWS_REGION`, and the credentials that Lambda sets. `user` is the variable that needs them.
pub fn account(reader: &mut EnvReader<'_>, user: &str) -> (String, AccessKeys) {
    let mut set = |variable: &str| {
        reader.text(variable).unwrap_or_else(|| {
            reader.mistake(format!(
                "{variable} is not set, and {user} can't be used without it; \
                Lambda sets it by itself"
            ));
            String::new()
        })
    };
    let region = set("AWS_REGION");
    let (id, secret) = (set("AWS_ACCESS_KEY_ID"), set("AWS_SECRET_ACCESS_KEY"));
    (
        region,
        AccessKeys {
            id,
            secret,
            session: reader.text("AWS_SESSION_TOKEN"),
        },
    )
}

/// `AWS_ENDPOINT_URL_SERVICE`, else `AWS_ENDPOINT_URL`: another address than the region's own.
pub fn endpoint(reader: &mut EnvReader<'_>, variable: &str) -> Option<String> {
    let endpoint = reader
        .text(variable)
        .or_else(|| reader.text("AWS_ENDPOINT_URL"));
    if endpoint
        .as_deref()
        .is_some_and(|endpoint| !is_address(endpoint))
    {
        reader.mistake(format!(
            "{variable} (or AWS_ENDPOINT_URL) must be an address such as http://127.0.0.1:8000"
        ));
    }
    endpoint
}

/// What the names of a region's services end with.
#[must_use]
pub fn domain(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "amazonaws.com.cn"
    } else {
        "amazonaws.com"
    }
}

fn is_address(text: &str) -> bool {
    text.parse::<http::Uri>()
        .is_ok_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some())
}
