//! `HttpEmbedder`: vectors from a service that speaks OpenAI's `/v1/embeddings`. Keeps nothing and
//! retries nothing: who asks can do without.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use mcpfn_core::{
    Cx, ServiceFault, ToolError,
    handler::BoxFuture,
    port::{HttpClient, HttpRequest},
    text,
};
use mcpfn_ports::{EmbedError, Embedder};
use serde::Deserialize;
use serde_json::json;

use mcpfn_ports::Secret;

use crate::config::Config;

/// The longest vector that is taken, in numbers.
const MAX_LENGTH: usize = 4096;

/// Bytes of one answer: 64 vectors of the greatest length as JSON.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// Where the vectors come from.
#[derive(Debug, Clone)]
pub struct EmbeddingEndpoint {
    url: String,
    model: String,
    key: Option<Secret>,
}

impl EmbeddingEndpoint {
    /// A service whose address, without a slash at its end, is followed by `/embeddings`, such as
    /// `http://127.0.0.1:8080/v1`.
    pub fn new(url: impl Into<String>, model: impl Into<String>, key: Option<Secret>) -> Self {
        Self {
            url: url.into(),
            model: model.into(),
            key,
        }
    }

    /// This service with its key, which may have to be read first.
    ///
    /// # Errors
    /// An internal error when it can't be read.
    pub(crate) async fn ready(&self, cx: &Cx) -> Result<Self, ToolError> {
        let key = match &self.key {
            Some(key) => key.ready(cx).await?,
            None => None,
        };
        Ok(Self {
            key: key.or_else(|| self.key.clone()),
            ..self.clone()
        })
    }

    /// What the toolkit `knowledge` reads from its variables, for programs that fill the store.
    ///
    /// # Errors
    /// A sentence for each variable that can't be used.
    pub fn read(variable: &dyn Fn(&str) -> Option<String>) -> Result<Option<Self>, Vec<String>> {
        let mut config = Config::new(variable);
        let endpoint = Self::configured(&mut config);
        let mistakes = config.mistakes();
        if mistakes.is_empty() {
            Ok(endpoint)
        } else {
            Err(mistakes)
        }
    }

    /// From `MCPFN_EMBEDDINGS_URL`, `MCPFN_EMBEDDINGS_MODEL` and `MCPFN_EMBEDDINGS_API_KEY`; nothing
    /// when the first is not set.
    pub(crate) fn configured(config: &mut Config<'_>) -> Option<Self> {
        config.text("MCPFN_EMBEDDINGS_URL")?;
        let key = "MCPFN_EMBEDDINGS_API_KEY";
        let url = config.url_for("MCPFN_EMBEDDINGS_URL", "https://api.openai.com/v1", key);
        let key = config.secret(key);
        let Some(model) = config.text("MCPFN_EMBEDDINGS_MODEL") else {
            config.mistake(
                "MCPFN_EMBEDDINGS_URL is set without MCPFN_EMBEDDINGS_MODEL: name the \
                model, e.g. text-embedding-3-small",
            );
            return None;
        };
        Some(Self::new(url, model, key))
    }
}

/// An [`Embedder`] over the port to other HTTP services.
#[derive(Clone)]
pub struct HttpEmbedder {
    endpoint: EmbeddingEndpoint,
    client: Arc<dyn HttpClient>,
    timeout: Duration,
}

impl HttpEmbedder {
    /// Asks `endpoint` through `client`, for at most `timeout` each time.
    pub fn new(
        endpoint: EmbeddingEndpoint,
        client: Arc<dyn HttpClient>,
        timeout: Duration,
    ) -> Self {
        Self {
            endpoint,
            client,
            timeout,
        }
    }

    async fn ask(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let body =
            json!({"model": self.endpoint.model, "input": texts, "encoding_format": "float"})
                .to_string();
        let mut request = HttpRequest::post(
            format!("{}/embeddings", self.endpoint.url),
            "application/json",
            body,
        )
        .header("accept", "application/json")
        .timeout(self.timeout)
        .max_body(MAX_BYTES);
        if let Some(key) = &self.endpoint.key {
            request = request.header("authorization", format!("Bearer {}", key.expose()));
        }
        let answer =
            self.client.send(request).await.map_err(|error| {
                EmbedError::new(ServiceFault::of_error(&error), error.to_string())
            })?;
        if !answer.is_success() {
            let mut said = String::from_utf8_lossy(&answer.body).into_owned();
            if let Some(key) = &self.endpoint.key {
                said = said.replace(key.expose(), "[key]");
            }
            let cause = format!("status {}: {}", answer.status, text::quoted(&said));
            let fault = ServiceFault::of_status(answer.status);
            return Err(EmbedError::new(fault, cause));
        }
        let fault = ServiceFault::of_body(&answer.body, answer.truncated);
        if answer.truncated {
            let cause = format!("the answer has more than {MAX_BYTES} bytes");
            return Err(EmbedError::new(fault, cause));
        }
        let list: EmbeddingList = serde_json::from_slice(&answer.body)
            .map_err(|_| EmbedError::new(fault, "not the JSON of embeddings"))?;
        vectors(list, texts.len())
    }
}

impl fmt::Debug for HttpEmbedder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpEmbedder")
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

impl Embedder for HttpEmbedder {
    fn model(&self) -> &str {
        &self.endpoint.model
    }

    fn embed<'a>(
        &'a self,
        texts: &'a [String],
    ) -> BoxFuture<'a, Result<Vec<Vec<f32>>, EmbedError>> {
        Box::pin(self.ask(texts))
    }
}

#[derive(Deserialize)]
struct EmbeddingList {
    data: Vec<EmbeddingEntry>,
}

#[derive(Deserialize)]
struct EmbeddingEntry {
    index: usize,
    embedding: Vec<f32>,
}

/// The vectors in the order of their texts, whatever the order in the answer.
fn vectors(list: EmbeddingList, expected: usize) -> Result<Vec<Vec<f32>>, EmbedError> {
    let mut found = list.data;
    found.sort_by_key(|entry| entry.index);
    let length = found.first().map_or(0, |entry| entry.embedding.len());
    let whole = found.len() == expected
        && found
            .iter()
            .zip(0..)
            .all(|(entry, index)| entry.index == index);
    let alike = found.iter().all(|entry| {
        entry.embedding.len() == length && entry.embedding.iter().all(|number| number.is_finite())
    });
    if !whole || !alike || !(1..=MAX_LENGTH).contains(&length) {
        let fault = match found.len() {
            0 => ServiceFault::Empty,
            _ => ServiceFault::Malformed,
        };
        let cause = format!(
            "{} vectors for {expected} texts, or of other lengths than 1 to {MAX_LENGTH}",
            found.len()
        );
        return Err(EmbedError::new(fault, cause));
    }
    Ok(found.into_iter().map(|entry| entry.embedding).collect())
}
