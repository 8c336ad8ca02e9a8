//! One run of the schedule: events that have a function of their own are read for their subscribers.

use lambda_runtime::Diagnostic;

use crate::function::Function;

/// Reads until nothing is new or the time is over: the next run goes on from there.
///
/// # Errors
/// Where an event could not be read, so that Lambda counts the run as failed. The log has why.
pub(crate) async fn read_all(function: &Function, deadline_ms: u64) -> Result<(), Diagnostic> {
    let (server, platform) = (function.service.server(), &function.platform);
    let mut failed = false;
    let all = async {
        loop {
            let pumped = server.pump_events(platform).await;
            failed |= pumped.failed > 0;
            if !pumped.more {
                return;
            }
        }
    };
    // what was read is kept, page by page
    let _ = tokio::time::timeout(function.time_left(deadline_ms), all).await;
    match failed {
        false => Ok(()),
        true => Err(Diagnostic {
            error_type: "EventsUnread".to_owned(),
            error_message: "an event could not be read for its subscribers: the log says why, and \
                            the next run tries again"
                .to_owned(),
        }),
    }
}
