//! Where a client wants events to be sent, as it wrote it: read and checked member by member.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::call::Call;
use crate::event::errors::EventErrors;
use crate::event::signature::WebhookSecret;
use crate::jsonrpc::{Error, Object, string};
use crate::policy::webhooks::host;

/// Most bytes of an address.
const URL_BYTES: usize = 2048;

/// Where events are sent, as the client wrote it.
#[derive(Debug, Deserialize)]
pub(super) struct DeliveryMembers<'a> {
    #[serde(borrow, default)]
    mode: Option<&'a RawValue>,
    #[serde(borrow, default)]
    url: Option<&'a RawValue>,
    #[serde(borrow, default)]
    secret: Option<&'a RawValue>,
}

impl<'a> DeliveryMembers<'a> {
    pub(super) fn read(call: &Call<'a>) -> Result<Self, Error> {
        let shape = "`params.delivery` must be an object: `{\"mode\": \"webhook\", \"url\": .., \
                     \"secret\": ..}`";
        let raw = call.params.events().delivery;
        let raw = raw.ok_or_else(|| Error::invalid_params(shape))?;
        let Object(members) =
            serde_json::from_str(raw.get()).map_err(|_| Error::invalid_params(shape))?;
        Ok(members)
    }

    pub(super) fn mode(&self, errors: EventErrors) -> Result<(), Error> {
        match self.mode.map(string) {
            None => Ok(()),
            Some(Some(mode)) if mode == "webhook" => Ok(()),
            Some(mode) => {
                let sentence = "`params.delivery.mode` must be \"webhook\"";
                let mode = mode.unwrap_or_default();
                let shown: String = mode.chars().take(64).collect();
                Err(errors.unsupported(sentence, "deliveryMode", &shown))
            }
        }
    }

    /// An address that may be asked at all; what is behind its name is looked at when it is.
    pub(super) fn url(&self) -> Result<String, Error> {
        let wrong = || {
            Error::invalid_params(format!(
                "`params.delivery.url` must be an `https` URL of at most {URL_BYTES} characters of \
                 visible ASCII, without a user or a fragment"
            ))
        };
        let url = self.url.and_then(string).ok_or_else(wrong)?;
        let legal = url.len() <= URL_BYTES
            && url.bytes().all(|byte| byte.is_ascii_graphic())
            && !url.contains(['#', '\\'])
            && host(&url).is_some_and(|host| !host.contains('@'));
        legal.then(|| url.into_owned()).ok_or_else(wrong)
    }

    pub(super) fn secret(&self) -> Result<WebhookSecret, Error> {
        let secret = self.secret.and_then(string);
        secret
            .and_then(|secret| WebhookSecret::parse(&secret))
            .ok_or_else(|| {
                Error::invalid_params(
                    "`params.delivery.secret` must be `whsec_` and 24 to 64 random bytes as padded \
                     Base64",
                )
            })
    }
}

/// Where the events of a caller with a name are sent.
pub(super) fn named<'a>(
    call: &Call<'a>,
    errors: EventErrors,
) -> Result<DeliveryMembers<'a>, Error> {
    if !call.principal.is_known() {
        let sentence = "a subscription belongs to somebody: sign in first";
        return Err(errors.forbidden(sentence, "anonymous"));
    }
    DeliveryMembers::read(call)
}
