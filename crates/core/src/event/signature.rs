//! Signatures of what is sent to subscribers (Standard Webhooks), the secrets that make them, and the
//! ids of subscriptions. Pure functions: nothing is sent here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::canonical::canonical;

/// What a secret begins with.
const PREFIX: &str = "whsec_";
/// Bytes of a secret.
const SECRET: std::ops::RangeInclusive<usize> = 24..=64;

/// A subscriber's secret. It is shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct WebhookSecret(Vec<u8>);

impl std::fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WebhookSecret")
    }
}

impl WebhookSecret {
    /// Reads `whsec_` and 24 to 64 bytes of padded Base64.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let encoded = text.strip_prefix(PREFIX)?;
        // before it is decoded: a long text costs nothing
        let bytes = (encoded.len() <= 88).then(|| STANDARD.decode(encoded).ok())??;
        Self::from_bytes(bytes)
    }

    pub(crate) fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        SECRET.contains(&bytes.len()).then_some(Self(bytes))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// One signature: `v1,` and Base64.
    fn sign(&self, id: &str, timestamp: u64, body: &[u8]) -> String {
        // a key of any length is taken
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else {
            return String::new();
        };
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// The header `webhook-signature`: of each secret, the current one first.
pub(crate) fn signatures(
    secrets: &[WebhookSecret],
    id: &str,
    timestamp: u64,
    body: &[u8],
) -> String {
    let signatures = secrets.iter().map(|one| one.sign(id, timestamp, body));
    signatures.collect::<Vec<_>>().join(" ")
}

/// The id of a subscription: the same for the same caller, address, event and arguments, and nothing
/// that opens anything.
pub(crate) fn subscription_id(principal: &str, url: &str, name: &str, arguments: &Value) -> String {
    let key = json!({
        "arguments": arguments, "name": name, "principal": principal, "url": url,
    });
    format!("sub_{}", hex(&Sha256::digest(canonical(&key))[..16]))
}

/// The id of the message that tells a subscription of an event: the same at each attempt.
pub(crate) fn message_id(subscription: &str, event_id: &str) -> String {
    let digest = Sha256::digest(format!("{subscription}.{event_id}"));
    format!("msg_{}", hex(&digest))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector of the Standard Webhooks specification.
    #[test]
    fn the_vector_of_standard_webhooks() {
        let secret = WebhookSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let body = br#"{"test": 2432232314}"#;
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        let signed = signatures(std::slice::from_ref(&secret), id, 1_614_265_330, body);
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(signed, expected);
        let both = signatures(&[secret.clone(), secret], id, 1_614_265_330, body);
        assert_eq!(both, format!("{expected} {expected}"));
    }

    #[test]
    fn ids_of_subscriptions() {
        let url = "https://proxy.example.com/hooks/c1";
        let arguments = json!({"severity": "P1"});
        let id = subscription_id("user_1", url, "incident.created", &arguments);
        assert_eq!(id, "sub_91704a7b0b1ff4a6ec75e7e41bce937d");
        let spelled: Value = serde_json::from_str(r#"{ "severity" : "P\u0031" }"#).unwrap();
        let same = subscription_id("user_1", url, "incident.created", &spelled);
        assert_eq!(id, same);
        let other = subscription_id("user_2", url, "incident.created", &arguments);
        assert_ne!(id, other);
        assert_eq!(message_id("sub_1", "e1"), message_id("sub_1", "e1"));
        assert_ne!(message_id("sub_1", "e1"), message_id("sub_2", "e1"));
    }

    #[test]
    fn secrets_have_24_to_64_bytes() {
        let secret = |bytes: usize| format!("whsec_{}", STANDARD.encode(vec![7; bytes]));
        for bytes in [24, 32, 64] {
            let read = WebhookSecret::parse(&secret(bytes)).unwrap();
            assert_eq!(
                (read.bytes().len(), format!("{read:?}")),
                (bytes, "WebhookSecret".into())
            );
        }
        for wrong in [
            String::new(),
            "whsec_".to_owned(),
            secret(23),
            secret(65),
            secret(1_000_000),
            secret(32).replace("whsec_", ""),
            secret(32).trim_end_matches('=').to_owned(),
            secret(32).replace('B', "-"),
        ] {
            assert_eq!(WebhookSecret::parse(&wrong), None, "{wrong:.80}");
        }
    }
}
