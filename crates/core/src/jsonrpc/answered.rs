//! Which requests a text of responses answers: for who has to say something else in its place.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::message::Id;

#[derive(Deserialize)]
struct Answered<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
}

/// The ids of a response, or of a batch's responses in their order. A response without an id, and
/// a text that is no response, have none.
#[must_use]
pub fn answered(text: &str) -> Vec<Id<'_>> {
    let answers: Vec<Answered<'_>> = if text.starts_with('[') {
        serde_json::from_str(text).unwrap_or_default()
    } else {
        serde_json::from_str(text).into_iter().collect()
    };
    let ids = answers.into_iter().filter_map(|answer| answer.id);
    ids.filter_map(Id::read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_repeated_as_they_are_written() {
        let ids = |text| {
            answered(text)
                .into_iter()
                .map(Id::as_json)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            ids(r#"{"jsonrpc":"2.0","id":"a\n","result":{"id":7}}"#),
            [r#""a\n""#]
        );
        assert_eq!(
            ids(r#"[{"id":1,"result":{}},{"error":{}},{"id":"b"}]"#),
            ["1", "\"b\""]
        );
        for text in ["", "{}", "[]", "{\"id\":null}", "{\"id\":{}}", "x", "[1"] {
            assert_eq!(ids(text), [""; 0], "{text}");
        }
    }
}
