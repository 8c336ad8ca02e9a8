//! A run of a task: claims it, runs its handler while the hold on it is renewed, and stores how that
//! ended. What starts runs is the host's.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::value::{RawValue, to_raw_value};

use super::super::ended::{self, failed, returned};
use super::super::handler::HandlerFailure;
use crate::active_call::ActiveCall;
use crate::active_call::end::CallResult;
use crate::active_call::failure::missing_capabilities;
use crate::active_call::result::HandlerResult;
use crate::error::ErrorKind;
use crate::join::sooner;
use crate::jsonrpc::Error;
use crate::model::tool::CallToolResult;
use crate::policy::audit::AuditGuard;
use crate::policy::generation::WriteGuard;
use crate::port::audit_log::{Outcome, TaskChange};
use crate::port::tasks::{Swapped, TASK_PART_BYTES, TaskPart};
use crate::port::{Platform, milliseconds};
use crate::round_trip::InputRequired;
use crate::server::Server;
use crate::server::registered::RegisteredTool;
use crate::task::Task;
use crate::task::handle::TaskStage;
use crate::task::head::{RunEnd, Status, TaskClaim};
use crate::task::hold::{RunHold, Stop};
use crate::task::record::{TaskCall, TaskQuestions};
use crate::task::store::{ReadTask, StoredTask, part};

/// What is left of the host's time for storing how a run ended, in milliseconds.
const MARGIN_MS: u64 = 3_000;
/// How often a claim is tried again that others came before.
const TRIES: usize = 8;

/// What is to follow a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskRun {
    /// Nothing: the task has ended, waits for its client, or is gone.
    Ended,
    /// Another run, not before this time (milliseconds since 1970): the task wants it so, was cut
    /// short by the deadline, or has another run until then.
    Again {
        /// The time.
        at_ms: u64,
    },
    /// The same run, in a while: the store could not be asked.
    Unavailable,
}

/// A run that has its task.
struct Claimed {
    read: ReadTask,
    hold: Arc<RunHold>,
}

impl Server {
    /// Runs the task under a key, as a [`TaskRunner`](crate::port::TaskRunner) was told to. Until
    /// `deadline_ms` (milliseconds since 1970), if the host ends then: a handler that is at work a
    /// few seconds before is dropped, and another run goes on from its last checkpoint.
    ///
    /// Dropping it is as if the process had ended: the task is taken up again after 45 s. Once the
    /// platform's [`Shutdown`](crate::port::Shutdown) has begun, the task is given back: nothing new
    /// is begun here, and whoever asks for it on another instance has it go on there.
    pub async fn run_task(
        &self,
        key: &str,
        platform: &Arc<Platform>,
        deadline_ms: Option<u64>,
    ) -> TaskRun {
        let Some(stored) = StoredTask::new(key.to_owned(), platform) else {
            return TaskRun::Unavailable;
        };
        if sooner(platform.shutdown(), async {}).await.is_ok() {
            return TaskRun::Ended;
        }
        let claimed = match claim(&stored, platform).await {
            Ok(Ok(claimed)) => claimed,
            Ok(Err(next)) => return next,
            Err(error) => {
                stored.failed(&error);
                return TaskRun::Unavailable;
            }
        };
        let (end, also) = run(self, platform, &claimed, deadline_ms).await;
        if claimed.hold.stopped() == Some(Stop::Lost) {
            claimed.hold.tell(TaskChange::Ended("lost"));
            return TaskRun::Ended;
        }
        let ended = claimed.hold.end(&end, also).await;
        let status = match &ended {
            Ok(Some(head)) => head.status.as_str(),
            Ok(None) => "lost",
            Err(_) => Status::Working.as_str(),
        };
        claimed.hold.tell(TaskChange::Ended(status));
        match ended {
            Ok(None) => TaskRun::Ended,
            Ok(Some(_)) => match end {
                RunEnd::Later(at_ms) => TaskRun::Again { at_ms },
                RunEnd::Cut => TaskRun::Again {
                    at_ms: platform.clock.now_ms(),
                },
                _ => TaskRun::Ended,
            },
            Err(error) => {
                // found by who asks for the task once the hold on it is over
                stored.failed(&error);
                TaskRun::Unavailable
            }
        }
    }
}

async fn claim(
    stored: &StoredTask,
    platform: &Arc<Platform>,
) -> Result<Result<Claimed, TaskRun>, crate::port::store_error::StoreError> {
    let mut holder = [0; 8];
    platform.random.fill(&mut holder);
    let holder: String = holder.iter().map(|byte| format!("{byte:02x}")).collect();
    let parts = [TaskPart::Call, TaskPart::Questions, TaskPart::Checkpoint];
    for _ in 0..TRIES {
        let Some(read) = stored.read(&parts).await? else {
            return Ok(Err(TaskRun::Ended));
        };
        let next = match read.head.claim(&holder, platform.clock.now_ms()) {
            TaskClaim::Run(next) => next,
            TaskClaim::End(next) => match stored.swap(read.version, &next, Vec::new()).await? {
                Swapped::Changed => continue,
                Swapped::Done | Swapped::Gone => return Ok(Err(TaskRun::Ended)),
            },
            TaskClaim::NotYet(at_ms) => return Ok(Err(TaskRun::Again { at_ms })),
            TaskClaim::Nothing => return Ok(Err(TaskRun::Ended)),
        };
        match stored.swap(read.version, &next, Vec::new()).await? {
            Swapped::Done => {
                let version = read.version + 1;
                let hold = RunHold::new(stored.clone(), platform, holder, next, version);
                let hold = Arc::new(hold);
                return Ok(Ok(Claimed { read, hold }));
            }
            Swapped::Changed => {}
            Swapped::Gone => return Ok(Err(TaskRun::Ended)),
        }
    }
    // many want it at once: one of them has it
    Ok(Err(TaskRun::Ended))
}

/// What is stored at the end of a run.
type Ending = (RunEnd, Vec<(TaskPart, Bytes)>);

fn with_error(error: &Error) -> Ending {
    let parts = vec![part(TaskPart::Outcome, error)];
    (RunEnd::Failed(error.message.to_string()), parts)
}

async fn run(
    server: &Server,
    platform: &Arc<Platform>,
    claimed: &Claimed,
    deadline_ms: Option<u64>,
) -> Ending {
    let unreadable = || {
        let sentence = "the task was begun by another version of this server, which kept what \
                        this one can't read: call the tool again";
        with_error(&Error::internal(sentence))
    };
    let Some(record) = claimed.read.part::<TaskCall>(0) else {
        return unreadable();
    };
    let Some(principal) = record.principal() else {
        return unreadable();
    };
    let found = server.registry().tool(&record.tool);
    let Some(tool) = found.filter(|tool| tool.task.is_some()).map(Arc::clone) else {
        let sentence = "the tool of this task is no part of this server any more";
        return with_error(&Error::internal(sentence));
    };
    let mut questions: TaskQuestions = claimed.read.part(1).unwrap_or_default();
    let call = ActiveCall::of_task(server, platform, &tool, &record, principal, &questions);
    let call = Arc::new(call.ends_by(deadline_ms.map(|at| at.saturating_sub(MARGIN_MS))));
    let audit = AuditGuard::start(Arc::clone(&call));
    claimed.hold.begin(&tool.name);
    let (ending, result) = handle(&call, &tool, record, claimed, &mut questions).await;
    // what a client would have been sent is told by `tasks/get`
    let _ = audit.end(result);
    ending
}

/// Runs the handler: what is stored, and what the audit log has of it.
async fn handle(
    call: &Arc<ActiveCall>,
    tool: &Arc<RegisteredTool>,
    record: TaskCall,
    claimed: &Claimed,
    questions: &mut TaskQuestions,
) -> (Ending, CallResult) {
    let mut arguments = record.arguments;
    if let Err(refusal) = tool.fit(&mut arguments) {
        let text = format!("the arguments do not fit the schema any more:\n{refusal}");
        let result = call.tool_error(&text);
        return completed(call, tool, result);
    }
    let limit = call.limit(run_limit(tool));
    let task = Task::new(
        TaskStage::Run(Arc::clone(&claimed.hold)),
        claimed.read.part(2),
    );
    let cx = match call.cx_of_task(&arguments, limit, &task) {
        Ok(cx) => cx,
        Err(error) => return (with_error(&error), Err(error.into())),
    };
    let ends_reads = tool.writes && call.server.registry().writes_end_reads();
    let guard = ends_reads.then(|| WriteGuard::new(call));
    let handling = ended::run(call, tool, arguments, cx, limit);
    // the handler first: what has ended is not stopped
    let end = sooner(handling, claimed.hold.beat()).await.ok();
    if let Some(guard) = guard {
        guard.ended(true).await;
    }
    match (end, claimed.hold.stopped()) {
        (Some(Err(HandlerFailure::Returned(kind))), None)
            if claimed.hold.has_unkept_step() && is_failure(&kind) =>
        {
            goes_on(RunEnd::Cut, Vec::new(), Outcome::Task)
        }
        (Some(end), None) => ending(call, tool, questions, limit, end),
        (_, Some(Stop::HandedOver)) => goes_on(RunEnd::HandedOver, Vec::new(), Outcome::Task),
        _ => goes_on(RunEnd::Cancelled, Vec::new(), Outcome::Cancelled),
    }
}

/// Whether the handler came to no end that it wanted: then it may be because of what was not kept.
fn is_failure(kind: &ErrorKind) -> bool {
    !matches!(
        kind,
        ErrorKind::Later(_) | ErrorKind::InputRequired(_) | ErrorKind::MissingCapability(_)
    )
}

/// An end without a result: the audit log has its outcome alone.
fn goes_on(end: RunEnd, parts: Vec<(TaskPart, Bytes)>, outcome: Outcome) -> (Ending, CallResult) {
    ((end, parts), Ok((b"{}".to_vec(), outcome.into())))
}

/// What the end of the handler, which had so long, means for its task.
fn ending(
    call: &ActiveCall,
    tool: &RegisteredTool,
    questions: &mut TaskQuestions,
    limit: Duration,
    end: Result<CallToolResult, HandlerFailure>,
) -> (Ending, CallResult) {
    let own = run_limit(tool);
    match end {
        Ok(result) => completed(call, tool, returned(call, tool, result)),
        Err(HandlerFailure::TimedOut) if limit < own => {
            goes_on(RunEnd::Cut, Vec::new(), Outcome::Task)
        }
        Err(HandlerFailure::Returned(ErrorKind::Later(after))) => {
            let now_ms = call.platform.clock.now_ms();
            let at_ms = now_ms.saturating_add(milliseconds(after));
            goes_on(RunEnd::Later(at_ms), Vec::new(), Outcome::Task)
        }
        Err(HandlerFailure::Returned(ErrorKind::InputRequired(ask))) => {
            match asked(call, questions, ask) {
                Ok((end, parts)) => goes_on(end, parts, Outcome::InputRequired),
                Err(error) => (with_error(&error), Err(error.into())),
            }
        }
        Err(failure) => match failed(call, tool, own, failure) {
            Ok(result) => completed(call, tool, result),
            Err(error) => (with_error(&error), Err(error.into())),
        },
    }
}

/// How long one run may take, whatever the host has left.
fn run_limit(tool: &RegisteredTool) -> Duration {
    tool.task.map_or(tool.timeout, |options| options.run)
}

/// A result, unless it is larger than what is kept of a task.
fn completed(
    call: &ActiveCall,
    tool: &RegisteredTool,
    mut result: HandlerResult,
) -> (Ending, CallResult) {
    let most = TASK_PART_BYTES.min(call.server.max_result_bytes());
    let mut written = call.write(&result, crate::port::audit_log::CacheStatus::Off);
    if written.len() > most {
        let text = format!(
            "the result of `{}` has {} bytes, more than the {most} that are kept of a task. The \
             work was done: ask for less, or let the tool store it and give an address",
            tool.name,
            written.len()
        );
        let too_large = CallToolResult::error(text);
        result = call.tool_result(too_large, Outcome::TooLarge, result.retain);
        written = call.write(&result, crate::port::audit_log::CacheStatus::Off);
    }
    let parts = vec![(TaskPart::Outcome, Bytes::from(written.clone()))];
    let outcome = result.outcome.into();
    ((RunEnd::Completed, parts), Ok((written, outcome)))
}

/// TaskQuestions of a handler, as they are stored: under keys that the task never had.
fn asked(
    call: &ActiveCall,
    questions: &mut TaskQuestions,
    ask: InputRequired,
) -> Result<Ending, Error> {
    let undeclared = call.undeclared(&ask);
    if !undeclared.is_empty() {
        return Err(missing_capabilities(&undeclared));
    }
    let nothing = ask.requests.is_empty() && ask.state.is_none();
    let written = |(key, request)| Some((key, to_raw_value(&request).ok()?));
    let requests: Vec<(String, Box<RawValue>)> =
        ask.requests.into_iter().filter_map(written).collect();
    let open = questions.ask(requests);
    questions.state = ask.state;
    let (name, bytes) = part(TaskPart::Questions, questions);
    if ask.state_failed || nothing || bytes.len() > TASK_PART_BYTES {
        let cause = "the handler asked for nothing, its state can't be written as JSON, or both \
                     are too large to be kept";
        return Err(Error::internal(call.internal(call.name(), cause)));
    }
    let end = match open.is_empty() {
        // only a state: the handler wants to be run again with it
        true => RunEnd::Later(call.platform.clock.now_ms()),
        false => RunEnd::Asks(open),
    };
    Ok((end, vec![(name, bytes)]))
}
