//! One POST to a subscriber: signed, to an address that is checked as it is connected to, without
//! redirects, within a time, and with an answer that is bounded.

use bytes::Bytes;

use crate::event::signature::{WebhookSecret, signatures};
use crate::port::{HttpClient, HttpError, HttpRequest, HttpResponse, Platform};

/// What is sent.
pub(super) struct Outgoing<'a> {
    pub(super) platform: &'a Platform,
    pub(super) url: &'a str,
    /// The subscription's id.
    pub(super) subscription: &'a str,
    /// The header `webhook-id`.
    pub(super) id: &'a str,
    pub(super) body: Bytes,
    pub(super) secrets: &'a [WebhookSecret],
    /// Bytes of the answer that are read.
    pub(super) reply: usize,
}

/// Why it did not arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SendFailure {
    /// One of the words that subscribers know.
    pub(super) reason: &'static str,
    /// The same message would be refused again.
    pub(super) lasting: bool,
}

impl SendFailure {
    pub(super) const fn new(reason: &'static str) -> Self {
        Self {
            reason,
            lasting: false,
        }
    }
}

impl Outgoing<'_> {
    /// The answer of a subscriber that took it.
    pub(super) async fn send(self) -> Result<HttpResponse, SendFailure> {
        let Self { platform, url, .. } = self;
        let refused = SendFailure::new("connection_refused");
        let client = platform.port::<dyn HttpClient>().ok_or(refused)?;
        let timestamp = platform.clock.now_ms() / 1000;
        let signed = signatures(self.secrets, self.id, timestamp, &self.body);
        let settings = &platform.webhook_settings;
        let mut request = HttpRequest::post(url, "application/json", self.body)
            .header("webhook-id", self.id)
            .header("webhook-timestamp", timestamp.to_string())
            .header("webhook-signature", signed)
            .header("x-mcp-subscription-id", self.subscription)
            .timeout(settings.timeout)
            .max_body(self.reply);
        if !settings.trusts(url) {
            request = request.public_only();
        }
        let answer = client.send(request).await;
        let answer = answer.map_err(|error| SendFailure::new(reason(&error)))?;
        match answer.status {
            200..=299 => Ok(answer),
            410 | 413 => Err(SendFailure {
                reason: "http_4xx",
                lasting: true,
            }),
            500.. => Err(SendFailure::new("http_5xx")),
            // a redirect, too: the subscriber's word is its URL
            _ => Err(SendFailure::new("http_4xx")),
        }
    }
}

/// In a word that says nothing of the network that this server is in.
fn reason(error: &HttpError) -> &'static str {
    match error {
        HttpError::TimedOut => "timeout",
        HttpError::Untrusted(_) => "tls_error",
        HttpError::Undecodable(_) => "http_5xx",
        HttpError::BadUrl(_)
        | HttpError::NotPublic(_)
        | HttpError::Unreachable(_)
        | HttpError::Interrupted(_) => "connection_refused",
    }
}
