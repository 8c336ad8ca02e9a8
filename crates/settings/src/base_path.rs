//! The path in front of the endpoint: read from its setting, taken off a request's path. Not the
//! paths below it, which are `mcpfn-http`'s.

use mcpfn_http::REGISTRY_PROOF_PATH;

use crate::reader::EnvReader;

impl EnvReader<'_> {
    /// `MCPFN_BASE_PATH`: path in front of the endpoint, without a slash at its end; empty when not
    /// set.
    pub fn base_path(&mut self) -> String {
        let path = self.text("MCPFN_BASE_PATH").unwrap_or_default();
        let path = path.trim().trim_end_matches('/');
        if !path.is_empty() && !is_path(path) {
            self.mistake(
                "MCPFN_BASE_PATH must be names of letters, digits, `-`, `_`, `.` and `~`, each behind \
                 a slash, such as /tools",
            );
            return String::new();
        }
        path.to_owned()
    }
}

/// Whether proxies and clients leave it as it is: nothing is encoded, and no name leads elsewhere.
fn is_path(path: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let is_name = |name: &str| !matches!(name, "" | "." | "..") && name.bytes().all(legal);
    path.strip_prefix('/')
        .is_some_and(|names| names.split('/').all(is_name))
}

/// The path below a prefix of whole segments, or the path itself. What speaks for a whole domain is
/// below no prefix.
#[must_use]
pub fn strip_base_path<'a>(path: &'a str, prefix: &str) -> &'a str {
    match path.strip_prefix(prefix) {
        Some("") => "/",
        Some(REGISTRY_PROOF_PATH) => path,
        Some(rest) if rest.starts_with('/') => rest,
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_path_is_one_in_every_url() {
        for path in ["/tools", "/a/b", "/v1.2/~me/x_y-z"] {
            assert!(is_path(path), "{path}");
        }
        for path in [
            "tools",
            "/a b",
            "/a?b",
            "/a#b",
            "/a//b",
            "/../b",
            "/./b",
            "/a\u{1b}b",
            "/ä",
            "/a%2f",
        ] {
            assert!(!is_path(path), "{path}");
        }
    }

    #[test]
    fn whole_segments_are_taken_off() {
        for (path, prefix, below) in [
            ("/tools/mcp", "/tools", "/mcp"),
            ("/tools", "/tools", "/"),
            ("/toolshed/mcp", "/tools", "/toolshed/mcp"),
            ("/mcp", "", "/mcp"),
            (REGISTRY_PROOF_PATH, "", REGISTRY_PROOF_PATH),
            (REGISTRY_PROOF_PATH, "/tools", REGISTRY_PROOF_PATH),
            (
                "/tools/.well-known/mcp-registry-auth",
                "/tools",
                "/tools/.well-known/mcp-registry-auth",
            ),
            (
                "/tools/.well-known/mcp-registry-auth/x",
                "/tools",
                "/.well-known/mcp-registry-auth/x",
            ),
        ] {
            assert_eq!(strip_base_path(path, prefix), below, "{path}");
        }
    }
}
