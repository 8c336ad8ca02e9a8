//! The sentence of each failure, over a store that fails. Causes are for the log alone.

use std::sync::Arc;

use bytes::Bytes;
use mcpfn_core::handler::BoxFuture;
use mcpfn_ports::{BlobError, BlobMetadata, BlobPage, BlobPart, BlobPath, Blobs, WriteCondition};
use serde_json::{Value, json};

use crate::host::Client;

/// What only the log may show.
const CAUSE: &str = "the disk at /srv/hunter2";

/// Fails in one way, whatever it is asked; its files are there.
struct Failing(BlobError);

impl Failing {
    fn fails<T: Send + 'static>(&self) -> BoxFuture<'_, Result<T, BlobError>> {
        Box::pin(async { Err(self.0.clone()) })
    }
}

impl Blobs for Failing {
    fn read<'a>(
        &'a self,
        _: &'a BlobPath,
        _: u64,
        _: usize,
    ) -> BoxFuture<'a, Result<BlobPart, BlobError>> {
        self.fails()
    }

    fn metadata<'a>(&'a self, _: &'a BlobPath) -> BoxFuture<'a, Result<BlobMetadata, BlobError>> {
        Box::pin(async {
            Ok(BlobMetadata {
                size: 0,
                modified_ms: None,
                version: "1".to_owned(),
            })
        })
    }

    fn list<'a>(
        &'a self,
        _: &'a BlobPath,
        _: &'a str,
        _: Option<&'a str>,
        _: usize,
    ) -> BoxFuture<'a, Result<BlobPage, BlobError>> {
        self.fails()
    }

    fn write<'a>(
        &'a self,
        _: &'a BlobPath,
        _: Bytes,
        _: &'a WriteCondition,
    ) -> BoxFuture<'a, Result<BlobMetadata, BlobError>> {
        self.fails()
    }

    fn rename<'a>(
        &'a self,
        _: &'a BlobPath,
        _: &'a BlobPath,
        _: bool,
    ) -> BoxFuture<'a, Result<BlobMetadata, BlobError>> {
        self.fails()
    }
}

async fn said(error: BlobError, tool: &str, arguments: Value) -> String {
    let client = Client::new(Arc::new(Failing(error.clone())));
    let said = client.call(tool, arguments).await.unwrap_err();
    assert!(!said.contains("hunter2"), "{said}");
    if !error.to_string().contains(CAUSE) {
        return said;
    }
    assert!(
        client.logged().iter().any(|cause| cause.contains(CAUSE)),
        "{error}: {:?}",
        client.logged()
    );
    // which leads to the cause in the log
    said.split_once(" (error id ")
        .map(|(said, _)| said.to_owned())
        .unwrap_or_else(|| panic!("no id: {said}"))
}

#[tokio::test]
async fn every_failure_has_its_sentence() {
    let cause = || CAUSE.to_owned();
    for (error, expected) in [
        (
            BlobError::NotFound,
            "There is no `a`. Use `list_directory` to see what is there.",
        ),
        (
            BlobError::Changed,
            "`a` is not as you expected it: it changed, or is there already.",
        ),
        (
            BlobError::Outside,
            "`a` leads outside the files of this server, and is refused. Use another path.",
        ),
        (
            BlobError::NotAFile,
            "`a` is not a file: a directory, a link or a device. Use `list_directory` to see what \
             is there.",
        ),
        (
            BlobError::NotADirectory,
            "`a` is not a directory, or goes through a file. Use `list_directory` to see what is \
             there.",
        ),
        (
            BlobError::BadCursor,
            "`cursor` was not issued by `list_directory` for this directory. Leave it out to \
             begin again.",
        ),
        (
            BlobError::TooLarge(9),
            "`a` was not written: 9 bytes are the most.",
        ),
        (
            BlobError::Refused(cause()),
            "This server may not do that with `a`. Tell the user, who may ask the operator.",
        ),
        (
            BlobError::Unavailable(cause()),
            "Files are temporarily unavailable. Try again in a moment.",
        ),
    ] {
        assert_eq!(
            said(error.clone(), "read_file", json!({"path": "a"})).await,
            expected
        );
        assert_eq!(
            said(
                error.clone(),
                "list_directory",
                json!({"path": "a", "cursor": "x"})
            )
            .await,
            expected
        );
        if error != BlobError::Changed {
            assert_eq!(
                said(error, "write_file", json!({"path": "a", "content": ""})).await,
                expected
            );
        }
    }
}

#[tokio::test]
async fn a_move_that_fails_says_what_became_of_the_file() {
    let cause = || CAUSE.to_owned();
    for (error, overwrite, expected) in [
        (
            BlobError::Changed,
            false,
            "Nothing was moved: `b` is there already. Choose another path, or ask the user about \
             `overwrite`.",
        ),
        (
            BlobError::Changed,
            true,
            "Nothing was moved: `a` was changed meanwhile, or is the same file as `b`. Look at \
             both again.",
        ),
        (
            BlobError::Copied(cause()),
            false,
            "`b` has the file now, but `a` could not be taken away and has it too. Tell the user, \
             who may delete it.",
        ),
        (
            BlobError::Refused(cause()),
            false,
            "This server may not move `a` to `b`. Tell the user, who may ask the operator.",
        ),
        (
            BlobError::Unavailable(cause()),
            false,
            "Files are temporarily unavailable. Try again in a moment.",
        ),
        // the file itself is there, so it is the other path
        (
            BlobError::NotADirectory,
            false,
            "`b` is not a directory, or goes through a file. Use `list_directory` to see what is \
             there.",
        ),
    ] {
        assert_eq!(
            said(
                error,
                "move_file",
                json!({"from": "a", "to": "b", "overwrite": overwrite})
            )
            .await,
            expected
        );
    }
}

#[tokio::test]
async fn a_path_that_is_none_says_why_and_reaches_no_store() {
    let client = Client::new(Arc::new(Failing(BlobError::NotFound)));
    for (path, why) in [
        (
            "/etc/passwd",
            "it must begin with a name, not with `/` or `~`",
        ),
        ("a/../b", "it must not have the names `.` and `..`"),
        ("a//b", "two `/` in a row"),
        ("a\\b", "`\\` is not allowed"),
        ("C:/x", "any of the characters"),
        ("a%2fb", "it is percent-encoded"),
        ("a\u{202e}b", "invisible ones"),
        ("nul.txt", "a device on Windows"),
        ("x.", "end with a dot"),
    ] {
        for (tool, arguments) in [
            ("read_file", json!({"path": path})),
            ("list_directory", json!({"path": path})),
            ("write_file", json!({"path": path, "content": ""})),
            ("move_file", json!({"from": path, "to": "b"})),
            ("move_file", json!({"from": "b", "to": path})),
        ] {
            let said = client.call(tool, arguments).await.unwrap_err();
            assert!(
                said.contains("is not a path here: ") && said.contains(why),
                "{tool} {path:?}: {said}"
            );
            assert!(!said.contains('\u{202e}'));
        }
    }
}
