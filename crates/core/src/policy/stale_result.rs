//! An older result in the place of a failure: with how old it is, and why there is no newer one, as
//! text at its end. The structured content stays as it was.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::stored_result::StoredResult;
use crate::active_call::result::HandlerResult;
use crate::jsonrpc::to_json;
use crate::model::content::Content;
use crate::port::audit_log::Outcome;

#[derive(Deserialize)]
struct ResultContent<'a> {
    #[serde(borrow)]
    content: &'a RawValue,
}

/// Whether a service or the time is at fault, and not the call.
pub(super) fn is_outage(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Service(_) | Outcome::TimedOut)
}

/// `stored`, which is so many milliseconds old, with the sentence of `failed`. Nothing if either has
/// not the form of a tool's result.
pub(super) fn instead(
    failed: &HandlerResult,
    stored: StoredResult,
    age_ms: u64,
) -> Option<HandlerResult> {
    #[derive(Deserialize)]
    struct Failed {
        content: Vec<FailedText>,
    }
    #[derive(Deserialize)]
    struct FailedText {
        text: String,
    }
    let said: Failed = serde_json::from_slice(&failed.body).ok()?;
    let why = &said.content.first()?.text;
    let note = format!(
        "This result is {} old, because there is no newer one: {why}",
        age(age_ms)
    );
    let mut result = stored.result;
    result.body = with_text(&result.body, note)?;
    Some(result)
}

/// A result's JSON with one more block of text.
fn with_text(body: &Bytes, text: String) -> Option<Bytes> {
    let read: ResultContent<'_> = serde_json::from_slice(body).ok()?;
    let content = read.content.get();
    let blocks = content.strip_suffix(']')?;
    // the content is a part of the body, so its place is known
    let start = (content.as_ptr() as usize).checked_sub(body.as_ptr() as usize)?;
    let (before, after) = (body.get(..start)?, body.get(start + content.len()..)?);
    let block = to_json(&Content::text(text));
    let comma: &[u8] = if blocks.trim_end().ends_with('[') {
        b""
    } else {
        b","
    };
    let parts = [before, blocks.as_bytes(), comma, &block, b"]", after];
    Some(parts.concat().into())
}

/// A time as people say it.
fn age(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    let (number, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7_200 => (seconds / 60, "minute"),
        7_200..172_800 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {unit}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_added_and_the_rest_stays() {
        for (body, expected) in [
            (
                r#"{"content":[{"type":"text","text":"a]"}],"structuredContent":{"n":12345678901234567890123}}"#,
                r#"{"content":[{"type":"text","text":"a]"},{"type":"text","text":"b"}],"structuredContent":{"n":12345678901234567890123}}"#,
            ),
            (
                r#"{"structuredContent":{"content":[1]},"content":[]}"#,
                r#"{"structuredContent":{"content":[1]},"content":[{"type":"text","text":"b"}]}"#,
            ),
        ] {
            let with = with_text(&Bytes::from_static(body.as_bytes()), "b".to_owned()).unwrap();
            assert_eq!(with, expected.as_bytes());
        }
        for body in ["{}", "[]", r#"{"content":{}}"#] {
            assert!(with_text(&Bytes::from_static(body.as_bytes()), String::new()).is_none());
        }
    }

    #[test]
    fn ages_are_said_in_a_unit_that_fits() {
        for (seconds, said) in [
            (1, "1 second"),
            (119, "119 seconds"),
            (120, "2 minutes"),
            (7_199, "119 minutes"),
            (7_200, "2 hours"),
            (172_800, "2 days"),
        ] {
            assert_eq!(age(seconds * 1000), said);
        }
    }
}
