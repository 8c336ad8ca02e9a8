//! A workflow that was checked: every mistake is told at once, before anything is called.

use std::collections::{BTreeMap, BTreeSet};

use mcpfn_core::{Cx, ToolError, text};
use serde_json::Value;

use super::refer::references;
use super::steps::{Ended, MAX_STEPS, Step, StepReport, StepStatus, WorkflowReport};

/// The scope that steps need which may change something.
const WRITE: &str = "workflow:write";
/// The tool itself, which no step may be.
const ITSELF: &str = "run_workflow";

/// Steps in an order in which each comes after those that it needs.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    pub(super) steps: Vec<Planned<'a>>,
}

#[derive(Debug)]
pub(super) struct Planned<'a> {
    pub(super) step: &'a Step,
    /// Ids of the steps that it needs.
    pub(super) after: BTreeSet<&'a str>,
    pub(super) writes: bool,
}

impl<'a> Plan<'a> {
    /// # Errors
    /// Every mistake, a line for each.
    pub(super) fn check(steps: &'a [Step], cx: &Cx) -> Result<Self, ToolError> {
        let mut mistakes = Vec::new();
        if steps.is_empty() || steps.len() > MAX_STEPS {
            mistakes.push(format!("give 1 to {MAX_STEPS} steps"));
        }
        let mut planned = BTreeMap::new();
        for step in steps.iter().take(MAX_STEPS) {
            let mut found = Vec::new();
            let step = planned_step(step, steps, cx, &mut found);
            let id = step.step.id.as_str();
            let named = |mistake| format!("step {}: {mistake}", text::quoted(id));
            mistakes.extend(found.into_iter().map(named));
            if planned.insert(id, step).is_some() {
                mistakes.push(format!("two steps have the id {}", text::quoted(id)));
            }
        }
        if mistakes.is_empty() {
            match in_order(planned, steps) {
                Ok(steps) => return Ok(Self { steps }),
                Err(circle) => mistakes.push(circle),
            }
        }
        Err(ToolError::new(format!(
            "nothing was called. Correct the workflow and call again:\n{}",
            mistakes.join("\n")
        )))
    }

    /// The steps that may change something, for people; nothing if all of them only read.
    pub(super) fn writing(&self) -> Option<String> {
        let writing = self.steps.iter().filter(|planned| planned.writes);
        let named = writing.map(|planned| format!("{} ({})", planned.step.id, planned.step.tool));
        let named: Vec<String> = named.collect();
        (!named.is_empty()).then(|| named.join(", "))
    }

    /// What would be done.
    pub(super) fn report(&self) -> WorkflowReport {
        let steps = self
            .steps
            .iter()
            .map(|planned| planned.report(StepStatus::Planned));
        WorkflowReport {
            complete: false,
            steps: steps.collect(),
        }
    }

    /// What was done. Steps without an end were left out, because one that they need has failed.
    pub(super) fn reported(&self, mut ended: Ended) -> WorkflowReport {
        let mut steps: Vec<(usize, StepReport)> = Vec::new();
        for planned in &self.steps {
            let step = match ended.remove(&planned.step.id) {
                None => {
                    let not_done = planned.after.iter().find(|id| {
                        let found = steps.iter().find(|(_, step)| step.id == **id);
                        found.is_none_or(|(_, step)| step.status != StepStatus::Done)
                    });
                    let needed = not_done.copied().unwrap_or_default();
                    let mut report = planned.report(StepStatus::Skipped);
                    report.error = Some(format!("`{needed}`, which it needs, was not done"));
                    (usize::MAX, report)
                }
                Some(end) => {
                    let (status, result, error) = match end.outcome {
                        Ok(result) => (StepStatus::Done, Some(result), None),
                        Err(sentence) => (StepStatus::Failed, None, Some(sentence)),
                    };
                    let mut report = planned.report(status);
                    (report.result, report.error) = (result, error);
                    (end.place, report)
                }
            };
            steps.push(step);
        }
        // stable: what was left out stays in the order of the plan
        steps.sort_by_key(|(place, _)| *place);
        let steps: Vec<StepReport> = steps.into_iter().map(|(_, step)| step).collect();
        WorkflowReport {
            complete: steps.iter().all(|step| step.status == StepStatus::Done),
            steps,
        }
    }
}

impl Planned<'_> {
    fn report(&self, status: StepStatus) -> StepReport {
        StepReport {
            id: self.step.id.clone(),
            tool: self.step.tool.clone(),
            status,
            after: self.after.iter().map(|id| (*id).to_owned()).collect(),
            writes: self.writes,
            result: None,
            error: None,
        }
    }
}

fn planned_step<'a>(
    step: &'a Step,
    steps: &'a [Step],
    cx: &Cx,
    found: &mut Vec<String>,
) -> Planned<'a> {
    let plain = |character: char| character.is_ascii_alphanumeric() || "_-".contains(character);
    if step.id.is_empty() || step.id.len() > 64 || !step.id.chars().all(plain) {
        found.push("an id has 1 to 64 letters, digits, `_` and `-`".to_owned());
    }
    let mut after: BTreeSet<&str> = step.depends_on.iter().map(String::as_str).collect();
    let mut refers = false;
    match references(&step.arguments) {
        Ok(references) => {
            refers = !references.is_empty();
            after.extend(references.iter().map(|reference| reference.step));
        }
        Err(mistake) => found.push(mistake),
    }
    for id in &after {
        if *id == step.id {
            found.push("it needs itself".to_owned());
        } else if !steps.iter().any(|other| other.id == *id) {
            let quoted = text::quoted(id);
            found.push(format!("it needs a step {quoted}, which there is none of"));
        }
    }
    let writes = check_tool(step, refers, cx, found);
    Planned {
        step,
        after,
        writes,
    }
}

/// Whether the step's tool may change something, and what is in the way of calling it.
fn check_tool(step: &Step, refers: bool, cx: &Cx, found: &mut Vec<String>) -> bool {
    let known = cx.known_tool(&step.tool).filter(|_| step.tool != ITSELF);
    let Some(known) = known else {
        found.push(match step.tool == ITSELF {
            true => "a workflow is no step of another".to_owned(),
            false => format!("unknown tool {}", text::quoted(&step.tool)),
        });
        return true;
    };
    let writes = !known.is_read_only();
    if !known.is_allowed() {
        let needs = known.scopes().join(" and ");
        found.push(format!("`{}` needs the scope {needs}", step.tool));
    } else if writes && !cx.principal().scopes.contains(WRITE) {
        found.push(format!(
            "`{}` may change something, which needs the scope {WRITE}",
            step.tool
        ));
    }
    // what refers to results is checked once they are there
    if !refers && let Err(lines) = known.check(&Value::Object(step.arguments.clone())) {
        found.push(format!(
            "the arguments do not fit `{}`:\n{lines}",
            step.tool
        ));
    }
    writes
}

/// Each step after those that it needs, and otherwise as they were given.
fn in_order<'a>(
    mut planned: BTreeMap<&'a str, Planned<'a>>,
    steps: &'a [Step],
) -> Result<Vec<Planned<'a>>, String> {
    let mut ordered: Vec<Planned<'a>> = Vec::new();
    while !planned.is_empty() {
        let next = steps.iter().map(|step| step.id.as_str()).find(|id| {
            let step = planned.get(id);
            step.is_some_and(|step| !step.after.iter().any(|id| planned.contains_key(id)))
        });
        match next.and_then(|id| planned.remove(id)) {
            Some(step) => ordered.push(step),
            None => {
                let circle: Vec<&str> = planned.keys().copied().collect();
                return Err(format!(
                    "these steps need each other in a circle, or a step that does: {}",
                    circle.join(", ")
                ));
            }
        }
    }
    Ok(ordered)
}
