//! Who lets people into a server: its metadata document, and that of the issuer that it names. Both
//! are texts of strangers, and nothing is sent to an address that they may not name.

use http::Uri;
use serde_json::Value;

use super::asked::ask;
use crate::http::{Http, endpoint, is_here};
use crate::output::CliError;

/// What was found.
#[derive(Debug)]
pub(super) struct SignInMetadata {
    pub(super) resource: String,
    pub(super) scope: Option<String>,
    pub(super) issuer: SignInIssuer,
}

#[derive(Debug)]
pub(super) struct SignInIssuer {
    pub(super) name: String,
    pub(super) authorization_endpoint: String,
    pub(super) token_endpoint: String,
    pub(super) registration_endpoint: Option<String>,
    /// It says its name with each code.
    pub(super) names_itself: bool,
}

pub(super) async fn find(
    http: &Http,
    url: &Uri,
    challenge: &str,
) -> Result<SignInMetadata, CliError> {
    let document = resource(http, url, challenge).await?;
    let named = document["resource"].as_str().unwrap_or_default();
    if !is_about(named, url) {
        let named = mcpfn_core::text::visible(named);
        return Err(format!("{url} has a metadata document that is about `{named}`").into());
    }
    let issuer = document["authorization_servers"][0].as_str();
    let issuer = issuer.ok_or_else(|| no_sign_in(url))?;
    let scope = parameter(challenge, "scope").or_else(|| {
        let scopes = document["scopes_supported"].as_array()?;
        let scopes: Vec<&str> = scopes.iter().filter_map(Value::as_str).collect();
        (!scopes.is_empty()).then(|| scopes.join(" "))
    });
    Ok(SignInMetadata {
        resource: named.to_owned(),
        scope,
        issuer: about_issuer(http, url, issuer).await?,
    })
}

fn no_sign_in(url: &Uri) -> CliError {
    CliError(format!(
        "{url} refuses, and names no authorization server to sign in at"
    ))
}

/// The document about the server: where it says, else where RFC 9728 puts it.
async fn resource(http: &Http, url: &Uri, challenge: &str) -> Result<Value, CliError> {
    let origin = origin(url);
    let path = url.path().trim_end_matches('/');
    let places = match parameter(challenge, "resource_metadata") {
        Some(place) if place.starts_with(&format!("{origin}/")) => vec![place],
        Some(_) => {
            return Err(format!("{url} names a metadata document of another origin").into());
        }
        None => vec![
            format!("{origin}/.well-known/oauth-protected-resource{path}"),
            format!("{origin}/.well-known/oauth-protected-resource"),
        ],
    };
    for place in places {
        let document = ask(http, &place, None).await?;
        if document["resource"].is_string() {
            return Ok(document);
        }
    }
    Err(no_sign_in(url))
}

async fn about_issuer(http: &Http, url: &Uri, name: &str) -> Result<SignInIssuer, CliError> {
    let issuer = allowed(name, url)?;
    let (origin, path) = (origin(&issuer), issuer.path().trim_end_matches('/'));
    for place in [
        format!("{origin}/.well-known/oauth-authorization-server{path}"),
        format!("{origin}/.well-known/openid-configuration{path}"),
        format!("{origin}{path}/.well-known/openid-configuration"),
    ] {
        let document = ask(http, &place, None).await?;
        if document["issuer"].is_string() {
            return read(&document, name, url);
        }
    }
    Err(format!("{name} has no metadata document").into())
}

fn read(document: &Value, name: &str, url: &Uri) -> Result<SignInIssuer, CliError> {
    if document["issuer"] != name {
        return Err(format!("the document of {name} is about another issuer").into());
    }
    let methods = document["code_challenge_methods_supported"].as_array();
    if !methods.is_some_and(|methods| methods.iter().any(|method| method == "S256")) {
        return Err(format!("{name} does not take PKCE with S256: switch it on there").into());
    }
    let address = |member: &str| -> Result<String, CliError> {
        let text = document[member].as_str();
        let text = text.ok_or_else(|| format!("the document of {name} has no {member}"))?;
        allowed(text, url).map(|_| text.to_owned())
    };
    Ok(SignInIssuer {
        name: name.to_owned(),
        authorization_endpoint: address("authorization_endpoint")?,
        token_endpoint: address("token_endpoint")?,
        registration_endpoint: document
            .get("registration_endpoint")
            .map(|_| address("registration_endpoint"))
            .transpose()?,
        names_itself: document["authorization_response_iss_parameter_supported"] == true,
    })
}

/// An address that a server may name: a stranger's has no business at this machine.
fn allowed(text: &str, server: &Uri) -> Result<Uri, CliError> {
    let url = endpoint(text)?;
    if url.host().is_some_and(is_here) && !server.host().is_some_and(is_here) {
        return Err(format!("{server} names an address of this machine, which is refused").into());
    }
    Ok(url)
}

/// Whether a document about `resource` is about this server: same origin, and no other path.
fn is_about(resource: &str, url: &Uri) -> bool {
    let Ok(named) = resource.parse::<Uri>() else {
        return false;
    };
    let path = named.path().trim_end_matches('/');
    let rest = url.path().strip_prefix(path);
    named.query().is_none()
        && origin(&named).eq_ignore_ascii_case(&origin(url))
        && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn origin(url: &Uri) -> String {
    let authority = url.authority().map(ToString::to_string);
    let scheme = url.scheme_str().unwrap_or_default();
    format!("{scheme}://{}", authority.unwrap_or_default())
}

/// A parameter of a challenge.
fn parameter(challenge: &str, name: &str) -> Option<String> {
    let mut rest = challenge;
    let begin = format!("{name}=\"");
    loop {
        let (before, after) = rest.split_once(&begin)?;
        // not the end of a longer name
        if before.ends_with([' ', ',']) {
            return after.split_once('"').map(|(value, _)| value.to_owned());
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_is_about_a_server_of_its_origin_and_path() {
        let url: Uri = "https://mcp.example.com/a/mcp".parse().unwrap();
        for (resource, expected) in [
            ("https://mcp.example.com/a/mcp", true),
            ("https://mcp.example.com/a/", true),
            ("https://mcp.example.com", true),
            ("https://mcp.example.com/b", false),
            ("https://mcp.example.com/a/m", false),
            ("https://mcp.example.com.evil.example/a/mcp", false),
            ("http://mcp.example.com/a/mcp", false),
            ("https://mcp.example.com/a/mcp?x", false),
            ("", false),
        ] {
            assert_eq!(is_about(resource, &url), expected, "{resource}");
        }
    }

    #[test]
    fn what_strangers_name_is_checked() {
        let url: Uri = "https://mcp.example.com/mcp".parse().unwrap();
        let name = "https://id.example.com";
        let good = json!({
            "issuer": name, "authorization_endpoint": "https://id.example.com/authorize",
            "token_endpoint": "https://id.example.com/token",
            "code_challenge_methods_supported": ["S256"],
        });
        assert!(read(&good, name, &url).is_ok());
        for (member, value, named) in [
            ("issuer", json!("https://id.example.com/"), "another issuer"),
            ("code_challenge_methods_supported", json!(["plain"]), "PKCE"),
            ("code_challenge_methods_supported", Value::Null, "PKCE"),
            (
                "token_endpoint",
                json!("http://id.example.com/"),
                "everybody",
            ),
            (
                "token_endpoint",
                json!("https://127.0.0.1/"),
                "this machine",
            ),
            ("token_endpoint", Value::Null, "token_endpoint"),
            (
                "authorization_endpoint",
                json!("file:///etc/passwd"),
                "can't be asked",
            ),
            (
                "authorization_endpoint",
                json!("javascript:alert(1)"),
                "can't be asked",
            ),
            (
                "registration_endpoint",
                json!("http://localhost:1/"),
                "this machine",
            ),
        ] {
            let mut bad = good.clone();
            bad[member] = value;
            let error = read(&bad, name, &url).unwrap_err();
            assert!(error.0.contains(named), "{member}: {error}");
        }
    }

    #[test]
    fn parameters_have_whole_names() {
        let challenge = "Bearer error_scope=\"x\", scope=\"a b\",resource_metadata=\"https://a/b\"";
        assert_eq!(parameter(challenge, "scope").as_deref(), Some("a b"));
        assert_eq!(
            parameter(challenge, "resource_metadata").as_deref(),
            Some("https://a/b")
        );
        assert_eq!(parameter(challenge, "error"), None);
    }
}
