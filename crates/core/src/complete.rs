//! Completion of prompt arguments and template variables: the functions an author registers. Not
//! the wire's types.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use crate::context::Cx;
use crate::send::{BoxFuture, MaybeSend, MaybeSync};

/// Values that are offered, best first, and whether there are others. A hundred are sent at most.
///
/// A `Vec<String>` stands for all that there are:
///
/// ```
/// use mcpfn_core::Completions;
///
/// let all = Completions::from(vec!["tea".to_owned()]);
/// assert_eq!((all.total, all.has_more), (Some(1), false));
/// // the first of a search that stopped early
/// let some = Completions::some(vec!["tea".to_owned()]);
/// assert_eq!((some.total, some.has_more), (None, true));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Completions {
    /// The values, best first.
    pub values: Vec<String>,
    /// How many there are in all, if that is known.
    pub total: Option<usize>,
    /// Whether there are more than these.
    pub has_more: bool,
}

impl Completions {
    /// The first values of more, of which nobody counted all.
    #[must_use]
    pub fn some(values: Vec<String>) -> Self {
        Self {
            values,
            total: None,
            has_more: true,
        }
    }
}

impl From<Vec<String>> for Completions {
    fn from(values: Vec<String>) -> Self {
        Self {
            total: Some(values.len()),
            values,
            has_more: false,
        }
    }
}

/// A registered completer with its type forgotten.
pub(crate) trait Completer: MaybeSend + MaybeSync {
    /// Values that may follow what was typed so far.
    fn complete(&self, value: String, cx: Cx) -> BoxFuture<'static, Completions>;
}

impl<F, Fut> Completer for F
where
    F: Fn(String, Cx) -> Fut + MaybeSend + MaybeSync,
    Fut: Future<Output: Into<Completions>> + MaybeSend + 'static,
{
    fn complete(&self, value: String, cx: Cx) -> BoxFuture<'static, Completions> {
        let values = self(value, cx);
        Box::pin(async move { values.await.into() })
    }
}

/// Completers by argument. Shared: a call takes the one that it needs.
pub(crate) type Completers = BTreeMap<String, Arc<dyn Completer>>;

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
