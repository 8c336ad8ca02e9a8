//! The settings that mean the same on every host, and what a host says about itself so that they
//! do. Which variables only one host has is that host's business.

use mcpfn_core::host::{Listening, Subscriptions};
use mcpfn_core::jsonrpc::MAX_VALUES;
use mcpfn_core::policy::WebhookSettings;
use mcpfn_core::{port::Rate, round_trip::Keyring};
use mcpfn_http::{RegistryProof, ServerCard};
use tracing::Level;

use crate::credentials::{Credentials, OpenKeySource};
use crate::methods::{AuthMethod, AuthMethods};
use crate::page::PageSettings;
use crate::policies::Policies;
use crate::reader::EnvReader;
use crate::setting::{Hosts, Setting};
use crate::tools::ToolSettings;
use crate::webhooks::webhook_settings;

/// What differs between hosts.
#[derive(Debug, Clone, Copy)]
pub struct Host {
    /// Which it is: one host, not several.
    pub id: Hosts,
    /// How callers can prove who they are.
    pub methods: &'static [AuthMethod],
    /// The mistake of a `MCPFN_AUTH` that is not set. Without one, `none` is the default.
    pub auth_unset: Option<&'static str>,
    /// `MCPFN_MAX_BODY_BYTES` when not set. A call takes up to eight times this and 16 MB of memory.
    pub max_body: usize,
    /// `MCPFN_RATE_LIMIT` when not set.
    pub rate: Option<Rate>,
    /// The same where callers prove who they are, if it differs there.
    pub rate_with_auth: Option<Rate>,
    /// Where lists of API keys may be beside `MCPFN_API_KEYS`.
    pub key_source: Option<OpenKeySource>,
    /// How streams of changes are served; `None` where waiting is paid for, and there are none.
    pub listening: Option<Listening>,
    /// Of a server that others can reach. Without it, callers are on this machine.
    pub deployment: Option<Deployment>,
}

/// Words of warnings about a server that others can reach.
#[derive(Debug, Clone, Copy)]
pub struct Deployment {
    /// What is deployed, such as `Worker`.
    pub unit: &'static str,
    /// What there are several of, such as `isolate`.
    pub instance: &'static str,
    /// How `MCPFN_STATE_KEY` is set there.
    pub state_key: &'static str,
}

/// What the variables decide on every host.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Common {
    /// `MCPFN_AUTH`: how callers prove who they are.
    pub methods: AuthMethods,
    /// What those methods need.
    pub credentials: Credentials,
    /// `MCPFN_RATE_LIMIT`, `MCPFN_RATE_LIMIT_ON_ERROR`, `MCPFN_IDEMPOTENCY_ON_ERROR`,
    /// `MCPFN_LOG_ARGUMENTS`.
    pub policies: Policies,
    /// `MCPFN_TIMEOUTS`, `MCPFN_CACHE` and `MCPFN_CONFIRM`: what is different about tools.
    pub tools: ToolSettings,
    /// `MCPFN_ALLOWED_ORIGINS`: browser origins that may call.
    pub origins: Vec<String>,
    /// `MCPFN_ALLOWED_HOSTS`: what requests may name as the host beside the public URL's and this
    /// machine's, where that is checked; `*` is any.
    pub hosts: Vec<String>,
    /// `MCPFN_REGISTRY_AUTH`: what the registry of MCP servers reads.
    pub registry_proof: Option<RegistryProof>,
    /// `MCPFN_SERVER_CARD`: what directories of servers read.
    pub server_card: Option<ServerCard>,
    /// `MCPFN_MAX_BODY_BYTES`: most bytes of a message; the host's own number when not set.
    pub max_body: usize,
    /// `MCPFN_MAX_VALUES`: most JSON values of a message; 100,000 when not set.
    pub max_values: usize,
    /// `MCPFN_PAGE`, `MCPFN_PAGE_CLIENT_ID`, `MCPFN_PAGE_ORIGINS`: the page for browsers.
    pub page: PageSettings,
    /// `MCPFN_STATE_KEY`: keys that seal request state. Without it one is made that lives as long
    /// as the process.
    pub state_keys: Option<Keyring>,
    /// `MCPFN_SUBSCRIPTIONS`: which subscriptions to resources clients have; none when not set.
    pub subscriptions: Subscriptions,
    /// `MCPFN_EVENT_ERRORS`, `MCPFN_WEBHOOK_ID`, `MCPFN_WEBHOOK_HOSTS`: events that are sent to clients.
    pub webhooks: WebhookSettings,
    /// `MCPFN_LOG`: `error`, `warn`, `info`, `debug` or `trace`, if it is set.
    pub log_level: Option<Level>,
}

impl Common {
    /// Reads them, and reports every variable that has no effect on this host. `program` are the
    /// settings of the program itself.
    pub fn read(reader: &mut EnvReader<'_>, host: &Host, program: &'static [Setting]) -> Self {
        let methods = AuthMethods::read(reader, host.methods, host.auth_unset);
        reader.refuse_unused(host.id, methods.as_ref(), program);
        // after a mistake nothing starts, so the word does not matter
        let methods = methods.unwrap_or_else(|| AuthMethods::of([]));
        let local = host.deployment.is_none();
        let credentials = Credentials::read(reader, &methods, host.key_source, local);
        let url = credentials.public_url.as_deref();
        let here = local && host.auth_unset.is_none();
        let page = PageSettings::read(reader, here, url, methods.has(AuthMethod::OAuth));
        let rate = match host.rate_with_auth {
            Some(rate) if methods.need_credentials() => Some(rate),
            _ => host.rate,
        };
        let state_keys = state_keys(reader);
        Self {
            page,
            credentials,
            policies: reader.policies(rate),
            tools: reader.tool_settings(),
            max_body: reader.within(
                "MCPFN_MAX_BODY_BYTES",
                host.max_body,
                256..=1 << 30,
                "a number of bytes",
            ),
            max_values: reader.within(
                "MCPFN_MAX_VALUES",
                MAX_VALUES,
                10..=10_000_000,
                "a number of JSON values",
            ),
            origins: reader.origins(),
            registry_proof: registry_proof(reader),
            server_card: server_card(reader),
            hosts: match host.deployment {
                None => reader.allowed_hosts(),
                Some(_) => Vec::new(),
            },
            subscriptions: subscriptions(reader, host, state_keys.is_some()),
            state_keys,
            webhooks: webhook_settings(reader),
            log_level: log_level(reader),
            methods,
        }
    }
}

fn state_keys(reader: &mut EnvReader<'_>) -> Option<Keyring> {
    let text = reader.text("MCPFN_STATE_KEY")?;
    // the text itself is a secret and is not repeated
    Keyring::parse(&text)
        .map_err(|error| reader.mistake(format!("MCPFN_STATE_KEY: {error}")))
        .ok()
}

/// Whose instances are made and ended without a word must share the key: with one of its own, each
/// would tell a client of the same changes again.
fn subscriptions(reader: &mut EnvReader<'_>, host: &Host, has_keys: bool) -> Subscriptions {
    if !reader.form("MCPFN_SUBSCRIPTIONS", "poll") {
        return Subscriptions::default();
    }
    if let (Some(deployment), false) = (host.deployment, has_keys) {
        reader.mistake(format!(
            "MCPFN_SUBSCRIPTIONS needs MCPFN_STATE_KEY: {}",
            deployment.state_key
        ));
    }
    Subscriptions {
        poll: true,
        listen: host.listening,
    }
}

fn registry_proof(reader: &mut EnvReader<'_>) -> Option<RegistryProof> {
    let text = reader.text("MCPFN_REGISTRY_AUTH")?;
    // the text is not repeated: it may be the private half by mistake
    RegistryProof::parse(&text)
        .map_err(|error| reader.mistake(format!("MCPFN_REGISTRY_AUTH {error}")))
        .ok()
}

fn server_card(reader: &mut EnvReader<'_>) -> Option<ServerCard> {
    let text = reader.text("MCPFN_SERVER_CARD")?;
    // not repeated: its URL may have a password by mistake
    ServerCard::parse(&text)
        .map_err(|error| reader.mistake(format!("MCPFN_SERVER_CARD {error}")))
        .ok()
}

fn log_level(reader: &mut EnvReader<'_>) -> Option<Level> {
    let text = reader.text("MCPFN_LOG")?;
    text.trim()
        .parse()
        .map_err(|_| reader.mistake("MCPFN_LOG must be error, warn, info, debug or trace"))
        .ok()
}
