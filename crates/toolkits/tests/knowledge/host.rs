//! A server over a database of documents, and a service that speaks OpenAI's format on loopback.
//! Its vectors are made by hand, see `vectors`: a real protocol, no real model.

use std::sync::Arc;

use mcpfn_core::{Server, port::HttpClient};
use mcpfn_ports::{Embedder, Sql};
use mcpfn_testing::TestClient;
use mcpfn_toolkits::register;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::store::Store;
use crate::vectors;

/// What the service wants to see, and nobody else may.
pub(crate) const KEY: &str = "sk-planted-4f1e";

pub(crate) struct Client(pub(crate) TestClient);

impl Client {
    /// Over the words alone, or with the model `pieces` at an address.
    pub(crate) fn new(store: &Store, embeddings: Option<&str>) -> Self {
        Self::with(store, embeddings.map(|url| [url, "pieces", KEY]))
    }

    /// With a model: its address, name and key.
    pub(crate) fn with(store: &Store, embeddings: Option<[&str; 3]>) -> Self {
        let variable = |name: &str| {
            let [url, model, key] = embeddings?;
            let value = match name {
                "MCPFN_EMBEDDINGS_URL" => url,
                "MCPFN_EMBEDDINGS_MODEL" => model,
                "MCPFN_EMBEDDINGS_API_KEY" => key,
                _ => return None,
            };
            Some(value.to_owned())
        };
        let builder = Server::builder("documents", "0.0.0");
        let server = register(builder, "knowledge, contracts", &variable).unwrap();
        let client = TestClient::new(server)
            .with_port::<dyn Sql>(Arc::clone(&store.served))
            .with_port::<dyn HttpClient>(Arc::new(mcpfn_native::Client::new()));
        Self(client)
    }

    /// What services did not answer, and why: for the log alone.
    pub(crate) fn logged(&self) -> Vec<String> {
        let degraded = self.0.audit().degraded().into_iter();
        degraded
            .map(|(store, cause)| format!("{store}: {cause}"))
            .collect()
    }

    /// With a model of the host's own.
    pub(crate) fn with_model(self, model: Arc<dyn Embedder>) -> Self {
        Self(self.0.with_port::<dyn Embedder>(model))
    }

    pub(crate) fn with_scopes(self, scopes: &[&str]) -> Self {
        Self(self.0.scopes(&scopes.join(" ")))
    }

    /// Neither the client nor the log is told the service's key.
    pub(crate) async fn ask(&self, method: &str, params: Value) -> Result<Value, Value> {
        let asked = self.0.request(method, params).await;
        let said = format!(
            "{asked:?} {:?} {:?}",
            self.0.audit().causes(),
            self.logged()
        );
        assert!(!said.contains(KEY), "a secret is in: {said}");
        asked.map_err(|error| error.to_json())
    }

    /// A tool's structured result, or the sentence of its failure.
    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> Result<Value, String> {
        let mut result = self
            .ask("tools/call", json!({"name": tool, "arguments": arguments}))
            .await
            .map_err(|error| error.to_string())?;
        if result["isError"] == true {
            return Err(result["content"][0]["text"].as_str().unwrap().to_owned());
        }
        Ok(result["structuredContent"].take())
    }
}

/// The service's address. It answers until the test's runtime ends.
pub(crate) async fn model() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut read = Vec::new();
                loop {
                    let mut buffer = [0; 8192];
                    let Ok(count @ 1..) = socket.read(&mut buffer).await else {
                        return;
                    };
                    read.extend_from_slice(&buffer[..count]);
                    let text = String::from_utf8_lossy(&read).into_owned();
                    let Some((head, body)) = text.split_once("\r\n\r\n") else {
                        continue;
                    };
                    let head = head.to_ascii_lowercase();
                    let length = head
                        .lines()
                        .find_map(|line| line.strip_prefix("content-length:"))
                        .map_or(0, |n| n.trim().parse().unwrap());
                    if body.len() < length {
                        continue;
                    }
                    let (status, said) = answer(&head, body);
                    let said = format!(
                        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: \
                         {}\r\nconnection: close\r\n\r\n{said}",
                        said.len()
                    );
                    let _ = socket.write_all(said.as_bytes()).await;
                    return;
                }
            });
        }
    });
    url
}

fn answer(head: &str, body: &str) -> (&'static str, String) {
    if !head.starts_with("post /v1/embeddings ") {
        return ("404 Not Found", "{}".to_owned());
    }
    if !head.contains(&format!("authorization: bearer {KEY}")) {
        return (
            "401 Unauthorized",
            json!({"error": {"message": format!("not {KEY}")}}).to_string(),
        );
    }
    let asked: Value = serde_json::from_str(body).unwrap();
    let texts: Vec<&str> = asked["input"]
        .as_array()
        .unwrap()
        .iter()
        .map(|text| text.as_str().unwrap())
        .collect();
    // the last first: the order of an answer is not promised
    let data: Vec<Value> = texts
        .iter()
        .enumerate()
        .rev()
        .map(|(index, text)| json!({"object": "embedding", "index": index, "embedding": vectors::of(text)}))
        .collect();
    (
        "200 OK",
        json!({"object": "list", "model": asked["model"], "data": data}).to_string(),
    )
}
