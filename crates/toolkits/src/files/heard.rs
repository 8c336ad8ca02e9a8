//! `file.written`: a file that was written, or moved. Where the store says so itself, it is by whomever;
//! otherwise with this server's tools, and what others change is not seen.

use mcpfn_core::event::Event;
use mcpfn_core::{Builder, Cx, JsonObject, input, output};
use serde::Serialize;

/// The event's name.
pub const FILE_WRITTEN: &str = "file.written";

/// The tools say what they wrote. Where the store does, nobody is to hear of it twice.
struct ToolsTell;

/// A file that was written.
#[output]
#[derive(Debug)]
struct WrittenFileEvent {
    /// Its path.
    path: String,
    /// Bytes.
    size: u64,
    /// Its version, for the next `write_file`, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    /// When it was written, in UTC, as ISO 8601, where a tool wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    modified: Option<String>,
}

/// Which files.
#[input]
#[derive(Debug)]
pub struct WrittenFilter {
    /// Those in one directory and the directories in it, such as "docs".
    #[schemars(length(min = 1, max = 1024))]
    #[serde(default)]
    pub directory: Option<String>,
}

pub(crate) fn with_events(builder: Builder, notices: bool) -> Builder {
    let written = Event::new(FILE_WRITTEN)
        .description("A file was written: it is new, replaced, or moved to this path.")
        .scope("files:read")
        .payload::<WrittenFileEvent>()
        .matching(|filter: WrittenFilter, file: JsonObject| {
            let path = file.get("path").and_then(|path| path.as_str());
            let wanted = filter.directory.as_deref().unwrap_or_default();
            let wanted = wanted.trim_matches('/');
            wanted.is_empty() || path.is_some_and(|path| is_in(path, wanted))
        });
    let builder = match notices {
        true => builder,
        false => builder.state(ToolsTell),
    };
    builder.event(written)
}

/// What is said of a file that the store has got: its path and version, as the tools have them, and
/// its bytes.
#[must_use]
pub fn written_file(path: String, size: u64, version: Option<String>) -> impl Serialize {
    WrittenFileEvent {
        path,
        size,
        version,
        modified: None,
    }
}

fn is_in(path: &str, directory: &str) -> bool {
    let rest = path.strip_prefix(directory);
    rest.is_some_and(|rest| rest.starts_with('/'))
}

/// Says that a file is there now.
pub(super) async fn tell(file: &impl Serialize, cx: &Cx) {
    if cx.state::<ToolsTell>().is_ok() {
        // the file is written, whatever becomes of this: a store that is down is told to the log
        let _ = cx.emit(FILE_WRITTEN, file).await;
    }
}

#[cfg(test)]
mod tests {
    use super::is_in;

    #[test]
    fn a_directory_has_what_is_below_it() {
        for (path, directory, inside) in [
            ("docs/a.md", "docs", true),
            ("docs/b/a.md", "docs", true),
            ("docs/b/a.md", "docs/b", true),
            ("docs2/a.md", "docs", false),
            ("docs", "docs", false),
            ("a.md", "docs", false),
        ] {
            assert_eq!(is_in(path, directory), inside, "{path} in {directory}");
        }
    }
}
