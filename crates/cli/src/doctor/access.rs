//! What a server that refuses says to a client about getting in: the challenge, and the document that it
//! names.

use serde_json::Value;

use super::finding::Report;
use super::issuer;
use super::probe::{Probe, ProbeAnswer};

pub(crate) async fn check(probe: &Probe, refusal: &ProbeAnswer, report: &mut Report) {
    report.fact("without credentials", u64::from(refusal.status));
    if probe.token.is_some() || refusal.status == 403 {
        report.error(
            "refused",
            format!("the credentials are refused with status {}", refusal.status),
            "read the server's log for the reason; for IAM, see whether the policy has \
             lambda:InvokeFunctionUrl and lambda:InvokeFunction, and give --sigv4",
        );
    }
    if refusal.status == 403 {
        return;
    }
    let Some(challenge) = refusal.header("www-authenticate") else {
        if refusal.header("x-amzn-remapped-www-authenticate").is_some() {
            report.error(
                "challenge-renamed",
                "what stands in front renames WWW-Authenticate to x-amzn-remapped-www-authenticate",
                "put CloudFront with an origin-response function in front of it: function URLs and API \
                 Gateway rename it, and clients then don't find the authorization server",
            );
        } else {
            report.error(
                "challenge-missing",
                "its 401 has no WWW-Authenticate",
                "answer with WWW-Authenticate: Bearer resource_metadata=\"URL\", so that clients find \
                 the authorization server",
            );
        }
        metadata(probe, &well_known(probe), report).await;
        return;
    };
    let named = parameter(challenge, "resource_metadata");
    if let Some(url) = &named {
        let own = probe.beside("/");
        if !url.starts_with(&own) {
            report.error(
                "metadata-elsewhere",
                format!("resource_metadata is at another origin: {url}"),
                "set MCPFN_PUBLIC_URL to the URL that clients use; they refuse documents of others",
            );
            return;
        }
    } else {
        report.warning(
            "challenge-bare",
            "WWW-Authenticate names no resource_metadata",
            "add resource_metadata=\"URL\": clients otherwise have to guess",
        );
    }
    metadata(probe, &named.unwrap_or_else(|| well_known(probe)), report).await;
}

fn well_known(probe: &Probe) -> String {
    let path = probe.url.path().trim_end_matches('/');
    probe.beside(&format!("/.well-known/oauth-protected-resource{path}"))
}

/// The document about this server, and the authorization servers that it names.
async fn metadata(probe: &Probe, url: &str, report: &mut Report) {
    let document = match probe.document(url).await {
        Ok(answer) if answer.status == 200 => answer.message(),
        _ => None,
    };
    let Some(document) = document.filter(Value::is_object) else {
        report.error(
            "metadata-missing",
            format!("there is no metadata document at {url}"),
            "serve it from the same server; behind a stage or a proxy, route /.well-known to it too",
        );
        return;
    };
    let resource = document["resource"].as_str().unwrap_or_default();
    let asked = probe.url.to_string();
    let same = resource.trim_end_matches('/') == asked.trim_end_matches('/');
    let origin = probe.beside("");
    if !same && resource.trim_end_matches('/') != origin {
        report.error(
            "metadata-resource",
            format!("the document is about `{resource}`, and not about {asked}"),
            "set MCPFN_PUBLIC_URL to the URL that clients use, letter for letter: they compare",
        );
    }
    let servers = document["authorization_servers"].as_array();
    let Some(servers) = servers.filter(|servers| !servers.is_empty()) else {
        report.error(
            "metadata-issuers",
            "the document names no authorization server",
            "list the issuer's URL in authorization_servers (MCPFN_ISSUER)",
        );
        return;
    };
    for server in servers.iter().filter_map(Value::as_str).take(5) {
        issuer::check(probe, server, report).await;
    }
}

/// A parameter of a challenge.
fn parameter(challenge: &str, name: &str) -> Option<String> {
    let (_, rest) = challenge.split_once(&format!("{name}=\""))?;
    let (value, _) = rest.split_once('"')?;
    Some(value.to_owned())
}
