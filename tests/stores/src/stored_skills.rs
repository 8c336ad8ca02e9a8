//! Skills that lie in a store of files: what every such store must do for them, beside the contract of
//! files. A directory of its own keeps them from what else is there.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use mcpfn_core::Server;
use mcpfn_core::handler::BoxFuture;
use mcpfn_ports::{BlobError, BlobMetadata, BlobPage, BlobPart, BlobPath, Blobs, WriteCondition};
use mcpfn_testing::TestClient;
use mcpfn_toolkits::skills::stored;
use serde_json::{Value, json};

/// What is below a directory of a store, as a store.
struct Below(Arc<dyn Blobs>, String);

impl Below {
    fn path(&self, path: &BlobPath) -> BlobPath {
        let whole = format!("{}/{}", self.1, path.as_str());
        BlobPath::parse(whole.trim_end_matches('/')).expect("a path")
    }
}

impl Blobs for Below {
    fn read<'a>(
        &'a self,
        path: &'a BlobPath,
        offset: u64,
        length: usize,
    ) -> BoxFuture<'a, Result<BlobPart, BlobError>> {
        Box::pin(async move { self.0.read(&self.path(path), offset, length).await })
    }

    fn metadata<'a>(
        &'a self,
        path: &'a BlobPath,
    ) -> BoxFuture<'a, Result<BlobMetadata, BlobError>> {
        Box::pin(async move { self.0.metadata(&self.path(path)).await })
    }

    fn list<'a>(
        &'a self,
        directory: &'a BlobPath,
        start: &'a str,
        cursor: Option<&'a str>,
        most: usize,
    ) -> BoxFuture<'a, Result<BlobPage, BlobError>> {
        let list = async move {
            let directory = self.path(directory);
            self.0.list(&directory, start, cursor, most).await
        };
        Box::pin(list)
    }

    fn write<'a>(
        &'a self,
        path: &'a BlobPath,
        bytes: Bytes,
        condition: &'a WriteCondition,
    ) -> BoxFuture<'a, Result<BlobMetadata, BlobError>> {
        Box::pin(async move { self.0.write(&self.path(path), bytes, condition).await })
    }

    fn rename<'a>(
        &'a self,
        from: &'a BlobPath,
        to: &'a BlobPath,
        replace: bool,
    ) -> BoxFuture<'a, Result<BlobMetadata, BlobError>> {
        Box::pin(async move {
            let (from, to) = (self.path(from), self.path(to));
            self.0.rename(&from, &to, replace).await
        })
    }
}

/// Panics where a store does not serve skills. `top` is a directory that nothing else has.
///
/// # Panics
/// Where it does not.
pub async fn served(store: Arc<dyn Blobs>, top: String) {
    const SCRIPT: &str = "skill://team/refunds/scripts/pay.py";
    const LOGO: [u8; 3] = [0x89, 0xff, 0];
    let skills = Arc::new(Below(store, top));
    let put = async |path: &str, bytes: Bytes| {
        let path = BlobPath::parse(path).expect("a path");
        let written = skills.write(&path, bytes, &WriteCondition::Always).await;
        written.unwrap_or_else(|error| panic!("{path} was not written: {error}"));
    };
    let manifest = "---\nname: refunds\ndescription: About refunds.\n---\n# Refunds\n";
    put("team/refunds/SKILL.md", manifest.into()).await;
    put("team/refunds/scripts/pay.py", "print(1)".into()).await;
    put("team/refunds/logo.png", LOGO.to_vec().into()).await;
    put("team/notes.txt", "of no skill".into()).await;
    let client = TestClient::new(
        Server::builder("team", "1.0.0").skills(stored("skills", Arc::clone(&skills) as _)),
    );
    let digests = async || {
        let listed = client.request("skills/list", json!({})).await.unwrap();
        let [skill] = &listed["skills"].as_array().unwrap()[..] else {
            panic!("{listed}");
        };
        assert_eq!(skill["frontmatter"]["name"], "refunds", "{listed}");
        skill.clone()
    };
    let first = digests().await;
    let got = client.read(SCRIPT).await.unwrap();
    assert_eq!(got.text(), Some("print(1)"));
    let logo = client.read("skill://team/refunds/logo.png").await.unwrap();
    assert_eq!(logo.text(), None);
    // other bytes than were listed are not sent, and the next one who asks has a new list
    put("team/refunds/scripts/pay.py", "print(22)".into()).await;
    assert_eq!(client.read(SCRIPT).await.unwrap_err().code(), Some(-32603));
    let got = client.read(SCRIPT).await.unwrap();
    assert_eq!(got.text(), Some("print(22)"));
    let second = digests().await;
    assert_ne!(first, second);
    // what comes is seen after a minute
    let other = manifest.replace("refunds", "returns");
    put("returns/SKILL.md", other.into()).await;
    let count = async || {
        let listed = client.request("skills/list", json!({})).await.unwrap();
        listed["skills"].as_array().map(Vec::<Value>::len)
    };
    assert_eq!(count().await, Some(1));
    client.time().advance(Duration::from_secs(61));
    assert_eq!(count().await, Some(2));
}
