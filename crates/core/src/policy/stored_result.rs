//! A tool's result as the bytes that a store keeps.

use bytes::Bytes;

use crate::active_call::result::{HandlerResult, Retain};
use crate::jsonrpc::to_json;
use crate::model::JsonObject;
use crate::port::audit_log::Outcome;

/// First byte of what is stored. Another number is another layout, and counts as nothing stored.
const LAYOUT: u8 = 1;
/// What the policy that keeps a result wants to know of it.
pub(crate) type Stamp = [u8; 32];

/// What a store had.
pub(crate) struct StoredResult {
    pub(crate) stamp: Stamp,
    pub(crate) result: HandlerResult,
}

impl StoredResult {
    pub(crate) fn write(result: &HandlerResult, stamp: Stamp) -> Bytes {
        let meta = if result.meta.is_empty() {
            Vec::new()
        } else {
            to_json(&result.meta)
        };
        let length = u32::try_from(meta.len()).unwrap_or(u32::MAX);
        let mut bytes = Vec::with_capacity(1 + 32 + 1 + 4 + meta.len() + result.body.len());
        bytes.push(LAYOUT);
        bytes.extend_from_slice(&stamp);
        bytes.push(match result.outcome {
            Outcome::Ok => 1,
            Outcome::Task => 2,
            _ => 0,
        });
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&meta);
        bytes.extend_from_slice(&result.body);
        bytes.into()
    }

    /// `None` for bytes of another layout.
    pub(crate) fn read(bytes: &Bytes) -> Option<Self> {
        let ([LAYOUT], rest) = bytes.split_first_chunk::<1>()? else {
            return None;
        };
        let (stamp, rest) = rest.split_first_chunk::<32>()?;
        let ([fine], rest) = rest.split_first_chunk::<1>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (meta, body) =
            rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        let meta = if meta.is_empty() {
            JsonObject::new()
        } else {
            serde_json::from_slice(meta).ok()?
        };
        // the body is spliced into an answer without being parsed again
        if !(body.starts_with(b"{") && body.ends_with(b"}")) {
            return None;
        }
        // a repeat needs to know only whether it went well
        let outcome = match *fine {
            1 => Outcome::Ok,
            2 => Outcome::Task,
            _ => Outcome::Failed,
        };
        Some(Self {
            stamp: *stamp,
            result: HandlerResult {
                body: bytes.slice_ref(body),
                meta,
                outcome,
                retain: Retain::Nothing,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let mut meta = JsonObject::new();
        meta.insert("a".to_owned(), json!(1));
        let result = HandlerResult {
            body: Bytes::from_static(b"{\"content\":[]}"),
            meta,
            outcome: Outcome::Ok,
            retain: Retain::Result,
        };
        let bytes = StoredResult::write(&result, [7; 32]);
        let stored = StoredResult::read(&bytes).unwrap();
        assert_eq!(
            (
                stored.stamp,
                stored.result.body,
                stored.result.meta,
                stored.result.outcome
            ),
            ([7; 32], result.body, result.meta, Outcome::Ok)
        );
        for end in 0..bytes.len() {
            assert!(
                StoredResult::read(&bytes.slice(..end)).is_none(),
                "cut at {end}"
            );
        }
        assert!(StoredResult::read(&Bytes::from_static(b"{\"content\":[]}")).is_none());
    }
}
