//! Who lets people into a server: its metadata document, and that of the issuer that it names. Both
//! are texts of strangers, and nothing is sent to an address that they may not name.

use http::Uri;
use serde_json::Value;

use super::asked;
use crate::http::{Http, endpoint, is_near};
use crate::output::CliError;

/// Parameters of a request for a code, which an issuer may not give twice.
const OURS: [&str; 8] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "code_challenge",
    "code_challenge_method",
    "state",
    "resource",
    "scope",
];

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
    expected: Option<&str>,
) -> Result<SignInMetadata, CliError> {
    let document = resource(http, url, challenge).await?;
    let named = document["resource"].as_str().unwrap_or_default();
    if !is_about(named, url) {
        let named = mcpfn_core::text::visible(named);
        return Err(format!("{url} has a metadata document that is about `{named}`").into());
    }
    let issuer = chosen(&document["authorization_servers"], expected, url)?;
    let scope = parameter(challenge, "scope").or_else(|| {
        let scopes = document["scopes_supported"].as_array()?;
        let scopes: Vec<&str> = scopes.iter().filter_map(Value::as_str).collect();
        (!scopes.is_empty()).then(|| scopes.join(" "))
    });
    Ok(SignInMetadata {
        resource: named.to_owned(),
        scope,
        issuer: about_issuer(http, url, issuer, expected.is_some()).await?,
    })
}

/// The issuer that a person expects, else the first that a server names.
fn chosen<'a>(named: &'a Value, expected: Option<&str>, url: &Uri) -> Result<&'a str, CliError> {
    let mut named = named.as_array().into_iter().flatten();
    let mut named = named.by_ref().filter_map(Value::as_str).peekable();
    if named.peek().is_none() {
        return Err(no_sign_in(url));
    }
    let issuer = named.find(|name| expected.is_none_or(|expected| *name == expected));
    issuer.ok_or_else(|| format!("{url} does not name the issuer that --issuer expects").into())
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
        let document = asked::document(http, &place).await?;
        if document["resource"].is_string() {
            return Ok(document);
        }
    }
    Err(no_sign_in(url))
}

async fn about_issuer(
    http: &Http,
    url: &Uri,
    name: &str,
    is_expected: bool,
) -> Result<SignInIssuer, CliError> {
    let issuer = allowed(name, url)?;
    let (origin, path) = (origin(&issuer), issuer.path().trim_end_matches('/'));
    for place in [
        format!("{origin}/.well-known/oauth-authorization-server{path}"),
        format!("{origin}/.well-known/openid-configuration{path}"),
        format!("{origin}{path}/.well-known/openid-configuration"),
    ] {
        let document = asked::document(http, &place).await?;
        if document["issuer"].is_string() {
            let issuer = read(&document, name, url)?;
            return if is_expected || is_its_own(&issuer) {
                Ok(issuer)
            } else {
                Err(another_page(&issuer))
            };
        }
    }
    Err(format!("{name} has no metadata document").into())
}

/// Whether a code can only be of this issuer: the page is at its host, or it names itself when the
/// browser comes back. Else a server could send a person to the page of an issuer that they trust, and
/// have the code itself.
fn is_its_own(issuer: &SignInIssuer) -> bool {
    let host = |text: &str| Some(text.parse::<Uri>().ok()?.host()?.to_ascii_lowercase());
    issuer.names_itself || host(&issuer.name) == host(&issuer.authorization_endpoint)
}

fn another_page(issuer: &SignInIssuer) -> CliError {
    let SignInIssuer {
        name,
        authorization_endpoint: page,
        ..
    } = issuer;
    CliError(format!(
        "{name} has its sign-in at another host, {page}, and does not say its name when the browser \
         comes back: if it is the issuer that you expect, say so with --issuer {name}"
    ))
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
        if text.contains('#') {
            return Err(format!("the {member} of {name} has a fragment").into());
        }
        allowed(text, url).map(|_| text.to_owned())
    };
    let page = address("authorization_endpoint")?;
    let query = page.split_once('?').map_or("", |(_, query)| query);
    if form_urlencoded::parse(query.as_bytes()).any(|(key, _)| OURS.contains(&&*key)) {
        return Err(format!("the authorization_endpoint of {name} has parameters of ours").into());
    }
    Ok(SignInIssuer {
        name: name.to_owned(),
        authorization_endpoint: page,
        token_endpoint: address("token_endpoint")?,
        registration_endpoint: document
            .get("registration_endpoint")
            .map(|_| address("registration_endpoint"))
            .transpose()?,
        names_itself: document["authorization_response_iss_parameter_supported"] == true,
    })
}

/// An address that a server may name: a stranger's has no business at this machine or its network.
fn allowed(text: &str, server: &Uri) -> Result<Uri, CliError> {
    let url = endpoint(text)?;
    if url.host().is_some_and(is_near) && !server.host().is_some_and(is_near) {
        return Err(format!(
            "{server} names an address of this machine or its network, which is refused"
        )
        .into());
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
                "authorization_endpoint",
                json!("https://id.example.com/a?scope=admin"),
                "parameters of ours",
            ),
            (
                "authorization_endpoint",
                json!("https://id.example.com/a#b"),
                "fragment",
            ),
            (
                "authorization_endpoint",
                json!("https://id.example.com/\u{9b}2J"),
                "percent-encoded",
            ),
            (
                "token_endpoint",
                json!("https://169.254.169.254/"),
                "its network",
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
    fn a_page_at_another_host_needs_a_name_or_a_word_of_the_person() {
        let issuer = |page: &str, names_itself| SignInIssuer {
            name: "https://id.example.com/pool".to_owned(),
            authorization_endpoint: page.to_owned(),
            token_endpoint: "https://id.example.com/token".to_owned(),
            registration_endpoint: None,
            names_itself,
        };
        for (page, names_itself, expected) in [
            ("https://ID.example.com/authorize?tenant=a", false, true),
            ("https://login.example.org/authorize", false, false),
            ("https://login.example.org/authorize", true, true),
        ] {
            assert_eq!(is_its_own(&issuer(page, names_itself)), expected, "{page}");
        }
        let url: Uri = "https://mcp.example.com/mcp".parse().unwrap();
        let named = json!(["https://a.example", "https://b.example"]);
        assert_eq!(chosen(&named, None, &url).unwrap(), "https://a.example");
        let b = "https://b.example";
        assert_eq!(chosen(&named, Some(b), &url).unwrap(), b);
        assert!(chosen(&named, Some("https://c.example"), &url).is_err());
        assert!(chosen(&Value::Null, None, &url).is_err());
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
