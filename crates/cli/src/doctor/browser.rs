//! What a web page may do: CORS for origins that should be served, and that others are not.

use bytes::Bytes;
use http::Method;
use serde_json::json;

use super::finding::Report;
use super::probe::Probe;

/// Headers of a client in a browser.
const NEEDED: [&str; 3] = ["content-type", "mcp-protocol-version", "mcp-method"];
/// Nobody's.
const STRANGER: &str = "https://stranger.invalid";

/// Whether pages of an origin can call.
pub(crate) async fn check(probe: &Probe, origin: &str, report: &mut Report) {
    let asks = NEEDED.join(", ");
    let headers = [
        ("origin", origin),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", asks.as_str()),
    ];
    let preflight = probe
        .ask(Method::OPTIONS, &probe.url, &headers, Bytes::new(), false)
        .await;
    let Ok(preflight) = preflight else {
        report.error(
            "cors-preflight",
            format!("the preflight of {origin} gets no answer"),
            "route OPTIONS of this path to the server too",
        );
        return;
    };
    let allowed = preflight.header("access-control-allow-origin");
    if !(200..300).contains(&preflight.status)
        || !matches!(allowed, Some(value) if value == origin || value == "*")
    {
        report.error(
            "cors-preflight",
            format!("the preflight of {origin} is refused (status {})", preflight.status),
            "add the origin to MCPFN_ALLOWED_ORIGINS; a preflight carries no credentials, so nothing in \
             front may ask for any",
        );
        return;
    }
    let listed = preflight
        .header("access-control-allow-headers")
        .unwrap_or_default()
        .to_lowercase();
    let missing: Vec<&str> = NEEDED
        .into_iter()
        .filter(|name| listed != "*" && !listed.split(',').any(|one| one.trim() == *name))
        .collect();
    if !missing.is_empty() {
        report.error(
            "cors-headers",
            format!("pages of {origin} may not send {}", missing.join(", ")),
            "list them in Access-Control-Allow-Headers",
        );
    }
}

/// Whether pages that nobody listed are served.
pub(crate) async fn check_strangers(probe: &Probe, report: &mut Report) {
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    let Ok(answer) = probe.post(&ping, &[("origin", STRANGER)]).await else {
        return;
    };
    let open = matches!(
        answer.header("access-control-allow-origin"),
        Some("*" | STRANGER)
    );
    if open {
        report.warning(
            "cors-open",
            "pages of every origin can read its answers",
            "list the origins that may: any page that somebody visits can otherwise use it",
        );
    } else if answer.status == 200 {
        report.warning(
            "origin",
            "it answers a request of an origin that nobody listed",
            "refuse unknown values of Origin with 403: a page could otherwise reach a server on a \
             person's own machine",
        );
    }
}
