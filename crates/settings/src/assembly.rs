//! From settings and a program's server to what a host serves: the same steps on every host. Which
//! ports there are, and how requests come in, is the host's business.

use std::ffi::OsString;
use std::fmt::Display;
use std::sync::Arc;

use mcpfn_core::{
    Builder, Server,
    host::Subscriptions,
    port::{Platform, Random},
    round_trip::Keyring,
};
#[cfg(feature = "page")]
use mcpfn_http::BrowserPage;
use mcpfn_http::{Config, Service};

#[cfg(feature = "page")]
use crate::clients::ClientAccess;
use crate::common::{Common, Host};
use crate::methods::AuthMethod;
use crate::reader::{EnvReader, SettingsError};
use crate::tools::ToolSettings;

/// What a host starts: a server, and the ports that its handlers ask for.
#[derive(Debug)]
pub struct Setup<P> {
    /// The server, not yet built.
    pub builder: Builder,
    /// Adds ports to the platform. Clients of other services belong behind their first use.
    pub ports: P,
}

/// What a host serves.
#[derive(Debug)]
pub struct Assembly {
    /// The server behind HTTP.
    pub service: Service,
    /// Its ports.
    pub platform: Arc<Platform>,
    /// Whether the key that seals request state lives only as long as this process.
    pub key_is_new: bool,
}

/// What a host has a place for, in this deployment.
#[derive(Debug, Clone, Copy)]
pub struct Kept {
    /// Idempotent writes, without which no tool offers an idempotency key.
    pub writes: bool,
    /// Tasks, without which tools run within their calls, and one that can't is a mistake.
    pub tasks: bool,
}

impl Kept {
    /// A place for everything.
    pub const ALL: Self = Self {
        writes: true,
        tasks: true,
    };
}

/// Asks the program for its server, and builds it. `kept` is what the host has a place for; `tools`
/// and `subscriptions` are what the operator decided ([`Common::tools`],
/// [`Common::subscriptions`]).
///
/// # Errors
/// What is wrong with either, in sentences.
pub fn build<E: Display, P>(
    setup: impl FnOnce() -> Result<Setup<P>, E>,
    kept: Kept,
    tools: &ToolSettings,
    subscriptions: Subscriptions,
) -> Result<(Server, P), String> {
    let Setup { mut builder, ports } = setup().map_err(|error| error.to_string())?;
    if !kept.writes {
        builder = builder.without_idempotency_keys();
    }
    if !kept.tasks {
        builder = builder.without_tasks();
    }
    let builder = tools.apply(builder).subscriptions(subscriptions);
    let server = builder.build().map_err(|error| error.to_string())?;
    Ok((server, ports))
}

/// What is wrong with settings, with what is wrong with the program's server beside them: so that
/// every mistake is told at once. `variable` gives the settings of single tools.
pub fn and_of_server<E: Display, P>(
    mut error: SettingsError,
    variable: &dyn Fn(&str) -> Option<OsString>,
    setup: impl FnOnce() -> Result<Setup<P>, E>,
) -> SettingsError {
    // what is wrong with these themselves is among the mistakes already
    let tools = EnvReader::new(variable).tool_settings();
    if let Err(more) = build(setup, Kept::ALL, &tools, Subscriptions::default()) {
        error.mistakes.push(more);
    }
    error
}

/// Warns of what clients are known to refuse of a server's tools, once it serves.
pub fn warn_of_tools(server: &Server) {
    for warning in server.warnings() {
        tracing::warn!(event = "tool_refused_by_clients", "{warning}");
    }
}

/// A key for request state that lives as long as this process.
#[must_use]
pub fn new_key(random: &dyn Random) -> Keyring {
    let mut key = [0; 32];
    random.fill(&mut key);
    Keyring::new(key)
}

impl Common {
    /// Puts a server behind HTTP as the operator decided, and warns of what is open. `platform`
    /// makes the host's ports, to which `add` adds those of the program.
    ///
    /// # Errors
    /// What `platform` can't make, in a sentence.
    pub fn assemble(
        self,
        host: &Host,
        server: Server,
        random: &dyn Random,
        platform: impl FnOnce(&Server, Keyring) -> Result<Platform, String>,
        add: impl FnOnce(Platform) -> Platform,
    ) -> Result<Assembly, String> {
        self.warn(host);
        // on a person's own machine, a command that only looks says nothing else
        if host.deployment.is_some() {
            warn_of_tools(&server);
        }
        #[cfg(feature = "page")]
        let page = self.browser_page(&server);
        let key_is_new = self.state_keys.is_none();
        let keys = self.state_keys.unwrap_or_else(|| new_key(random));
        let addresses = self.policies.addresses;
        let platform = platform(&server, keys)?.with_webhook_settings(self.webhooks);
        let platform = Arc::new(add(platform).with_address_limits(addresses));
        let anonymous = self.methods.has(AuthMethod::None);
        let local = host.deployment.is_none();
        let mut config = if local {
            Config::loopback()
        } else {
            Config::default()
        };
        if let Some(url) = self.credentials.public_url.as_deref().filter(|_| local) {
            config.allow_host_of(url);
        }
        if self.hosts.iter().any(|host| host == "*") {
            config.hosts = None;
        } else if let Some(hosts) = &mut config.hosts {
            hosts.extend(self.hosts);
        }
        // where others can reach the server, a page of their own machine is anybody's
        config.origins.loopback &= host.auth_unset.is_none();
        config.anonymous = anonymous;
        config.auth = self.credentials.auth;
        config.origins.listed = self.origins;
        config.registry_proof = self.registry_proof;
        config.server_card = self.server_card;
        config.max_body = self.max_body;
        config.max_values = self.max_values;
        let service = Service::new(server, config);
        #[cfg(feature = "page")]
        let service = match page {
            Some(page) => service.with_page(page),
            None => service,
        };
        Ok(Assembly {
            service: if local && anonymous {
                service.assume_local_user()
            } else {
                service
            },
            platform,
            key_is_new,
        })
    }

    #[cfg(feature = "page")]
    fn browser_page(&self, server: &Server) -> Option<BrowserPage> {
        let access = self.methods.tell(ClientAccess::new(server.name()));
        let url = self.credentials.public_url.as_deref();
        self.page.clone().page(url, access)
    }

    fn warn(&self, host: &Host) {
        let Some(deployment) = host.deployment else {
            return;
        };
        if self.methods.has(AuthMethod::None) {
            tracing::warn!(
                event = "open_server",
                "MCPFN_AUTH is none: anyone who reaches this {} may call every tool",
                deployment.unit
            );
        }
        if self.state_keys.is_none() {
            tracing::warn!(
                event = "state_key_missing",
                "MCPFN_STATE_KEY is not set: a tool that asks its user something fails when \
                 another {} gets the answer; {}",
                deployment.instance,
                deployment.state_key
            );
        }
    }
}
