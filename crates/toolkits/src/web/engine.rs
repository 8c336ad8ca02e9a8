//! Search engines: how each is asked, and what of its answer is used. Knows nothing of tools.

use mcpfn_core::text::percent_encoded;
use mcpfn_core::{ToolError, port::HttpRequest};
use mcpfn_ports::Secret;
use serde::Deserialize;
use serde_json::json;

use super::SearchHit;
use crate::api::{ApiAnswer, ApiClient};
use crate::fetch::{PagePart, readable};

/// The longest snippet, in bytes.
const MAX_LENGTH: usize = 1000;

/// Whose API it is, or is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Brave Search.
    Brave,
    /// Serper, which asks Google.
    Serper,
}

impl Engine {
    pub(super) fn default_url(self) -> &'static str {
        match self {
            Self::Brave => "https://api.search.brave.com",
            Self::Serper => "https://google.serper.dev",
        }
    }

    pub(super) fn key_source(self) -> &'static str {
        match self {
            Self::Brave => "get a key at https://api-dashboard.search.brave.com",
            Self::Serper => "get a key at https://serper.dev/api-key",
        }
    }

    pub(super) fn request(self, api: &ApiClient, query: &str, limit: u32) -> HttpRequest {
        let key = api.key.as_ref().map(Secret::expose).unwrap_or_default();
        match self {
            Self::Brave => api
                .get(&format!("/res/v1/web/search?q={}&count={limit}&text_decorations=false&result_filter=web", percent_encoded(query)))
                .header("x-subscription-token", key),
            Self::Serper => api.post("/search", &json!({"q": query, "num": limit})).header("x-api-key", key),
        }
    }

    pub(super) fn hits(
        self,
        api: &ApiClient,
        answer: &ApiAnswer,
    ) -> Result<Vec<SearchHit>, ToolError> {
        Ok(match self {
            Self::Brave => {
                let Brave { web } = api.json(answer)?;
                let hit = |found: BravePage| {
                    hit(
                        &found.title,
                        found.url,
                        &found.description.unwrap_or_default(),
                        found.age,
                    )
                };
                web.map(|web| web.results)
                    .unwrap_or_default()
                    .into_iter()
                    .map(hit)
                    .collect()
            }
            Self::Serper => {
                let Serper { organic } = api.json(answer)?;
                organic
                    .into_iter()
                    .map(|found| {
                        hit(
                            &found.title,
                            found.link,
                            &found.snippet.unwrap_or_default(),
                            found.date,
                        )
                    })
                    .collect()
            }
        })
    }
}

/// Titles and snippets have character references and a little markup in them.
fn hit(title: &str, url: String, snippet: &str, date: Option<String>) -> SearchHit {
    let words = |text: &str| readable(text, PagePart::Everything, MAX_LENGTH).text;
    SearchHit {
        title: words(title),
        url,
        snippet: words(snippet),
        date,
    }
}

/// An answer without pages has no `web`.
#[derive(Deserialize)]
struct Brave {
    web: Option<BraveWeb>,
}

#[derive(Deserialize)]
struct BraveWeb {
    results: Vec<BravePage>,
}

#[derive(Deserialize)]
struct BravePage {
    title: String,
    url: String,
    description: Option<String>,
    age: Option<String>,
}

#[derive(Deserialize)]
struct Serper {
    #[serde(default)]
    organic: Vec<SerperPage>,
}

#[derive(Deserialize)]
struct SerperPage {
    title: String,
    link: String,
    snippet: Option<String>,
    date: Option<String>,
}
