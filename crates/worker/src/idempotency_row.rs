//! What an object decides: from the row of a key and what is asked, to the answer and the new row.
//! How rows are stored is `stores/idempotency/object`.

use mcpfn_core::port::{Hold, Holder, Replace};

use super::idempotency_message::{HoldAction, HoldAnswer, HoldRequest};

/// What an object knows of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HoldRow {
    /// The end of the hold.
    pub(crate) until_ms: u64,
    /// When nothing is known any more: neither of the result, nor that there was a hold.
    pub(crate) expires_ms: u64,
    pub(crate) holder: Holder,
    pub(crate) result: Option<Vec<u8>>,
}

/// What becomes of the row.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// It stays as it is.
    None,
    Keep(HoldRow),
    Delete,
}

/// The answer, and what it takes.
pub(crate) fn decide(row: Option<HoldRow>, request: &HoldRequest<'_>) -> (HoldAnswer, Change) {
    let own = |row: &HoldRow| row.holder == *request.holder;
    match request.action {
        // its own hold is what it finds when its first request was done and the answer lost
        HoldAction::Begin(hold) => match row.filter(|row| !(own(row) && row.result.is_none())) {
            Some(row) if row.expires_ms > hold.now_ms => (known(row, hold.now_ms), Change::None),
            _ => (HoldAnswer::First, Change::Keep(held(request.holder, hold))),
        },
        HoldAction::Look { now_ms } => match row.filter(|row| row.expires_ms > now_ms) {
            Some(row) => (known(row, now_ms), Change::None),
            None => (HoldAnswer::Free, Change::None),
        },
        // a row that was swept, or that never came, has no other holder either
        HoldAction::Complete { .. } if row.as_ref().is_some_and(|row| !own(row)) => {
            (HoldAnswer::Lost, Change::None)
        }
        HoldAction::Complete { expires_ms, result } => {
            let done = HoldRow {
                until_ms: 0,
                expires_ms,
                holder: *request.holder,
                result: Some(result.to_vec()),
            };
            (HoldAnswer::Kept, Change::Keep(done))
        }
        HoldAction::Write {
            replace,
            kept,
            value,
        } => {
            let there = row.filter(|row| row.expires_ms > kept.now_ms);
            let there = there.map(|row| row.holder);
            let fits = match replace {
                Replace::Anything => true,
                // one that is sent twice finds itself
                _ if there == Some(*request.holder) => true,
                Replace::Nothing => there.is_none(),
                Replace::Version(version) => there == Some(version),
            };
            if !fits {
                return (HoldAnswer::Lost, Change::None);
            }
            let record = HoldRow {
                until_ms: 0,
                expires_ms: kept.expires_ms,
                holder: *request.holder,
                result: Some(value.to_vec()),
            };
            (HoldAnswer::Kept, Change::Keep(record))
        }
        HoldAction::Release => {
            let held = row.is_some_and(|row| own(&row) && row.result.is_none());
            let change = if held { Change::Delete } else { Change::None };
            (HoldAnswer::Kept, change)
        }
    }
}

fn held(holder: &Holder, hold: Hold) -> HoldRow {
    HoldRow {
        until_ms: hold.until_ms,
        expires_ms: hold.expires_ms,
        holder: *holder,
        result: None,
    }
}

fn known(row: HoldRow, now_ms: u64) -> HoldAnswer {
    match row.result {
        Some(result) => HoldAnswer::Done(result),
        None if row.until_ms > now_ms => HoldAnswer::Running,
        None => HoldAnswer::Unknown,
    }
}
