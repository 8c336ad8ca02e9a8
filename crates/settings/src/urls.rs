//! URLs that an operator writes down so that others find this server, or are let in: forms that
//! could never match anything are mistakes, with the form that does. URLs of issuers are
//! `mcpfn-auth`'s.

use std::net::Ipv6Addr;

use mcpfn_auth::url_mistake;
use mcpfn_core::text::quoted;

use crate::reader::EnvReader;

impl EnvReader<'_> {
    /// `MCPFN_ALLOWED_ORIGINS`: each as browsers write it, because it is compared whole.
    pub(crate) fn origins(&mut self) -> Vec<String> {
        let name = "MCPFN_ALLOWED_ORIGINS";
        let origins = self.list(name);
        for origin in &origins {
            match as_browsers_write(origin) {
                Some(written) if written == *origin => {}
                Some(written) => self.mistake(format!(
                    "{name} has {}, which no browser sends: write {written}",
                    quoted(origin)
                )),
                None => self.mistake(format!(
                    "{name} must list origins such as https://app.example.com: scheme and host, \
                     no path and no wildcard. Applications with a scheme of their own are written \
                     app://host, or app://* for all of them"
                )),
            }
        }
        origins
    }

    /// Origins of the web that a page is to ask, each as browsers write it.
    pub(crate) fn web_origins(&mut self, name: &str) -> Vec<String> {
        let origins = self.list(name);
        for origin in &origins {
            let web = origin.starts_with("https://") || origin.starts_with("http://");
            if !web || as_browsers_write(origin).as_deref() != Some(origin) {
                self.mistake(format!(
                    "{name} must list origins such as https://login.example.com: scheme and host in \
                     lower case, no path; it has {}",
                    quoted(origin)
                ));
            }
        }
        origins
    }

    /// `MCPFN_ALLOWED_HOSTS`: names and addresses as `Host` has them, without port; or `*`.
    pub(crate) fn allowed_hosts(&mut self) -> Vec<String> {
        let name = "MCPFN_ALLOWED_HOSTS";
        let mut hosts = self.list(name);
        for host in &mut hosts {
            // as `Host` writes an IPv6 address
            if host.parse::<Ipv6Addr>().is_ok() {
                *host = format!("[{host}]");
            }
            let address = host
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'))
                .is_some_and(|address| address.parse::<Ipv6Addr>().is_ok());
            let legal = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
            if !(address || host == "*" || host.bytes().all(legal)) {
                self.mistake(format!(
                    "{name} must list names or addresses without scheme and port, such as \
                     mcp.example.com, or be * for any; it has {}",
                    quoted(host)
                ));
            }
        }
        hosts
    }

    /// A URL that others get, such as `MCPFN_PUBLIC_URL`: reported unless this server answers
    /// there.
    pub(crate) fn public_url(&mut self, name: &str, url: &str) {
        if let Some(mistake) = url_mistake(url) {
            // not repeated: it may have a password in it
            self.mistake(format!(
                "{name} {mistake}; write a URL such as https://mcp.example.com/mcp"
            ));
        } else if let Some(better) = endpoint(url) {
            self.mistake(format!(
                "{name} must be the URL of the MCP endpoint as clients write it, with its host in \
                 lower case and /mcp at its end; {} would not be found: write {}",
                quoted(url),
                quoted(&better)
            ));
        }
    }
}

/// The form of an origin that browsers send (RFC 6454, section 6.1): lower case, no path, no port
/// that is the scheme's own. `None` if it is no origin of the web at all.
fn as_browsers_write(origin: &str) -> Option<String> {
    let origin = origin.to_ascii_lowercase();
    let (scheme, rest) = origin.split_once("://")?;
    let default_port = match scheme {
        "https" => ":443",
        "http" => ":80",
        scheme if !is_application(scheme) => return None,
        // which host stands there, no page of the web can choose
        _ if rest == "*" => return Some(origin),
        _ => "",
    };
    let authority = rest.split(['/', '?', '#']).next()?;
    let authority = authority.strip_suffix(default_port).unwrap_or(authority);
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let is_port = |port: &str| {
        let digits = port.bytes().all(|byte| byte.is_ascii_digit());
        digits && port.parse::<u16>().is_ok()
    };
    // names beyond ASCII are sent in their ASCII form
    let is_host = match host.strip_prefix('[') {
        Some(rest) => rest.ends_with(']'),
        None => {
            !host.is_empty()
                && host
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
        }
    };
    (is_host && port.is_none_or(is_port)).then(|| format!("{scheme}://{authority}"))
}

/// Whether a scheme is that of applications, such as `chrome-extension` or `vscode-webview`: none
/// under which anybody can serve a page, and none whose pages have no origin.
fn is_application(scheme: &str) -> bool {
    let web = [
        "ftp",
        "ws",
        "wss",
        "file",
        "data",
        "blob",
        "javascript",
        "about",
        "filesystem",
    ];
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    scheme.starts_with(|first: char| first.is_ascii_lowercase())
        && scheme.bytes().all(legal)
        && !web.contains(&scheme)
}

/// A URL in the place of one where this server does not answer, or that no client would write as
/// it stands. It answers at the root and at `/mcp`, and behind a prefix that is taken off before it
/// at both. Clients write hosts in lower case, and tokens for this server have what they write.
fn endpoint(url: &str) -> Option<String> {
    let bare = url.split('?').next().unwrap_or(url);
    let (scheme, rest) = bare.split_once("://")?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let path = if path == "/" { path } else { &clean(path) };
    let path = if matches!(path, "" | "/") || path.ends_with("/mcp") {
        path
    } else {
        &format!("{path}/mcp")
    };
    let better = format!(
        "{}://{}{path}",
        scheme.to_ascii_lowercase(),
        authority.to_ascii_lowercase()
    );
    (better != url).then_some(better)
}

/// A path without empty segments and without a slash at its end.
fn clean(path: &str) -> String {
    let segments = path.split('/').filter(|segment| !segment.is_empty());
    segments.fold(String::new(), |path, segment| path + "/" + segment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_written_as_browsers_send_them() {
        for origin in [
            "https://app.example.com",
            "https://app.example.com:8443",
            "http://localhost:3000",
            "http://[::1]:8080",
            "http://app.example.com:443",
            "chrome-extension://nngceckbapebfimnlniiiahkandclblb",
            "moz-extension://2c1d6a4e-0f5b-4f6e-9a55-2f4d4c3b2a10",
            "vscode-webview://*",
            "app://.",
            "tauri://localhost",
        ] {
            assert_eq!(as_browsers_write(origin).as_deref(), Some(origin));
        }
        for (origin, written) in [
            ("https://app.example.com/", "https://app.example.com"),
            ("https://app.example.com/app?x#y", "https://app.example.com"),
            ("HTTPS://App.Example.com", "https://app.example.com"),
            ("https://app.example.com:443", "https://app.example.com"),
            ("http://app.example.com:80", "http://app.example.com"),
        ] {
            assert_eq!(as_browsers_write(origin).as_deref(), Some(written));
        }
        for origin in [
            "app.example.com",
            "https://*.example.com",
            "*",
            "null",
            "https://",
            "https://:8443",
            "https://app.example.com:x",
            "https://app.example.com:",
            "https://app.example.com:65536",
            "https://user@app.example.com",
            "https://zoë.example",
            "ftp://app.example.com",
            "file://*",
            "data://x",
            "1app://x",
            "://x",
        ] {
            assert_eq!(as_browsers_write(origin), None, "{origin}");
        }
    }

    #[test]
    fn the_public_url_is_one_that_answers() {
        for url in [
            "https://mcp.example.com",
            "https://mcp.example.com/",
            "https://mcp.example.com/mcp",
            "https://mcp.example.com/prod/mcp",
        ] {
            assert_eq!(endpoint(url), None, "{url}");
        }
        for (url, better) in [
            (
                "https://mcp.example.com/mcp/",
                "https://mcp.example.com/mcp",
            ),
            (
                "https://mcp.example.com/mcp//",
                "https://mcp.example.com/mcp",
            ),
            (
                "https://mcp.example.com/prod",
                "https://mcp.example.com/prod/mcp",
            ),
            (
                "https://mcp.example.com/prod/",
                "https://mcp.example.com/prod/mcp",
            ),
            (
                "https://mcp.example.com/mcp?x=1",
                "https://mcp.example.com/mcp",
            ),
            ("https://mcp.example.com?x=1", "https://mcp.example.com"),
            ("https://MCP.Example.com/mcp", "https://mcp.example.com/mcp"),
            ("HTTPS://mcp.example.com", "https://mcp.example.com"),
            (
                "https://mcp.example.com//mcp",
                "https://mcp.example.com/mcp",
            ),
            (
                "https://mcp.example.com/a//b/mcp",
                "https://mcp.example.com/a/b/mcp",
            ),
            ("https://mcp.example.com//", "https://mcp.example.com"),
            (
                "https://mcp.example.com/sse",
                "https://mcp.example.com/sse/mcp",
            ),
            (
                "https://mcp.example.com/MCP",
                "https://mcp.example.com/MCP/mcp",
            ),
        ] {
            assert_eq!(endpoint(url).as_deref(), Some(better), "{url}");
            assert_eq!(endpoint(better), None, "{better}");
        }
    }
}
