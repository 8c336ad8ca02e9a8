//! One invocation of the function that runs tasks: a run, and what follows it. A short wait is waited
//! here, a run that was cut goes on in an invocation of its own, and everything else is left to the
//! client: who asks for a task orders the run that it is due.

use std::time::Duration;

use lambda_runtime::Diagnostic;
use mcpfn_core::host::TaskRun;

use super::Invoker;
use crate::event::TaskEvent;
use crate::function::Function;

/// The longest wait within an invocation, in milliseconds: it is paid for.
const WAIT_MS: u64 = 30_000;
/// All waits of an invocation together.
const WAITS_MS: u64 = 120_000;
/// Less than this is no time for a run, of which the core keeps three seconds for its end.
const LEAST_MS: u64 = 10_000;
/// Invocations that follow each other without a client between them: AWS takes 16 for a loop, and
/// stops it.
const HOPS: u8 = 12;

/// An invocation, from its first event to its deadline.
struct TaskInvocation {
    begun_ms: u64,
    end_ms: u64,
    waited_ms: u64,
    hop: u8,
}

/// What follows a run.
#[derive(Debug, PartialEq, Eq)]
enum AfterRun {
    /// Nothing that this function does.
    Nothing,
    /// Another run after so many milliseconds.
    Here(u64),
    /// Another invocation.
    Anew,
    /// The same event, in a while: Lambda repeats what failed.
    Failed,
}

impl TaskInvocation {
    fn next(&self, run: TaskRun, now_ms: u64) -> AfterRun {
        let at_ms = match run {
            TaskRun::Ended => return AfterRun::Nothing,
            TaskRun::Unavailable => return AfterRun::Failed,
            TaskRun::Again { at_ms } => at_ms,
        };
        let wait_ms = at_ms.saturating_sub(now_ms);
        if wait_ms > WAIT_MS || self.waited_ms + wait_ms > WAITS_MS {
            return AfterRun::Nothing;
        }
        // a run that begins late is cut soon, and what it did since its last checkpoint is lost
        let left_ms = self.end_ms.saturating_sub(now_ms + wait_ms);
        let half_ms = self.end_ms.saturating_sub(self.begun_ms) / 2;
        if left_ms >= half_ms.max(LEAST_MS) {
            return AfterRun::Here(wait_ms);
        }
        match self.hop < HOPS {
            true => AfterRun::Anew,
            false => AfterRun::Nothing,
        }
    }
}

/// Does what an event orders. `invoked` is the name by which Lambda knows this function.
///
/// # Errors
/// What Lambda is to repeat the event for.
pub(crate) async fn run(
    function: &Function,
    invoker: &Invoker,
    invoked: &str,
    event: &TaskEvent,
    deadline_ms: u64,
) -> Result<(), Diagnostic> {
    let (server, platform) = (function.service.server(), &function.platform);
    let mut invocation = TaskInvocation {
        begun_ms: platform.now_ms(),
        end_ms: function.end_ms(deadline_ms),
        waited_ms: 0,
        hop: event.hop,
    };
    loop {
        let end_ms = Some(invocation.end_ms);
        let run = server.run_task(&event.key, platform, end_ms).await;
        match invocation.next(run, platform.now_ms()) {
            AfterRun::Nothing => return Ok(()),
            AfterRun::Here(wait_ms) => {
                invocation.waited_ms += wait_ms;
                tokio::time::sleep(Duration::from_millis(wait_ms)).await;
            }
            AfterRun::Anew => {
                let ordered = invoker.order(invoked, &event.next()).await;
                return ordered.map_err(|error| failed("NotOrdered", error.to_string()));
            }
            AfterRun::Failed => {
                let why = "the store of tasks could not be asked; the log says why";
                return Err(failed("StoreUnavailable", why.to_owned()));
            }
        }
    }
}

fn failed(error_type: &str, error_message: String) -> Diagnostic {
    Diagnostic {
        error_type: error_type.to_owned(),
        error_message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of an invocation of 900 seconds: seconds since its begin, seconds that it waited, hop, what a
    /// run gave, and what follows.
    #[test]
    fn what_follows_a_run() {
        let again = |second: u64| TaskRun::Again {
            at_ms: second * 1000,
        };
        for (now, waited, hop, run, next) in [
            (5, 0, 0, TaskRun::Ended, AfterRun::Nothing),
            (5, 0, 0, TaskRun::Unavailable, AfterRun::Failed),
            // at once, soon, late
            (5, 0, 0, again(5), AfterRun::Here(0)),
            (5, 0, 0, again(0), AfterRun::Here(0)),
            (5, 0, 0, again(35), AfterRun::Here(30_000)),
            (5, 0, 0, again(36), AfterRun::Nothing),
            // another run has the task, for long
            (200, 100, 0, again(225), AfterRun::Nothing),
            (200, 100, 0, again(220), AfterRun::Here(20_000)),
            // what is left is short
            (450, 0, 0, again(450), AfterRun::Here(0)),
            (451, 0, 0, again(451), AfterRun::Anew),
            (897, 0, 11, again(897), AfterRun::Anew),
            (897, 0, 12, again(897), AfterRun::Nothing),
            (897, 0, 0, again(940), AfterRun::Nothing),
        ] {
            let invocation = TaskInvocation {
                begun_ms: 0,
                end_ms: 900_000,
                waited_ms: waited * 1000,
                hop,
            };
            let found = invocation.next(run, now * 1000);
            assert_eq!(found, next, "{now} s, {waited} s, hop {hop}, {run:?}");
        }
        let short = TaskInvocation {
            begun_ms: 0,
            end_ms: 12_000,
            waited_ms: 0,
            hop: 0,
        };
        assert_eq!(short.next(again(3), 3_000), AfterRun::Anew);
    }
}
