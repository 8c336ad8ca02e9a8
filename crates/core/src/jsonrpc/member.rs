//! Members of a message as the client wrote them: strings without a copy, objects only from
//! objects, `null` apart from nothing.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// The most bytes of an id or a progress token, as JSON text: each answer or report repeats it.
pub(crate) const MAX_TOKEN_BYTES: usize = 256;

/// What an id or a progress token may be. It is repeated as it was written, so it must be a string
/// that any reader of JSON takes: a raw value may still hold half a surrogate pair.
pub(crate) fn is_token(raw: &RawValue) -> bool {
    let text = raw.get();
    match text.as_bytes().first() {
        _ if text.len() > MAX_TOKEN_BYTES => false,
        Some(b'"') => string(raw).is_some(),
        Some(b'-' | b'0'..=b'9') => !text.contains(['.', 'e', 'E']),
        _ => false,
    }
}

/// The text of a string; `None` for anything else.
pub(crate) fn string(raw: &RawValue) -> Option<Cow<'_, str>> {
    let inside = raw.get().strip_prefix('"')?.strip_suffix('"')?;
    if !inside.contains('\\') {
        // valid JSON, so without escapes it is the text itself
        return Some(Cow::Borrowed(inside));
    }
    serde_json::from_str::<EscapedText<'_>>(raw.get())
        .ok()
        .map(|text| text.0)
}

/// A string, borrowed where it has no escapes. (serde borrows into a bare `Cow`, but not into an
/// `Option` of one.)
#[derive(Deserialize)]
pub(super) struct EscapedText<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// A struct read from a JSON object only. serde's derive would also read it from an array of its
/// fields in order.
#[derive(Debug, Clone)]
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(members)).map(Object)
            }
        }

        deserializer.deserialize_map(Members(PhantomData))
    }
}

/// Keeps an explicit `null` apart from a missing member: `"id": null` is an error, no id is a
/// notification.
pub(crate) fn present<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}
