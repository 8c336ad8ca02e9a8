//! A tool's result between its handler and its response. Not its bytes in a store: these are
//! `policy/stored_result`.

use bytes::Bytes;

use crate::jsonrpc::to_json;
use crate::model::JsonObject;
use crate::port::audit_log::Outcome;

/// A result that a handler made, or that a store had.
#[derive(Debug, Clone)]
pub(crate) struct HandlerResult {
    /// The result's members without `_meta`, as JSON.
    pub(crate) body: Bytes,
    pub(crate) meta: JsonObject,
    pub(crate) outcome: Outcome,
    pub(crate) retain: Retain,
}

impl HandlerResult {
    /// Bytes of the result, `_meta` included.
    pub(crate) fn size(&self) -> usize {
        self.body.len()
            + if self.meta.is_empty() {
                0
            } else {
                to_json(&self.meta).len()
            }
    }
}

/// Who may keep a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retain {
    /// A cache, and the store of writes.
    Result,
    /// The store of writes only: the write happened, or may have happened, and a repeat must not
    /// act again.
    Write,
    /// No store: nothing happened, and a repeat may succeed.
    Nothing,
}
