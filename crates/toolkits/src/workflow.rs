//! Several calls as one: tools of this server and of those behind it, in the order that their
//! results need, as a task that goes on where it was. Every step is a call like any other: its
//! scope, rate limit, checks, and an entry in the audit log.

mod plan;
mod refer;
mod run;
mod steps;

use mcpfn_core::{Builder, Cx, ToolError, tool};

use plan::Plan;

pub use steps::{MAX_STEPS, Step, StepReport, StepStatus, Workflow, WorkflowReport};

/// Adds `run_workflow`. Steps that only read need the scope `workflow:read`, others `workflow:write`
/// too, beside the scopes of the tools themselves.
pub fn toolkit(builder: Builder) -> Builder {
    builder.tool(run_workflow).advice(
        ["run_workflow"],
        "`run_workflow` calls several tools as one job, with results of some as arguments of \
         others; let it plan only, before it writes.",
    )
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
