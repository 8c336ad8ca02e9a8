//! A JSON object in which no member stands twice. Knows nothing of what the members mean.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};

/// The members of a token's header or claims. RFC 7515 and RFC 7519 let a reader refuse a name that
/// stands twice; otherwise two readers of one token could each see another value.
pub(crate) struct UniqueObject(pub(crate) Map<String, Value>);

impl<'de> Deserialize<'de> for UniqueObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = UniqueObject;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut source: A) -> Result<UniqueObject, A::Error> {
        let mut members = Map::new();
        while let Some((name, value)) = source.next_entry::<String, Value>()? {
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a member stands twice"));
            }
        }
        Ok(UniqueObject(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_member_stands_twice() {
        let read = |text: &str| serde_json::from_str::<UniqueObject>(text).is_ok();
        assert!(read(r#"{"a":1,"b":{"a":1}}"#));
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            "[]",
            "1",
            "null",
        ] {
            assert!(!read(text), "{text}");
        }
    }
}
