//! The store behind the tools: its paths as clients write them, and its failures in their words.

use std::sync::Arc;

use mcpfn_core::text::percent_encoded;
use mcpfn_core::{Cx, ServiceFault, ToolError, text};
use mcpfn_ports::{BlobError, BlobPath, Blobs};

pub(crate) fn blobs(cx: &Cx) -> Result<&Arc<dyn Blobs>, ToolError> {
    cx.port::<dyn Blobs>()
}

/// A path as a client wrote it.
pub(crate) fn path(text: &str) -> Result<BlobPath, ToolError> {
    BlobPath::parse(text).map_err(|why| {
        ToolError::new(format!(
            "{} is not a path here: {why}. Use paths as `list_directory` gives them, e.g. \
             \"docs/plan.md\".",
            text::quoted(text)
        ))
    })
}

/// A failure of the store as the model reads it. `text` is the path.
pub(crate) fn failed(error: BlobError, path: &BlobPath) -> ToolError {
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
        BlobError::Link => ToolError::new(format!(
            "{shown} is a link, and links are not moved. Move the file that it leads to by that \
             file's own path, or ask the user to move the link."
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
        )
        .with_fault(ServiceFault::Unreachable),
    }
}

/// The URI of a file as a resource.
pub(super) fn uri(path: &BlobPath) -> String {
    format!(
        "file:///{}",
        path.as_str()
            .split('/')
            .map(percent_encoded)
            .collect::<Vec<_>>()
            .join("/")
    )
}
