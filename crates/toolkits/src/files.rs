//! Files: read, listed, and written where the operator allows it. Works on the port `Blobs`, so it
//! does not know whether they are in a directory or in an object store. Deletes nothing.
//!
//! | variable | what |
//! |---|---|
//! | `MCPFN_FILES_WRITABLE` | `on` adds `write_file` and `move_file`; without it files are only read |
//! | `MCPFN_FILES_NOTICES` | `on` where the store says itself what was written to it: the event `file.written` comes of that, and not of these tools |
//!
//! Where the files are is the host's to say. Every path is checked twice: as text by
//! [`BlobPath`](mcpfn_ports::BlobPath),
//! and by the store, which knows links.

mod forms;
mod heard;
mod list;
mod part;
mod read;
pub(crate) mod store;
mod write;

use mcpfn_core::{Builder, handler::IntoResource as _, text};

use crate::config::Config;

pub use heard::WrittenFilter;
pub(crate) use heard::with_events;
pub use heard::{FILE_WRITTEN, written_file};
pub use list::{DirectoryArguments, DirectoryListing, ListedEntry, list_directory};
pub use read::{FileArguments, FileUri, OpenedFile, file, read_file};
pub use write::{Encoding, Move, WriteArguments, WrittenFile, move_file, write_file};

const WRITES: &str = "MCPFN_FILES_WRITABLE";
/// Whether the store says what was written to it, as buckets do.
const NOTICES: &str = "MCPFN_FILES_NOTICES";

/// Adds `read_file`, `list_directory` and the template `file:///{+path}`, all with the scope
/// `files:read`; with `writes` also `write_file` and `move_file`, with the scope `files:write`.
pub fn toolkit(builder: Builder, writes: bool) -> Builder {
    let builder = builder
        .tool(read_file)
        .tool(list_directory)
        .resource(file.into_resource().complete("path", list::paths))
        .advice(
            ["list_directory", "read_file"],
            "For files find the path with `list_directory`, then use `read_file`.",
        )
        .advice(
            ["read_file", "write_file"],
            "Read a file with `read_file` before you change it with `write_file`.",
        );
    if writes {
        builder.tool(write_file).tool(move_file)
    } else {
        builder
    }
}

/// Whether the operator says that the store tells of what is written to it.
pub fn has_notices(variable: &dyn Fn(&str) -> Option<String>) -> bool {
    let switch = variable(NOTICES).and_then(|given| text::switch(&given));
    switch.unwrap_or_default()
}

/// Whether the tools write, and whether the store tells of what is written, for who asks beside the
/// toolkit: it notes what is wrong with the settings.
pub(crate) fn hears(config: &Config<'_>) -> (bool, bool) {
    let switch = config.text(WRITES).and_then(|given| text::switch(&given));
    let notices = has_notices(&|name| config.text(name));
    (switch.unwrap_or_default(), notices)
}

pub(crate) fn configured(builder: Builder, config: &mut Config<'_>) -> Builder {
    let writes = config.switch(WRITES);
    config.switch(NOTICES);
    toolkit(builder, writes)
}
