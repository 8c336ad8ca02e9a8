//! A server over a SQLite database in memory, and a service that speaks OpenAI's format on loopback. Its vectors are hashed three-letter
//! pieces of words: a real protocol, no real model.

use std::future;
use std::sync::Arc;
use std::time::Duration;

use mcpfn_core::{
    BoxFuture, CallRecord, Clock, Connection, Failure, HttpClient, Keyring, Platform, Principal, Random, Received, Records, Reply, Scopes,
    Server, Sql, Timer,
};
use mcpfn_sql::Sqlite;
use mcpfn_toolkits::knowledge::{self, Document};
use mcpfn_toolkits::register;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// What the service wants to see, and nobody else may.
pub(crate) const KEY: &str = "sk-planted-4f1e";

struct Host;

impl Clock for Host {
    fn now_ms(&self) -> u64 {
        1_793_000_000_000
    }
}

impl Timer for Host {
    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(future::pending())
    }
}

impl Random for Host {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(7);
    }
}

impl Records for Host {
    fn failure(&self, failure: &Failure<'_>) {
        assert!(!failure.cause.contains(KEY), "a secret is in: {}", failure.cause);
    }

    fn call(&self, _: &CallRecord<'_>) {}

    fn denied(&self, _: &str, _: Option<&str>) {}

    fn store_failure(&self, _: &str, _: &str) {}
}

pub(crate) struct Client {
    server: Server,
    platform: Arc<Platform>,
    principal: Principal,
}

/// A store with these documents.
pub(crate) async fn store(documents: &[Document], model: Option<&dyn mcpfn_core::Embedder>) -> Sqlite {
    let database = Sqlite::memory().unwrap();
    database.execute_all(knowledge::schema()).await.unwrap();
    for document in documents {
        assert!(knowledge::add(&database, document, model).await.unwrap() > 0);
    }
    database
}

impl Client {
    pub(crate) fn new(database: &Sqlite, embeddings: Option<&str>) -> Self {
        let variable = |name: &str| match name {
            "MCPFN_EMBEDDINGS_URL" => embeddings.map(str::to_owned),
            "MCPFN_EMBEDDINGS_MODEL" => Some("pieces".to_owned()),
            "MCPFN_EMBEDDINGS_KEY" => Some(KEY.to_owned()),
            _ => None,
        };
        let server = register(Server::builder("documents", "0.0.0"), "knowledge, contracts", &variable).unwrap().build().unwrap();
        let host = Arc::new(Host);
        let platform = Platform::new(host.clone(), host.clone(), host.clone(), host, Keyring::new([1; 32]))
            .with_port::<dyn Sql>(Arc::new(database.read_only()))
            .with_port::<dyn HttpClient>(Arc::new(mcpfn_client::Client::new()));
        Self { server, platform: Arc::new(platform), principal: Principal::local() }
    }

    pub(crate) fn with_scopes(mut self, scopes: &[&str]) -> Self {
        self.principal = self.principal.with_scopes(scopes.iter().map(|scope| (*scope).to_owned()).collect::<Scopes>());
        self
    }

    pub(crate) async fn ask(&self, method: &str, mut params: Value) -> Result<Value, Value> {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "0"},
        });
        let line = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
        let answer = match Connection::new(self.server.clone(), self.principal.clone()).receive(line.as_bytes(), &self.platform) {
            Received::Send(bytes) => bytes,
            Received::Run { call, .. } => Reply::Running(call).answer().await.message,
            other => panic!("{other:?}"),
        };
        let text = String::from_utf8(answer.to_vec()).unwrap();
        assert!(!text.contains(KEY), "a secret is in: {text}");
        let mut answer: Value = serde_json::from_str(&text).unwrap();
        let error = answer["error"].take();
        if error.is_null() { Ok(answer["result"].take()) } else { Err(error) }
    }

    /// A tool's structured result, or the sentence of its failure.
    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> Result<Value, String> {
        let mut result = self.ask("tools/call", json!({"name": tool, "arguments": arguments})).await.map_err(|error| error.to_string())?;
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
                    let Ok(count @ 1..) = socket.read(&mut buffer).await else { return };
                    read.extend_from_slice(&buffer[..count]);
                    let text = String::from_utf8_lossy(&read).into_owned();
                    let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                    let head = head.to_ascii_lowercase();
                    let length =
                        head.lines().find_map(|line| line.strip_prefix("content-length:")).map_or(0, |n| n.trim().parse().unwrap());
                    if body.len() < length {
                        continue;
                    }
                    let (status, said) = answer(&head, body);
                    let said = format!(
                        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{said}",
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
        return ("401 Unauthorized", json!({"error": {"message": format!("not {KEY}")}}).to_string());
    }
    let asked: Value = serde_json::from_str(body).unwrap();
    let texts: Vec<&str> = asked["input"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
    // the last first: the order of an answer is not promised
    let data: Vec<Value> = texts
        .iter()
        .enumerate()
        .rev()
        .map(|(index, text)| json!({"object": "embedding", "index": index, "embedding": pieces(text)}))
        .collect();
    ("200 OK", json!({"object": "list", "model": asked["model"], "data": data}).to_string())
}

fn pieces(text: &str) -> Vec<f32> {
    let mut vector = vec![0.0; 256];
    for word in text.to_lowercase().split(|character: char| !character.is_alphanumeric()).filter(|word| word.len() > 3) {
        for piece in format!("<{word}>").as_bytes().windows(3) {
            let hash = piece.iter().fold(2_166_136_261_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(16_777_619));
            vector[(hash % 256) as usize] += 1.0;
        }
    }
    vector
}
