//! A subscription as a store keeps it: who hears of what, where it is sent, and how that goes. The
//! secret is sealed with the server's key; nothing of it is readable in the store.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::signature::WebhookSecret;
use crate::port::runtime::Random;
use crate::principal::{Principal, PrincipalKind};
use crate::round_trip::{Binding, Keyring};
use crate::scope::Scopes;
use crate::text::timestamp;

/// How long the secret before the last one still signs, in milliseconds: a day.
const GRACE_MS: u64 = 24 * 60 * 60 * 1000;
/// Over how long failures are looked at, in milliseconds; and how many attempts say something.
const WINDOW_MS: u64 = 60 * 60 * 1000;
const TELLING: u32 = 100;
/// Percent of attempts that may fail.
const MAY_FAIL: u64 = 95;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SubscriptionRecord {
    pub(crate) event: String,
    pub(crate) arguments: Value,
    pub(crate) url: String,
    kind: String,
    subject: String,
    scopes: String,
    secret: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    old_secret: Option<(String, u64)>,
    /// Events behind this position are sent.
    pub(crate) from: u64,
    /// It has not said yet that it wants events.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) pending: bool,
    #[serde(default)]
    pub(crate) health: SubscriberHealth,
}

/// Whose secrets are opened: a part of what they are sealed for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SecretScope<'a> {
    pub(crate) server: &'a str,
    pub(crate) principal: &'a str,
    pub(crate) id: &'a str,
}

impl SecretScope<'_> {
    fn binding(self) -> Binding {
        let (server, principal) = (self.server, self.principal);
        Binding::new(server, principal, "events/secret", self.id, b"")
    }

    /// Nothing without a key.
    fn seal(self, secret: &WebhookSecret, keys: &Keyring, random: &dyn Random) -> Option<String> {
        let sealed = keys.encrypt(secret.bytes(), &self.binding(), random)?;
        Some(STANDARD_NO_PAD.encode(sealed))
    }

    fn open(self, sealed: &str, keys: &Keyring) -> Option<WebhookSecret> {
        let sealed = STANDARD_NO_PAD.decode(sealed).ok()?;
        WebhookSecret::from_bytes(keys.decrypt(&sealed, &self.binding())?)
    }
}

impl SubscriptionRecord {
    /// A new one. Nothing without a key to seal its secret.
    pub(crate) fn new(
        principal: &Principal,
        what: (&str, Value, &str),
        secret: (&WebhookSecret, SecretScope<'_>),
        from: u64,
        keys: &Keyring,
        random: &dyn Random,
    ) -> Option<Self> {
        let (event, arguments, url) = what;
        let (secret, scope) = secret;
        Some(Self {
            event: event.to_owned(),
            arguments,
            url: url.to_owned(),
            kind: principal.kind.name().to_owned(),
            subject: principal.subject.clone(),
            scopes: principal.scopes.iter().collect::<Vec<_>>().join(" "),
            secret: scope.seal(secret, keys, random)?,
            old_secret: None,
            from,
            pending: false,
            health: SubscriberHealth::default(),
        })
    }

    /// The next state of one that is there: with a new secret, beside which the old one still signs
    /// for a day, and with the caller's scopes of now. What it missed while it was suspended it
    /// missed, but for what is behind `restart`.
    pub(crate) fn refreshed(
        self,
        newer: Self,
        scope: SecretScope<'_>,
        keys: &Keyring,
        now_ms: u64,
    ) -> Self {
        let opened = |sealed: &str| scope.open(sealed, keys);
        let same = opened(&self.secret) == opened(&newer.secret);
        let old_secret = match same {
            true => self.old_secret.filter(|(_, until_ms)| now_ms < *until_ms),
            false => Some((self.secret, now_ms.saturating_add(GRACE_MS))),
        };
        let restarts = self.health.suspended || self.pending;
        Self {
            old_secret,
            from: if restarts { newer.from } else { self.from },
            health: match restarts {
                true => SubscriberHealth::default(),
                false => self.health,
            },
            ..newer
        }
    }

    /// The same while its address has not said that it wants events.
    pub(crate) fn until_confirmed(self) -> Self {
        Self {
            pending: true,
            ..self
        }
    }

    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }

    /// The caller, as it was when it subscribed or refreshed last; nothing for a kind that this
    /// version does not know.
    pub(crate) fn principal(&self) -> Option<Principal> {
        let kind = PrincipalKind::named(&self.kind)?;
        let scopes = Scopes::parse(&self.scopes);
        Some(Principal::new(kind, &*self.subject).with_scopes(scopes))
    }

    /// The secrets that sign now, the newest first. None where the server has another key by now.
    pub(crate) fn secrets(
        &self,
        scope: SecretScope<'_>,
        keys: &Keyring,
        now_ms: u64,
    ) -> Vec<WebhookSecret> {
        let old = self.old_secret.as_ref();
        let old = old.filter(|(_, until_ms)| now_ms < *until_ms);
        let sealed = std::iter::once(&self.secret).chain(old.map(|(sealed, _)| sealed));
        sealed.filter_map(|one| scope.open(one, keys)).collect()
    }

    /// Whether an event at this position is sent to it.
    pub(crate) fn hears(&self, at: u64) -> bool {
        !self.pending && !self.health.suspended && self.from < at
    }
}

/// How deliveries to one subscriber go. Written only while something is wrong, or once a minute.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct SubscriberHealth {
    last_delivery_ms: Option<u64>,
    last_error: Option<String>,
    failed_since_ms: Option<u64>,
    since_ms: u64,
    attempts: u32,
    failures: u32,
    pub(crate) suspended: bool,
}

impl SubscriberHealth {
    /// After an attempt; nothing where that need not be written.
    pub(crate) fn after(&self, failure: Option<&str>, now_ms: u64) -> Option<Self> {
        let mut next = self.clone();
        if now_ms.saturating_sub(self.since_ms) >= WINDOW_MS {
            next.suspended = failure.is_some() && self.fails();
            (next.since_ms, next.attempts, next.failures) = (now_ms, 0, 0);
        }
        next.attempts = next.attempts.saturating_add(1);
        match failure {
            Some(reason) => {
                next.failures = next.failures.saturating_add(1);
                next.last_error = Some(reason.to_owned());
                next.failed_since_ms.get_or_insert(now_ms);
            }
            None => {
                let minute_ms = now_ms.saturating_sub(60_000);
                let known = self.last_delivery_ms.is_some_and(|at_ms| at_ms > minute_ms);
                if known && self.failures == 0 && self.failed_since_ms.is_none() {
                    return None;
                }
                next.last_delivery_ms = Some(now_ms);
                next.failed_since_ms = None;
            }
        }
        Some(next)
    }

    /// Hardly anything arrived in the hour that is over.
    fn fails(&self) -> bool {
        let failed = u64::from(self.failures) * 100 > u64::from(self.attempts) * MAY_FAIL;
        self.attempts >= TELLING && failed
    }

    /// As a subscriber reads it (`deliveryStatus`).
    pub(crate) fn status(&self) -> Value {
        let time = |at_ms: u64| timestamp(Duration::from_millis(at_ms));
        let mut status = json!({
            "active": !self.suspended,
            "lastDeliveryAt": self.last_delivery_ms.map(time),
            "lastError": self.last_error,
        });
        if let Some(since_ms) = self.failed_since_ms {
            status["failedSince"] = time(since_ms).into();
        }
        status
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::runtime::Seeded;

    const HERE: SecretScope<'static> = SecretScope {
        server: "shop",
        principal: "jwt:alice",
        id: "sub_1",
    };

    fn record(secret: u8, from: u64) -> SubscriptionRecord {
        let principal = Principal::new(PrincipalKind::Jwt, "alice");
        let secret = WebhookSecret::from_bytes(vec![secret; 32]).unwrap();
        let what = ("order.created", json!({}), "https://a.example/");
        let keys = Keyring::new([7; 32]);
        SubscriptionRecord::new(&principal, what, (&secret, HERE), from, &keys, &Seeded(3)).unwrap()
    }

    #[test]
    fn an_old_secret_signs_for_a_day_and_none_is_readable() {
        let (keys, now_ms) = (Keyring::new([7; 32]), 1_000);
        let rotated = record(1, 5).refreshed(record(2, 9), HERE, &keys, now_ms);
        let signing = |at_ms| {
            let secrets = rotated.secrets(HERE, &keys, at_ms);
            secrets.iter().map(|one| one.bytes()[0]).collect::<Vec<_>>()
        };
        assert_eq!((signing(now_ms), rotated.from), (vec![2, 1], 5));
        assert_eq!(signing(now_ms + GRACE_MS), [2]);
        // a refresh with the same secret keeps the grace of the old one
        let again = rotated.clone().refreshed(record(2, 9), HERE, &keys, 2_000);
        assert_eq!(again.secrets(HERE, &keys, 2_000).len(), 2);
        let text = serde_json::to_string(&rotated).unwrap();
        assert!(!text.contains(&STANDARD_NO_PAD.encode([2; 24])), "{text}");
        assert!(rotated.secrets(HERE, &Keyring::new([8; 32]), 0).is_empty());
        let other = SecretScope {
            id: "sub_2",
            ..HERE
        };
        assert!(rotated.secrets(other, &keys, 0).is_empty());
    }

    #[test]
    fn who_answers_nothing_for_an_hour_is_suspended_until_it_refreshes() {
        let (mut health, start_ms) = (SubscriberHealth::default(), 10 * WINDOW_MS);
        for attempt in 0..u64::from(TELLING) {
            health = health.after(Some("http_5xx"), start_ms + attempt).unwrap();
            assert!(!health.suspended, "an hour is not over");
        }
        let well = health.after(None, start_ms + WINDOW_MS).unwrap();
        assert!(!well.suspended, "something arrived");
        health = health.after(Some("timeout"), start_ms + WINDOW_MS).unwrap();
        assert!(health.suspended);
        assert_eq!(health.status()["active"], false);
        let (mut failing, keys) = (record(1, 5), Keyring::new([7; 32]));
        failing.health = health;
        assert!(!failing.hears(6));
        let refreshed = failing.refreshed(record(1, 9), HERE, &keys, start_ms);
        assert!(refreshed.hears(10) && !refreshed.hears(9));
    }

    #[test]
    fn a_healthy_subscriber_is_written_once_a_minute() {
        let health = SubscriberHealth::default().after(None, 1_000_000).unwrap();
        assert_eq!(health.after(None, 1_059_999), None);
        let failed = health.after(Some("timeout"), 1_060_000).unwrap();
        assert_eq!(failed.status()["lastError"], "timeout");
        assert!(failed.status().get("failedSince").is_some());
        let well = failed.after(None, 1_060_001).unwrap();
        assert!(well.status().get("failedSince").is_none());
    }
}
