//! `read_file`, and files as resources.

use mcpfn_core::{
    Cx, ToolError,
    content::{CallToolResult, Content, ResourceContents, ResourceLink},
    handler::IntoToolResult,
    input, output, resource, text, tool,
};
use mcpfn_ports::{BlobPart, BlobPath};
use serde_json::Value;

use super::forms;
use super::part::{self, media_type};
use super::store::{blobs, failed, path, uri};
use crate::date;
use crate::untrusted::{NOTICE, Untrusted};

/// The most bytes of one answer, and how many there are when nothing is said.
const MAX: usize = 256 * 1024;
const USUAL: u32 = 64 * 1024;

/// The most bytes that are sent although they are no text. Base64 makes them a third longer, and
/// few models can use them.
const MAX_BYTES: usize = 192 * 1024;

/// Which part of which file.
#[input]
#[derive(Debug)]
pub struct FileArguments {
    /// The file's path, as `list_directory` gives it, e.g. "docs/plan.md".
    #[schemars(length(min = 1, max = 1024))]
    pub path: String,
    /// The first byte to read; 0 is the beginning. To read on, give the `next_offset` of the answer
    /// before.
    #[schemars(range(max = 9007199254740991u64))]
    #[serde(default)]
    pub offset: u64,
    /// The most bytes to read.
    #[schemars(range(min = 1, max = 262144))]
    #[serde(default = "usual")]
    pub length: u32,
}

fn usual() -> u32 {
    USUAL
}

/// A part of a file.
#[output]
#[derive(Debug)]
pub struct OpenedFile {
    /// How to read the rest.
    pub notice: &'static str,
    /// The file's path.
    pub path: String,
    /// Its media type.
    pub media_type: &'static str,
    /// Bytes of the whole file.
    pub size: u64,
    /// When it was written, in UTC, as ISO 8601.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modified: Option<String>,
    /// Give it to `write_file` as `if_version`, so that nothing is overwritten that you have not
    /// read.
    pub version: String,
    /// Where this part begins, in bytes.
    pub offset: u64,
    /// The text. What is not text follows as content of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The `offset` of the next part, if there is more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_offset: Option<u64>,
    /// What else to know about this answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What is said about a file, and its bytes where they are no text.
pub(crate) struct ReadAnswer(OpenedFile, Option<Content>);

impl IntoToolResult for ReadAnswer {
    fn output_schema() -> Option<Value> {
        <Untrusted<OpenedFile> as IntoToolResult>::output_schema()
    }

    fn into_tool_result(self) -> Result<CallToolResult, ToolError> {
        let mut result = Untrusted(self.0).into_tool_result()?;
        result.content.extend(self.1);
        Ok(result)
    }
}

/// Read a file.
///
/// Use this when you know the path; find paths with `list_directory`. Text comes as text, 64 KB of
/// it unless `length` says otherwise: `note` says what was left out, and `next_offset` how to go
/// on. Small pictures and other files come as they are, larger ones as a link.
#[tool(
    read_only,
    idempotent,
    open_world = false,
    scope = "files:read",
    title = "Read a file",
    timeout = "10s"
)]
pub async fn read_file(args: FileArguments, cx: &Cx) -> Result<ReadAnswer, ToolError> {
    let path = path(&args.path)?;
    let length = (args.length as usize).clamp(1, MAX);
    let blobs = &**blobs(cx)?;
    let (path, mut part) = forms::with(&path, |path| async move {
        blobs.read(&path, args.offset, length).await
    })
    .await
    .map_err(|error| failed(error, &path))?;
    // what is no text comes whole or not at all
    let size = part.metadata.size;
    if args.offset == 0
        && length < MAX_BYTES
        && size > length as u64
        && size <= MAX_BYTES as u64
        && part::text(&part.bytes, true, false).is_none()
    {
        let whole = blobs.read(&path, args.offset, MAX_BYTES).await;
        part = whole.map_err(|error| failed(error, &path))?;
    }
    Ok(answer(&path, args.offset, &part))
}

fn answer(path: &BlobPath, offset: u64, part: &BlobPart) -> ReadAnswer {
    let BlobPart { bytes, metadata } = part;
    let size = metadata.size;
    let whole = offset.saturating_add(bytes.len() as u64) >= size;
    let read = part::text(bytes, offset == 0, whole);
    let media_type = media_type(path, read.is_some());
    let mut opened = OpenedFile {
        notice: NOTICE,
        path: path.to_string(),
        media_type,
        size,
        modified: metadata.modified_ms.map(date::utc),
        version: metadata.version.clone(),
        offset,
        text: None,
        next_offset: None,
        note: None,
    };
    let Some((text, from, to)) = read else {
        if offset == 0 && whole && bytes.len() <= MAX_BYTES {
            return ReadAnswer(opened, Some(as_they_are(path, media_type, bytes)));
        }
        if size > MAX_SHOWN as u64 {
            opened.note = Some(format!(
                "This is not text, and too long to be sent: {size} bytes, and {MAX_SHOWN} are the \
                 most."
            ));
            return ReadAnswer(opened, None);
        }
        opened.note = Some(format!(
            "This is not text, which can't be read in parts. The link leads to all of its {size} \
             bytes."
        ));
        let mut link = ResourceLink::new(uri(path), path.to_string());
        (link.mime_type, link.size) = (Some(media_type.to_owned()), Some(size));
        return ReadAnswer(opened, Some(Content::ResourceLink(link)));
    };
    opened.offset += from as u64;
    let end = offset + to as u64;
    if offset > 0 && offset >= size {
        opened.note = Some(format!(
            "There is nothing at byte {offset}: the file has {size} bytes."
        ));
    } else if end < size && to > from {
        opened.next_offset = Some(end);
        opened.note = Some(format!(
            "Cut: these are bytes {} to {end} of {size}. Call again with offset {end} for more.",
            opened.offset
        ));
    } else if end < size {
        opened.note = Some(format!(
            "Cut: `length` is too short for one character at byte {offset}. Call again with a \
             longer one."
        ));
    }
    opened.text = Some(text.to_owned());
    ReadAnswer(opened, None)
}

fn as_they_are(path: &BlobPath, media_type: &str, bytes: &[u8]) -> Content {
    match media_type {
        "image/png" | "image/jpeg" | "image/gif" | "image/webp" => {
            Content::image(bytes, media_type)
        }
        _ => Content::resource(ResourceContents::blob(uri(path), media_type, bytes)),
    }
}

/// The variables of `file:///{+path}`.
#[input]
#[derive(Debug)]
pub struct FileUri {
    /// A file's path, as `list_directory` gives it.
    pub path: String,
}

/// The most bytes of a resource.
const MAX_SHOWN: usize = 2 * 1024 * 1024;

/// A file of this server. Text after 2 MB is left out, and the last line says so; other files are
/// refused if they are longer.
#[resource("file:///{+path}", name = "file", title = "File", scope = "files:read")]
pub async fn file(args: FileUri, cx: &Cx) -> Result<ResourceContents, ToolError> {
    let path = path(&args.path)?;
    let blobs = &**blobs(cx)?;
    let (path, BlobPart { bytes, metadata }) = forms::with(&path, |path| async move {
        blobs.read(&path, 0, MAX_SHOWN).await
    })
    .await
    .map_err(|error| failed(error, &path))?;
    let whole = bytes.len() as u64 >= metadata.size;
    let read = part::text(&bytes, true, whole);
    let media_type = media_type(&path, read.is_some());
    match read {
        Some((text, ..)) if whole => Ok(ResourceContents::text(uri(&path), media_type, text)),
        Some((text, _, end)) => {
            let note = format!(
                "\n\n(cut here: the file has {} bytes; `read_file` with offset {end} goes on)",
                metadata.size
            );
            Ok(ResourceContents::text(
                uri(&path),
                media_type,
                text.to_owned() + &note,
            ))
        }
        None if whole => Ok(ResourceContents::blob(uri(&path), media_type, bytes)),
        None => {
            let shown = text::quoted(path.as_str());
            Err(ToolError::new(format!(
                "{shown} is too long to be sent: {} bytes, and {MAX_SHOWN} are the most.",
                metadata.size
            )))
        }
    }
}
