//! The server card and the catalog that leads to it (SEP-2127, a draft): what directories of servers
//! read. Made of the same value as `server/discover`; nothing here is a ground for trust.

use bytes::Bytes;
use http::Uri;
use mcpfn_core::Server;
use serde_json::{Map, Value, json};

/// Where catalogs are looked for, at the root of a domain.
pub(crate) const CATALOG_PATH: &str = "/.well-known/mcp/catalog.json";
/// What stands behind the endpoint's path.
pub(crate) const CARD_SUFFIX: &str = "/server-card";
/// The media type of a card.
pub(crate) const CARD_TYPE: &str = "application/mcp-server-card+json";

const SCHEMA: &str = "https://static.modelcontextprotocol.io/schemas/v2/server-card.schema.json";
/// Characters of a description and of a title.
const MAX_TEXT: usize = 100;

/// That there is a card: the server's name in directories, and where clients find it.
///
/// ```
/// use mcpfn_http::ServerCard;
///
/// assert!(ServerCard::parse("com.example/shop=https://mcp.example.com/mcp").is_ok());
/// assert!(ServerCard::parse("shop=https://mcp.example.com/mcp").is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerCard {
    name: String,
    url: String,
}

impl ServerCard {
    /// Reads `NAME=URL`: a name below a domain in reverse, such as `com.example/shop`, and the
    /// public URL of the endpoint.
    ///
    /// # Errors
    /// The end of a sentence that says what the text must be.
    pub fn parse(text: &str) -> Result<Self, String> {
        const FORM: &str = "must be NAME=URL, such as com.example/shop=https://mcp.example.com/mcp";
        let (name, url) = text.trim().split_once('=').ok_or(FORM)?;
        let (domain, own) = name.split_once('/').ok_or(FORM)?;
        let legal = |text: &str, others: &[char]| {
            let is = |c: char| c.is_ascii_alphanumeric() || others.contains(&c);
            !text.is_empty() && text.chars().all(is)
        };
        let labels = domain.split('.').all(|label| legal(label, &['-']));
        let named = labels && domain.contains('.') && legal(own, &['.', '_', '-']);
        if !named || name.len() > 200 {
            return Err(format!(
                "{FORM}: its name is a domain in reverse, `/` and a name"
            ));
        }
        let uri: Uri = url.parse().map_err(|_| FORM)?;
        let authority = uri.authority().map(http::uri::Authority::as_str);
        if uri.scheme_str() != Some("https") || authority.is_none_or(|host| host.contains('@')) {
            return Err(format!("{FORM}: its URL is https:// and has no user"));
        }
        // what is appended to it stands behind its path
        let url = url.split(['?', '#']).next().unwrap_or(url);
        Ok(Self {
            name: name.to_owned(),
            url: url.strip_suffix('/').unwrap_or(url).to_owned(),
        })
    }

    pub(crate) fn documents(&self, server: &Server) -> CardDocuments {
        let info = server.info();
        let title = info.title.as_deref().unwrap_or(&info.name);
        let description = info.description.as_deref().unwrap_or(title);
        let mut card = Map::new();
        let mut put = |name: &str, value: Value| drop(card.insert(name.to_owned(), value));
        put("$schema", SCHEMA.into());
        put("name", self.name.as_str().into());
        put("version", info.version.as_str().into());
        put("description", cut(description).into());
        put("title", cut(title).into());
        if let Some(website) = &info.website_url {
            put("websiteUrl", website.as_str().into());
        }
        if !info.icons.is_empty() {
            put("icons", json!(info.icons));
        }
        put(
            "remotes",
            json!([{"type": "streamable-http", "url": self.url}]),
        );
        CardDocuments {
            card: Value::from(card).to_string().into(),
            catalog: self.catalog(title).to_string().into(),
        }
    }

    fn catalog(&self, title: &str) -> Value {
        let (domain, own) = self.name.split_once('/').unwrap_or_default();
        let labels: Vec<&str> = domain.rsplit('.').collect();
        json!({
            "specVersion": "draft",
            "entries": [{
                "identifier": format!("urn:air:{}:{own}", labels.join(".")),
                "displayName": cut(title),
                "type": CARD_TYPE,
                "url": format!("{}{CARD_SUFFIX}", self.url),
            }],
        })
    }
}

/// Both documents as bytes.
#[derive(Debug, Clone)]
pub(crate) struct CardDocuments {
    pub(crate) card: Bytes,
    pub(crate) catalog: Bytes,
}

fn cut(text: &str) -> String {
    if text.chars().count() <= MAX_TEXT {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(MAX_TEXT - 1).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use http::Request;
    use http_body_util::{BodyExt as _, Full};
    use mcpfn_testing::{TestClient, block_on};

    use super::*;
    use crate::{Config, Service};

    #[test]
    fn only_whole_names_and_urls_are_taken() {
        for text in [
            "com.example/shop=https://mcp.example.com/mcp",
            " io.github.me/a_b.c-d=https://a.example:8443 ",
        ] {
            assert!(ServerCard::parse(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "on",
            "shop",
            "com.example/shop",
            "com.example=https://a.example",
            "com.example/=https://a.example",
            "/shop=https://a.example",
            "example/shop=https://a.example",
            "com..example/shop=https://a.example",
            "com.example/a/b=https://a.example",
            "com.example/a b=https://a.example",
            "com.example/shop=http://a.example",
            "com.example/shop=https://me:secret@a.example",
            "com.example/shop=/mcp",
            "com.example/shop=https://",
        ] {
            let error = ServerCard::parse(text).unwrap_err();
            assert!(
                error.contains("NAME=URL") && !error.contains("secret"),
                "{text}: {error}"
            );
        }
    }

    #[test]
    fn both_documents_are_for_everybody_and_only_where_they_are_switched_on() {
        let long = "x".repeat(150);
        let builder = Server::builder("shop", "1.4.0")
            .title("Shop")
            .description(long);
        let client = TestClient::new(builder.website("https://shop.example"));
        let closed = Config {
            hosts: Some(Vec::new()),
            ..Config::default()
        };
        let card = "com.example/shop=https://mcp.example.com/mcp/?x=1";
        let open = Config {
            server_card: ServerCard::parse(card).ok(),
            ..closed.clone()
        };
        for (config, method, path, status) in [
            (&open, "GET", "/mcp/server-card", 200),
            (&open, "GET", CATALOG_PATH, 200),
            (&open, "HEAD", CATALOG_PATH, 200),
            (&open, "OPTIONS", "/mcp/server-card", 204),
            (&open, "POST", "/mcp/server-card", 405),
            (&open, "GET", "/mcp/server-card/", 404),
            (&open, "GET", "/mcp/server-cards", 404),
            (&closed, "GET", "/mcp/server-card", 404),
            (&closed, "GET", CATALOG_PATH, 404),
        ] {
            let service = Service::new(client.server().clone(), config.clone());
            let request = Request::builder()
                .method(method)
                .uri(path)
                .header("host", "mcp.example.com")
                .header("origin", "https://anyone.example")
                .body(Full::new(Bytes::new()))
                .unwrap();
            let response = block_on(service.call(request, client.platform()));
            assert_eq!(response.status(), status, "{method} {path}");
            let header = |name: &str| {
                let value = response.headers().get(name);
                value.map(|value| value.to_str().unwrap().to_owned())
            };
            if status < 400 {
                assert_eq!(header("access-control-allow-origin").as_deref(), Some("*"));
                assert_eq!(
                    header("access-control-allow-methods").as_deref(),
                    Some("GET")
                );
                assert_eq!(
                    header("access-control-allow-headers").as_deref(),
                    Some("Content-Type")
                );
            }
            if (status, method) != (200, "GET") {
                continue;
            }
            assert_eq!(
                header("cache-control").as_deref(),
                Some("public, max-age=3600")
            );
            let is_card = path.ends_with("card");
            let expected = if is_card {
                CARD_TYPE
            } else {
                "application/json"
            };
            assert_eq!(header("content-type").as_deref(), Some(expected));
            let body = block_on(response.into_body().collect()).unwrap().to_bytes();
            let body: Value = serde_json::from_slice(&body).unwrap();
            if is_card {
                let description = format!("{}…", "x".repeat(99));
                let expected = json!({"$schema": SCHEMA, "name": "com.example/shop", "version": "1.4.0", "title": "Shop",
                    "description": description, "websiteUrl": "https://shop.example",
                    "remotes": [{"type": "streamable-http", "url": "https://mcp.example.com/mcp"}]});
                assert_eq!(body, expected);
            } else {
                let expected = json!({"specVersion": "draft", "entries": [{"identifier": "urn:air:example.com:shop",
                    "displayName": "Shop", "type": CARD_TYPE, "url": "https://mcp.example.com/mcp/server-card"}]});
                assert_eq!(body, expected);
            }
        }
    }
}
