//! What HTTP says to callers about proving who they are: challenges, the metadata document,
//! refusals. The proof itself is a test's own here: any token but `good` proves nothing. Real
//! tokens of a real issuer are tested beside `mcpfn-auth`.

use std::sync::Arc;

use http::HeaderMap;
use mcpfn::prelude::*;
use mcpfn::{Principal, PrincipalKind, handler::BoxFuture, port::Platform};
use mcpfn_http::{AuthError, AuthErrorKind, Authenticator, Config, ProtectedResource};
use serde_json::json;

use super::{Runs, call, says, shop};
use crate::support::in_process::InProcess;
use crate::support::{Host as _, Request};

struct Tokens;

impl Authenticator for Tokens {
    fn authenticate<'a>(
        &'a self,
        headers: &'a HeaderMap,
        _: &'a Platform,
    ) -> BoxFuture<'a, Result<Option<Principal>, AuthError>> {
        Box::pin(async {
            let Some(token) = headers
                .get("authorization")
                .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "))
            else {
                return Ok(None);
            };
            match token {
                "good" => Ok(Some(Principal::new(PrincipalKind::Jwt, "user-1"))),
                "down" => Err(AuthError::new(
                    AuthErrorKind::Unavailable,
                    "tokens can't be checked at the moment; try again soon",
                )
                .because("refused 10.0.0.1")),
                strange if strange.starts_with("strange") => Err(AuthError::new(
                    AuthErrorKind::Unanswered,
                    "the token's issuer says nothing about it",
                )),
                // an issuer that does not answer
                "hangs" => std::future::pending().await,
                "" => Err(AuthError::new(
                    AuthErrorKind::Malformed,
                    "the token is empty",
                )),
                _ => Err(AuthError::new(
                    AuthErrorKind::Invalid,
                    "the token has expired; get a new one",
                )
                .because("exp 12")),
            }
        })
    }
}

pub(super) fn guarded(anonymous: bool) -> InProcess {
    let mut config = config(vec!["catalog:read".to_owned()]);
    config.anonymous = anonymous;
    InProcess::with_config(|| shop(&Runs::default()), config).called_by(Principal::anonymous())
}

/// An issuer that asks clients to begin with these scopes.
fn config(scopes: Vec<String>) -> Config {
    let mut config = Config::default();
    config.auth.authenticators.push(Arc::new(Tokens));
    config.auth.resource = Some(ProtectedResource {
        url: "https://mcp.example.com/mcp".to_owned(),
        authorization_servers: vec!["https://issuer.example.com".to_owned()],
        scopes,
    });
    config
}

pub(super) fn with_token(token: &str) -> Request {
    call("look", json!({"sku": "a"})).header("authorization", &format!("Bearer {token}"))
}

const METADATA: &str = r#"Bearer resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp", scope="catalog:read""#;

#[test]
fn a_proof_lets_a_caller_in() {
    assert_eq!(
        says(&guarded(false).send(&with_token("good"))),
        "run 1: 0 x a"
    );
}

#[test]
fn no_proof_is_401_with_where_to_get_one() {
    let refused = guarded(false).send(&call("look", json!({"sku": "a"})));
    assert_eq!(
        (refused.status, refused.header("www-authenticate")),
        (401, Some(METADATA))
    );
    // front doors rename the header, so the body says it too
    let data = refused.json()["error"]["data"].take();
    assert_eq!(
        data,
        json!({"resource_metadata": "https://mcp.example.com/.well-known/oauth-protected-resource/mcp", "scope": "catalog:read"})
    );
    for method in ["GET", "DELETE"] {
        let mut request = call("look", json!({"sku": "a"}));
        request.method = method.to_owned();
        assert_eq!(guarded(false).send(&request).status, 401, "{method}");
    }
}

#[test]
fn a_proof_that_is_none_is_refused_even_where_anybody_may_call() {
    for anonymous in [false, true] {
        let host = guarded(anonymous);
        let refused = host.send(&with_token("old"));
        assert_eq!(
            (refused.status, refused.header("www-authenticate")),
            (
                401,
                Some(format!(r#"{METADATA}, error="invalid_token""#).as_str())
            )
        );
        assert_eq!(refused.error().1, "the token has expired; get a new one");
        assert!(
            !refused.text().contains("exp 12"),
            "the cause is for the log"
        );
        assert_eq!(
            host.log.denied(),
            ["the token has expired; get a new one [exp 12]"]
        );
    }
    assert_eq!(
        guarded(true)
            .send(&call("look", json!({"sku": "a"})))
            .status,
        200
    );
}

#[test]
fn a_malformed_proof_is_400() {
    let refused = guarded(false).send(&with_token(""));
    assert_eq!(
        (refused.status, refused.error().1.as_str()),
        (400, "the token is empty")
    );
    assert!(
        refused
            .header("www-authenticate")
            .is_some_and(|header| header.ends_with(r#"error="invalid_request""#))
    );
}

#[test]
fn an_issuer_that_gives_no_answer_is_503_and_no_challenge() {
    let refused = guarded(false).send(&with_token("down"));
    assert_eq!(
        (
            refused.status,
            refused.header("retry-after"),
            refused.header("www-authenticate")
        ),
        (503, Some("60"), None)
    );
    assert!(!refused.text().contains("10.0.0.1"));
}

#[test]
fn the_metadata_document_is_open_to_everybody() {
    let get = |path: &str| {
        let mut request = Request::post("").header("origin", "https://any.example.com");
        request.method = "GET".to_owned();
        path.clone_into(&mut request.path);
        request
    };
    for path in [
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/mcp",
    ] {
        let document = guarded(false).send(&get(path));
        assert_eq!(
            (
                document.status,
                document.header("access-control-allow-origin")
            ),
            (200, Some("*"))
        );
        let expected = json!({
            "resource": "https://mcp.example.com/mcp",
            "authorization_servers": ["https://issuer.example.com"],
            "bearer_methods_supported": ["header"],
            "scopes_supported": ["catalog:read"],
            "resource_name": "shop",
        });
        assert_eq!(document.json(), expected);
        let mut preflight = get(path);
        preflight.method = "OPTIONS".to_owned();
        let preflight = guarded(false).send(&preflight);
        assert_eq!(preflight.status, 204);
        assert!(
            preflight
                .header("access-control-allow-headers")
                .is_some_and(|names| names.contains("mcp-protocol-version"))
        );
        let mut post = get(path);
        post.method = "POST".to_owned();
        assert_eq!(guarded(false).send(&post).status, 405);
    }
    let elsewhere = InProcess::new(|| shop(&Runs::default()))
        .send(&get("/.well-known/oauth-protected-resource"));
    assert_eq!(
        elsewhere.status, 404,
        "a server without an issuer has no such document"
    );
}

#[test]
fn a_client_is_told_to_begin_with_what_only_reads() {
    let tool = |name: &str| Tool::new(name).description("Says something.");
    let said = |_: NoArguments| async { "said" };
    let server = || {
        Server::builder("crm", "1.0.0")
            .tool(tool("open").read_only().handler(said))
            .tool(tool("read").read_only().scope("crm:read").handler(said))
            .tool(
                tool("both")
                    .read_only()
                    .scope("mail:read")
                    .scope("crm:read")
                    .handler(said),
            )
            .tool(tool("save").scope("crm:write").handler(said))
            .prompt(
                Prompt::new("summary")
                    .description("Sums up.")
                    .scope("reports")
                    .handler(|| async { "sum" }),
            )
            .resource(
                Resource::new("crm://book", "book")
                    .description("The book.")
                    .scope("books")
                    .handler(|_: Cx| async { "book" }),
            )
    };
    let host = InProcess::with_config(server, config(Vec::new())).called_by(Principal::anonymous());
    let challenge = host
        .send(&call("read", json!({})))
        .header("www-authenticate")
        .map(str::to_owned);
    assert!(
        challenge
            .as_deref()
            .is_some_and(|header| header.ends_with(r#" scope="books crm:read mail:read reports""#)),
        "{challenge:?}"
    );
    let mut document = Request::post("");
    document.method = "GET".to_owned();
    "/.well-known/oauth-protected-resource".clone_into(&mut document.path);
    assert_eq!(
        host.send(&document).json()["scopes_supported"],
        json!(["books", "crm:read", "mail:read", "reports"])
    );

    let open = InProcess::with_config(|| shop(&Runs::default()), config(Vec::new()))
        .called_by(Principal::anonymous());
    assert!(
        open.send(&document)
            .json()
            .get("scopes_supported")
            .is_none(),
        "nothing here needs a scope"
    );
}
