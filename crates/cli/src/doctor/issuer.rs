//! An authorization server, as clients have to find and use it.

use serde_json::Value;

use super::finding::Report;
use super::probe::Probe;
use crate::http::endpoint;

pub(crate) async fn check(probe: &Probe, issuer: &str, report: &mut Report) {
    if endpoint(issuer).is_err() {
        report.error(
            "issuer-url",
            format!("the authorization server `{issuer}` is no https URL"),
            "name it by the URL that is in its tokens as iss",
        );
        return;
    }
    let Some(document) = document(probe, issuer).await else {
        report.error(
            "issuer-metadata",
            format!("{issuer} has no metadata document"),
            "name the issuer by the URL below which /.well-known/openid-configuration is",
        );
        return;
    };
    let named = document["issuer"].as_str().unwrap_or_default();
    if named != issuer {
        report.error(
            "issuer-name",
            format!("{issuer} calls itself `{named}`"),
            "write the issuer as its own document does, with or without the last slash: clients compare",
        );
    }
    let methods = document["code_challenge_methods_supported"].as_array();
    if !methods.is_some_and(|methods| methods.iter().any(|method| method == "S256")) {
        report.error(
            "issuer-pkce",
            format!("{issuer} does not say that it takes PKCE with S256"),
            "switch PKCE on there; clients refuse to go on without it",
        );
    }
    let registers = document["registration_endpoint"].is_string()
        || document["client_id_metadata_document_supported"] == true;
    if !registers {
        report.warning(
            "issuer-registration",
            format!("{issuer} lets no client register itself"),
            "make a client there, and give people its id: most clients ask for one then",
        );
    }
}

/// The first of the documents that there may be.
async fn document(probe: &Probe, issuer: &str) -> Option<Value> {
    let url: http::Uri = issuer.parse().ok()?;
    let origin = format!("{}://{}", url.scheme_str()?, url.authority()?);
    let path = url.path().trim_end_matches('/');
    let places = [
        format!("{origin}/.well-known/oauth-authorization-server{path}"),
        format!("{origin}/.well-known/openid-configuration{path}"),
        format!("{origin}{path}/.well-known/openid-configuration"),
    ];
    for place in places {
        if let Ok(answer) = probe.document(&place).await
            && answer.status == 200
            && let Some(document) = answer.message().filter(Value::is_object)
        {
            return Some(document);
        }
    }
    None
}
