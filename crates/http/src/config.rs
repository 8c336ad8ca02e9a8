//! What an operator decides about the endpoint. Values only: where they come from is the host's
//! business.

use std::time::Duration;

use http::Uri;
use mcpfn_core::jsonrpc::MAX_VALUES;

use crate::auth::AuthConfig;
use crate::authority::{Authority, LOOPBACK};
use crate::card::ServerCard;
use crate::registry::RegistryProof;

/// How the endpoint behaves. The default is for a deployed server: recognised callers only, no
/// browser origin, bodies of 4 MiB and 100,000 values, Host unchecked because the platform sets it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// Browser origins that may call.
    pub origins: Origins,
    /// Host names that a request may name, without port; `None` does not check. For a server on a
    /// person's own machine, where a hostile page could rebind its own name to the loopback
    /// address.
    pub hosts: Option<Vec<String>>,
    /// The authentication methods, where the host has not authenticated the caller already.
    pub auth: AuthConfig,
    /// Whether unauthenticated callers may call: the host puts a `Principal` into a request's
    /// extensions, or not.
    pub anonymous: bool,
    /// Most bytes of a request's body.
    pub max_body: usize,
    /// Most JSON values of a request's body, counted as
    /// [`jsonrpc::read`](mcpfn_core::jsonrpc::read) does: what a body takes of memory beside a few
    /// times its bytes.
    pub max_values: usize,
    /// How long the body of a request may take to arrive, from the moment that it is waited for. A
    /// client that promises one and never sends it would hold its connection for ever.
    pub body_timeout: Duration,
    /// How long a call may be silent, if its client gave a progress token, before the answer
    /// becomes an event stream with a comment in it; and the time between such comments. Gateways
    /// in between give up on silent connections.
    pub heartbeat: Duration,
    /// What the registry of MCP servers reads at `/.well-known/mcp-registry-auth`; `None` has nothing
    /// there.
    pub registry_proof: Option<RegistryProof>,
    /// What directories of servers read behind the endpoint at `/server-card`, and at
    /// `/.well-known/mcp/catalog.json`; `None` has nothing there.
    pub server_card: Option<ServerCard>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            origins: Origins::default(),
            hosts: None,
            auth: AuthConfig::default(),
            anonymous: false,
            max_body: 4 * 1024 * 1024,
            max_values: MAX_VALUES,
            body_timeout: Duration::from_secs(30),
            heartbeat: Duration::from_secs(10),
            registry_proof: None,
            server_card: None,
        }
    }
}

impl Config {
    /// For a server on this machine: loopback names and loopback origins only.
    #[must_use]
    pub fn loopback() -> Self {
        let hosts = LOOPBACK.map(str::to_owned).to_vec();
        Self {
            origins: Origins {
                loopback: true,
                ..Origins::default()
            },
            hosts: Some(hosts),
            anonymous: true,
            ..Self::default()
        }
    }

    /// Where the host that requests name is checked: that of this URL is this server's, too.
    pub fn allow_host_of(&mut self, url: &str) {
        let uri = url.parse::<Uri>().unwrap_or_default();
        if let (Some(hosts), Some(host)) = (&mut self.hosts, uri.host()) {
            hosts.push(host.to_owned());
        }
    }
}

/// Which browser origins may call. A request without `Origin` comes from no browser and is not
/// concerned.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Origins {
    /// Origins such as `https://app.example.com`, compared whole. `SCHEME://*` allows all origins of
    /// a scheme whose hosts no page can choose, such as `vscode-webview://*`; never of `http` or
    /// `https`.
    pub listed: Vec<String>,
    /// Also any port of `localhost`, `127.0.0.1` and `[::1]`.
    pub loopback: bool,
    /// Also this server's own, where it has a page and each caller proves who they are.
    pub(crate) own: bool,
}

impl Origins {
    pub(crate) fn allow(&self, origin: &str) -> bool {
        let listed = |listed: &String| listed == origin || is_of_scheme(listed, origin);
        self.listed.iter().any(listed) || (self.loopback && is_loopback(origin))
    }
}

/// Whether `SCHEME://*` stands for an origin: of an application's own scheme, and a host alone.
fn is_of_scheme(listed: &str, origin: &str) -> bool {
    let Some(scheme) = listed
        .strip_suffix('*')
        .filter(|scheme| scheme.ends_with("://"))
    else {
        return false;
    };
    let host = origin.strip_prefix(scheme).and_then(Authority::read);
    !matches!(scheme, "http://" | "https://") && host.is_some()
}

fn is_loopback(origin: &str) -> bool {
    let rest = origin.strip_prefix("http://");
    rest.or_else(|| origin.strip_prefix("https://"))
        .and_then(Authority::read)
        // as browsers write it: in lower case
        .is_some_and(|authority| LOOPBACK.contains(&authority.host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_loopback() {
        for origin in [
            "http://localhost",
            "http://localhost:3000",
            "http://127.0.0.1:8787",
            "http://[::1]",
            "http://[::1]:80",
            "https://localhost",
            "https://localhost:8443",
            "https://[::1]",
        ] {
            assert!(is_loopback(origin), "{origin}");
        }
        for origin in [
            "https://localhost.evil.com",
            "http://localhost.evil.com",
            "http://localhost:80.evil.com",
            "http://127.0.0.1:80@evil.com",
            "http://localhost:+80",
            "http://LOCALHOST",
            "null",
            "",
            "http://evil.com#localhost",
            "ftp://localhost",
        ] {
            assert!(!is_loopback(origin), "{origin}");
        }
    }

    #[test]
    fn an_application_may_have_a_scheme_of_its_own() {
        let origins = Origins {
            listed: [
                "vscode-webview://*",
                "chrome-extension://abcdef",
                "app://.",
                "https://*",
            ]
            .map(str::to_owned)
            .to_vec(),
            ..Origins::default()
        };
        for allowed in [
            "vscode-webview://1qk8a7s2",
            "chrome-extension://abcdef",
            "app://.",
        ] {
            assert!(origins.allow(allowed), "{allowed}");
        }
        for refused in [
            "vscode-webview://",
            "vscode-webview://a/b",
            "vscode-webview://a@b",
            "chrome-extension://ghijkl",
            "https://evil.example",
            "null",
        ] {
            assert!(!origins.allow(refused), "{refused}");
        }
    }
}
