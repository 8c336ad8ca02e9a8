//! What an operator decides about events that are sent to clients' addresses: which profile of the
//! protocol, how long, how many, and which addresses are trusted. Sends nothing.

use std::time::Duration;

/// Which numbers the errors of events have. The extension's text calls its own provisional, and
/// clients that were made for its first sketch know others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventErrorCodes {
    /// Those of SEP-3415 for clients that declare the extension, else those of the sketch.
    #[default]
    Auto,
    /// -32023 to -32027.
    Sep3415,
    /// -32011 to -32015, which ChatGPT knows.
    Sketch,
}

/// What the header `webhook-id` of a delivery is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WebhookIdProfile {
    /// The id of the event, as ChatGPT and the AI SDK up to 2.0.104 want it.
    #[default]
    Event,
    /// An id of the message: another one for each subscription to the same event.
    Message,
}

/// What an operator decides about webhooks.
///
/// ```
/// use std::time::Duration;
/// use mcpfn_core::policy::{EventErrorCodes, WebhookSettings};
///
/// let settings = WebhookSettings::default()
///     .error_codes(EventErrorCodes::Sketch)
///     .trusted_hosts(["hooks.example.com", "hooks.internal:8443"])
///     .longest(Duration::from_secs(3600));
/// assert!(settings.trusts("https://hooks.internal:8443/x"));
/// assert!(!settings.trusts("https://hooks.internal/x"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "give it to `Platform::with_webhook_settings`"]
pub struct WebhookSettings {
    pub(crate) error_codes: EventErrorCodes,
    pub(crate) id_profile: WebhookIdProfile,
    pub(crate) trusted: Vec<String>,
    pub(crate) timeout: Duration,
    pub(crate) shortest: Duration,
    pub(crate) usual: Duration,
    pub(crate) longest: Duration,
    pub(crate) per_principal: usize,
    pub(crate) per_event: usize,
}

impl Default for WebhookSettings {
    /// Subscriptions of a minute to a day, an hour if the client does not say; 100 of one caller, and
    /// 100,000 to one event; ten seconds for a delivery; no address is trusted.
    fn default() -> Self {
        Self {
            error_codes: EventErrorCodes::Auto,
            id_profile: WebhookIdProfile::Event,
            trusted: Vec::new(),
            timeout: Duration::from_secs(10),
            shortest: Duration::from_secs(60),
            usual: Duration::from_secs(3600),
            longest: Duration::from_secs(24 * 3600),
            per_principal: 100,
            per_event: 100_000,
        }
    }
}

impl WebhookSettings {
    /// Which numbers errors have.
    pub fn error_codes(mut self, codes: EventErrorCodes) -> Self {
        self.error_codes = codes;
        self
    }

    /// What `webhook-id` is.
    pub fn id_profile(mut self, profile: WebhookIdProfile) -> Self {
        self.id_profile = profile;
        self
    }

    /// Hosts, with their port where it is not 443, whose addresses may lie in the own network, and
    /// that are not asked whether they want events.
    pub fn trusted_hosts<Host: Into<String>>(
        mut self,
        hosts: impl IntoIterator<Item = Host>,
    ) -> Self {
        let hosts = hosts.into_iter().map(Into::into);
        self.trusted = hosts.map(|host| host.to_ascii_lowercase()).collect();
        self
    }

    /// How long one attempt may take; ten seconds by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long a subscription lasts at most.
    pub fn longest(mut self, longest: Duration) -> Self {
        self.longest = longest;
        self
    }

    /// How many subscriptions one caller may have.
    pub fn per_principal(mut self, subscriptions: usize) -> Self {
        self.per_principal = subscriptions;
        self
    }

    /// How many subscriptions to one event there may be.
    pub fn per_event(mut self, subscriptions: usize) -> Self {
        self.per_event = subscriptions;
        self
    }

    /// Whether the operator trusts the host of a URL.
    #[must_use]
    pub fn trusts(&self, url: &str) -> bool {
        let host = host(url).unwrap_or_default().to_ascii_lowercase();
        let host = host.strip_suffix(":443").unwrap_or(&host);
        self.trusted.iter().any(|trusted| trusted == host)
    }
}

/// Host and port of an `https` URL, as it is written.
pub(crate) fn host(url: &str) -> Option<&str> {
    let scheme = url.get(..8)?;
    let rest = url.get(8..)?;
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    (scheme.eq_ignore_ascii_case("https://") && !authority.is_empty()).then_some(authority)
}
