//! The members of a message as serde finds them, before it is known whether they make one.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::member::{EscapedText, present};

pub(super) const VERSION: &str = "`jsonrpc` must be \"2.0\"";

/// Everything but the parameters stays raw or borrowed: a message that is refused was not copied.
#[derive(Deserialize)]
#[serde(bound(deserialize = "P: Deserialize<'de>"))]
pub(super) struct RawMessage<'a, P> {
    #[serde(borrow, default)]
    pub(super) jsonrpc: Option<EscapedText<'a>>,
    #[serde(borrow, default, deserialize_with = "present")]
    pub(super) id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) method: Option<EscapedText<'a>>,
    #[serde(default = "none")]
    pub(super) params: Option<P>,
    #[serde(borrow, default, deserialize_with = "present")]
    pub(super) result: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    pub(super) error: Option<&'a RawValue>,
}

fn none<P>() -> Option<P> {
    None
}
