//! Argument completion on the wire (server/utilities/completion).

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::complete::Completions;

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
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<usize>,
    has_more: bool,
}

impl Completion {
    /// Keeps the first hundred and says whether there are more.
    pub(crate) fn of(found: Completions) -> Self {
        let Completions {
            mut values,
            total,
            has_more,
        } = found;
        // never fewer than are there, whatever was said
        let total = total.map(|total| total.max(values.len()));
        let more = has_more || total.is_some_and(|total| total > values.len().min(MAX));
        let has_more = more || values.len() > MAX;
        values.truncate(MAX);
        Self {
            values,
            total,
            has_more,
        }
    }
}
