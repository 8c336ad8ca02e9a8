//! Whether an address wants events: it is asked before the first one, and must repeat what it is
//! asked. Nothing of its answer is shown to anybody.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::json;

use super::send::{Outgoing, SendFailure};
use crate::canonical::digest_key;
use crate::event::errors::EventErrors;
use crate::event::signature::WebhookSecret;
use crate::jsonrpc::{Error, to_json};
use crate::policy::asked::asked;
use crate::policy::webhooks::host;
use crate::port::Platform;
use crate::port::store::{Admission, Rate};

/// Bytes of an answer.
const REPLY: usize = 4 * 1024;
/// How long an address that passed is not asked again by the same caller, in milliseconds: a day.
const PASSED_MS: u64 = 24 * 60 * 60 * 1000;
/// How often one host may be asked, by all callers together.
const PER_HOST: Rate = Rate {
    calls: 30,
    per: Duration::from_secs(60),
};

/// The address, who names it, and with what the question is signed.
pub(super) struct Verification<'a> {
    pub(super) server: &'a str,
    pub(super) principal: &'a str,
    pub(super) url: &'a str,
    pub(super) subscription: &'a str,
    pub(super) secret: &'a WebhookSecret,
    pub(super) platform: &'a Platform,
    pub(super) errors: EventErrors,
}

#[derive(Deserialize)]
struct Repeated {
    challenge: String,
}

/// The host of an authority, whatever the port, and without the dot that a whole name may end in.
fn one_name(authority: &str) -> &str {
    let port = |port: &str| port.bytes().all(|digit| digit.is_ascii_digit());
    let name = match authority.rsplit_once(':') {
        Some((name, rest)) if port(rest) => name,
        _ => authority,
    };
    name.trim_end_matches('.')
}

impl Verification<'_> {
    /// Asks the address, unless it passed before or the operator trusts it.
    pub(super) async fn pass(&self) -> Result<(), Error> {
        if self.platform.webhook_settings.trusts(self.url) || self.passed_before().await {
            return Ok(());
        }
        self.admit().await?;
        let asked = self.ask().await;
        asked.map_err(|failure| self.errors.callback(failure.reason))?;
        self.remember().await;
        Ok(())
    }

    async fn ask(&self) -> Result<(), SendFailure> {
        let mut random = [0; 48];
        self.platform.random.fill(&mut random);
        let (challenge, id) = random.split_at(32);
        let challenge = URL_SAFE_NO_PAD.encode(challenge);
        let id = format!("msg_verification_{}", URL_SAFE_NO_PAD.encode(id));
        let body = to_json(&json!({"type": "verification", "challenge": challenge}));
        let question = Outgoing {
            platform: self.platform,
            url: self.url,
            subscription: self.subscription,
            id: &id,
            body: body.into(),
            secrets: std::slice::from_ref(self.secret),
            reply: REPLY,
        };
        let answer = question.send().await?;
        let repeated: Option<Repeated> = serde_json::from_slice(&answer.body).ok();
        let same = repeated.is_some_and(|it| equal(it.challenge.as_bytes(), challenge.as_bytes()));
        match same {
            true => Ok(()),
            false => Err(SendFailure::new("challenge_failed")),
        }
    }

    /// A host is not asked by all callers at once: they might make this server flood it.
    async fn admit(&self) -> Result<(), Error> {
        let Some(limits) = &self.platform.rate_limits else {
            return Ok(());
        };
        let host = host(self.url).unwrap_or_default().to_ascii_lowercase();
        // one machine has many ports, and a name two forms
        let host = one_name(&host);
        let key = digest_key(&[b"verification", self.server.as_bytes(), host.as_bytes()]);
        let now_ms = self.platform.clock.now_ms();
        let admit = limits.limiter.admit(&key, PER_HOST, now_ms);
        match asked(&self.platform.timer, admit).await {
            Ok(Admission::Refused { .. }) => {
                let sentence = "this address was asked for its consent too often: wait a minute";
                let most = usize::try_from(PER_HOST.calls).unwrap_or(usize::MAX);
                Err(self.errors.exhausted(sentence, "verifications", most))
            }
            Ok(Admission::Admitted) => Ok(()),
            Err(error) => {
                self.platform.store_failed("rate limiter", &error);
                Ok(())
            }
        }
    }

    fn key(&self) -> String {
        let parts = [self.server.as_bytes(), self.principal.as_bytes()];
        digest_key(&[b"verified", parts[0], parts[1], self.url.as_bytes()])
    }

    async fn passed_before(&self) -> bool {
        let Some(cache) = &self.platform.cache else {
            return false;
        };
        let (key, now_ms) = (self.key(), self.platform.clock.now_ms());
        let found = asked(&self.platform.timer, cache.get(&key, now_ms)).await;
        found.is_ok_and(|found| found.is_some())
    }

    async fn remember(&self) {
        let Some(cache) = &self.platform.cache else {
            return;
        };
        let expires_ms = self.platform.clock.now_ms().saturating_add(PASSED_MS);
        let key = self.key();
        let put = cache.put(&key, "passed".into(), expires_ms);
        if let Err(error) = asked(&self.platform.timer, put).await {
            self.platform.store_failed("cache", &error);
        }
    }
}

/// In the same time wherever they differ.
fn equal(one: &[u8], other: &[u8]) -> bool {
    let differs = one.iter().zip(other).fold(0, |all, (a, b)| all | (a ^ b));
    one.len() == other.len() && differs == 0
}
