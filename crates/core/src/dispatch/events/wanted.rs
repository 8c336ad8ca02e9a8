//! What a client wants to hear of, read and checked member by member, in the order in which its
//! mistakes are told.

use std::sync::Arc;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::call::{Call, EventMembers};
use crate::context::Cx;
use crate::event::errors::EventErrors;
use crate::event::registry::{RegisteredEvent, ServerEvents};
use crate::event::source::EventFeed;
use crate::jsonrpc::Error;
use crate::port::{EVENTS_AT_ONCE, Platform};

/// Most bytes of arguments: they are kept with a subscription.
const ARGUMENT_BYTES: usize = 16 * 1024;
/// How many events one answer has, unless the client wants fewer.
const USUAL: usize = 100;

/// An event of this server, and what the client chose of it.
pub(super) struct WantedEvent {
    pub(super) event: Arc<RegisteredEvent>,
    pub(super) arguments: Value,
}

impl WantedEvent {
    /// Event, arguments, permission.
    pub(super) fn read(
        service: &ServerEvents,
        call: &Call<'_>,
        platform: &Platform,
    ) -> Result<Self, Error> {
        let errors = errors(call, platform);
        let name = call.params.name()?;
        let principal = &call.principal;
        let event = service.index.get(&*name);
        let event = event
            .filter(|event| event.is_visible(principal) && !event.delivery(platform).is_empty())
            .ok_or_else(|| errors.no_event(&name))?;
        let arguments = event.fit(arguments(call)?).map_err(|violations| {
            Error::invalid_params(format!(
                "`params.arguments` do not fit the `inputSchema` of `{name}`:\n{violations}"
            ))
        })?;
        if !event.allows(principal, &arguments) {
            let sentence = "you may not hear of this event with these arguments";
            return Err(errors.forbidden(sentence, "arguments"));
        }
        Ok(Self {
            event: Arc::clone(event),
            arguments,
        })
    }

    pub(super) fn feed(
        self,
        service: &ServerEvents,
        call: &Call<'_>,
        platform: &Arc<Platform>,
    ) -> EventFeed {
        let (event, arguments) = (&self.event, self.arguments);
        EventFeed::new(service, event, &call.principal, arguments, platform)
    }
}

/// Writes errors for the client of a call.
pub(super) fn errors(call: &Call<'_>, platform: &Platform) -> EventErrors {
    EventErrors::new(platform.webhook_settings.error_codes, &call.meta.client)
}

/// An object; nothing stands for an empty one.
pub(super) fn arguments(call: &Call<'_>) -> Result<Value, Error> {
    let Some(raw) = call.params.arguments() else {
        return Ok(Value::Object(Default::default()));
    };
    if raw.get().len() > ARGUMENT_BYTES {
        return Err(Error::invalid_params(format!(
            "`params.arguments` of an event have at most {ARGUMENT_BYTES} bytes"
        )));
    }
    let read: Option<Value> = serde_json::from_str(raw.get()).ok();
    read.filter(Value::is_object)
        .ok_or_else(|| Error::invalid_params("`params.arguments` must be an object"))
}

/// A count from a least one on.
pub(super) fn count(
    member: &str,
    raw: Option<&RawValue>,
    least: u64,
) -> Result<Option<u64>, Error> {
    let Some(raw) = raw else { return Ok(None) };
    // `1000.0` is a whole number of JSON, too
    let number = serde_json::from_str::<f64>(raw.get()).ok();
    let whole = number.filter(|number| number.fract() == 0.0 && *number >= least as f64);
    whole.map(|number| Some(number as u64)).ok_or_else(|| {
        Error::invalid_params(format!(
            "`params.{member}` must be a whole number, {least} or more"
        ))
    })
}

/// From when on events are wanted, in milliseconds since 1970.
pub(super) fn since_ms(members: EventMembers<'_>, now_ms: u64) -> Result<Option<u64>, Error> {
    let age_ms = count("maxAgeMs", members.max_age_ms, 0)?;
    Ok(age_ms.map(|age_ms| now_ms.saturating_sub(age_ms)))
}

/// How many events are wanted at once.
pub(super) fn most(members: EventMembers<'_>) -> Result<usize, Error> {
    let most = count("maxEvents", members.max_events, 1)?;
    let most = most.map_or(USUAL, |most| usize::try_from(most).unwrap_or(usize::MAX));
    Ok(most.min(EVENTS_AT_ONCE))
}

/// What an author's function sees of the request.
pub(super) fn cx(server: &crate::server::Server, call: &Call<'_>, platform: &Arc<Platform>) -> Cx {
    super::super::merged::cx(server, call, platform.clock.now_ms(), platform)
}
