//! Why a JSON text can't be read as what it should be: the member at fault, in words for the
//! client. Not the reading itself; it runs only for what is refused.

use std::fmt;
use std::iter;
use std::marker::PhantomData;

use serde::de::value::MapDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer as _};
use serde_json::value::RawValue;

use super::error::Error;
use super::raw::{RawMessage, VERSION};
use super::surrogate;

/// A text that is no JSON, or no envelope.
pub(super) fn message(text: &str, error: &serde_json::Error) -> Error {
    if !error.is_data() {
        if let Some(at) = surrogate::lone(text) {
            let place = format!("the body (byte {at})");
            return Error::parse(surrogate::sentence(&place));
        }
        let (line, column) = (error.line(), error.column());
        return Error::parse(format!(
            "the body is not valid JSON (line {line} column {column})"
        ));
    }
    if let Some(name) = duplicate(error) {
        return Error::invalid_request(format!("`{name}` stands twice in the JSON-RPC message"));
    }
    match culprit::<RawMessage<'_, &RawValue>>(text) {
        // the envelope keeps all members raw but the two that must be strings
        Some((name, _)) if name == "method" => Error::invalid_request("`method` must be a string"),
        Some(_) => Error::invalid_request(VERSION),
        None => Error::invalid_request("a JSON-RPC message must be an object"),
    }
}

/// Parameters that are no `P`, though the message around them can be read.
pub(super) fn params<'a, P: Deserialize<'a>>(
    params: Option<&'a RawValue>,
    error: &serde_json::Error,
) -> Error {
    let text = params.map_or("{}", RawValue::get);
    if !text.starts_with('{') {
        return Error::invalid_params("`params` must be an object");
    }
    Error::invalid_params(match culprit::<P>(text) {
        Some((member, error)) => match duplicate(&error) {
            Some(name) => format!("`{name}` stands twice in `params.{member}`"),
            None => format!("`params.{member}` must be an object"),
        },
        None => match duplicate(error) {
            Some(name) => format!("`{name}` stands twice in `params`"),
            None => "`params` can't be read".to_owned(),
        },
    })
}

/// The first member of an object that by itself keeps a `T` from being read, and why.
pub(crate) fn culprit<'a, T: Deserialize<'a>>(
    text: &'a str,
) -> Option<(String, serde_json::Error)> {
    struct Search<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Search<T> {
        type Value = Option<(String, serde_json::Error)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
            let mut found = None;
            while let Some((name, value)) = members.next_entry::<String, &'de RawValue>()? {
                if found.is_none() {
                    let alone = MapDeserializer::new(iter::once((name.as_str(), value)));
                    found = T::deserialize(alone).err().map(|error| (name, error));
                }
            }
            Ok(found)
        }
    }

    serde_json::Deserializer::from_str(text)
        .deserialize_map(Search::<T>(PhantomData))
        .ok()
        .flatten()
}

/// The name of a member that stands twice. serde has no other way to tell than its words; the name
/// in them is one of our own types' members, never the client's text.
fn duplicate(error: &serde_json::Error) -> Option<String> {
    let said = error.to_string();
    let (name, _) = said.strip_prefix("duplicate field `")?.split_once('`')?;
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use crate::call::Params;
    use crate::jsonrpc::{MAX_VALUES, read};

    #[track_caller]
    fn says(body: &str, said: &str) {
        let refused =
            read::<Params<'_>>(body.as_bytes(), MAX_VALUES).expect_err("it can't be read");
        assert_eq!(refused.error.message, said, "{body}");
    }

    #[test]
    fn a_message_is_refused_for_the_member_at_fault() {
        let version = "`jsonrpc` must be \"2.0\"";
        says("7", "a JSON-RPC message must be an object");
        says(r#"{"jsonrpc":2,"id":1,"method":"x"}"#, version);
        says(
            r#"{"id":1,"method":7,"jsonrpc":2}"#,
            "`method` must be a string",
        );
        says(
            r#"{"jsonrpc":"2.0","id":1,"method":"x","i\u0064":2}"#,
            "`id` stands twice in the JSON-RPC message",
        );
        says(
            r#"{"jsonrpc":"2.0","id":1,"method":7,"params":{"_meta":1}}"#,
            "`method` must be a string",
        );
        says(
            r#"{"jsonrpc":"2.0","params":{"_meta":1},"id":}"#,
            "the body is not valid JSON (line 1 column 44)",
        );
    }

    #[test]
    fn parameters_are_refused_for_the_member_at_fault() {
        let params = |params: &str, said: &str| {
            says(
                &format!(r#"{{"jsonrpc":"2.0","id":1,"method":"x","params":{params}}}"#),
                said,
            );
        };
        params("[]", "`params` must be an object");
        params(
            r#"{"other":1,"other":2,"_meta":[]}"#,
            "`params._meta` must be an object",
        );
        params(r#"{"uri":1,"uri":2}"#, "`uri` stands twice in `params`");
        params(
            r#"{"_meta":{"progressToken":1,"progressToken":2}}"#,
            "`progressToken` stands twice in `params._meta`",
        );
        // two faults: what is said of the one that is named is true
        params(
            r#"{"uri":1,"uri":2,"_meta":7}"#,
            "`params._meta` must be an object",
        );
    }
}
