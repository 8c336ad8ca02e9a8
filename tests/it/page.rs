//! The page for browsers, before there is a browser: who gets it, and who may call from it. What
//! people do there is tried in tests/browser.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::Full;
use mcpfn::handler::BoxFuture;
use mcpfn::port::Platform;
use mcpfn::testing::{TestClient, block_on};
use mcpfn::{Principal, PrincipalKind, Server};
use mcpfn_http::{AuthError, Authenticator, Body, BrowserPage, Config, ProtectedResource, Service};

/// Everybody is somebody.
struct Anybody;

impl Authenticator for Anybody {
    fn authenticate<'a>(
        &'a self,
        _: &'a HeaderMap,
        _: &'a Platform,
    ) -> BoxFuture<'a, Result<Option<Principal>, AuthError>> {
        let mut somebody = Principal::local();
        somebody.kind = PrincipalKind::ApiKey;
        Box::pin(async { Ok(Some(somebody)) })
    }
}

fn service(config: Config) -> (Service, Arc<Platform>) {
    let client = TestClient::new(Server::builder("shop", "1.0.0"));
    let platform = Arc::clone(client.platform());
    (Service::new(client.server().clone(), config), platform)
}

fn ask(
    (service, platform): &(Service, Arc<Platform>),
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> Response<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = Full::new(Bytes::from_static(
        br#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#,
    ));
    block_on(service.call(request.body(body).unwrap(), platform))
}

fn is_page(response: &Response<Body>) -> bool {
    response
        .headers()
        .contains_key(header::CONTENT_SECURITY_POLICY)
}

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

#[test]
fn browsers_get_the_page_and_clients_the_endpoint() {
    let (plain, platform) = service(Config::loopback());
    let paged = plain.clone().with_page(BrowserPage::new());
    let moved = paged.clone().at("/assistant");
    let (plain, paged) = (
        (plain, Arc::clone(&platform)),
        (paged, Arc::clone(&platform)),
    );
    let moved = (moved, platform);
    let ok = StatusCode::OK;
    for (method, path, accept, status) in [
        ("GET", "/", BROWSER, Some(ok)),
        ("GET", "/mcp", BROWSER, Some(ok)),
        ("GET", "/mcp/", "TEXT/HTML", Some(ok)),
        ("GET", "/?code=1&state=2", BROWSER, Some(ok)),
        ("HEAD", "/", BROWSER, Some(ok)),
        ("GET", "/", "text/event-stream", None),
        ("GET", "/", "text/event-stream, text/html", None),
        ("GET", "/", "*/*", None),
        ("GET", "/", "application/json", None),
        ("GET", "/", "text/html;q=0", None),
        ("DELETE", "/", BROWSER, None),
        ("PUT", "/", BROWSER, None),
    ] {
        let headers = [("host", "localhost"), ("accept", accept)];
        let response = ask(&paged, method, path, &headers);
        let case = format!("{method} {path} {accept}");
        assert_eq!(is_page(&response), status.is_some(), "{case}");
        let expected = status.unwrap_or(StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(response.status(), expected, "{case}");
        let without = ask(&plain, method, path, &headers);
        assert_eq!(without.status(), StatusCode::METHOD_NOT_ALLOWED, "{case}");
    }
    let html = [("host", "localhost"), ("accept", BROWSER)];
    // other documents stay documents, and what was nothing stays nothing
    for (path, status) in [("/health", ok), ("/page", StatusCode::NOT_FOUND)] {
        let response = ask(&paged, "GET", path, &html);
        assert!(!is_page(&response) && response.status() == status, "{path}");
    }
    let post = [
        ("host", "localhost"),
        ("accept", BROWSER),
        ("content-type", "application/json"),
    ];
    assert!(!is_page(&ask(&paged, "POST", "/", &post)));
    assert!(
        ask(&paged, "HEAD", "/", &html)
            .body()
            .as_full()
            .unwrap()
            .is_empty()
    );
    // with the endpoint the page moves, and knows where it is
    let page = ask(&moved, "GET", "/assistant", &html);
    let page = String::from_utf8_lossy(page.body().as_full().unwrap()).into_owned();
    assert!(page.contains(r#""endpoint":"/assistant""#));
    // a name that leads here is not yet one of this machine's
    let foreign = [("host", "evil.example"), ("accept", BROWSER)];
    let response = ask(&paged, "GET", "/", &foreign);
    assert!(!is_page(&response) && response.status() == StatusCode::FORBIDDEN);
}

/// The page calls as its own origin; a page that had its name lead here gets nothing by it where
/// anybody may call.
#[test]
fn the_page_may_call_and_other_pages_may_not() {
    let known = || {
        let mut config = Config::default();
        config.auth.authenticators.push(Arc::new(Anybody));
        config
    };
    let open = || {
        let mut config = Config::default();
        config.anonymous = true;
        config
    };
    let signed_in = || {
        let mut config = known();
        config.auth.resource = Some(ProtectedResource {
            url: "https://mcp.example.com/mcp".to_owned(),
            authorization_servers: Vec::new(),
            scopes: Vec::new(),
        });
        config
    };
    let own = ("https://a.example", "a.example");
    for (config, page, (origin, host), allowed) in [
        (known(), true, own, true),
        (
            known(),
            true,
            ("https://a.example:8443", "a.example:8443"),
            true,
        ),
        (known(), false, own, false),
        // a page that came over http, from elsewhere than this machine
        (known(), true, ("http://a.example", "a.example"), false),
        (
            known(),
            true,
            ("http://a.example:8443", "a.example:8443"),
            false,
        ),
        (known(), true, ("http://10.0.0.1", "10.0.0.1"), false),
        (
            known(),
            true,
            ("http://localhost:8787", "localhost:8787"),
            true,
        ),
        (known(), true, ("http://[::1]:8787", "[::1]:8787"), true),
        (known(), true, ("https://127.0.0.1", "127.0.0.1"), true),
        (known(), true, ("ws://localhost", "localhost"), false),
        (
            known(),
            true,
            ("http://localhost.a.example", "localhost.a.example"),
            false,
        ),
        (known(), true, ("https://a.example", "b.example"), false),
        (
            known(),
            true,
            ("https://a.example:8443", "a.example"),
            false,
        ),
        (known(), true, ("null", "null"), false),
        (known(), true, ("https://a.example/", "a.example"), false),
        (open(), true, own, false),
        (
            signed_in(),
            true,
            ("https://mcp.example.com", "internal"),
            true,
        ),
        (
            signed_in(),
            false,
            ("https://mcp.example.com", "internal"),
            false,
        ),
    ] {
        let case = format!("{config:?} {page} {origin} {host}");
        let (mut service, platform) = service(config);
        if page {
            service = service.with_page(BrowserPage::new());
        }
        let headers = [
            ("host", host),
            ("origin", origin),
            ("content-type", "application/json"),
        ];
        let response = ask(&(service, platform), "POST", "/mcp", &headers);
        let refused = response.status() == StatusCode::FORBIDDEN;
        assert_eq!(refused, !allowed, "{case}");
    }
}
