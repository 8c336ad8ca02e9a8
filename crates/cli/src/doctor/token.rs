//! A bearer token that a person gave, as far as it can be read without its issuer's keys. It is sent to
//! its server alone and never printed.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::finding::Report;
use super::probe::Probe;

pub(crate) fn check(probe: &Probe, report: &mut Report) {
    let Some(claims) = probe.token.as_deref().and_then(claims) else {
        return;
    };
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    examine(
        &claims,
        now,
        &probe.url.to_string(),
        &probe.beside(""),
        report,
    );
}

/// The claims of a JWT.
fn claims(token: &str) -> Option<Value> {
    let mut parts = token.split('.');
    let (_, claims, _) = (parts.next()?, parts.next()?, parts.next()?);
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}

fn examine(claims: &Value, now: u64, url: &str, origin: &str, report: &mut Report) {
    if let Some(issuer) = claims["iss"].as_str() {
        report.fact("token's issuer", issuer);
    }
    let scopes = claims["scope"].as_str().or(claims["scp"].as_str());
    report.fact("token's scopes", scopes.unwrap_or("none"));
    if claims["exp"].as_f64().is_some_and(|end| end < now as f64) {
        report.error(
            "token-expired",
            "the token has expired",
            "get a new one; a client should do so by itself with a refresh token",
        );
    }
    if claims["nonce"].is_string() || claims["at_hash"].is_string() {
        report.error(
            "token-id",
            "the token is an ID token, which says who somebody is, and is no access token",
            "send the access token of the same answer",
        );
    }
    let audiences: Vec<&str> = match &claims["aud"] {
        Value::String(one) => vec![one],
        Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let same = |audience: &&str| {
        let bare = audience.trim_end_matches('/');
        bare == url.trim_end_matches('/') || bare == origin
    };
    if !audiences.iter().any(same) {
        let found = if audiences.is_empty() {
            "none".to_owned()
        } else {
            audiences.join(", ")
        };
        report.warning(
            "token-audience",
            format!("the token's audience is {found}, and not {url}"),
            "ask for it with resource=URL, or list what it has in MCPFN_AUDIENCE",
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn codes(claims: &Value) -> Vec<&'static str> {
        let mut report = Report::default();
        let (url, origin) = ("https://mcp.example.com/mcp", "https://mcp.example.com");
        examine(claims, 1000, url, origin, &mut report);
        report.findings.iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn faults_of_tokens() {
        let good = json!({"aud": ["x", "https://mcp.example.com/mcp"], "exp": 2000});
        assert!(codes(&good).is_empty());
        let origin = json!({"aud": "https://mcp.example.com/", "exp": 2000});
        assert!(codes(&origin).is_empty());
        assert_eq!(
            codes(&json!({"aud": "other", "exp": 10, "nonce": "n"})),
            ["token-expired", "token-id", "token-audience"]
        );
        assert_eq!(codes(&json!({"exp": 2000})), ["token-audience"]);
    }

    #[test]
    fn what_is_no_jwt_is_left_alone() {
        assert_eq!(claims("opaque"), None);
        assert_eq!(claims("a.b.c"), None);
    }
}
