//! Several calls as one: tools of this server and of those behind it, in the order that their
//! results need, as a task that goes on where it was. Every step is a call like any other: its
//! scope, rate limit, checks, and an entry in the audit log.

mod plan;
mod refer;
mod run;

use std::collections::BTreeMap;

use mcpfn_core::{Builder, Cx, JsonObject, ToolError, input, output, tool};
use serde_json::Value;

use plan::Plan;

/// The most steps of a workflow.
pub const MAX_STEPS: usize = 20;

/// Adds `run_workflow`. Steps that only read need the scope `workflow:read`, others `workflow:write`
/// too, beside the scopes of the tools themselves.
pub fn toolkit(builder: Builder) -> Builder {
    builder.tool(run_workflow).advice(
        ["run_workflow"],
        "`run_workflow` calls several tools at once, or one with another's results; look at it with \
         `dry_run` first when it writes.",
    )
}

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

/// Call several tools as one job, with results of some as arguments of others.
///
/// Use this for three or more calls that belong together, such as finding an account and then
/// reading its timeline and its open opportunities. A step that fails stops the steps that need
/// it, and no others. For a single call use the tool itself.
#[tool(
    destructive = true,
    open_world = true,
    scope = "workflow:read",
    timeout = "30s",
    title = "Run a workflow",
    task(run = "14m", ttl = "1h", poll = "3s", begun_by_handler)
)]
pub async fn run_workflow(args: Workflow, cx: &Cx) -> Result<WorkflowReport, ToolError> {
    let plan = Plan::check(&args.steps, cx)?;
    if args.dry_run {
        return Ok(plan.report());
    }
    // here and once, because no step can ask
    if let Some(writing) = plan.writing() {
        cx.confirm(|| format!("Run steps that may change something: {writing}?"))?;
    }
    cx.task().begin()?;
    let ended = run::run(&plan, args.idempotency_key.as_deref(), cx).await?;
    Ok(plan.reported(ended))
}

/// Results of steps that have ended, by their ids.
type Ended = BTreeMap<String, run::EndedStep>;
