//! Argument completion on the wire (server/utilities/completion).

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Most values in one answer; the specification's bound.
const MAX: usize = 100;

/// What is being filled in.
#[derive(Debug, Deserialize)]
pub(crate) struct Reference<'a> {
    #[serde(rename = "type", borrow)]
    pub(crate) kind: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(crate) name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) uri: Option<Cow<'a, str>>,
}

/// The argument being typed.
#[derive(Debug, Deserialize)]
pub(crate) struct Argument<'a> {
    #[serde(borrow)]
    pub(crate) name: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) value: Cow<'a, str>,
}

/// Arguments already filled in (`context.arguments`).
#[derive(Debug, Default, Deserialize)]
pub(crate) struct CompleteContext {
    #[serde(default)]
    pub(crate) arguments: BTreeMap<String, String>,
}

/// `completion` of the answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Completion {
    values: Vec<String>,
    total: usize,
    has_more: bool,
}

impl Completion {
    /// Keeps the first hundred and says how many there were.
    pub(crate) fn of(mut values: Vec<String>) -> Self {
        let total = values.len();
        values.truncate(MAX);
        Self {
            has_more: total > values.len(),
            total,
            values,
        }
    }
}
