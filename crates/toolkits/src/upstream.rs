//! Several servers as one: fronts other MCP servers over Streamable HTTP, of the revision
//! 2026-07-28 or of one with a handshake. Their tools and prompts get the server's name as a prefix
//! (`crm__find_contact`), their resources a scheme with it (`crm+file:///a`).
//!
//! | variable | what |
//! |---|---|
//! | `MCPFN_UPSTREAMS` | the servers, such as `crm=https://crm.example/mcp,files=http://10.0.0.7:8080/mcp`; `https` or this machine where a token is sent; required |
//! | `MCPFN_UPSTREAM_<NAME>_TOKEN` | this server's own bearer token there; `my-crm` is `MY_CRM` here |
//! | `MCPFN_UPSTREAM_TOKENS` | the same for several, as `crm=TOKEN,files=TOKEN`; or where a host keeps a JSON object with a token for each server |
//! | `MCPFN_UPSTREAM_SCOPES` | the scopes of several servers, as `crm=crm:use,files=files:read` |
//! | `MCPFN_UPSTREAM_<NAME>_SCOPE` | the scope that a caller needs to see and use that server; `upstream:NAME` if not set |
//!
//! A caller's own token is never passed on: every caller who may use an upstream acts with this
//! server's credential, so each has a scope. One session serves all callers of an upstream that
//! still has sessions.

mod answer;
mod by_name;
mod client;
mod convert;
mod events;
mod failure;
mod foreign;
mod forms;
mod listener;
mod lists;
mod pages;
mod remote;
mod request;
mod say;

use mcpfn_core::Builder;

use by_name::{ByName, SCOPES, TOKENS, is_name};
use mcpfn_ports::Secret;

use crate::config::{Config, is_address};
use client::UpstreamClient;
use remote::Remote;

const VARIABLE: &str = "MCPFN_UPSTREAMS";

/// The most upstreams of one server: each costs a request when lists are asked for.
const MAX: usize = 16;

/// Bytes of all lists of all upstreams, each of which has an equal share: none takes another one's.
const MAX_LIST_BYTES: usize = 32 * 1024 * 1024;

/// One server to front.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Server {
    name: String,
    url: String,
    token: Option<Secret>,
    scope: Option<String>,
}

impl Server {
    /// The prefix (1 to 32 of `a-z 0-9 -`, a letter first) and the URL of the endpoint.
    pub fn new(name: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            url: url.into(),
            token: None,
            scope: None,
        }
    }

    /// This server's own bearer token there.
    #[must_use]
    pub fn token(mut self, token: Secret) -> Self {
        self.token = Some(token);
        self
    }

    /// The scope that a caller needs to see and use it. Without one it is open to every caller.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = Some(scope.into());
        self
    }
}

/// Fronts the servers. Nothing is asked before the first list or call.
pub fn toolkit(builder: Builder, servers: Vec<Server>) -> Builder {
    let share = MAX_LIST_BYTES / servers.len().max(1);
    servers.into_iter().fold(builder, |builder, server| {
        let client = UpstreamClient::new(server.name, server.url, server.token);
        builder.upstream(Remote::new(server.scope, client, share))
    })
}

pub(crate) fn configured(builder: Builder, config: &mut Config<'_>) -> Builder {
    let Some(list) = config.text(VARIABLE) else {
        config.mistake(format!(
            "the toolkit `upstream` needs {VARIABLE}: the servers to front, \
            such as crm=https://crm.example/mcp"
        ));
        return builder;
    };
    let lists = ByName::read(config);
    let mut servers: Vec<Server> = Vec::new();
    for part in list
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
    {
        // not repeated where they are wrong: a URL may have a key in it
        let Some((name, url)) = part
            .split_once('=')
            .map(|(name, url)| (name.trim(), url.trim()))
        else {
            config.mistake(format!(
                "{VARIABLE} has an entry without `=`: write name=URL, separated by commas"
            ));
            continue;
        };
        if !is_name(name) {
            config.mistake(format!(
                "{VARIABLE} has an entry whose name is not 1 to 32 of the \
                characters a-z 0-9 -, a letter first"
            ));
            continue;
        }
        if servers.iter().any(|server| server.name == name) {
            config.mistake(format!("{VARIABLE} names `{name}` twice"));
        }
        if !is_address(url, b"#@\\") {
            config.mistake(format!(
                "{VARIABLE}: the URL of `{name}` is not an address such as \
                 https://crm.example/mcp: no credentials, no `#`"
            ));
        }
        servers.push(named(name, url, config, &lists));
    }
    let names: Vec<&str> = servers.iter().map(|server| server.name.as_str()).collect();
    lists.refuse_strangers(&names, config);
    if servers.len() > MAX {
        config.mistake(format!(
            "{VARIABLE} names {} servers, and one endpoint fronts {MAX} at most",
            servers.len()
        ));
    }
    toolkit(builder, servers)
}

/// The variable that says this about a server.
fn own(name: &str, what: &str) -> String {
    let name = name.to_ascii_uppercase().replace('-', "_");
    format!("MCPFN_UPSTREAM_{name}_{what}")
}

/// A server with what its own variables and the lists say.
fn named(name: &str, url: &str, config: &mut Config<'_>, lists: &ByName) -> Server {
    let (own_token, own_scope) = (own(name, "TOKEN"), own(name, "SCOPE"));
    let (token, scope) = (config.secret(&own_token), config.text(&own_scope));
    let (listed_token, listed_scope) = (lists.token(name, config), lists.scope(name));
    for (twice, own, list) in [
        (
            token.is_some() && listed_token.is_some(),
            &own_token,
            TOKENS,
        ),
        (
            scope.is_some() && listed_scope.is_some(),
            &own_scope,
            SCOPES,
        ),
    ] {
        if twice {
            config.mistake(format!(
                "{own} and {list} both speak of `{name}`: remove one of them"
            ));
        }
    }
    if is_address(url, b"#@\\") {
        let place = format!("{VARIABLE}: the URL of `{name}`");
        config.check_way(&place, url, &own_token);
        if listed_token.is_some() {
            config.check_way(&place, url, TOKENS);
        }
    }
    // open to every caller only where an author's code says so
    let scope = scope.or_else(|| listed_scope.map(str::to_owned));
    Server {
        name: name.to_owned(),
        url: url.to_owned(),
        token: token.or(listed_token),
        scope: Some(scope.unwrap_or_else(|| format!("upstream:{name}"))),
    }
}
