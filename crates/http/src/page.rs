//! The page for browsers: static text that asks the endpoint for what it shows, as any client does.
//! It holds nothing that a caller has to be recognised for, so whoever reaches the endpoint may
//! load it. What is in it beside the text is what the operator gives: client configuration, and what
//! a sign-in needs.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode, header};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::auth::{ProtectedResource, origin_and_path};
use crate::authority::Authority;
use crate::body::Body;
use crate::guard;
use crate::respond;

const HEAD: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
    <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
    <title>MCP server</title><link rel=\"icon\" href=\"data:,\">";
const BODY: &str = include_str!("page/page.html");
// made of the files beside them by `cargo xtask browser --write`
const STYLE: &str = include_str!("page/small.css");
const SCRIPT: &str = include_str!("page/small.js");

/// A page for browsers at the endpoint's address: what the server has, forms that call it, client
/// configuration, sign-in. See [`Service::with_page`](crate::Service::with_page).
///
/// Its bytes are in a program only with the feature `page`.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct BrowserPage {
    url: Option<String>,
    client_id: Option<String>,
    origins: Vec<String>,
    clients: Vec<PageClient>,
}

#[derive(Debug, Clone)]
struct PageClient {
    title: String,
    note: String,
    text: String,
}

impl BrowserPage {
    /// A page that knows nothing beside the endpoint.
    pub fn new() -> Self {
        Self::default()
    }

    /// The URL of the endpoint as clients use it. Without it the page takes its own address.
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// The client, registered at the issuer, as which people sign in. Without it the page registers
    /// itself, where the issuer lets it (RFC 7591).
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.client_id = Some(id.into());
        self
    }

    /// An origin that a sign-in asks beside those of the issuers, such as that of a token endpoint.
    /// What is no origin of the web is left out.
    pub fn sign_in_origin(mut self, origin: impl Into<String>) -> Self {
        self.origins.push(origin.into());
        self
    }

    /// Configuration of a client, to be copied: its name, where the text goes, and the text, in which
    /// `{url}` stands for the URL of the endpoint.
    pub fn client(
        mut self,
        title: impl Into<String>,
        note: impl Into<String>,
        text: impl Into<String>,
    ) -> Self {
        self.clients.push(PageClient {
            title: title.into(),
            note: note.into(),
            text: text.into(),
        });
        self
    }

    /// Puts the page together for an endpoint at this path.
    pub(crate) fn render(
        self,
        endpoint: &str,
        resource: Option<&ProtectedResource>,
    ) -> RenderedPage {
        let clients = self
            .clients
            .iter()
            .map(|entry| json!({"title": entry.title, "note": entry.note, "text": entry.text}));
        let url = self.url.as_deref();
        let data = json!({
            "url": url.or(resource.map(|resource| resource.url.as_str())),
            "clientId": self.client_id,
            "endpoint": endpoint,
            "clients": clients.collect::<Vec<_>>(),
        });
        // no tag can begin or end in it; in JSON the escape is the same text
        let data = data.to_string().replace('<', "\\u003c");
        let html = [
            HEAD,
            "<style>",
            STYLE,
            "</style></head><body>",
            BODY,
            "<script type=\"application/json\" id=\"data\">",
            &data,
            "</script><script type=\"module\">",
            SCRIPT,
            "</script></body></html>",
        ]
        .concat();
        let issuers = resource.map_or(&[][..], |resource| &resource.authorization_servers);
        RenderedPage {
            html: html.into(),
            policy: policy(issuers.iter().chain(&self.origins)),
            page: self,
        }
    }
}

/// The page as it is sent.
#[derive(Clone)]
pub(crate) struct RenderedPage {
    html: Bytes,
    policy: HeaderValue,
    /// What it was made of, for another path.
    pub(crate) page: BrowserPage,
}

impl RenderedPage {
    /// The page, or its head alone.
    pub(crate) fn respond(&self, method: &Method) -> Response<Body> {
        let mut response = match *method {
            Method::HEAD => respond::empty(StatusCode::OK),
            _ => Response::new(Body::full(self.html.clone())),
        };
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, self.policy.clone());
        for (name, value) in HEADERS {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

impl fmt::Debug for RenderedPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RenderedPage({} bytes)", self.html.len())
    }
}

const HEADERS: [(HeaderName, &str); 7] = [
    (header::CONTENT_TYPE, "text/html; charset=utf-8"),
    // the same address has no page for who asks for something else
    (header::VARY, "accept"),
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // for browsers that do not know frame-ancestors
    (header::X_FRAME_OPTIONS, "DENY"),
    // a sign-in comes back with its code in the address
    (header::REFERRER_POLICY, "no-referrer"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
];

/// Nothing runs but this script, which can't write HTML; nothing is asked but this server and those
/// that a sign-in asks; nobody puts the page into a frame.
fn policy<'a>(others: impl Iterator<Item = &'a String>) -> HeaderValue {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text));
    let (script, style) = (hash(SCRIPT), hash(STYLE));
    let mut connect = "'self'".to_owned();
    for origin in others.filter_map(|url| web_origin(url)) {
        if !connect.split(' ').any(|known| known == origin) {
            connect.push(' ');
            connect.push_str(&origin);
        }
    }
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{script}'; style-src 'sha256-{style}'; \
         connect-src {connect}; img-src data:; media-src data:; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
         trusted-types 'none'"
    );
    // of visible ASCII alone; without it, nothing would run
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

/// The origin of a URL, if it is one that a browser can ask.
fn web_origin(url: &str) -> Option<String> {
    let (origin, _) = origin_and_path(url);
    let authority = origin.strip_prefix("https://");
    authority
        .or_else(|| origin.strip_prefix("http://"))
        .and_then(Authority::read)?;
    Some(origin)
}

/// Whether a request is a browser's for a page: clients do not ask for HTML.
pub(crate) fn wanted(parts: &Parts) -> bool {
    matches!(parts.method, Method::GET | Method::HEAD)
        && guard::accepts(&parts.headers, "text/html")
        && !guard::accepts_stream(&parts.headers)
}

/// The origin of this server itself, as far as it is known.
pub(crate) fn own_origin(resource: Option<&ProtectedResource>) -> Option<String> {
    web_origin(&resource?.url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_operator_gives_can_end_no_tag_and_no_directive() {
        let page = BrowserPage::new()
            .client(
                "</script><script>alert(1)</script>",
                "<!--",
                "a <b> \u{2028}",
            )
            .client_id("</SCRIPT >")
            .sign_in_origin("https://token.example; script-src *")
            .sign_in_origin("https://token.example/path")
            .sign_in_origin("javascript:alert(1)")
            .sign_in_origin("*");
        let page = page.render("/mcp", None);
        let html = std::str::from_utf8(&page.html).unwrap();
        let (_, data) = html.split_once("id=\"data\">").unwrap();
        let (data, _) = data.split_once("</script>").unwrap();
        assert!(!data.contains('<'));
        let read: serde_json::Value = serde_json::from_str(data).unwrap();
        assert_eq!(
            read["clients"][0]["title"],
            "</script><script>alert(1)</script>"
        );
        assert_eq!(
            html.matches("<script").count(),
            2 + SCRIPT.matches("<script").count()
        );
        let policy = page.policy.to_str().unwrap();
        assert!(
            policy.contains("connect-src 'self' https://token.example; img-src"),
            "{policy}"
        );
        assert!(
            !policy.contains('*') && !policy.contains("unsafe"),
            "{policy}"
        );
    }

    #[test]
    fn issuers_may_be_asked_and_nobody_else() {
        let resource = ProtectedResource {
            url: "https://mcp.example.com/mcp".to_owned(),
            authorization_servers: [
                "https://a.example/tenant",
                "https://a.example/",
                "http://[::1]:9",
            ]
            .map(str::to_owned)
            .to_vec(),
            scopes: Vec::new(),
        };
        let page = BrowserPage::new().render("/mcp", Some(&resource));
        let policy = page.policy.to_str().unwrap();
        assert!(
            policy.contains("connect-src 'self' https://a.example http://[::1]:9; "),
            "{policy}"
        );
        assert!(
            String::from_utf8_lossy(&page.html).contains("\"url\":\"https://mcp.example.com/mcp\"")
        );
    }

    #[test]
    fn the_small_files_are_made_of_the_sources() {
        let sources = concat!(
            include_str!("page/rpc.js"),
            include_str!("page/form.js"),
            include_str!("page/sign_in.js"),
            include_str!("page/page.js"),
            include_str!("page/page.css"),
        );
        let digest = Sha256::digest(sources);
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let made_of = include_str!("page/sources.sha256").trim();
        assert_eq!(hex, made_of, "run `cargo xtask browser --write`");
        let embedded = HEAD.len() + STYLE.len() + BODY.len() + SCRIPT.len();
        assert!(embedded < 30_000, "the page has {embedded} bytes");
    }

    /// The parts of the page are one script and one style: what would end either ends the page.
    #[test]
    fn the_parts_fit_into_one_document() {
        for (part, end) in [(SCRIPT, "</script"), (SCRIPT, "<!--"), (STYLE, "</style")] {
            assert!(!part.to_ascii_lowercase().contains(end), "{end}");
        }
        for forbidden in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
        ] {
            assert!(!SCRIPT.contains(forbidden), "{forbidden}");
        }
        // handlers and styles in attributes are refused by the policy
        assert!(!BODY.contains(" on") && !BODY.contains("style="));
    }
}
