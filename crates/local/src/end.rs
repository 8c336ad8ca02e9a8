//! The end of the process, once nothing is served any more: tasks are given back, work behind answers has
//! its time, and the log is told what was left.

use std::time::Duration;

use mcpfn_native::Process;

/// How long work that no call waits for may take once the process was told to stop.
const GRACE: Duration = Duration::from_secs(10);

/// Waits for work that no call waits for, and says what it waits for and what was left.
pub(crate) async fn end_work(process: &Process) {
    // also of a pipe, whose end nobody was told of before
    process.shutdown.begin();
    if tokio::time::timeout(GRACE, process.task_runs.given_back())
        .await
        .is_err()
    {
        tracing::warn!(
            event = "tasks_not_given_back",
            "the store of tasks did not answer: what was at work goes on elsewhere in 45 s"
        );
    }
    let tasks = process.tasks.count();
    if tasks > 0 {
        let seconds = GRACE.as_secs();
        tracing::info!(
            event = "waiting_for_work",
            tasks,
            "work behind answers has {seconds} s to end"
        );
        match tokio::time::timeout(GRACE, process.tasks.drain()).await {
            Ok(()) => tracing::info!(event = "work_ended", "all work has ended"),
            Err(_) => tracing::warn!(
                event = "work_stopped",
                "work still running after {seconds} s was stopped: writes may be half done"
            ),
        }
    }
    process.telemetry.flush().await;
}
