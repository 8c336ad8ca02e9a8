//! The steps at work: as many at the same time as can be, with a checkpoint for each that ends.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::task::Poll;

use mcpfn_core::content::Content;
use mcpfn_core::handler::BoxFuture;
use mcpfn_core::{Cx, ToolError, text};
use serde_json::{Value, json};

use super::plan::{Plan, Planned};
use super::refer::resolved;
use super::steps::{Ended, EndedStep};

/// The most bytes of one step's result, as JSON.
const MAX_RESULT: usize = 48 * 1024;
/// The most bytes of all results together: what a task keeps is bounded.
const MAX_RESULTS: usize = 192 * 1024;
/// The longest sentence of a step that failed, in characters.
const MAX_SENTENCE: usize = 1000;

/// A step at work.
struct AtWork<'a> {
    id: &'a str,
    call: BoxFuture<'a, Result<Value, String>>,
}

/// Runs every step whose needs are met, until none is left that can be.
///
/// # Errors
/// When the task was cancelled, or what was done can't be kept.
pub(super) async fn run(plan: &Plan<'_>, key: Option<&str>, cx: &Cx) -> Result<Ended, ToolError> {
    let task = cx.task();
    // of a workflow that has a name, or of a task: a later run has the same
    let key = key.or(task.id()).map(str::to_owned);
    let mut ended: Ended = task.resume().unwrap_or_default();
    let mut working: Vec<AtWork<'_>> = Vec::new();
    loop {
        let ready = plan.steps.iter().filter(|planned| {
            let id = planned.step.id.as_str();
            let is_new = !ended.contains_key(id) && !working.iter().any(|work| work.id == id);
            is_new && planned.after.iter().all(|id| is_done(&ended, id))
        });
        let ready: Vec<&Planned<'_>> = ready.collect();
        for planned in ready {
            working.push(begun(planned, &ended, key.as_deref(), cx));
        }
        if working.is_empty() {
            return Ok(ended);
        }
        let (id, outcome) = next(&mut working).await;
        let outcome = bounded(outcome, &ended);
        let place = ended.len();
        ended.insert(id.to_owned(), EndedStep { place, outcome });
        task.status(format!("{} of {} steps", ended.len(), plan.steps.len()));
        task.checkpoint(&ended).await?;
        cx.progress(ended.len() as f64, Some(plan.steps.len() as f64), Some(id));
    }
}

fn is_done(ended: &Ended, id: &str) -> bool {
    ended.get(id).is_some_and(|step| step.outcome.is_ok())
}

fn begun<'a>(planned: &Planned<'a>, ended: &Ended, key: Option<&str>, cx: &Cx) -> AtWork<'a> {
    let step = planned.step;
    let result = |id: &str| ended.get(id).and_then(|step| step.outcome.as_ref().ok());
    let arguments = resolved(&step.arguments, &result);
    // a read has no use for one
    let key = key.filter(|_| planned.writes);
    let key = key.map(|key| format!("{key}.{}", step.id));
    let cx = cx.clone();
    let call = async move {
        let arguments = arguments?;
        let called = cx.call_tool(&step.tool, &arguments, key.as_deref()).await;
        match called {
            Ok(result) => {
                let texts = result.content.iter().filter_map(|block| match block {
                    Content::Text(text) => Some(text.text.as_str()),
                    _ => None,
                });
                let text = texts.collect::<Vec<_>>().join("\n");
                match result.is_error {
                    true => Err(text),
                    false => Ok(result.structured_content().unwrap_or_else(|| json!(text))),
                }
            }
            Err(error) => Err(error.message().unwrap_or("an internal error").to_owned()),
        }
    };
    AtWork {
        id: &step.id,
        call: Box::pin(call),
    }
}

/// The next step that ends.
async fn next<'a>(working: &mut Vec<AtWork<'a>>) -> (&'a str, Result<Value, String>) {
    let (place, outcome) = poll_fn(|cx| {
        for (place, work) in working.iter_mut().enumerate() {
            if let Poll::Ready(outcome) = work.call.as_mut().poll(cx) {
                return Poll::Ready((place, outcome));
            }
        }
        Poll::Pending
    })
    .await;
    (working.swap_remove(place).id, outcome)
}

/// A result that can be kept, or a sentence in its place.
fn bounded(outcome: Result<Value, String>, ended: &Ended) -> Result<Value, String> {
    let value = outcome.map_err(|sentence| text::shown(&sentence, MAX_SENTENCE).to_string())?;
    let size = value.to_string().len();
    let kept: BTreeMap<_, _> = ended.iter().collect();
    let kept = kept.values().filter_map(|step| step.outcome.as_ref().ok());
    let all: usize = kept.map(|value| value.to_string().len()).sum();
    match size > MAX_RESULT || size + all > MAX_RESULTS {
        true => Err(format!(
            "it was called, and its result of {size} bytes is more than a workflow keeps ({MAX_RESULT} \
             of one step, {MAX_RESULTS} of all): ask for less"
        )),
        false => Ok(value),
    }
}
