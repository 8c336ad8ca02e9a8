//! The path in front of the endpoint: read from its setting, taken off a request's path. Not the
//! paths below it, which are `mcpfn-http`'s.

use crate::reader::EnvReader;

impl EnvReader<'_> {
    /// `MCPFN_BASE_PATH`: path in front of the endpoint, without a slash at its end; empty when not
    /// set.
    pub fn base_path(&mut self) -> String {
        let path = self.text("MCPFN_BASE_PATH").unwrap_or_default();
        let path = path.trim().trim_end_matches('/');
        if !path.is_empty() && !path.starts_with('/') {
            self.mistake("MCPFN_BASE_PATH must begin with a slash, such as /tools");
        }
        path.to_owned()
    }
}

/// The path below a prefix of whole segments, or the path itself.
#[must_use]
pub fn strip_base_path<'a>(path: &'a str, prefix: &str) -> &'a str {
    match path.strip_prefix(prefix) {
        Some("") => "/",
        Some(rest) if rest.starts_with('/') => rest,
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_segments_are_taken_off() {
        for (path, prefix, below) in [
            ("/tools/mcp", "/tools", "/mcp"),
            ("/tools", "/tools", "/"),
            ("/toolshed/mcp", "/tools", "/toolshed/mcp"),
            ("/mcp", "", "/mcp"),
        ] {
            assert_eq!(strip_base_path(path, prefix), below, "{path}");
        }
    }
}
