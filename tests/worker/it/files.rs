//! Files in an R2 bucket, under `wrangler dev`: the contract of every such store.

/// The contract of files.
#[path = "../../stores/src"]
mod stores {
    #[allow(dead_code, unreachable_pub, reason = "another package's public module")]
    pub(crate) mod files;
    #[allow(unreachable_pub, reason = "another package's public module")]
    pub(crate) mod stored_skills;
}

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use mcpfn::handler::BoxFuture;
use mcpfn::port::{
    BlobEntry, BlobError, BlobKind, BlobMetadata, BlobPage, BlobPart, BlobPath, Blobs,
    WriteCondition,
};
use serde_json::{Value, json};

use crate::{Host as _, Request, Worker};
use stores::files;

/// The bucket, behind the tools of a Worker.
struct Bucket(Worker);

impl Bucket {
    fn ask<'a, T: 'a>(
        &'a self,
        tool: &'static str,
        arguments: Value,
        read: impl FnOnce(&Value) -> T + Send + 'a,
    ) -> BoxFuture<'a, Result<T, BlobError>> {
        let worker = self.0;
        Box::pin(async move {
            let answer = tokio::task::spawn_blocking(move || {
                worker
                    .send(&Request::modern(
                        "tools/call",
                        json!({"name": tool, "arguments": arguments}),
                    ))
                    .json()
            });
            let answer = answer.await.expect("the Worker answers");
            let text = answer["result"]["content"][0]["text"]
                .as_str()
                .unwrap_or_else(|| panic!("no text: {answer}"));
            if answer["result"]["isError"] == true {
                return Err(error(text));
            }
            Ok(read(
                &serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}")),
            ))
        })
    }
}

fn error(name: &str) -> BlobError {
    let known = [
        BlobError::NotFound,
        BlobError::Changed,
        BlobError::NotAFile,
        BlobError::BadCursor,
    ];
    known
        .into_iter()
        .find(|error| format!("{error:?}") == name)
        .unwrap_or_else(|| BlobError::Unavailable(name.to_owned()))
}

fn metadata(said: &Value) -> BlobMetadata {
    BlobMetadata {
        size: said["size"].as_u64().expect("a size"),
        modified_ms: said["modified_ms"].as_u64(),
        version: said["version"].as_str().expect("a version").to_owned(),
    }
}

fn entry(said: &Value) -> BlobEntry {
    BlobEntry {
        name: said["name"].as_str().expect("a name").to_owned(),
        kind: if said["file"] == true {
            BlobKind::File
        } else {
            BlobKind::Directory
        },
        size: said["size"].as_u64().expect("a size"),
        modified_ms: said["modified_ms"].as_u64(),
    }
}

impl Blobs for Bucket {
    fn read<'a>(
        &'a self,
        path: &'a BlobPath,
        offset: u64,
        length: usize,
    ) -> BoxFuture<'a, Result<BlobPart, BlobError>> {
        let arguments =
            json!({"path": path.as_str(), "offset": offset.to_string(), "length": length});
        self.ask("read", arguments, |said| BlobPart {
            bytes: STANDARD
                .decode(said["bytes"].as_str().expect("bytes"))
                .expect("Base64")
                .into(),
            metadata: metadata(&said["metadata"]),
        })
    }

    fn metadata<'a>(
        &'a self,
        path: &'a BlobPath,
    ) -> BoxFuture<'a, Result<BlobMetadata, BlobError>> {
        self.ask("metadata", json!({"path": path.as_str()}), metadata)
    }

    fn list<'a>(
        &'a self,
        directory: &'a BlobPath,
        start: &'a str,
        cursor: Option<&'a str>,
        most: usize,
    ) -> BoxFuture<'a, Result<BlobPage, BlobError>> {
        let arguments = json!({"directory": directory.as_str(), "start": start, "cursor": cursor, "most": most});
        self.ask("list", arguments, |said| BlobPage {
            entries: said["entries"]
                .as_array()
                .expect("entries")
                .iter()
                .map(entry)
                .collect(),
            cursor: said["cursor"].as_str().map(str::to_owned),
        })
    }

    fn write<'a>(
        &'a self,
        path: &'a BlobPath,
        bytes: Bytes,
        condition: &'a WriteCondition,
    ) -> BoxFuture<'a, Result<BlobMetadata, BlobError>> {
        let version = if let WriteCondition::Version(version) = condition {
            Some(version)
        } else {
            None
        };
        let absent = *condition == WriteCondition::Absent;
        let arguments = json!({"path": path.as_str(), "bytes": STANDARD.encode(bytes), "absent": absent, "version": version});
        self.ask("write", arguments, metadata)
    }

    fn rename<'a>(
        &'a self,
        from: &'a BlobPath,
        to: &'a BlobPath,
        replace: bool,
    ) -> BoxFuture<'a, Result<BlobMetadata, BlobError>> {
        self.ask(
            "rename",
            json!({"from": from.as_str(), "to": to.as_str(), "replace": replace}),
            metadata,
        )
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_of_r2_keeps_the_contract() {
    let store = Arc::new(Bucket(Worker::named("files")));
    let files = files::Files {
        store,
        directories: false,
        exact: true,
    };
    let mut failed = Vec::new();
    for check in files::checks() {
        if tokio::spawn((check.run)(files.clone())).await.is_err() {
            failed.push(check.name);
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}
