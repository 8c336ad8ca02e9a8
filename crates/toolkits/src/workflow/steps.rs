//! What a workflow is given, how its steps end, and what is told of them.

use std::collections::BTreeMap;

use mcpfn_core::{JsonObject, input, output};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The most steps of a workflow.
pub const MAX_STEPS: usize = 20;

/// What to do.
#[input]
#[derive(Debug)]
pub struct Workflow {
    /// The calls, in any order: a step begins once the steps that it needs have ended, and those
    /// that need nothing of each other run at the same time.
    #[schemars(length(min = 1, max = 20))]
    pub steps: Vec<Step>,
    /// Only check the steps and tell in which order they would run.
    #[serde(default)]
    pub dry_run: bool,
    /// Any text that names this run, e.g. a UUID: sent again with the same one, nothing that was
    /// written is written twice.
    #[schemars(length(min = 1, max = 128), extend("x-idempotency-key" = true))]
    #[serde(default)]
    pub idempotency_key: Option<String>,
}

/// One call.
#[input]
#[derive(Debug)]
pub struct Step {
    /// A name for it, unique in the workflow: letters, digits, `_` and `-`.
    #[schemars(length(min = 1, max = 64))]
    pub id: String,
    /// The tool to call, as `tools/list` has it.
    #[schemars(length(min = 1, max = 128))]
    pub tool: String,
    /// Its arguments. Anywhere in them, an object `{"$result": "STEP", "pointer": "/a/0/b"}` stands
    /// for a part of that step's structured result (for its text, where it has none), by JSON
    /// pointer; without `pointer` for all of it.
    #[serde(default)]
    pub arguments: JsonObject,
    /// Steps that have to end well before, beside those that the arguments name.
    #[schemars(length(max = 20))]
    #[serde(default)]
    pub depends_on: Vec<String>,
}

/// How a workflow went.
#[output]
#[derive(Debug)]
pub struct WorkflowReport {
    /// Whether every step was done.
    pub complete: bool,
    /// Every step, in the order in which they ended, or would begin.
    pub steps: Vec<StepReport>,
}

/// How a step went.
#[output]
#[derive(Debug)]
pub struct StepReport {
    /// Its id.
    pub id: String,
    /// The tool.
    pub tool: String,
    /// `done`; `failed`; `skipped`, because a step before it failed; or `planned`.
    pub status: StepStatus,
    /// The steps that it needs.
    pub after: Vec<String>,
    /// Whether it may change something.
    pub writes: bool,
    /// What the tool gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    /// Why there is no result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What became of a step.
#[output]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum StepStatus {
    /// Its tool gave a result.
    Done,
    /// Its tool failed, or could not be called.
    Failed,
    /// A step that it needs was not done.
    Skipped,
    /// It would be called.
    Planned,
}

/// How a step ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct EndedStep {
    /// The how many-th it was.
    pub(super) place: usize,
    /// Its result, or why there is none.
    pub(super) outcome: Result<Value, String>,
}

/// Steps that have ended, by their ids.
pub(super) type Ended = BTreeMap<String, EndedStep>;
