//! `file.written`: a file that was written or moved with this server's tools. What others change in the
//! store is not seen.

use mcpfn_core::event::Event;
use mcpfn_core::{Builder, Cx, JsonObject, input};

use super::write::WrittenFile;

const WRITTEN: &str = "file.written";

/// The event is switched on.
struct HearsOfFiles;

/// Which files.
#[input]
#[derive(Debug)]
pub struct WrittenFilter {
    /// Those in one directory and the directories in it, such as "docs".
    #[schemars(length(min = 1, max = 1024))]
    #[serde(default)]
    pub directory: Option<String>,
}

pub(crate) fn with_events(builder: Builder) -> Builder {
    let written = Event::new(WRITTEN)
        .description("A file was written, or moved to a new path, with the tools of this server.")
        .scope("files:read")
        .payload::<WrittenFile>()
        .matching(|filter: WrittenFilter, file: JsonObject| {
            let path = file.get("path").and_then(|path| path.as_str());
            let wanted = filter.directory.as_deref().unwrap_or_default();
            let wanted = wanted.trim_matches('/');
            wanted.is_empty() || path.is_some_and(|path| is_in(path, wanted))
        });
    builder.state(HearsOfFiles).event(written)
}

fn is_in(path: &str, directory: &str) -> bool {
    let rest = path.strip_prefix(directory);
    rest.is_some_and(|rest| rest.starts_with('/'))
}

/// Says that a file is there now.
pub(super) async fn tell(file: &WrittenFile, cx: &Cx) {
    if cx.state::<HearsOfFiles>().is_ok() {
        // the file is written, whatever becomes of this: a store that is down is told to the log
        let _ = cx.emit(WRITTEN, file).await;
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
