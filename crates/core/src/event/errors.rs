//! The errors of events: one table of their numbers, by profile. (The extension calls its numbers
//! provisional, and clients made for the sketch before it know others.)

use serde_json::{Value, json};

use crate::jsonrpc::{Error, ErrorCode};
use crate::model::capabilities::{ClientCapabilities, EVENTS};
use crate::policy::webhooks::EventErrorCodes;

/// What kind of error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EventErrorKind {
    NotFound,
    Forbidden,
    Exhausted,
    Unsupported,
    Callback,
}

/// In the sketch, which ChatGPT knows, and in SEP-3415.
const NUMBERS: [(EventErrorKind, i32, i32); 5] = [
    (EventErrorKind::NotFound, -32011, -32023),
    (EventErrorKind::Forbidden, -32012, -32024),
    (EventErrorKind::Exhausted, -32013, -32025),
    (EventErrorKind::Unsupported, -32014, -32026),
    (EventErrorKind::Callback, -32015, -32027),
];

/// Writes errors for a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EventErrors {
    sketch: bool,
}

impl EventErrors {
    pub(crate) fn new(codes: EventErrorCodes, client: &ClientCapabilities) -> Self {
        let sketch = match codes {
            EventErrorCodes::Sketch => true,
            EventErrorCodes::Sep3415 => false,
            EventErrorCodes::Auto => !client.extensions.contains_key(EVENTS),
        };
        Self { sketch }
    }

    /// For a receiver of webhooks, of whose client nothing is known any more.
    pub(crate) fn of_receiver(codes: EventErrorCodes) -> Self {
        Self::new(codes, &ClientCapabilities::default())
    }

    fn error(self, kind: EventErrorKind, message: impl Into<String>, data: Value) -> Error {
        let found = NUMBERS.iter().find(|(known, ..)| *known == kind);
        let code = found.map_or(ErrorCode::INTERNAL.0, |(_, sketch, sep)| {
            match self.sketch {
                true => *sketch,
                false => *sep,
            }
        });
        Error::new(ErrorCode(code), message.into()).with_data(data)
    }

    /// No such event, or none that this caller may see.
    pub(crate) fn no_event(self, name: &str) -> Error {
        let sentence = format!("event {} does not exist", crate::text::quoted(name));
        self.error(EventErrorKind::NotFound, sentence, json!({"kind": "event"}))
    }

    pub(crate) fn forbidden(self, message: &str, reason: &str) -> Error {
        self.error(
            EventErrorKind::Forbidden,
            message,
            json!({"reason": reason}),
        )
    }

    pub(crate) fn exhausted(self, message: &str, limit: &str, max: usize) -> Error {
        let data = json!({"limit": limit, "max": max});
        self.error(EventErrorKind::Exhausted, message, data)
    }

    pub(crate) fn unsupported(
        self,
        message: impl Into<String>,
        feature: &str,
        value: &str,
    ) -> Error {
        let data = json!({"feature": feature, "value": value});
        self.error(EventErrorKind::Unsupported, message, data)
    }

    /// The client's address did not do what it must.
    pub(crate) fn callback(self, reason: &str) -> Error {
        let sentence = format!(
            "`params.delivery.url` did not confirm that it wants events ({reason}): it must answer \
             the POST `{{\"type\":\"verification\",\"challenge\":..}}` with the challenge"
        );
        self.error(
            EventErrorKind::Callback,
            sentence,
            json!({"reason": reason}),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_the_profile_and_the_client() {
        let declared: ClientCapabilities =
            serde_json::from_value(json!({"extensions": {EVENTS: {}}})).unwrap();
        let older = ClientCapabilities::default();
        for (codes, client, code) in [
            (EventErrorCodes::Auto, &declared, -32023),
            (EventErrorCodes::Auto, &older, -32011),
            (EventErrorCodes::Sketch, &declared, -32011),
            (EventErrorCodes::Sep3415, &older, -32023),
        ] {
            let error = EventErrors::new(codes, client).no_event("x");
            assert_eq!(error.code.0, code, "{codes:?}");
            assert_eq!(error.data, Some(json!({"kind": "event"})));
        }
    }
}
