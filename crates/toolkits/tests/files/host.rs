//! A server with the toolkit `files` alone, asked with JSON-RPC lines.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use mcpfn_core::Server;
use mcpfn_files::Directory;
use mcpfn_ports::Blobs;
use mcpfn_testing::TestClient;
use mcpfn_toolkits::register;
use serde_json::{Value, json};

pub(crate) struct Client(TestClient);

impl Client {
    /// Over a store, which may be written to.
    pub(crate) fn new(store: Arc<dyn Blobs>) -> Self {
        Self::with(store, Some("1"))
    }

    /// With a value of `MCPFN_FILES_WRITABLE`.
    pub(crate) fn with(store: Arc<dyn Blobs>, writes: Option<&str>) -> Self {
        let variable = |name: &str| {
            writes
                .filter(|_| name == "MCPFN_FILES_WRITABLE")
                .map(str::to_owned)
        };
        let server = register(Server::builder("files", "0.0.0"), "files", &variable).unwrap();
        Self(TestClient::new(server).with_port::<dyn Blobs>(store))
    }

    /// The same server, called by a caller with these scopes only.
    pub(crate) fn with_scopes(self, scopes: &[&str]) -> Self {
        Self(self.0.scopes(&scopes.join(" ")))
    }

    /// The private causes that went to the log.
    pub(crate) fn logged(&self) -> Vec<String> {
        self.0.audit().causes()
    }

    pub(crate) async fn ask(&self, method: &str, params: Value) -> Result<Value, Value> {
        let asked = self.0.request(method, params).await;
        asked.map_err(|error| error.to_json())
    }

    /// A tool's whole result.
    pub(crate) async fn result(&self, tool: &str, arguments: &Value) -> Value {
        self.ask("tools/call", json!({"name": tool, "arguments": arguments}))
            .await
            .unwrap()
    }

    /// A tool's structured result, or the sentence of its failure.
    pub(crate) async fn call(
        &self,
        tool: &str,
        arguments: impl Into<Value>,
    ) -> Result<Value, String> {
        let mut result = self.result(tool, &arguments.into()).await;
        if result["isError"] == true {
            return Err(result["content"][0]["text"].as_str().unwrap().to_owned());
        }
        Ok(result["structuredContent"].take())
    }

    pub(crate) async fn read(&self, path: &str) -> Result<Value, String> {
        self.call("read_file", json!({"path": path})).await
    }

    /// The contents of a resource, or the sentence of its failure.
    pub(crate) async fn resource(&self, uri: &str) -> Result<Value, String> {
        let result = self.ask("resources/read", json!({"uri": uri})).await;
        result
            .map(|mut result| result["contents"][0].take())
            .map_err(|error| error["message"].as_str().unwrap().to_owned())
    }
}

/// A directory with a server over it, gone when dropped.
pub(crate) struct Place {
    top: PathBuf,
    pub(crate) client: Client,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self::served(Client::new)
    }

    /// Served in another way.
    pub(crate) fn served(client: impl FnOnce(Arc<dyn Blobs>) -> Client) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let top = std::env::temp_dir().join(format!(
            "mcpfn-toolkit-files-{}-{number}",
            std::process::id()
        ));
        std::fs::create_dir_all(&top).unwrap();
        let client = client(Arc::new(Directory::open(&top).unwrap()));
        Self { top, client }
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.top.join(name)
    }

    /// Puts a file there without the server.
    pub(crate) fn put(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// What is in a file, without the server.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.path(name)).ok()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.top);
    }
}
