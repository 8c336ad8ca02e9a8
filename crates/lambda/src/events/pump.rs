//! One run of the schedule: events that have a function of their own are read for their subscribers.

use std::time::Duration;

use lambda_runtime::Diagnostic;

use crate::function::Function;

/// With less, nothing is begun.
const LEAST: Duration = Duration::from_secs(15);

/// Reads until nothing is new or the time is over: the next run goes on from there.
///
/// # Errors
/// Where an event could not be read, so that Lambda counts the run as failed. The log has why.
pub(crate) async fn read_all(function: &Function, deadline_ms: u64) -> Result<(), Diagnostic> {
    let (server, platform) = (function.service.server(), &function.platform);
    let end_ms = function.end_ms(deadline_ms);
    if function.time_left(deadline_ms) < LEAST {
        return Err(unread(
            "this function has too little time to read events for their subscribers: give it a \
             timeout of at least 30 seconds",
        ));
    }
    let mut failed = false;
    loop {
        let pumped = server.pump_events_until(platform, end_ms).await;
        failed |= pumped.failed > 0;
        if !pumped.more || pumped.appended == 0 {
            break;
        }
    }
    match failed {
        false => Ok(()),
        true => Err(unread(
            "an event could not be read for its subscribers: the log says why, and the next run \
             tries again",
        )),
    }
}

fn unread(sentence: &str) -> Diagnostic {
    Diagnostic {
        error_type: "EventsUnread".to_owned(),
        error_message: sentence.to_owned(),
    }
}
