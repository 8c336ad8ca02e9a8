//! The port to files, as tools: what the port says, one tool a function. Answers are JSON, and
//! failures the names of errors.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mcpfn::port::{BlobError, BlobKind, BlobMetadata, BlobPath, Blobs, WriteCondition};
use mcpfn::prelude::*;
use serde_json::{Value, json};

pub(crate) fn server() -> Builder {
    Server::builder("files", "1.0.0")
        .tool(read)
        .tool(metadata)
        .tool(list)
        .tool(write)
        .tool(rename)
}

#[input]
struct Read {
    path: String,
    /// In decimal, because numbers of JSON have 53 bits.
    offset: String,
    length: usize,
}

/// Reads a part, in Base64.
#[tool]
async fn read(args: Read, cx: &Cx) -> Result<String, ToolError> {
    let part = cx
        .port::<dyn Blobs>()?
        .read(
            &path(&args.path)?,
            args.offset.parse().unwrap_or_default(),
            args.length,
        )
        .await;
    answer(
        part,
        |part| json!({"bytes": STANDARD.encode(&part.bytes), "metadata": known(&part.metadata)}),
    )
}

#[input]
struct Path {
    path: String,
}

/// Says what is known of a file.
#[tool]
async fn metadata(args: Path, cx: &Cx) -> Result<String, ToolError> {
    answer(
        cx.port::<dyn Blobs>()?.metadata(&path(&args.path)?).await,
        |metadata| known(&metadata),
    )
}

#[input]
struct List {
    directory: String,
    start: String,
    cursor: Option<String>,
    most: usize,
}

/// Lists a page.
#[tool]
async fn list(args: List, cx: &Cx) -> Result<String, ToolError> {
    let page = cx
        .port::<dyn Blobs>()?
        .list(
            &path(&args.directory)?,
            &args.start,
            args.cursor.as_deref(),
            args.most,
        )
        .await;
    answer(page, |page| {
        let entries = page.entries.iter().map(
            |entry| json!({"name": entry.name, "file": entry.kind == BlobKind::File, "size": entry.size, "modified_ms": entry.modified_ms}),
        );
        json!({"entries": entries.collect::<Vec<_>>(), "cursor": page.cursor})
    })
}

#[input]
struct Write {
    path: String,
    /// In Base64.
    bytes: String,
    absent: bool,
    version: Option<String>,
}

/// Writes a file.
#[tool]
async fn write(args: Write, cx: &Cx) -> Result<String, ToolError> {
    let bytes = STANDARD
        .decode(args.bytes)
        .map_err(|error| ToolError::new(error.to_string()))?;
    let condition = match args.version {
        Some(version) => WriteCondition::Version(version),
        None if args.absent => WriteCondition::Absent,
        None => WriteCondition::Always,
    };
    answer(
        cx.port::<dyn Blobs>()?
            .write(&path(&args.path)?, bytes.into(), &condition)
            .await,
        |metadata| known(&metadata),
    )
}

#[input]
struct Rename {
    from: String,
    to: String,
    replace: bool,
}

/// Renames a file.
#[tool]
async fn rename(args: Rename, cx: &Cx) -> Result<String, ToolError> {
    let renamed = cx
        .port::<dyn Blobs>()?
        .rename(&path(&args.from)?, &path(&args.to)?, args.replace)
        .await;
    answer(renamed, |metadata| known(&metadata))
}

fn path(text: &str) -> Result<BlobPath, ToolError> {
    BlobPath::parse(text).map_err(|error| ToolError::new(error.to_string()))
}

fn known(metadata: &BlobMetadata) -> Value {
    json!({"size": metadata.size, "modified_ms": metadata.modified_ms, "version": metadata.version})
}

/// Elsewhere a store's words are for the log only.
fn answer<T>(
    result: Result<T, BlobError>,
    said: impl FnOnce(T) -> Value,
) -> Result<String, ToolError> {
    result
        .map(|value| said(value).to_string())
        .map_err(|error| ToolError::new(format!("{error:?}")))
}
