//! Files: read, listed, and written where the operator allows it. Works on the port `Blobs`, so it
//! does not know whether they are in a directory or in an object store. Deletes nothing.
//!
//! | variable | what |
//! |---|---|
//! | `MCPFN_FILES_WRITABLE` | `on` adds `write_file` and `move_file`; without it files are only read |
//!
//! Where the files are is the host's to say. Every path is checked twice: as text by [`BlobPath`],
//! and by the store, which knows links.

mod list;
mod part;
mod read;
mod write;

use std::sync::Arc;

use mcpfn_core::{Builder, Cx, ToolError, handler::IntoResource as _, text};
use mcpfn_ports::{BlobError, BlobPath, Blobs};

use crate::api::encode;
use crate::config::Config;

pub use list::{DirectoryArguments, DirectoryListing, ListedEntry, list_directory};
pub use read::{FileArguments, FileUri, OpenedFile, file, read_file};
pub use write::{Encoding, Move, WriteArguments, WrittenFile, move_file, write_file};

const WRITES: &str = "MCPFN_FILES_WRITABLE";

/// Adds `read_file`, `list_directory` and the template `file:///{+path}`, all with the scope
/// `files:read`; with `writes` also `write_file` and `move_file`, with the scope `files:write`.
pub fn toolkit(builder: Builder, writes: bool) -> Builder {
    let builder = builder
        .tool(read_file)
        .tool(list_directory)
        .resource(file.into_resource().complete("path", list::paths));
    if writes {
        builder.tool(write_file).tool(move_file)
    } else {
        builder
    }
}

pub(crate) fn configured(builder: Builder, config: &mut Config<'_>) -> Builder {
    let writes = config.switch(WRITES);
    toolkit(builder, writes)
}

fn blobs(cx: &Cx) -> Result<&Arc<dyn Blobs>, ToolError> {
    cx.port::<dyn Blobs>()
}

/// A path as a client wrote it.
fn path(text: &str) -> Result<BlobPath, ToolError> {
    BlobPath::parse(text).map_err(|why| {
        ToolError::new(format!(
            "{} is not a path here: {why}. Use paths as `list_directory` gives them, e.g. \
             \"docs/plan.md\".",
            text::quoted(text)
        ))
    })
}

/// A failure of the store as the model reads it. `text` is the path.
fn failed(error: BlobError, path: &BlobPath) -> ToolError {
    let shown = if path.as_str().is_empty() {
        "the top directory".to_owned()
    } else {
        text::quoted(path.as_str()).to_string()
    };
    match error {
        BlobError::NotFound => ToolError::not_found(format!(
            "There is no {shown}. Use `list_directory` to see what is there."
        )),
        BlobError::Changed => ToolError::new(format!(
            "{shown} is not as you expected it: it changed, or is there already."
        )),
        BlobError::Outside => ToolError::new(format!(
            "{shown} leads outside the files of this server, and is refused. Use another path."
        )),
        BlobError::NotAFile => ToolError::new(format!(
            "{shown} is not a file: a directory, a link or a device. Use `list_directory` to see \
             what is there."
        )),
        BlobError::NotADirectory => ToolError::new(format!(
            "{shown} is not a directory, or goes through a file. Use `list_directory` to see what \
             is there."
        )),
        BlobError::BadCursor => ToolError::new(
            "`cursor` was not issued by `list_directory` for this directory. Leave it out to \
             begin again.",
        ),
        BlobError::TooLarge(most) => ToolError::new(format!(
            "{shown} was not written: {most} bytes are the most."
        )),
        BlobError::Refused(cause) => {
            let said = format!(
                "This server may not do that with {shown}. Tell the user, who may ask the operator."
            );
            ToolError::new(said).with_cause(cause)
        }
        error => ToolError::unavailable(
            "Files are temporarily unavailable. Try again in a moment.",
            error,
        ),
    }
}

/// The URI of a file as a resource.
fn uri(path: &BlobPath) -> String {
    format!(
        "file:///{}",
        path.as_str()
            .split('/')
            .map(encode)
            .collect::<Vec<_>>()
            .join("/")
    )
}
