//! Completion of prompt arguments and template variables: the functions an author registers. Not
//! the wire's types.

use std::collections::BTreeMap;
use std::future::Future;

use crate::context::Cx;
use crate::send::{BoxFuture, MaybeSend, MaybeSync};

/// A registered completer with its type forgotten.
pub(crate) trait Completer: MaybeSend + MaybeSync {
    /// Values that may follow what was typed so far.
    fn complete(&self, value: String, cx: Cx) -> BoxFuture<'static, Vec<String>>;
}

impl<F, Fut> Completer for F
where
    F: Fn(String, Cx) -> Fut + MaybeSend + MaybeSync,
    Fut: Future<Output = Vec<String>> + MaybeSend + 'static,
{
    fn complete(&self, value: String, cx: Cx) -> BoxFuture<'static, Vec<String>> {
        Box::pin(self(value, cx))
    }
}

/// Completers by argument.
pub(crate) type Completers = BTreeMap<String, Box<dyn Completer>>;

/// The values that begin with what was typed, ignoring case; then those that contain it.
pub(crate) fn among(values: &[String], typed: &str) -> Vec<String> {
    let typed = typed.to_lowercase();
    // the beginning first, because that is what a person types
    let (starting, other): (Vec<&String>, Vec<&String>) = values
        .iter()
        .partition(|value| value.to_lowercase().starts_with(&typed));
    starting
        .into_iter()
        .chain(
            other
                .into_iter()
                .filter(|value| value.to_lowercase().contains(&typed)),
        )
        .cloned()
        .collect()
}
